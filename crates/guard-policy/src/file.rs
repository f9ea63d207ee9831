//! Reading the file: who else could have written it, what it is, how large, and whether it is text.

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::beside::Beside;
use crate::model::PolicyFile;
use crate::problem::Problems;
use crate::read;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// The largest file that is read, in bytes.
    pub max_bytes: u64,
    /// Whether a file that other users can write is accepted.
    pub allow_writable_by_others: bool,
}

impl Default for LoadOptions {
    /// Eight megabytes, and only files that nobody else can write.
    fn default() -> Self {
        Self { max_bytes: 8_000_000, allow_writable_by_others: false }
    }
}

/// Why a file cannot be a configuration, whatever is written in it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something else than a file has its name.
    #[error("`{}` is {kind}, not a file", path.display())]
    NotAFile {
        /// What has the name.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Another user could have changed it.
    #[error("`{}` can be written by another user: {how}; {help}", path.display())]
    WritableByOthers {
        /// The file.
        path: PathBuf,
        /// Who can.
        how: String,
        /// What to do about it.
        help: String,
    },
    /// It is larger than is read.
    #[error("`{}` has {size} bytes; at most {max} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size, or what had been read when reading stopped.
        size: u64,
        /// The bound.
        max: u64,
    },
    /// It is not text.
    #[error("`{}` is not UTF-8 at line {line}, column {column}", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line of the first byte that is not UTF-8, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
}

/// Why a file was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Because of the file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Because of what it says.
    #[error(transparent)]
    Problems(#[from] Problems),
}

/// Reads and checks a file. Messages name it by `path` as it is given.
///
/// # Errors
/// When the file cannot be one, or with all problems of its text.
pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<PolicyFile, LoadError> {
    let path = path.as_ref();
    let text = read_text(path, options)?;
    let name = path.display().to_string();
    Ok(read::read(&name, &text, &Beside::of(path, &name, options))?)
}

/// Whether a regular file is there. Asked before opening, since opening a pipe waits for its other end.
pub(crate) fn check_kind(path: &Path) -> Result<Metadata, FileError> {
    let metadata =
        path.metadata().map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    if metadata.is_file() {
        return Ok(metadata);
    }
    let kind = if metadata.is_dir() { "a directory" } else { "a device, a pipe or a socket" };
    Err(FileError::NotAFile { path: path.to_owned(), kind })
}

/// The text of a file that is small enough, UTF-8, and nobody else's to write.
pub(crate) fn read_text(path: &Path, options: &LoadOptions) -> Result<String, FileError> {
    check_kind(path)?;
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let too_large = |size| FileError::TooLarge { path: path.to_owned(), size, max: options.max_bytes };
    let file = File::open(path).map_err(unreadable)?;
    // What is open is what is checked: the name may lead elsewhere by now.
    let metadata = file.metadata().map_err(unreadable)?;
    if !options.allow_writable_by_others {
        writers::check(path, &metadata)?;
    }
    if metadata.len() > options.max_bytes {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    file.take(options.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    let size = bytes.len() as u64;
    if size > options.max_bytes {
        return Err(too_large(size));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let valid = String::from_utf8_lossy(valid);
        let line = valid.matches('\n').count() + 1;
        let column = valid.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
        FileError::NotUtf8 { path: path.to_owned(), line, column }
    })
}

#[cfg(unix)]
mod writers {
    //! Who can write a file, by its owner and mode. Access control lists are not looked at: what they grant
    //! to others shows in the group's bits.

    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::FileError;

    const GROUP_WRITE: u32 = 0o020;
    const OTHERS_WRITE: u32 = 0o002;

    pub(super) fn check(path: &Path, metadata: &Metadata) -> Result<(), FileError> {
        let refuse =
            |how: String, help: String| Err(FileError::WritableByOthers { path: path.to_owned(), how, help });
        let mode = metadata.mode();
        let chmod = || format!("`chmod go-w {}` takes it away", path.display());
        if mode & OTHERS_WRITE != 0 {
            return refuse(format!("everybody (mode {:o})", mode & 0o777), chmod());
        }
        if mode & GROUP_WRITE != 0 && !is_private_group(metadata.uid(), metadata.gid()) {
            return refuse(format!("the group {} (mode {:o})", metadata.gid(), mode & 0o777), chmod());
        }
        let owner = metadata.uid();
        let me = rustix::process::geteuid().as_raw();
        if owner != me && owner != 0 {
            return refuse(
                format!("it belongs to user {owner}, and this process runs as user {me}"),
                "make it yours or root's".to_owned(),
            );
        }
        Ok(())
    }

    /// Whether the owner is alone in the group, as in distributions that give each user a group and make
    /// new files writable by it. What the two files do not show, such as a directory service, is not trusted.
    fn is_private_group(owner: u32, group: u32) -> bool {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        alone_in_group(owner, group, &read("/etc/passwd"), &read("/etc/group"))
    }

    pub(super) fn alone_in_group(owner: u32, group: u32, passwd: &str, groups: &str) -> bool {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
        let mut owner_name = None;
        for line in passwd.lines() {
            let mut fields = line.split(':');
            let (name, _, uid, gid) =
                (fields.next(), fields.next(), number(fields.next()), number(fields.next()));
            if uid == Some(owner) {
                owner_name = owner_name.or(name);
            } else if gid == Some(group) {
                return false;
            }
        }
        let members = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            (number(fields.nth(2)) == Some(group)).then(|| fields.next().unwrap_or_default())
        });
        match (owner_name, members) {
            (Some(owner), Some(members)) => {
                members.split(',').all(|member| member.is_empty() || member == owner)
            }
            _ => false,
        }
    }
}

