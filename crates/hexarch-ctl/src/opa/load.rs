//! Files and folders to modules and documents, as OPA's loader reads them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rego_bundle::{Bundle, Documents, File, Ignore, TextError, from_json, from_yaml};
use rego_syntax::ast::{Module, RegoVersion};
use rego_syntax::{Features, ParserOptions, SourceMap};
use rego_test::output::Error;
use rego_value::Value;

use crate::opa::path::{clean, extension, io_message, join, split_prefix, without_scheme};

/// What was loaded.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) modules: Vec<Module>,
    pub(crate) sources: SourceMap,
    pub(crate) documents: Documents,
}

/// How files are read and which are not.
pub(crate) struct Rules {
    pub(crate) parser: ParserOptions,
    pub(crate) ignore: Ignore,
    /// Nothing but modules.
    pub(crate) only_rego: bool,
    /// The language is one that the capabilities do not have.
    pub(crate) refuse_v1: bool,
    /// Each module has the optional syntax of its own version.
    pub(crate) own_features: bool,
}

/// How deep folders are followed; links can make them endless.
const MAX_DEPTH: usize = 128;

/// Where a file stands: its path, and below which document its own go.
struct Place {
    path: String,
    below: Vec<String>,
    depth: usize,
}

/// Loads files and folders; all errors of all files together.
pub(crate) fn paths(paths: &[String], rules: &Rules) -> Result<Loaded, Vec<Error>> {
    let mut loader = Loader { rules, loaded: Loaded::default(), errors: Vec::new(), seen: BTreeSet::new() };
    for path in paths {
        let (below, path) = split_prefix(path);
        loader.visit(Place { path: without_scheme(path).to_owned(), below, depth: 0 });
    }
    if loader.errors.is_empty() { Ok(loader.loaded) } else { Err(loader.errors) }
}

struct Loader<'a> {
    rules: &'a Rules,
    loaded: Loaded,
    errors: Vec<Error>,
    seen: BTreeSet<(Vec<String>, String)>,
}

impl Loader<'_> {
    fn visit(&mut self, place: Place) {
        let metadata = match fs::metadata(&place.path) {
            Ok(metadata) => metadata,
            Err(error) => return self.errors.push(Error::plain(io_message("stat", &place.path, &error))),
        };
        let name = name_of(&place.path);
        if self.rules.ignore.leaves_out(&name, place.depth) {
            return;
        }
        if metadata.is_dir() {
            return self.folder(place, name);
        }
        if self.rules.only_rego && extension(&place.path) != ".rego" {
            return;
        }
        if self.seen.insert((place.below.clone(), clean(&place.path)))
            && let Err(errors) = self.file(&place)
        {
            self.errors.extend(errors);
        }
    }

    fn folder(&mut self, place: Place, name: String) {
        let mut below = place.below;
        if place.depth > 0 {
            below.push(name);
        }
        if place.depth >= MAX_DEPTH {
            return self.errors.push(Error::plain(format!("{}: folders are nested too deeply", place.path)));
        }
        match names_in(&place.path) {
            Ok(names) => {
                for name in names {
                    let path = join(&place.path, &name);
                    self.visit(Place { path, below: below.clone(), depth: place.depth + 1 });
                }
            }
            Err(error) => self.errors.push(Error::plain(error)),
        }
    }

    fn file(&mut self, place: &Place) -> Result<(), Vec<Error>> {
        let path = &place.path;
        let bytes = read(path)?;
        match extension(path) {
            ".rego" => self.module(path, &bytes),
            ".json" => self.document(place, from_json(&bytes).map_err(|error| error.to_string())),
            ".yaml" | ".yml" => self.document(place, from_yaml(&bytes).map_err(|error| error.to_string())),
            _ if path.ends_with(".tar.gz") => {
                Err(vec![Error::plain(format!("{path}: bundle archives are not read; unpack it and use -b"))])
            }
            // Of what a folder holds only known kinds count; what was named has to be something.
            _ if place.depth > 0 => Ok(()),
            _ => self.anything(place, &bytes),
        }
    }

    fn anything(&mut self, place: &Place, bytes: &[u8]) -> Result<(), Vec<Error>> {
        if self.module(&place.path, bytes).is_ok() {
            return Ok(());
        }
        match from_json(bytes).or_else(|_| from_yaml(bytes)) {
            Ok(value) => self.document(place, Ok(value)),
            Err(_) => Err(vec![Error::plain(format!("{}: can't recognize file type", place.path))]),
        }
    }

    fn module(&mut self, path: &str, bytes: &[u8]) -> Result<(), Vec<Error>> {
        let module = module(&mut self.loaded.sources, path, bytes, self.rules, None)?;
        self.loaded.modules.push(module);
        Ok(())
    }

    fn document(&mut self, place: &Place, read: Result<Value, String>) -> Result<(), Vec<Error>> {
        let value = read.map_err(|error| vec![Error::plain(format!("{}: {error}", place.path))])?;
        let added = self.loaded.documents.add(&place.path, &place.below, value);
        added.map_err(|error| vec![Error::plain(error.to_string())])
    }
}

