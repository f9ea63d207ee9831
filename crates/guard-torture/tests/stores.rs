//! Each store under kills, restarts and cut connections. `TORTURE_RUNS` sets how many runs, `SEED` where they begin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::Command;

use guard_torture::{Plan, Report, Trouble, torture};
use test_support::{Folder, OpaServer, PostgresServer, RedisServer, setting};

fn plan(store: String, folder: &Folder) -> Plan {
    Plan {
        store,
        threads: 8,
        processes: 4,
        runs: setting("TORTURE_RUNS", 2),
        seed: setting("SEED", 1),
        calls: 12,
        kills: 4,
        cut_one_in: None,
        journal: true,
        folder: folder.path().to_owned(),
    }
}

fn run(plan: &Plan, trouble: Trouble<'_>) -> Report {
    let program = || Command::new(env!("CARGO_BIN_EXE_guard-torture"));
    let report = torture(plan, &program, trouble, &mut |line| println!("{line}")).unwrap();
    assert!(report.held(), "{}", report.to_json(plan));
    assert!(report.verdict.admitted > 0 && report.verdict.refused > 0, "{}", report.to_json(plan));
    println!("{}", report.to_json(plan));
    report
}

#[test]
fn memory_holds() {
    let folder = Folder::new("torture-memory");
    // Calls enough for its threads to meet.
    run(&Plan { calls: 500, ..plan("memory:".to_owned(), &folder) }, None);
}

#[test]
fn sqlite_holds() {
    let folder = Folder::new("torture-sqlite");
    let store = format!("sqlite:{}", folder.path().join("state.db").display());
    let report = run(&plan(store, &folder), None);
    assert!(report.kills > 0);
}

#[test]
#[ignore = "needs Redis"]
fn needs_redis_holds_through_restarts_and_cut_connections() {
    let folder = Folder::new("torture-redis");
    let mut server = RedisServer::start();
    let plan = Plan { cut_one_in: Some(150), ..plan(server.url(), &folder) };
    let report = run(&plan, Some(&mut || server.restart()));
    assert!(report.cuts > 0 && report.troubles > 0);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn needs_postgres_holds_through_restarts_and_cut_connections() {
    let folder = Folder::new("torture-postgres");
    let mut server = PostgresServer::start();
    // A transaction is some twelve round trips, each of which may be late or cut.
    let plan = Plan { cut_one_in: Some(150), calls: 4, ..plan(server.url(), &folder) };
    let report = run(&plan, Some(&mut || server.restart()));
    assert!(report.cuts > 0 && report.troubles > 0);
}

#[test]
fn slices_of_sqlite_are_exact_where_nobody_is_killed() {
    let folder = Folder::new("torture-leased-calm");
    let store = format!("leased:sqlite:{}", folder.path().join("state.db").display());
    let report = run(&Plan { kills: 0, ..plan(store, &folder) }, None);
    assert_eq!(report.kills, 0);
}

#[test]
fn slices_of_sqlite_hold() {
    for journal in [true, false] {
        let folder = Folder::new("torture-leased-sqlite");
        let store = format!("leased:sqlite:{}", folder.path().join("state.db").display());
        assert!(run(&Plan { journal, ..plan(store, &folder) }, None).kills > 0);
    }
}

#[test]
#[ignore = "needs Redis"]
fn needs_redis_slices_hold_through_restarts_and_cut_connections() {
    let folder = Folder::new("torture-leased-redis");
    let mut server = RedisServer::start();
    let plan = Plan { cut_one_in: Some(150), ..plan(format!("leased:{}", server.url()), &folder) };
    let report = run(&plan, Some(&mut || server.restart()));
    assert!(report.cuts > 0 && report.troubles > 0);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn needs_postgres_slices_hold_through_restarts_and_cut_connections() {
    let folder = Folder::new("torture-leased-postgres");
    let mut server = PostgresServer::start();
    let plan = Plan { cut_one_in: Some(150), calls: 4, ..plan(format!("leased:{}", server.url()), &folder) };
    let report = run(&plan, Some(&mut || server.restart()));
    assert!(report.cuts > 0 && report.troubles > 0);
}

/// OPA keeps nothing when it is killed: what there was comes back from the copies of the replicas.
#[test]
#[ignore = "needs OPA"]
fn needs_opa_replicas_hold_through_restarts_and_cut_connections() {
    let folder = Folder::new("torture-opa");
    let mut server = OpaServer::start();
    let plan = Plan { cut_one_in: Some(150), ..plan(format!("opa:{}", server.url()), &folder) };
    let report = run(&plan, Some(&mut || server.restart()));
    assert!(report.cuts > 0 && report.troubles > 0 && report.kills > 0);
}
