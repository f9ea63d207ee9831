//! The page that a link leads to, and looking at a link.
#![cfg(feature = "page")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use guard_confirm::page::{FormKey, Page, headers};
use guard_confirm::{Asked, Desk, DeskConfig, Entry, MemoryStore, Person, Rules, State};
use guard_core::{Clock, ConfirmRequest, DecisionId, Json, Request, Timestamp, User};

const START: i64 = 1_800_000_000;

/// Stands until it is moved.
#[derive(Clone, Default)]
struct Still(Arc<AtomicI64>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(START + self.0.load(Ordering::SeqCst))
    }
}

fn desk(rules: Rules) -> (Desk, Still) {
    let clock = Still::default();
    let config = DeskConfig { rules, expires: Duration::from_secs(900), ..DeskConfig::default() };
    (Desk::new(Arc::new(MemoryStore::new()), Arc::new(clock.clone()), config), clock)
}

fn asked_with(desk: &Desk, change: impl FnOnce(&mut ConfirmRequest)) -> Asked {
    let request = Request {
        operation: "delete".into(),
        resource: "/drafts".into(),
        user: Some(User { id: "ada".into(), roles: vec![] }),
        ..Request::new("safe_delete")
    };
    let decision_id = DecisionId::from_u128(1);
    let mut ask = ConfirmRequest { decision_id, request, reason: "it deletes".into(), details: None };
    change(&mut ask);
    desk.ask(&ask).wait().unwrap()
}

fn asked(desk: &Desk) -> Asked {
    asked_with(desk, |_| {})
}

fn question(entry: &Entry, person: &str, after: i64) -> String {
    let (person, now) = (Person::new(person), Timestamp::from_seconds(START + after));
    Page::Question { entry, person: &person, seal: None, now }.html()
}

