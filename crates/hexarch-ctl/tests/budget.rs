//! `hexarch-ctl budget list`, `set` and `reset` on the store that a configuration names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use guard_core::{Batch, CellId, Charge, Quantity, ReservationId, StateStore, SystemClock, Timestamp};
use test_support::Folder;

fn budget(folder: &Path, arguments: &[&str]) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
    run.current_dir(folder).env_remove("HEXARCH_STATE").arg("budget").args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const YAML: &str = "state: {store: sqlite, path: state.db}\nlogging: {file: audit.jsonl}\npolicies: []\n";

#[test]
fn the_store_is_the_one_that_the_file_names() {
    let folder = Folder::new("ctl-budget");
    folder.write("hexarch.yaml", YAML);
    // Whoever looks makes no file.
    let missing = budget(folder.path(), &["list"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(said(&missing).contains("there is no state file `state.db`"), "{}", said(&missing));
    assert!(!folder.path().join("state.db").exists());
    assert_eq!(budget(folder.path(), &["reset", "--store", "sqlite:other.db"]).status.code(), Some(1));
    assert!(!folder.path().join("other.db").exists());
    let nameless = said(&budget(folder.path(), &["list", "--store", "sqlite:"]));
    assert!(nameless.contains("`sqlite:` names no file"), "{nameless}");
    // Nobody listens on that port.
    let dead = said(&budget(folder.path(), &["list", "--store", "postgres://ann@127.0.0.1:9/d"]));
    assert!(dead.contains("is not available: error connecting to server: Connection refused"), "{dead}");

    let config = guard_state::SqliteConfig::new(folder.path().join("state.db"));
    let store = guard_state::SqliteStore::open(&config, Arc::new(SystemClock::new())).unwrap();
    let cell = CellId { limit: "money".into(), key: "all".into(), window: "ever".into() };
    let charge = Charge::new(Arc::new(cell), Quantity::new(7), Quantity::new(10));
    let batch =
        Batch { charges: [charge].into(), at: Timestamp::from_seconds(1), reservation: ReservationId(1) };
    store.charge(&batch).wait().unwrap();
    drop(store);

    let list = budget(folder.path(), &["list"]);
    assert!(said(&list).contains("money/all/ever: 7 spent, 0 reserved, 3 of 10 left"), "{}", said(&list));
    assert!(said(&budget(folder.path(), &["set", "--limit", "money", "2"])).contains("2 spent, before 7"));
    let config = folder.path().join("hexarch.yaml");
    let reset = budget(Path::new("/"), &["reset", "--config", config.to_str().unwrap()]);
    // Its path is the configuration's own, from where the command runs.
    assert_eq!(reset.status.code(), Some(1));
    assert!(said(&budget(folder.path(), &["reset"])).contains("0 spent, before 2"));
    let audit = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    assert_eq!(audit.matches("limit_adjusted").count(), 2, "{audit}");
}

#[test]
fn the_configuration_is_named_as_for_every_other_command() {
    let folder = Folder::new("ctl-budget-config");
    folder.write("hexarch.yaml", "policies: []\n");
    let other = folder.write("other.yaml", YAML).display().to_string();
    let ctl = |arguments: &[&str], set: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_hexarch-ctl"));
        run.current_dir(folder.path()).env_remove("HEXARCH_STATE").env("HEXARCH_CONFIG", set);
        said(&run.args(arguments).output().unwrap())
    };
    for told in [
        ctl(&["--config", &other, "budget", "list"], "hexarch.yaml"),
        ctl(&["budget", "--config", &other, "list"], "hexarch.yaml"),
        ctl(&["budget", "list", "--config", &other], "hexarch.yaml"),
        ctl(&["budget", "list"], &other),
    ] {
        assert!(told.contains("there is no state file `state.db`"), "{told}");
    }
    for command in ["list", "set", "reset"] {
        let help = ctl(&["budget", command, "--help"], "");
        assert_eq!(help.matches("--config").count(), 1, "{help}");
        assert!(help.contains("The policy file; without it the nearest hexarch.yaml"), "{help}");
    }
}

#[test]
fn a_memory_store_is_nobody_elses() {
    let folder = Folder::new("ctl-budget-memory");
    folder.write("hexarch.yaml", "policies: []\n");
    let list = budget(folder.path(), &["list"]);
    assert_eq!(list.status.code(), Some(1));
    assert!(said(&list).contains("memory of the process"), "{}", said(&list));
    let nothing = Folder::new("ctl-budget-nothing");
    assert_eq!(budget(nothing.path(), &["list", "--config", "nowhere.yaml"]).status.code(), Some(1));
}

#[test]
fn torture_tells_a_store_that_held_from_one_that_could_not_be_had() {
    let folder = Folder::new("ctl-torture");
    let short = ["--runs", "1", "--threads", "2", "--calls", "4", "--kills", "1", "--processes", "1"];
    let torture =
        |store: &str| budget(folder.path(), &[&["torture", "--store", store, "--json"], &short[..]].concat());
    let held = torture("memory:");
    assert_eq!(held.status.code(), Some(0), "{}", said(&held));
    assert!(String::from_utf8_lossy(&held.stdout).contains("\"held\":true"), "{}", said(&held));
    for store in ["nonsense:", "sqlite:/nowhere/at/all/state.db"] {
        let unjudged = torture(store);
        assert_eq!(unjudged.status.code(), Some(2), "{store}: {}", said(&unjudged));
        assert!(unjudged.stdout.is_empty(), "{}", said(&unjudged));
    }
}
