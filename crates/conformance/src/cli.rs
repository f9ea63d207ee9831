//! The group `cli`: what our command line prints and how it ends, against what OPA's does.
//!
//! Each run is made in a folder of its own, with the built `hexarch-ctl` that lies beside this program. Only the verbs
//! that exist are counted.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;

use crate::corpus::{Case, Program, Want};
use crate::judge::Failure;

/// The verbs that there are, as `hexarch-ctl policy VERB`.
const VERBS: [&str; 3] = ["check", "eval", "test"];

/// Files, the arguments of a run, and what OPA makes of them.
#[derive(Clone)]
pub(crate) struct Run {
    files: Arc<Vec<(String, String)>>,
    wanted: Wanted,
}

#[derive(Deserialize)]
struct Folder {
    name: String,
    #[serde(default)]
    files: std::collections::BTreeMap<String, String>,
    runs: Vec<Wanted>,
}

#[derive(Clone, Deserialize)]
struct Wanted {
    args: Vec<String>,
    stdin: Option<String>,
    exit: i32,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

/// The runs of all verbs that there are.
pub(crate) fn load(dir: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for verb in VERBS {
        let path = dir.join(format!("cli/{verb}.json"));
        if !path.is_file() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let folders: Vec<Folder> =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for folder in folders {
            let files = Arc::new(folder.files.into_iter().collect::<Vec<_>>());
            for (position, wanted) in folder.runs.into_iter().enumerate() {
                let id = format!("{verb}/{}/{position}", folder.name);
                cases.push(case(id, Run { files: files.clone(), wanted }));
            }
        }
    }
    Ok(cases)
}

fn case(id: String, run: Run) -> Case {
    Case {
        group: "cli",
        id,
        program: Program::Command(run),
        data: None,
        input: None,
        want: Want::default(),
        strict_error: false,
    }
}

/// A folder that goes when this does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(files: &[(String, String)]) -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("hexarch-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&root)?;
        let scratch = Self(root);
        for (name, text) in files {
            let path = scratch.0.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, text)?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes the run and compares.
pub(crate) fn judge(run: &Run) -> Result<(), Failure> {
    let got = run.make().map_err(|error| format!("cannot run hexarch-ctl: {error}"))?;
    let wanted = &run.wanted;
    let mut differences = Vec::new();
    if got.exit != wanted.exit {
        differences.push(format!("wanted exit {}, got {}", wanted.exit, got.exit));
    }
    // What follows a complaint about usage is OPA's help.
    let (wanted_err, got_err) = match wanted.stderr.starts_with("Error: ") {
        true => (first_line(&wanted.stderr), first_line(&got.stderr)),
        false => (wanted.stderr.clone(), got.stderr.clone()),
    };
    for (what, wanted, got) in [("stdout", &wanted.stdout, &got.stdout), ("stderr", &wanted_err, &got_err)] {
        if settled(wanted) != settled(got) {
            differences.push(format!("wanted {what}\n{wanted}got\n{got}"));
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The text without what a clock decides.
fn settled(text: &str) -> String {
    let line = |line: &str| {
        if let Some((before, _)) = line.split_once("\"duration\": ") {
            let comma = if line.ends_with(',') { "," } else { "" };
            return format!("{before}\"duration\": 0{comma}");
        }
        match line.rsplit_once(" (") {
            Some((before, time))
                if time.ends_with("s)") && time.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                format!("{before} (0s)")
            }
            _ => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

struct Got {
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn make(&self) -> std::io::Result<Got> {
        let scratch = Scratch::new(&self.files)?;
        let program = std::env::current_exe()?.with_file_name("hexarch-ctl");
        let mut child = Command::new(program)
            .arg("policy")
            .args(&self.wanted.args)
            .current_dir(&scratch.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // Who does not read it has closed it.
            let _ = stdin.write_all(self.wanted.stdin.as_deref().unwrap_or_default().as_bytes());
        }
        let output = child.wait_with_output()?;
        Ok(Got {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
