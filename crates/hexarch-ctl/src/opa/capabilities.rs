//! `--capabilities`: which parts of the language policies may use.

use std::collections::BTreeSet;
use std::fs;

use rego_builtins::Builtin;
use rego_compiler::declared_builtins;
use rego_syntax::Features;
use serde_json::Value as Json;

/// The version of OPA whose language this is.
const OPA_VERSION: &str = "v1.22.2";

/// Which parts of the language policies may use; all of them by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capabilities {
    /// The functions that may be called; all where there is no list.
    pub(crate) builtins: Option<BTreeSet<String>>,
    /// Functions among them that Rego does not have; calling one is an error of the evaluation.
    pub(crate) declared: Vec<&'static Builtin>,
    /// The hosts that policies may speak with; all where there is no list.
    pub(crate) allow_net: Option<Vec<String>>,
    /// Optional syntax; that of the version of the language where nothing was said.
    pub(crate) features: Option<Features>,
    /// Keywords that imports may name; all where there is no list.
    pub(crate) future_keywords: Option<Vec<String>>,
    /// There is no Rego v1.
    pub(crate) without_v1: bool,
}

impl Capabilities {
    /// What a file says, or a version of OPA.
    pub(crate) fn read(name: &str) -> Result<Self, String> {
        match fs::read(name) {
            Ok(bytes) => {
                let json: Json = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
                let declared = declared_builtins(&json).map_err(|error| error.to_string())?;
                Ok(Self { declared, ..Self::of_json(&json) })
            }
            Err(_) => Self::of_version(name),
        }
    }

    fn of_json(json: &Json) -> Self {
        let list = |name: &str| json.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        let names = list("builtins");
        let names = names.iter().filter_map(|row| row.get("name")?.as_str().map(ToOwned::to_owned));
        let features: BTreeSet<String> =
            list("features").iter().filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect();
        let has = |name: &str| features.contains(name);
        let keywords = list("future_keywords");
        let keywords = keywords.iter().filter_map(|name| name.as_str().map(ToOwned::to_owned));
        Self {
            builtins: Some(names.collect()),
            declared: Vec::new(),
            allow_net: json
                .get("allow_net")
                .and_then(Json::as_array)
                .map(|hosts| hosts.iter().filter_map(|host| host.as_str().map(ToOwned::to_owned)).collect()),
            future_keywords: Some(keywords.collect()),
            features: Some(Features {
                keywords_in_refs: has("keywords_in_refs"),
                template_strings: has("template_strings"),
                rego_v1_import: has("rego_v1_import") || has("rego_v1"),
                rego_v2_import: has("rego_v2_import"),
            }),
            without_v1: !has("rego_v1"),
        }
    }

    fn of_version(name: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u32>> =
            name.strip_prefix('v').map(|rest| rest.split('.').map_while(|n| n.parse().ok()).collect());
        match numbers.as_deref() {
            _ if name == OPA_VERSION => Ok(Self { features: Some(Features::default()), ..Self::default() }),
            // Nothing before 1.0 knows Rego v1, and that is all that matters of it here.
            Some([0, minor, _]) if (17..=70).contains(minor) => {
                Ok(Self { without_v1: true, ..Self::default() })
            }
            Some([1, minor, _]) if *minor < 22 => Err(format!(
                "the capabilities of {name} are not known here; those of {OPA_VERSION} are, and a file can hold any"
            )),
            _ => Err(format!("no such file or capabilities version found: {name}")),
        }
    }
}
