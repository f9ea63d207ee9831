//! Changes to a document.

use crate::path::DataPath;

/// What is done at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchOp {
    /// Sets the value there, whether there was one or not. The document above must exist.
    Add(String),
    /// Removes what is there, which must exist.
    Remove,
}

/// One change. OPA makes all changes of a call, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where, from the path that the call names.
    pub path: DataPath,
    /// What.
    pub op: PatchOp,
}

/// The body of a PATCH call.
pub(crate) fn body(patches: &[Patch]) -> String {
    let each: Vec<String> = patches
        .iter()
        .map(|patch| {
            let path = patch.path.to_pointer();
            match &patch.op {
                PatchOp::Add(value) => format!(r#"{{"op":"add","path":"{path}","value":{value}}}"#),
                PatchOp::Remove => format!(r#"{{"op":"remove","path":"{path}"}}"#),
            }
        })
        .collect();
    format!("[{}]", each.join(","))
}