/// Parses a module into the sources.
fn module(
    sources: &mut SourceMap,
    name: &str,
    bytes: &[u8],
    rules: &Rules,
    version: Option<RegoVersion>,
) -> Result<Module, Vec<Error>> {
    let mut options = rules.parser.clone();
    options.rego_version = version.unwrap_or(options.rego_version);
    if rules.own_features {
        options.features = Features::for_version(options.rego_version);
    }
    if rules.refuse_v1 && options.rego_version == RegoVersion::V1 {
        let message = "illegal capabilities: rego_v1 feature required for parsing v1 Rego";
        return Err(vec![Error { code: "rego_parse_error".to_owned(), ..Error::plain(message) }]);
    }
    if bytes.len() > rego_build::MAX_SOURCE_BYTES {
        return Err(vec![Error::plain(format!("{name}: {} bytes are too many for a policy", bytes.len()))]);
    }
    let file = sources.add_bytes(name, bytes).map_err(|error| vec![Error::plain(error.to_string())])?;
    let parsed = rego_syntax::parse_module(&file, &options);
    parsed.into_result().map_err(|found| found.iter().map(|one| Error::of_diagnostic(one, sources)).collect())
}

/// Why a folder could not be loaded as a bundle.
pub(crate) struct BundleFailure {
    /// The errors, which may have places.
    pub(crate) errors: Vec<Error>,
    /// All of it as OPA says it.
    pub(crate) text: String,
}

/// Adds a folder that is a bundle to what is loaded.
pub(crate) fn bundle(folder: &str, rules: &Rules, loaded: &mut Loaded) -> Result<(), BundleFailure> {
    let folder = without_scheme(folder);
    let fail = |errors: Vec<Error>| {
        let what = match errors.as_slice() {
            [only] if only.code.is_empty() => only.text(),
            all => rego_test::output::list_text(all, ""),
        };
        BundleFailure { text: format!("bundle {folder}: {what}"), errors }
    };
    let plain = |text: String| fail(vec![Error::plain(text)]);
    let metadata = fs::metadata(folder).map_err(|error| {
        let text = format!("error reading {folder:?}: {}", io_message("stat", folder, &error));
        BundleFailure { errors: vec![Error::plain(text.clone())], text }
    })?;
    if !metadata.is_dir() {
        return Err(plain("bundle archives are not read; unpack it and name the folder".to_owned()));
    }
    let mut files = Vec::new();
    walk(folder, "", rules, 0, &mut files).map_err(fail)?;
    let read = Bundle::read(files, &clean(folder)).map_err(|error| plain(error.to_string()))?;
    for file in &read.modules {
        let version = file.rego_version.map(|version| match version {
            0 => RegoVersion::V0,
            1 => RegoVersion::V1,
            _ => RegoVersion::V2,
        });
        let module = module(&mut loaded.sources, &file.name, &file.bytes, rules, version).map_err(fail)?;
        let steps: Vec<&str> = module
            .package
            .path
            .steps()
            .iter()
            .filter_map(|step| step.as_string().map(|s| s.as_str()))
            .collect();
        let text = format!("package {}", package_text(&steps));
        read.check_package(&steps, &text, &file.name).map_err(|error| plain(error.to_string()))?;
        loaded.modules.push(module);
    }
    let data = read.data.into_value();
    loaded.documents.add(folder, &[], data).map_err(|error| plain(error.to_string()))
}

