//! `.manifest`: what a bundle says about itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ignore;

/// What a bundle says about itself. Keys that say nothing about reading it are left alone, as OPA leaves them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// Which version of the policy it is.
    #[serde(default)]
    pub revision: String,
    /// The documents that it may define, by paths separated by `/`; everything where there are none.
    #[serde(default)]
    roots: Option<Vec<String>>,
    /// The language of its modules: 0 or 1.
    #[serde(default)]
    rego_version: Option<u8>,
    /// The language of modules by patterns over their paths.
    #[serde(default)]
    file_rego_versions: BTreeMap<String, u8>,
}

impl Manifest {
    /// Reads and checks a manifest.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let decoded: Result<Self, _> = serde_json::from_slice(bytes);
        let mut manifest =
            decoded.map_err(|error| format!("bundle load failed on manifest decode: {error}"))?;
        for root in manifest.roots.iter_mut().flatten() {
            *root = root.trim_matches('/').to_owned();
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let roots = self.roots();
        for (at, root) in roots.iter().enumerate() {
            let behind = roots.iter().skip(at + 1);
            if let Some(other) = behind.into_iter().find(|other| overlap(root, other)) {
                return Err(format!("manifest has overlapped roots: '{root}' and '{other}'"));
            }
        }
        let known = |version: u8| version <= 1;
        if let Some(version) = self.rego_version.filter(|version| !known(*version)) {
            return Err(format!("manifest has unknown rego version: {version}"));
        }
        match self.file_rego_versions.iter().find(|(_, version)| !known(**version)) {
            Some((pattern, version)) => {
                Err(format!("manifest has unknown rego version: {version} for file '{pattern}'"))
            }
            None => Ok(()),
        }
    }

    /// The roots; one that is empty permits everything.
    #[must_use]
    pub fn roots(&self) -> Vec<&str> {
        match &self.roots {
            Some(roots) => roots.iter().map(String::as_str).collect(),
            None => vec![""],
        }
    }

    /// Whether a document may be defined.
    #[must_use]
    pub fn permits(&self, path: &[&str]) -> bool {
        self.roots().iter().any(|root| contains(root, path))
    }

    /// The language of a module, by its path from the bundle's root on, with a leading `/`.
    pub(crate) fn version_of(&self, path: &str) -> Option<u8> {
        let mut patterns = self.file_rego_versions.iter();
        let own =
            patterns.find(|(pattern, _)| alternatives(pattern).iter().any(|one| ignore::matches(one, path)));
        own.map(|(_, version)| *version).or(self.rego_version)
    }
}

fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|step| !step.is_empty()).collect()
}

fn contains(root: &str, path: &[&str]) -> bool {
    path.starts_with(&steps(root))
}

fn overlap(left: &str, right: &str) -> bool {
    contains(left, &steps(right)) || contains(right, &steps(left))
}

/// A pattern without its `{a,b}`, of which only the first group that is not nested counts.
fn alternatives(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((choices, behind)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    choices.split(',').map(|choice| format!("{before}{choice}{behind}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn the_language_of_a_module() {
        let text = br#"{"rego_version": 1, "file_rego_versions": {"/old/*.rego": 0, "*/{a,b}.rego": 0}}"#;
        let manifest = Manifest::read(text).unwrap();
        assert_eq!(manifest.version_of("/old/x/y.rego"), Some(0));
        assert_eq!(manifest.version_of("/new/b.rego"), Some(0));
        assert_eq!(manifest.version_of("/new/y.rego"), Some(1));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wanted) in [
            (r#"{"roots": ["a", "a/b"]}"#, "manifest has overlapped roots: 'a' and 'a/b'"),
            (r#"{"rego_version": 7}"#, "manifest has unknown rego version: 7"),
            (r#"{"file_rego_versions": {"x": 9}}"#, "manifest has unknown rego version: 9 for file 'x'"),
        ] {
            assert_eq!(Manifest::read(text.as_bytes()).unwrap_err(), wanted);
        }
    }

    #[test]
    fn roots_permit_what_is_below_them() {
        let manifest = Manifest::read(br#"{"roots": ["/a/b/", "c"]}"#).unwrap();
        assert!(manifest.permits(&["a", "b", "x"]) && manifest.permits(&["c"]));
        assert!(!manifest.permits(&["a"]) && !manifest.permits(&["cc"]));
        assert!(Manifest::default().permits(&["anything"]));
    }
}
