//! A bundle out of its files.

use rego_value::Value;

use crate::documents::Documents;
use crate::manifest::Manifest;
use crate::text::{TextError, from_json, from_yaml};

/// A file of a bundle.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path from the bundle's root on, steps separated by `/`, no step at the beginning.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A module of a bundle, not parsed yet.
#[derive(Clone, Debug)]
pub struct ModuleFile {
    /// Its path, with that of the bundle's folder before it.
    pub name: String,
    /// Its text.
    pub bytes: Vec<u8>,
    /// Its language, where the manifest says: 0, 1 or 2.
    pub rego_version: Option<u8>,
}

/// A bundle: modules, data and what it says about itself.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// What it says about itself.
    pub manifest: Manifest,
    /// Its modules, in the order of its files.
    pub modules: Vec<ModuleFile>,
    /// Its documents: an object.
    pub data: Documents,
}

/// Why files are no bundle. The texts are OPA's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The manifest is wrong, or there are two.
    #[error("{0}")]
    Manifest(String),
    /// A data file is no data.
    #[error("bundle load failed on {file}: {error}")]
    Text {
        /// The file.
        file: String,
        /// Why.
        error: TextError,
    },
    /// The documents of a file cannot be part of the tree.
    #[error("bundle load failed on {file}: {reason}")]
    Data {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A document is outside of the manifest's roots.
    #[error("manifest roots [{}] do not permit {what}", .roots.join(" "))]
    Root {
        /// The roots.
        roots: Vec<String>,
        /// What is outside.
        what: String,
    },
    /// A kind of bundle that is not read here.
    #[error("{0}")]
    Unsupported(String),
}

const MANIFEST: &str = ".manifest";

impl Bundle {
    /// Takes apart the files of a bundle, given in the order of their paths. `folder` is put before the names of
    /// modules, so that diagnostics name files as the user does.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn read(files: Vec<File>, folder: &str) -> Result<Self, BundleError> {
        let mut bundle = Self { manifest: manifest_of(&files)?, ..Self::default() };
        let versions = bundle.manifest.versions().map_err(BundleError::Manifest)?;
        for file in files {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            if name.ends_with(".rego") {
                let rego_version = versions.of(&format!("/{}", file.path)).map_err(BundleError::Manifest)?;
                let name = joined(folder, &file.path);
                bundle.modules.push(ModuleFile { name, bytes: file.bytes, rego_version });
            } else if name == "data.json" {
                bundle.add_data(&file.path, from_json(&file.bytes))?;
            } else if name == "data.yaml" || name == "data.yml" {
                bundle.add_data(&file.path, from_yaml(&file.bytes))?;
            } else if name == "patch.json" {
                let text = "a delta bundle changes the data of another; there is none here";
                return Err(BundleError::Unsupported(text.to_owned()));
            }
        }
        bundle.manifest.check().map_err(BundleError::Manifest)?;
        bundle.check_data()?;
        Ok(bundle)
    }

    fn add_data(&mut self, path: &str, read: Result<Value, TextError>) -> Result<(), BundleError> {
        let file = format!("/{path}");
        let value = read.map_err(|error| BundleError::Text { file: file.clone(), error })?;
        let folders = path.rsplit_once('/').map(|(folders, _)| folders).unwrap_or_default();
        let steps: Vec<String> = folders.split('/').filter(|step| !step.is_empty()).map(Into::into).collect();
        let reason = match value {
            Value::Object(_) => format!("failed to insert data file from path {folders}"),
            _ if steps.is_empty() => "root value must be object".to_owned(),
            _ => format!("failed to insert data file from path {folders}"),
        };
        self.data.add(&file, &steps, value).map_err(|_| BundleError::Data { file, reason })
    }

    /// No document is outside of the roots.
    fn check_data(&self) -> Result<(), BundleError> {
        if self.manifest.permits(&[]) {
            return Ok(());
        }
        let roots = self.manifest.roots();
        let data = self.data.clone().into_value();
        let mut pending: Vec<(Vec<&str>, &Value)> = vec![(Vec::new(), &data)];
        while let Some((path, value)) = pending.pop() {
            if self.manifest.permits(&path) {
                continue;
            }
            // What lies on the way to a root is no document of its own.
            let leads = roots.iter().any(|root| {
                let steps: Vec<&str> = root.split('/').collect();
                steps.starts_with(&path)
            });
            let Value::Object(members) = value else { return Err(self.outside(&path)) };
            if !leads {
                return Err(self.outside(&path));
            }
            for (key, member) in members.iter() {
                let mut path = path.clone();
                path.push(key.as_str().unwrap_or_default());
                pending.push((path, member));
            }
        }
        Ok(())
    }

    fn outside(&self, path: &[&str]) -> BundleError {
        let roots = self.manifest.roots().into_iter().map(ToOwned::to_owned).collect();
        BundleError::Root {
            roots,
            what: format!("data at path '/{}' (hint: check bundle directory structure)", path.join("/")),
        }
    }

    /// A module's package has to be below a root; the path is without `data`.
    ///
    /// # Errors
    /// [`BundleError::Root`].
    pub fn check_package(&self, package: &[&str], text: &str, module: &str) -> Result<(), BundleError> {
        if self.manifest.permits(package) {
            return Ok(());
        }
        let roots = self.manifest.roots().into_iter().map(ToOwned::to_owned).collect();
        Err(BundleError::Root { roots, what: format!("'{text}' in module '{module}'") })
    }
}

fn manifest_of(files: &[File]) -> Result<Manifest, BundleError> {
    let mut found = files.iter().filter(|file| file.path == MANIFEST || file.path.ends_with("/.manifest"));
    let Some(first) = found.next() else { return Ok(Manifest::default()) };
    if let Some(second) = found.next() {
        let (first, second) = (format!("/{}", first.path), format!("/{}", second.path));
        let text = format!("bundle contains multiple manifest files: {first:?} and {second:?}");
        return Err(BundleError::Manifest(text));
    }
    Manifest::read(&first.bytes).map_err(BundleError::Manifest)
}

fn joined(folder: &str, path: &str) -> String {
    let folder = folder.trim_end_matches('/');
    match folder {
        "" if !path.is_empty() => path.to_owned(),
        "." => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
    }

    #[test]
    fn only_data_files_count_and_stand_where_their_folder_is() {
        let files = vec![
            file(".manifest", r#"{"roots": ["app"]}"#),
            file("app/data.json", r#"{"limit": 3}"#),
            file("app/other.json", "not read"),
            file("app/rules.rego", "package app.rules"),
            file("app/x/data.yaml", "y: 1"),
        ];
        let bundle = Bundle::read(files, "dir").unwrap();
        let wanted = from_json(br#"{"app": {"limit": 3, "x": {"y": 1}}}"#).unwrap();
        assert_eq!(bundle.data.clone().into_value(), wanted);
        assert_eq!(bundle.modules[0].name, "dir/app/rules.rego");
        assert!(bundle.check_package(&["app", "rules"], "", "").is_ok());
        assert!(bundle.check_package(&["other"], "package other", "m").is_err());
    }

    #[test]
    fn data_outside_of_the_roots_is_refused() {
        let files = vec![file(".manifest", r#"{"roots": ["a/b"]}"#), file("data.json", r#"{"a": {"c": 1}}"#)];
        assert!(matches!(Bundle::read(files, ""), Err(BundleError::Root { .. })));
        let files = vec![file(".manifest", r#"{"roots": ["a/b"]}"#), file("data.json", r#"{"a": {"b": 1}}"#)];
        assert!(Bundle::read(files, "").is_ok());
    }
}
