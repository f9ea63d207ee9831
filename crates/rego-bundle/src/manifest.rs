//! `.manifest`: what a bundle says about itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pattern::Pattern;

/// What a bundle says about itself. Keys that say nothing about reading it are left alone, as OPA leaves them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// Which version of the policy it is.
    #[serde(default)]
    pub revision: String,
    /// The documents that it may define, by paths separated by `/`; everything where there are none.
    #[serde(default)]
    roots: Option<Vec<String>>,
    /// The language of its modules: 0, 1 or 2.
    #[serde(default)]
    rego_version: Option<i64>,
    /// The language of modules by patterns over their paths.
    #[serde(default)]
    file_rego_versions: BTreeMap<String, i64>,
}

/// The languages of a bundle's modules.
pub(crate) struct Versions {
    patterns: Vec<(Pattern, i64)>,
    others: Option<i64>,
}

impl Versions {
    /// The language of a module, by its path from the bundle's root on, with a leading `/`. Of several patterns that
    /// match, the first counts, in the order of their texts.
    ///
    /// # Errors
    /// There is no such language.
    pub(crate) fn of(&self, path: &str) -> Result<Option<u8>, String> {
        let own = self.patterns.iter().find(|(pattern, _)| pattern.matches(path));
        let Some(version) = own.map(|(_, version)| *version).or(self.others) else { return Ok(None) };
        let known = known(version).ok_or(format!("unknown bundle rego-version {version} for file '{path}'"));
        known.map(Some)
    }
}

fn known(version: i64) -> Option<u8> {
    u8::try_from(version).ok().filter(|version| *version <= 2)
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
        Ok(manifest)
    }

    /// What can be said without the modules, whose languages are looked at first.
    pub(crate) fn check(&self) -> Result<(), String> {
        let roots = self.roots();
        for (at, root) in roots.iter().enumerate() {
            let behind = roots.iter().skip(at + 1);
            if let Some(other) = behind.into_iter().find(|other| overlap(root, other)) {
                return Err(format!("manifest has overlapped roots: '{root}' and '{other}'"));
            }
        }
        if let Some(version) = self.rego_version.filter(|version| known(*version).is_none()) {
            return Err(format!("manifest has unknown rego-version {version}"));
        }
        match self.file_rego_versions.iter().find(|(_, version)| known(**version).is_none()) {
            Some((pattern, version)) => {
                Err(format!("manifest has unknown rego-version {version} for file '{pattern}'"))
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

    /// The languages of the modules.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub(crate) fn versions(&self) -> Result<Versions, String> {
        let pattern = |(text, version): (&String, &i64)| Ok((Pattern::new(text)?, *version));
        let patterns = self.file_rego_versions.iter().map(pattern).collect::<Result<_, String>>()?;
        Ok(Versions { patterns, others: self.rego_version })
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

#[cfg(test)]
mod tests {
    use super::Manifest;

    #[test]
    fn the_language_of_a_module() {
        let text = br#"{"rego_version": 1, "file_rego_versions": {"/old/*.rego": 0, "*/{a,b}.rego": 0}}"#;
        let versions = Manifest::read(text).unwrap().versions().unwrap();
        assert_eq!(versions.of("/old/x/y.rego"), Ok(Some(0)));
        assert_eq!(versions.of("/new/b.rego"), Ok(Some(0)));
        assert_eq!(versions.of("/new/y.rego"), Ok(Some(1)));
        let versions = Manifest::read(br#"{"rego_version": -1}"#).unwrap().versions().unwrap();
        assert_eq!(versions.of("/x").unwrap_err(), "unknown bundle rego-version -1 for file '/x'");
        assert_eq!(Manifest::default().versions().unwrap().of("/x"), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wanted) in [
            (r#"{"roots": ["a", "a/b"]}"#, "manifest has overlapped roots: 'a' and 'a/b'"),
            (r#"{"rego_version": 7}"#, "manifest has unknown rego-version 7"),
            (r#"{"file_rego_versions": {"x": 9}}"#, "manifest has unknown rego-version 9 for file 'x'"),
        ] {
            assert_eq!(Manifest::read(text.as_bytes()).unwrap().check().unwrap_err(), wanted);
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
