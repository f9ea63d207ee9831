//! Reads a corpus folder: OPA's compliance cases as JSON, and OPA's own plans for them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

/// What is run through the pipeline for a case.
#[derive(Clone)]
pub(crate) enum Program {
    /// Rego source and a query, from text to answer.
    Source {
        /// Modules, in order; named `test-0.rego`, `test-1.rego`, ….
        modules: Vec<String>,
        /// The query over them.
        query: String,
        /// Whether the modules are read as Rego v0.
        v0: bool,
    },
    /// A plan that OPA wrote, as JSON, so that the back end is judged alone.
    Plan(Box<RawValue>),
    /// A run of the command line.
    Command(crate::cli::Run),
}

/// One case: what to run, with what, and what must come out.
#[derive(Clone)]
pub(crate) struct Case {
    /// The group that the case is counted in.
    pub(crate) group: &'static str,
    /// `category/file/position`.
    pub(crate) id: String,
    /// What is run.
    pub(crate) program: Program,
    /// The base documents, as JSON.
    pub(crate) data: Option<Box<RawValue>>,
    /// The input; absent means undefined.
    pub(crate) input: Option<Input>,
    /// What must come out.
    pub(crate) want: Want,
    /// Errors of built-in functions end the query.
    pub(crate) strict_error: bool,
}

/// The input document of a case.
#[derive(Clone)]
pub(crate) enum Input {
    /// JSON text.
    Json(Box<RawValue>),
    /// A Rego term, which may hold sets.
    Term(String),
}

/// The expectations of a case; at least one is there.
#[derive(Clone, Default)]
pub(crate) struct Want {
    /// The bindings of each answer, as a set.
    pub(crate) result: Option<Box<RawValue>>,
    /// Whether there is an answer at all.
    pub(crate) defined: Option<bool>,
    /// The error's code.
    pub(crate) error_code: Option<String>,
    /// A text that the error contains.
    pub(crate) error: Option<String>,
    /// The outermost array of every value is sorted before it is compared.
    pub(crate) sort_bindings: bool,
    /// Names that begin with `__localq` are left out.
    pub(crate) ignore_generated_vars: bool,
}

/// A case as the corpus' files have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    #[serde(default)]
    id: String,
    note: String,
    query: String,
    #[serde(default)]
    modules: Vec<String>,
    data: Option<Box<RawValue>>,
    input: Option<Box<RawValue>>,
    input_term: Option<String>,
    want_result: Option<Box<RawValue>>,
    want_defined: Option<bool>,
    want_error_code: Option<String>,
    want_error: Option<String>,
    #[serde(default)]
    sort_bindings: bool,
    #[serde(default)]
    ignore_generated_vars: bool,
    #[serde(default)]
    strict_error: bool,
    /// Names of functions that depend on more than their arguments; the cases only compare them with themselves.
    #[serde(default, rename = "uses")]
    _uses: Vec<String>,
}

#[derive(Deserialize)]
struct PlanRow {
    id: String,
    plan: Box<RawValue>,
}

#[derive(Deserialize)]
struct AssetFile {
    file: String,
    cases: Vec<RawCase>,
}

/// The groups that a filter can name.
const GROUPS: [&str; 4] = ["v1", "plans", "v0", "wasm"];

/// All cases of the folder whose `group/id` contains the filter.
pub(crate) fn load(dir: &Path, filter: &Option<String>) -> Result<Vec<Case>, String> {
    // A filter that names a group needs no other; the plans alone are most of the folder.
    let named = filter.as_deref().and_then(|text| text.split_once('/')).map(|(group, _)| group);
    let named = named.filter(|group| GROUPS.contains(group));
    let wants = |group: &str| named.is_none_or(|named| named == group);
    let files =
        |group: &str, folder: &str| if wants(group) { json_files(&dir.join(folder)) } else { Ok(Vec::new()) };
    let mut cases = Vec::new();
    let mut plans = HashMap::new();
    for file in files("plans", "v1/plans")? {
        let rows: Vec<PlanRow> = read(&file)?;
        plans.extend(rows.into_iter().map(|row| (row.id, row.plan)));
    }
    for file in files("v1", "v1/cases")? {
        cases.extend(read::<Vec<RawCase>>(&file)?.into_iter().map(|raw| raw.into_case("v1", false, None)));
    }
    for file in files("plans", "v1/cases")? {
        for raw in read::<Vec<RawCase>>(&file)? {
            if let Some(plan) = plans.remove(&raw.id) {
                cases.push(raw.into_case("plans", false, Some(plan)));
            }
        }
    }
    for file in files("v0", "v0/cases")? {
        cases.extend(read::<Vec<RawCase>>(&file)?.into_iter().map(|raw| raw.into_case("v0", true, None)));
    }
    let assets = dir.join("wasm/assets.json");
    if wants("wasm") && assets.is_file() {
        cases.extend(read::<Vec<AssetFile>>(&assets)?.into_iter().flat_map(AssetFile::into_cases));
    }
    cases.extend(crate::cli::load(dir)?);
    if let Some(text) = filter {
        cases.retain(|case| format!("{}/{}", case.group, case.id).contains(text.as_str()));
    }
    Ok(cases)
}

impl RawCase {
    fn into_case(self, group: &'static str, v0: bool, plan: Option<Box<RawValue>>) -> Case {
        let program = match plan {
            Some(plan) => Program::Plan(plan),
            None => Program::Source { modules: self.modules, query: self.query, v0 },
        };
        Case {
            group,
            id: self.id,
            program,
            data: self.data,
            input: self.input.map(Input::Json).or(self.input_term.map(Input::Term)),
            want: Want {
                result: self.want_result,
                defined: self.want_defined,
                error_code: self.want_error_code,
                error: self.want_error,
                sort_bindings: self.sort_bindings,
                ignore_generated_vars: self.ignore_generated_vars,
            },
            strict_error: self.strict_error,
        }
    }
}

impl AssetFile {
    fn into_cases(self) -> impl Iterator<Item = Case> {
        self.cases.into_iter().enumerate().map(move |(position, mut raw)| {
            raw.id = format!("{}/{position} {}", self.file, raw.note);
            raw.into_case("wasm", false, None)
        })
    }
}

/// The `*.json` files of a folder in the order of their names; none where the folder is absent.
fn json_files(dir: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", dir.display()))?.path();
        if path.extension().is_some_and(|ext| ext == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path) -> Result<T, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}
