//! The prompt at a terminal.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guard_confirm::{DeskConfig, Person, Rules, Terminal, TerminalConfirmer};
use guard_core::{ConfirmRequest, Confirmation, Confirmer as _, DecisionId, Json, Request, User};

struct Scripted {
    interactive: bool,
    /// Typed before the question, and after it.
    before: Mutex<VecDeque<String>>,
    after: Mutex<VecDeque<String>>,
    shown: Arc<Mutex<String>>,
}

impl Terminal for Scripted {
    fn is_interactive(&self) -> bool {
        self.interactive
    }

    fn show(&self, text: &str) -> std::io::Result<()> {
        self.shown.lock().unwrap().push_str(text);
        Ok(())
    }

    fn read_line(&self, within: Duration) -> Option<String> {
        let lines = if within.is_zero() { &self.before } else { &self.after };
        lines.lock().unwrap().pop_front()
    }
}

fn ask(
    person: &str,
    rules: Rules,
    interactive: bool,
    before: &[&str],
    after: &[&str],
) -> (Confirmation, String) {
    let lines = |lines: &[&str]| Mutex::new(lines.iter().map(|line| format!("{line}\n")).collect());
    let shown = Arc::new(Mutex::new(String::new()));
    let terminal =
        Scripted { interactive, before: lines(before), after: lines(after), shown: Arc::clone(&shown) };
    let config = DeskConfig { rules, ..DeskConfig::default() };
    let confirmer = TerminalConfirmer::at(terminal, Person::new(person), config);
    let mut request = Request {
        resource: "users\u{1b}[2J\u{202e}".into(),
        user: Some(User { id: "ada".into(), roles: vec![] }),
        ..Request::new("safe_delete")
    };
    request.context.insert("api_key".into(), Json::of(&"sk-1234").unwrap());
    let request = ConfirmRequest {
        decision_id: DecisionId::from_u128(1),
        request,
        reason: "it deletes".into(),
        details: None,
    };
    let answer = confirmer.confirm(&request).wait().unwrap();
    let shown = shown.lock().unwrap().clone();
    (answer, shown)
}

fn is_approved(answer: &Confirmation) -> bool {
    matches!(answer, Confirmation::Approved { by: Some(by) } if by == "grace")
}

#[test]
fn yes_in_three_ways_and_nothing_else() {
    for yes in ["yes", "y", "approve", "  YES "] {
        assert!(is_approved(&ask("grace", Rules::default(), true, &[], &[yes]).0), "{yes}");
    }
    for no in [
        &["no"][..],
        &["n"],
        &["reject"],
        &[],
        &["", "", ""],
        &["yes please", "ok", "sure", "yes"],
        &["yess", "no", "yes"],
    ] {
        assert!(!is_approved(&ask("grace", Rules::default(), true, &[], no).0), "{no:?}");
    }
    assert!(is_approved(&ask("grace", Rules::default(), true, &[], &["what?", "y"]).0));
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    assert!(!is_approved(&ask("grace", Rules::default(), true, &["yes", "yes"], &[]).0));
}

#[test]
fn without_a_terminal_it_is_denied() {
    let (answer, shown) = ask("grace", Rules::default(), false, &["yes"], &["yes"]);
    assert!(matches!(answer, Confirmation::Rejected { reason } if reason.contains("no terminal")));
    assert_eq!(shown, "");
}

#[test]
fn who_may_not_is_not_asked() {
    let four_eyes = Rules { four_eyes: true, ..Rules::default() };
    let lead = Rules { approvers: vec!["@lead".into()], ..Rules::default() };
    let two = Rules { approvals: 2, ..Rules::default() };
    for (person, rules) in [("ada", four_eyes.clone()), ("grace", lead), ("grace", two)] {
        let (answer, shown) = ask(person, rules, true, &[], &["yes"]);
        assert!(matches!(answer, Confirmation::Rejected { .. }));
        assert_eq!(shown, "");
    }
    assert!(is_approved(&ask("grace", four_eyes, true, &[], &["yes"]).0));
}

#[test]
fn nothing_secret_and_nothing_that_a_terminal_obeys_is_shown() {
    let (_, shown) = ask("grace", Rules::default(), true, &[], &["yes"]);
    assert!(shown.contains("it deletes") && shown.contains("safe_delete"), "{shown}");
    assert!(!shown.contains("sk-1234") && shown.contains("(hidden)"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
}