fn package_text(steps: &[&str]) -> String {
    steps.join(".")
}

/// The files below a folder of a bundle, in the order of their paths.
fn walk(
    root: &str,
    below: &str,
    rules: &Rules,
    depth: usize,
    found: &mut Vec<File>,
) -> Result<(), Vec<Error>> {
    let folder = if below.is_empty() { root.to_owned() } else { join(root, below) };
    if depth >= MAX_DEPTH {
        return Err(vec![Error::plain(format!("{folder}: folders are nested too deeply"))]);
    }
    for name in names_in(&folder).map_err(|error| vec![Error::plain(error)])? {
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let full = join(root, &path);
        // Links are not followed in bundles.
        let metadata = fs::symlink_metadata(&full)
            .map_err(|error| vec![Error::plain(io_message("lstat", &full, &error))])?;
        if rules.ignore.leaves_out(&name, depth + 1) {
            continue;
        }
        if metadata.is_dir() {
            walk(root, &path, rules, depth + 1, found)?;
        } else if metadata.is_file() && counts(&name) {
            found.push(File { path, bytes: read(&full)? });
        }
    }
    Ok(())
}

/// Whether a bundle has a use for a file of this name.
fn counts(name: &str) -> bool {
    name.ends_with(".rego")
        || matches!(name, ".manifest" | "data.json" | "data.yaml" | "data.yml" | "patch.json")
}

/// The schemas of a file or a folder, by their path below `schema`.
pub(crate) fn schemas(path: &str) -> Result<Vec<(Vec<String>, serde_json::Value)>, Error> {
    let path = without_scheme(path);
    let metadata = fs::metadata(path).map_err(|error| Error::plain(io_message("stat", path, &error)))?;
    let mut found = Vec::new();
    if metadata.is_dir() {
        schemas_below(path, &mut Vec::new(), &mut found)?;
    } else {
        found.push((Vec::new(), schema(path)?));
    }
    Ok(found)
}

fn schemas_below(
    folder: &str,
    below: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, serde_json::Value)>,
) -> Result<(), Error> {
    if below.len() >= MAX_DEPTH {
        return Err(Error::plain(format!("{folder}: folders are nested too deeply")));
    }
    for name in names_in(folder).map_err(Error::plain)? {
        let path = join(folder, &name);
        if Path::new(&path).is_dir() {
            below.push(name);
            schemas_below(&path, below, found)?;
            below.pop();
        } else {
            let stem = name.strip_suffix(extension(&name)).unwrap_or(&name);
            let steps = below.iter().cloned().chain([stem.to_owned()]).collect();
            found.push((steps, schema(&path)?));
        }
    }
    Ok(())
}

fn schema(path: &str) -> Result<serde_json::Value, Error> {
    let bytes = read(path).map_err(|mut errors| errors.remove(0))?;
    let value = from_json(&bytes).or_else(|_| from_yaml(&bytes)).map_err(|error| {
        let (TextError::Json(reason) | TextError::Yaml(reason)) = error;
        Error::plain(format!("{path}: {reason}"))
    })?;
    let text = rego_value::json::to_string(&value, rego_value::json::Escape::Plain);
    serde_json::from_str(&text).map_err(|error| Error::plain(format!("{path}: {error}")))
}

fn read(path: &str) -> Result<Vec<u8>, Vec<Error>> {
    fs::read(path).map_err(|error| vec![Error::plain(io_message("open", path, &error))])
}

fn name_of(path: &str) -> String {
    Path::new(path)
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_else(|| path.to_owned())
}

/// The names in a folder, sorted.
fn names_in(folder: &str) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| io_message("open", folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| io_message("readdirent", folder, &error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
