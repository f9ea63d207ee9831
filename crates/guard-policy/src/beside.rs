//! The files beside a hexarch.yaml that it names: policies in Rego, prices.

use std::path::{Component, Path, PathBuf};

use crate::file::{FileError, LoadOptions, read_text};

/// Where files are looked for.
pub(crate) struct Beside<'a> {
    /// The hexarch.yaml, as messages name it.
    name: &'a str,
    /// Its folder; none of a text that comes from no file.
    folder: Option<(PathBuf, &'a LoadOptions)>,
}

/// Why a file is not read.
pub(crate) struct Refused {
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

impl<'a> Beside<'a> {
    /// Those in the folder of a file and below it.
    pub(crate) fn of(path: &Path, name: &'a str, options: &'a LoadOptions) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self { name, folder: Some((folder.unwrap_or(Path::new(".")).to_owned(), options)) }
    }

    /// None.
    pub(crate) const fn none(name: &'a str) -> Self {
        Self { name, folder: None }
    }

    pub(crate) const fn name(&self) -> &'a str {
        self.name
    }

    /// The file's name, as messages have it, and its text.
    pub(crate) fn read(&self, name: &str) -> Result<(String, String), Refused> {
        let Some((folder, options)) = &self.folder else {
            let message = format!("`{name}` would be a file beside this text, which comes from no file");
            return Err(Refused { message, help: None });
        };
        let inside = |component| matches!(component, Component::Normal(_) | Component::CurDir);
        let path = folder.join(name);
        if !Path::new(name).components().all(inside) || !stays_below(folder, &path) {
            let message = format!("`{name}` leads out of the folder of hexarch.yaml");
            return Err(Refused { message, help: Some("name a file in that folder, or below it") });
        }
        match read_text(&path, options) {
            Ok(text) => Ok((path.display().to_string(), text)),
            Err(error) => Err(refused(&error)),
        }
    }
}

/// Whether what the name leads to, through whatever links, is in the folder. Of what cannot be found nothing is known, and
/// reading it will tell.
fn stays_below(folder: &Path, path: &Path) -> bool {
    match (folder.canonicalize(), path.canonicalize()) {
        (Ok(folder), Ok(path)) => path.starts_with(folder),
        _ => true,
    }
}

fn refused(error: &FileError) -> Refused {
    Refused { message: error.to_string(), help: None }
}
