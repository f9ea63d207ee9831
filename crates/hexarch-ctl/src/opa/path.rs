//! Paths as OPA names them in messages.

use std::io;
use std::path::Path;

/// The path behind `file://`, if that is how it is given.
pub(crate) fn without_scheme(path: &str) -> &str {
    path.strip_prefix("file://").unwrap_or(path)
}

/// `a.b:file.json` puts the documents of the file below `data.a.b`.
pub(crate) fn split_prefix(path: &str) -> (Vec<String>, &str) {
    match path.split_once(':') {
        Some((prefix, rest)) if !prefix.is_empty() && !rest.starts_with("//") => {
            (prefix.split('.').map(ToOwned::to_owned).collect(), rest)
        }
        _ => (Vec::new(), path),
    }
}

/// The shortest path that means the same, as text alone tells.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/').filter(|step| !step.is_empty() && *step != ".") {
        match (step, steps.last()) {
            ("..", Some(last)) if *last != ".." => {
                steps.pop();
            }
            ("..", None) if rooted => {}
            _ => steps.push(step),
        }
    }
    match (rooted, steps.join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}

/// The path of something in a folder.
pub(crate) fn join(folder: &str, name: &str) -> String {
    clean(&format!("{folder}/{name}"))
}

/// What comes behind the last dot of the last step, with the dot.
pub(crate) fn extension(path: &str) -> &str {
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.rfind('.').and_then(|at| name.get(at..)).unwrap_or_default()
}

/// A failed operation on a file, in the words of Go's library.
pub(crate) fn io_message(operation: &str, path: &str, error: &io::Error) -> String {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    };
    format!("{operation} {path}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_as_go_names_them() {
        assert_eq!(join(".", "a.rego"), "a.rego");
        assert_eq!(join("./x/", "a.rego"), "x/a.rego");
        assert_eq!(join("/x/../y", "a"), "/y/a");
        assert_eq!(clean("../a/./b/.."), "../a");
        assert_eq!(clean(""), ".");
        assert_eq!(extension("a/b.tar.gz"), ".gz");
        assert_eq!(extension("a.b/c"), "");
        assert_eq!(extension(".manifest"), ".manifest");
    }

    #[test]
    fn a_prefix_says_where_documents_go() {
        assert_eq!(split_prefix("x.y:a.json"), (vec!["x".to_owned(), "y".to_owned()], "a.json"));
        assert_eq!(split_prefix("file:///a.json"), (Vec::new(), "file:///a.json"));
        assert_eq!(split_prefix("a.json"), (Vec::new(), "a.json"));
    }
}