#[cfg(not(unix))]
mod writers {
    //! Without Unix permissions there is nothing to go by.

    use std::fs::Metadata;
    use std::path::Path;

    use super::FileError;

    #[expect(clippy::unnecessary_wraps, reason = "the signature is that of the check on Unix")]
    pub(super) fn check(_: &Path, _: &Metadata) -> Result<(), FileError> {
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SOUND: &[u8] = b"policies:\n  - id: a\n    requires_confirmation: true\n";

    fn told(name: &str, bytes: &[u8], mode: u32, options: &LoadOptions) -> String {
        let path = std::env::temp_dir().join(format!("hexarch-file-{name}-{}.yaml", std::process::id()));
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let told = match load(&path, options) {
            Ok(file) => format!("{} policies", file.policies().len()),
            Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
        };
        fs::remove_file(&path).unwrap();
        told
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let options = LoadOptions::default();
        assert_eq!(told("mine", SOUND, 0o600, &options), "1 policies");
        let refused = told("everybody", SOUND, 0o606, &options);
        assert_eq!(
            refused,
            "`FILE` can be written by another user: everybody (mode 606); `chmod go-w FILE` takes it away"
        );
        let trusting = LoadOptions { allow_writable_by_others: true, ..options };
        assert_eq!(told("trusted", SOUND, 0o606, &trusting), "1 policies");
    }

    #[test]
    fn a_group_is_private_when_nobody_else_is_in_it() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:50::/:/bin/sh\n";
        let groups = "root:x:0:\nann:x:1000:\nstaff:x:50:\nteam:x:60:ann,bob\nhers:x:70:ann\n";
        for (owner, group, expected) in [
            (1000, 1000, true),
            (1000, 70, true),
            (1000, 50, false),
            (1000, 60, false),
            (1000, 99, false),
            (1001, 70, false),
            (7, 7, false),
        ] {
            assert_eq!(writers::alone_in_group(owner, group, passwd, groups), expected, "{owner} in {group}");
        }
    }

    #[test]
    fn size_and_encoding_are_bounded() {
        let options = LoadOptions { max_bytes: 100, ..LoadOptions::default() };
        assert_eq!(
            told("large", &[b'#'; 101], 0o600, &options),
            "`FILE` has 101 bytes; at most 100 are read"
        );
        assert_eq!(
            told("latin1", b"policies:\n  - id: caf\xe9\n", 0o600, &options),
            "`FILE` is not UTF-8 at line 2, column 12"
        );
        assert!(
            told("empty", b"", 0o600, &options).starts_with("FILE:1:1: error[missing]: the file is empty")
        );
    }

    #[test]
    fn what_is_not_a_file_is_said() {
        let options = LoadOptions::default();
        let directory = std::env::temp_dir();
        let error = load(&directory, &options).unwrap_err().to_string();
        assert!(error.ends_with("is a directory, not a file"), "{error}");
        let error = load("/nonexistent/hexarch.yaml", &options).unwrap_err().to_string();
        assert!(error.starts_with("cannot read `/nonexistent/hexarch.yaml`"), "{error}");
        let error = load("/dev/null", &options).unwrap_err().to_string();
        assert!(error.ends_with("is a device, a pipe or a socket, not a file"), "{error}");
    }
}
