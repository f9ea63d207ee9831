//! Finding hexarch.yaml.

use std::path::{Path, PathBuf};

use crate::file::{FileError, check_kind};

/// The names that are looked for, in this order, in each directory.
pub const FILE_NAMES: [&str; 4] = ["hexarch.yaml", "hexarch.yml", ".hexarch.yaml", ".hexarch.yml"];

/// What marks the root of a repository.
const REPOSITORY_MARKS: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// Why no file was found.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The directory to start in cannot be used.
    #[error("cannot look for hexarch.yaml from `{}`: {source}", directory.display())]
    Start {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No directory up to the last one has such a file.
    #[error("there is no hexarch.yaml (or .yml) in `{}`{}", start.display(), above(start, last))]
    NotFound {
        /// Where the search began.
        start: PathBuf,
        /// The repository root, home directory or root directory where it ended.
        last: PathBuf,
    },
    /// Something of that name is there and cannot be a configuration.
    #[error(transparent)]
    Unusable(#[from] FileError),
}

/// How far up the search went.
fn above(start: &Path, last: &Path) -> String {
    if start == last { String::new() } else { format!(" or above it, up to `{}`", last.display()) }
}

/// Finds the configuration for a directory: in it, or in the nearest directory above it. The search ends with
/// the first directory that is the root of a repository, the home directory or the root directory.
///
/// # Errors
/// When there is none, or when what is there is not a file.
pub fn discover(start: impl AsRef<Path>) -> Result<PathBuf, DiscoverError> {
    search(start.as_ref(), std::env::home_dir().as_deref())
}

fn search(start: &Path, home: Option<&Path>) -> Result<PathBuf, DiscoverError> {
    let failed = |source| DiscoverError::Start { directory: start.to_owned(), source };
    let start = start.canonicalize().map_err(failed)?;
    let home = home.and_then(|home| home.canonicalize().ok());
    let mut last = start.as_path();
    for directory in start.ancestors() {
        last = directory;
        if let Some(found) = find_in(directory)? {
            return Ok(found);
        }
        let repository = REPOSITORY_MARKS.iter().any(|mark| directory.join(mark).exists());
        if repository || home.as_deref() == Some(directory) {
            break;
        }
    }
    Err(DiscoverError::NotFound { start: start.clone(), last: last.to_owned() })
}

fn find_in(directory: &Path) -> Result<Option<PathBuf>, FileError> {
    for name in FILE_NAMES {
        let path = directory.join(name);
        // A link that leads nowhere is there, and an error, rather than skipped for a file further up.
        if path.symlink_metadata().is_ok() {
            check_kind(&path)?;
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A directory of its own for each test, gone at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("hexarch-discover-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path.canonicalize().unwrap())
        }

        fn directory(&self, path: &str) -> PathBuf {
            let path = self.0.join(path);
            fs::create_dir_all(&path).unwrap();
            path
        }

        fn file(&self, path: &str) -> PathBuf {
            let path = self.0.join(path);
            fs::write(&path, "policies: []\n").unwrap();
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn names_have_an_order_and_nearer_directories_win() {
        let scratch = Scratch::new("order");
        let inner = scratch.directory("repo/a/b");
        scratch.directory("repo/.git");
        let mut expected = scratch.file("repo/.hexarch.yml");
        for name in [".hexarch.yaml", "hexarch.yml", "hexarch.yaml"] {
            assert_eq!(search(&inner, None).unwrap(), expected);
            expected = scratch.file(&format!("repo/{name}"));
        }
        assert_eq!(search(&inner, None).unwrap(), expected);
        let nearer = scratch.file("repo/a/.hexarch.yml");
        assert_eq!(search(&inner, None).unwrap(), nearer);
    }

    #[test]
    fn the_search_stops_at_a_repository_root_and_at_home() {
        let scratch = Scratch::new("stops");
        scratch.file("hexarch.yaml");
        let in_repository = scratch.directory("repo/a");
        scratch.directory("repo/.git");
        let error = search(&in_repository, None).unwrap_err();
        assert!(matches!(&error, DiscoverError::NotFound { last, .. } if last.ends_with("repo")), "{error}");
        let in_home = scratch.directory("home/me/project");
        let home = scratch.0.join("home/me");
        assert!(search(&in_home, Some(&home)).is_err());
        scratch.file("home/me/hexarch.yaml");
        assert_eq!(search(&in_home, Some(&home)).unwrap(), home.join("hexarch.yaml"));
    }

    #[test]
    fn what_was_searched_is_told() {
        let scratch = Scratch::new("searched");
        let (root, inner) = (scratch.directory("repo"), scratch.directory("repo/a"));
        scratch.directory("repo/.git");
        let told = |from: &Path| {
            search(from, None).unwrap_err().to_string().replace(&format!("{}", scratch.0.display()), "")
        };
        assert_eq!(
            told(&inner),
            "there is no hexarch.yaml (or .yml) in `/repo/a` or above it, up to `/repo`"
        );
        assert_eq!(told(&root), "there is no hexarch.yaml (or .yml) in `/repo`");
    }

    #[test]
    fn what_is_not_a_file_is_an_error_and_not_skipped() {
        let scratch = Scratch::new("kinds");
        scratch.directory(".git");
        scratch.directory("hexarch.yaml");
        scratch.file("hexarch.yml");
        let error = search(&scratch.0, None).unwrap_err();
        assert!(error.to_string().contains("is a directory"), "{error}");
        assert!(search(&scratch.0.join("absent"), None).unwrap_err().to_string().contains("cannot look for"));
    }
}