#[test]
fn the_question_says_who_asks_for_what_and_until_when() {
    let (desk, _) = desk(Rules::default());
    let entry = asked(&desk).entry;
    let html = question(&entry, "grace", 0);
    for part in [
        "<h1>May this call run?</h1>",
        "it deletes",
        "<dd>delete</dd>",
        "<dd>/drafts</dd>",
        "<dd>ada</dd>",
        "<dd>safe_delete</dd>",
        "2027-01-15 08:00:00 UTC",
        "2027-01-15 08:15:00 UTC</time> (in 15 minutes)",
        "<form method=\"post\"",
        "value=\"approve\"",
        "value=\"reject\"",
        "You answer as <strong>grace</strong>",
        "<html lang=\"en\">",
        "<label for=\"note\">",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    // The form goes to where it was shown, and nothing is loaded or carried out.
    for part in ["action=", "<script", " src=", " href=", "url("] {
        assert!(!html.contains(part), "{part}: {html}");
    }
    assert!(question(&entry, "grace", 899).contains("(in 1 second)"));
    assert!(question(&entry, "grace", 100_000).contains("(in 0 seconds)"));
}

#[test]
fn nothing_that_others_wrote_is_markup() {
    let bad = "\"'><script>alert(1)</script>&amp;\u{202e}\u{1b}[2J\n";
    let rules = Rules { approvers: vec![bad.into(), "grace".into(), "ada".into()], ..Rules::default() };
    let (desk, _) = desk(rules);
    let asked = asked_with(&desk, |ask| {
        ask.reason = bad.into();
        ask.request.operation = bad.into();
        ask.request.resource = bad.into();
        ask.request.function = bad.into();
        ask.request.policy_id = bad.into();
        ask.request.user = Some(User { id: bad.into(), roles: vec![] });
        ask.request.context.insert(bad.into(), Json::of(&bad).unwrap());
        let deep = serde_json::json!({"list": vec![bad; 9]});
        ask.request.context.insert("deep".into(), Json::of(&deep).unwrap());
    });
    let person = Person { id: bad.into(), roles: vec![] };
    let first = desk.approve(&asked.handle, &person, bad).wait().unwrap();
    let now = Timestamp::from_seconds(START);
    let pages = [
        Page::Question { entry: &asked.entry, person: &person, seal: Some(bad), now }.html(),
        Page::Standing { entry: &first }.html(),
        Page::Trouble { title: bad, text: bad }.html(),
    ];
    for html in pages {
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(
            !html.contains("<script") && !html.contains("'><") && !html.contains("&amp;amp;amp"),
            "{html}"
        );
        assert!(!html.contains('\u{202e}') && !html.contains('\u{1b}'), "{html}");
        let tags = html.matches('<').count();
        assert_eq!(tags, html.matches('>').count(), "{html}");
        assert!(html.contains("&amp;amp;"), "what is escaped already is escaped again: {html}");
    }
}

#[test]
fn secrets_are_not_on_the_page() {
    let (desk, _) = desk(Rules::default());
    let desk = desk.announcing("a key of the links");
    let asked = asked_with(&desk, |ask| {
        ask.request.context.insert("api_key".into(), Json::of(&"sk-1234").unwrap());
        ask.request.context.insert("iban".into(), Json::of(&"DE99").unwrap());
        ask.request.secrets.insert("iban".into());
    });
    let html = question(&asked.entry, "grace", 0);
    assert!(html.contains("api_key") && html.contains("(hidden)"), "{html}");
    for secret in ["sk-1234", "DE99", asked.token.expose()] {
        assert!(!html.contains(secret), "{secret}");
    }
}

#[test]
fn who_asked_can_only_withdraw_where_somebody_else_has_to_approve() {
    let (desk, _) = desk(Rules { four_eyes: true, approvals: 2, approvers: vec!["@lead".into()] });
    let entry = asked(&desk).entry;
    let html = question(&entry, "ada", 0);
    assert!(!html.contains("value=\"approve\"") && html.contains("value=\"reject\""), "{html}");
    assert!(html.contains("@lead; 2 people, 0 so far; not the one who asks"), "{html}");
}

#[test]
fn every_state_is_told() {
    let (desk, clock) = desk(Rules { approvals: 2, ..Rules::default() });
    let held = asked(&desk);
    let told = |entry: &Entry| Page::Standing { entry }.html();
    let one = desk.approve(&held.handle, &Person::new("grace"), "looks <fine>").wait().unwrap();
    assert!(told(&one).contains("1 more person has to approve"), "{}", told(&one));
    assert!(told(&one).contains("“looks &lt;fine&gt;”"));
    let two = desk.approve(&held.handle, &Person::new("linus"), "").wait().unwrap();
    assert!(told(&two).contains("<h1>Approved</h1>"));
    let call =
        Request { user: Some(User { id: "ada".into(), roles: vec![] }), ..Request::new("safe_delete") };
    let call = Request { operation: "delete".into(), resource: "/drafts".into(), ..call };
    let done = desk.consume(&held.token, &call).wait().unwrap();
    assert!(told(&done).contains("<h1>Approved, and done</h1>"));
    let other = asked(&desk);
    let no = desk.reject(&other.handle, &Person::new("grace"), "").wait().unwrap();
    assert!(
        told(&no).contains("<h1>Rejected</h1>") && told(&no).contains("<strong>grace</strong> rejected it")
    );
    let late = asked(&desk);
    clock.0.fetch_add(900, Ordering::SeqCst);
    let late = desk.look(&late.handle).wait().unwrap();
    assert_eq!(late.state, State::Expired);
    assert!(told(&late).contains("<h1>Expired</h1>"));
}

#[test]
fn the_headers_keep_the_address_and_the_page_to_themselves() {
    let headers: std::collections::BTreeMap<_, _> = headers().into_iter().collect();
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-frame-options"], "DENY");
    let policy = &headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn a_seal_is_for_one_form_and_one_person() {
    let key = FormKey::random().unwrap();
    let seal = key.seal("id", "grace").unwrap();
    assert!(key.opens(&seal, "id", "grace"));
    for (handle, person) in [("id", "ada"), ("other", "grace"), ("idg", "race"), ("", "idgrace")] {
        assert!(!key.opens(&seal, handle, person));
    }
    assert!(!key.opens("", "id", "grace") && !key.opens(&seal[1..], "id", "grace"));
    assert!(!FormKey::random().unwrap().opens(&seal, "id", "grace"));
    assert!(FormKey::of("shared").opens(&FormKey::of("shared").seal("a", "b").unwrap(), "a", "b"));
}
