//! What every store has to do, with random and with signed tokens. `confirm_suite!(name, make)` runs all of it, where
//! `make` builds an empty store and what has to live as long.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use guard_confirm::{
    Asked, ConfirmEvent, ConfirmListener, Desk, DeskConfig, DeskError, Entry, Filter, Happened, Key, Keyring,
    Person, Refused, Rules, State, Step, Store, Vote,
};
use guard_core::{
    Clock, ConfirmRequest, Confirmation, ConfirmationToken, Confirmer, DecisionId, FixedClock, Json, Request,
    Timestamp, User,
};

pub(crate) const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

pub(crate) struct Bench {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) signed: bool,
    pub(crate) _alive: Box<dyn std::any::Any>,
}

impl Bench {
    pub(crate) fn desk_with(&self, config: DeskConfig) -> Desk {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let desk = Desk::new(Arc::clone(&self.store), clock, config);
        match self.signed {
            true => desk.signed(Keyring::new("k1", Key::Hmac(vec![7; 32])).unwrap()),
            false => desk,
        }
    }

    fn desk(&self) -> Desk {
        self.desk_with(DeskConfig::default())
    }

    fn ruled(&self, rules: Rules) -> Desk {
        self.desk_with(DeskConfig { rules, ..DeskConfig::default() })
    }
}

pub(crate) fn request(argument: &str) -> Request {
    let mut request = Request {
        function: "drop_table".into(),
        operation: "delete".into(),
        resource: "production/users".into(),
        user: Some(User { id: "ada".into(), roles: vec!["dev".into()] }),
        ..Request::new("safe_delete")
    };
    request.context.insert("table".into(), Json::of(&argument).unwrap());
    request.context.insert("password".into(), Json::of(&"hunter2").unwrap());
    request
}

pub(crate) fn question(request: Request) -> ConfirmRequest {
    ConfirmRequest { decision_id: DecisionId::from_u128(5), request, reason: "sure?".into(), details: None }
}

fn ask(desk: &Desk) -> Asked {
    desk.ask(&question(request("users"))).wait().unwrap()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, DeskError>) -> Refused {
    match answer.unwrap_err() {
        DeskError::Refused(refused) => refused,
        other => panic!("{other}"),
    }
}

fn yes(desk: &Desk, asked: &Asked, who: &str) -> Result<Entry, DeskError> {
    desk.approve(&asked.handle, &Person::new(who), "").wait()
}

fn no(desk: &Desk, asked: &Asked, who: &str) -> Result<Entry, DeskError> {
    desk.reject(&asked.handle, &Person::new(who), "not on a Friday").wait()
}

fn consume(desk: &Desk, asked: &Asked) -> Result<Entry, DeskError> {
    desk.consume(&asked.token, &request("users")).wait()
}

pub(crate) fn approved_is_consumed_once(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    assert_eq!(refused(consume(&desk, &asked)), Refused::Pending);
    bench.clock.advance(Duration::from_secs(2));
    let entry = yes(&desk, &asked, "grace").unwrap();
    assert_eq!((entry.state, entry.votes.len()), (State::Approved, 1));
    let vote = &entry.votes[0];
    assert_eq!(
        (vote.by.as_str(), vote.at, vote.approves),
        ("grace", START.plus(Duration::from_secs(2)), true)
    );
    assert_eq!(consume(&desk, &asked).unwrap().state, State::Consumed);
    assert_eq!(refused(consume(&desk, &asked)), Refused::Consumed);
    assert_eq!(refused(yes(&desk, &asked, "edsger")), Refused::Consumed);
    assert_eq!(refused(no(&desk, &asked, "edsger")), Refused::Consumed);
    assert_eq!(desk.look(&asked.handle).wait().unwrap().state, State::Consumed);
}

pub(crate) fn rejected_stays_so(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    assert_eq!(no(&desk, &asked, "grace").unwrap().state, State::Rejected);
    let rejection = Refused::Rejected { by: "grace".into(), note: "not on a Friday".into() };
    assert_eq!(refused(yes(&desk, &asked, "edsger")), rejection);
    assert_eq!(refused(yes(&desk, &asked, "grace")), rejection);
    assert_eq!(refused(consume(&desk, &asked)), rejection);
    // The same answer again changes nothing.
    assert_eq!(no(&desk, &asked, "grace").unwrap().votes.len(), 1);
}

pub(crate) fn approved_cannot_be_rejected(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    yes(&desk, &asked, "grace").unwrap();
    assert_eq!(refused(no(&desk, &asked, "edsger")), Refused::Approved);
    assert_eq!(refused(yes(&desk, &asked, "edsger")), Refused::Approved);
    assert_eq!(yes(&desk, &asked, "grace").unwrap().votes.len(), 1);
    consume(&desk, &asked).unwrap();
}

pub(crate) fn expired_is_neither_approved_nor_used(bench: Bench) {
    let desk = bench.desk();
    let (pending, approved) = (ask(&desk), ask(&desk));
    bench.clock.advance(Duration::from_secs(899));
    yes(&desk, &approved, "grace").unwrap();
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(refused(yes(&desk, &pending, "grace")), Refused::Expired);
    assert_eq!(refused(no(&desk, &pending, "grace")), Refused::Expired);
    assert_eq!(refused(consume(&desk, &pending)), Refused::Expired);
    assert_eq!(refused(consume(&desk, &approved)), Refused::Expired);
    // Nor when the clock is set back: it has been noticed.
    if !bench.signed {
        bench.clock.set(START);
        assert_eq!(refused(yes(&desk, &pending, "edsger")), Refused::Expired);
        assert_eq!(refused(consume(&desk, &approved)), Refused::Expired);
    }
}

pub(crate) fn sweeping_marks_and_forgets(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    yes(&desk, &asked, "grace").unwrap();
    assert_eq!(desk.sweep().wait().unwrap(), []);
    bench.clock.advance(Duration::from_secs(900));
    let expired = desk.sweep().wait().unwrap();
    assert_eq!(
        expired.iter().map(|entry| (&*entry.id, entry.state)).collect::<Vec<_>>(),
        [(&*asked.entry.id, State::Expired)]
    );
    assert_eq!(desk.sweep().wait().unwrap(), []);
    assert_eq!(desk.list(&Filter::default()).wait().unwrap().len(), 1);
    bench.clock.advance(Duration::from_secs(31 * 86_400));
    desk.sweep().wait().unwrap();
    assert_eq!(desk.list(&Filter::default()).wait().unwrap(), []);
    let gone = if bench.signed { Refused::Expired } else { Refused::Unknown };
    assert_eq!(refused(consume(&desk, &asked)), gone);
}

pub(crate) fn another_call_is_refused_and_uses_nothing_up(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    yes(&desk, &asked, "grace").unwrap();
    let same = request("users");
    let others = [
        request("orders"),
        Request { policy_id: "other".into(), ..same.clone() },
        Request { operation: "truncate".into(), ..same.clone() },
        Request { resource: "production/orders".into(), ..same.clone() },
        Request { user: Some(User { id: "eve".into(), roles: vec![] }), ..same.clone() },
        Request { user: None, ..same.clone() },
        Request { cost: Some(1.into()), ..same.clone() },
        Request { tokens: Some(1), ..same.clone() },
    ];
    for other in others {
        assert_eq!(refused(desk.consume(&asked.token, &other).wait()), Refused::OtherCall, "{other:?}");
    }
    // What is only carried along, and when it is asked, may differ.
    let mut later = Request { time: START.plus(Duration::from_secs(1)), ..same };
    later.metadata.insert("trace".into(), Json::of(&"t").unwrap());
    desk.consume(&asked.token, &later).wait().unwrap();
}

pub(crate) fn only_who_may(bench: Bench) {
    let rules = Rules { approvers: vec!["@lead".into(), "edsger".into()], four_eyes: true, approvals: 1 };
    let desk = bench.ruled(rules);
    let asked = ask(&desk);
    let refusal = |person: &Person| refused(desk.approve(&asked.handle, person, "").wait());
    for person in [
        Person::new("grace"),
        Person::new("ada").with_role("lead"),
        Person::new("").with_role("lead"),
        Person::new("@lead"),
        Person::new("lead"),
    ] {
        assert!(matches!(refusal(&person), Refused::NotAllowed { .. }), "{person:?}");
        if person.id != "ada" {
            let rejected = desk.reject(&asked.handle, &person, "").wait();
            assert!(matches!(refused(rejected), Refused::NotAllowed { .. }), "{person:?}");
        }
    }
    desk.approve(&asked.handle, &Person::new("grace").with_role("lead"), "fine").wait().unwrap();
    let second = ask(&desk);
    yes(&desk, &second, "edsger").unwrap();
    // Whoever asked may withdraw.
    let third = ask(&desk);
    assert_eq!(no(&desk, &third, "ada").unwrap().state, State::Rejected);
    let nobody = question(Request { user: None, ..request("users") });
    assert!(matches!(desk.ask(&nobody).wait(), Err(DeskError::Rules(_))));
}

pub(crate) fn several_have_to_approve(bench: Bench) {
    let desk = bench.ruled(Rules { approvals: 3, ..Rules::default() });
    let asked = ask(&desk);
    assert_eq!(yes(&desk, &asked, "grace").unwrap().state, State::Pending);
    assert_eq!(yes(&desk, &asked, "grace").unwrap().votes.len(), 1);
    assert_eq!(yes(&desk, &asked, "edsger").unwrap().state, State::Pending);
    assert_eq!(refused(consume(&desk, &asked)), Refused::Pending);
    let entry = yes(&desk, &asked, "alan").unwrap();
    assert_eq!(entry.approved_by().collect::<Vec<_>>(), ["grace", "edsger", "alan"]);
    consume(&desk, &asked).unwrap();
    let second = ask(&desk);
    yes(&desk, &second, "grace").unwrap();
    // One who changes their mind ends it.
    assert_eq!(no(&desk, &second, "grace").unwrap().state, State::Rejected);
    assert!(matches!(refused(yes(&desk, &second, "grace")), Refused::Rejected { .. }));
}

pub(crate) fn the_policy_says_how(bench: Bench) {
    let desk = bench.desk();
    let with = |text: &str| ConfirmRequest {
        details: Some(Json::from_text(text).unwrap()),
        ..question(request("users"))
    };
    let details = r#"{"policy": "p", "approvers": ["@lead"], "four_eyes": true, "approvals": 2, "expires_seconds": 60}"#;
    let asked = desk.ask(&with(details)).wait().unwrap();
    assert_eq!(asked.entry.rules, Rules { approvers: vec!["@lead".into()], four_eyes: true, approvals: 2 });
    assert_eq!(asked.entry.expires, START.plus(Duration::from_secs(60)));
    for wrong in [
        r#"{"approvers": "@lead"}"#,
        r#"{"approvals": 0}"#,
        r#"{"approvals": -1}"#,
        r#"{"four_eyes": "yes"}"#,
        r#"{"expires_seconds": 0}"#,
        "[]x",
    ] {
        let Ok(details) = Json::from_text(wrong) else { continue };
        let wrong = ConfirmRequest { details: Some(details), ..question(request("users")) };
        assert!(matches!(desk.ask(&wrong).wait(), Err(DeskError::Rules(_))), "{wrong:?}");
    }
}

pub(crate) fn nothing_secret_is_kept(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    yes(&desk, &asked, "grace").unwrap();
    let kept = bench.store.get(&asked.entry.id).wait().unwrap().unwrap();
    let text = format!("{kept:?} {asked:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(kept.shown.contains("users") && kept.shown.contains("(hidden)"), "{}", kept.shown);
    let secret = asked.token.expose();
    let secret = secret.rsplit('~').next().unwrap().trim_start_matches("hxc_");
    assert!(secret.len() >= 32 && !text.contains(secret) && !asked.handle.contains(secret), "{text}");
}

pub(crate) fn what_is_not_a_token_is_refused(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    yes(&desk, &asked, "grace").unwrap();
    let known = asked.token.expose().to_owned();
    for wrong in [
        "",
        "x",
        "hxc_",
        &asked.handle,
        &asked.entry.id,
        &format!("{known}x"),
        &known[1..],
        &known[..known.len() - 1],
    ] {
        let token = ConfirmationToken::new(wrong);
        let refused = refused(desk.consume(&token, &request("users")).wait());
        assert!(matches!(refused, Refused::NoToken { .. } | Refused::Unknown), "{wrong}: {refused}");
    }
    let unknown = Person::new("grace");
    assert_eq!(refused(desk.approve("0123", &unknown, "").wait()), Refused::Unknown);
    let long = "n".repeat(100_000);
    let second = ask(&desk);
    let entry = desk.reject(&second.handle, &Person::new("grace\n\"é"), &long).wait().unwrap();
    assert_eq!((entry.votes[0].by.as_str(), entry.votes[0].note.len()), ("grace\n\"é", 1_000));
    assert_eq!(desk.look(&second.entry.id).wait().unwrap().votes, entry.votes);
    consume(&desk, &asked).unwrap();
}

pub(crate) fn lists_the_latest_first(bench: Bench) {
    let desk = bench.desk();
    let asked: Vec<Asked> = (0..5)
        .map(|_| {
            bench.clock.advance(Duration::from_secs(1));
            ask(&desk)
        })
        .collect();
    for (one, who) in asked.iter().zip(["grace", "grace", "grace", "", ""]) {
        if !who.is_empty() {
            yes(&desk, one, who).unwrap();
        }
    }
    no(&desk, &asked[3], "grace").unwrap();
    let ids = |state, limit| -> Vec<String> {
        let entries = desk.list(&Filter { state, limit }).wait().unwrap();
        entries.into_iter().map(|entry| entry.id).collect()
    };
    let id = |number: usize| asked[number].entry.id.clone();
    assert_eq!(ids(Some(State::Approved), 2), [id(2), id(1)]);
    assert_eq!(ids(Some(State::Rejected), 9), [id(3)]);
    // Of a signed token nothing is known before somebody decides.
    let pending = if bench.signed { vec![] } else { vec![id(4)] };
    assert_eq!(ids(Some(State::Pending), 9), pending);
    bench.clock.advance(Duration::from_secs(897));
    assert_eq!(ids(Some(State::Expired), 9), [id(1), id(0)]);
}

pub(crate) fn a_lost_answer_can_be_asked_for_again(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    yes(&desk, &asked, "grace").unwrap();
    let consume = |attempt: &str| {
        let step = Step::Consume { attempt: attempt.into() };
        bench.store.step(&asked.entry.id, &step, None, START).wait().unwrap().unwrap().taken()
    };
    assert_eq!(consume("a").unwrap().state, State::Consumed);
    assert_eq!(consume("a").unwrap().state, State::Consumed);
    assert_eq!(consume("b").unwrap_err(), Refused::Consumed);
}

pub(crate) fn stands_behind_the_port(bench: Bench) {
    let desk = bench.desk();
    let confirmer: &dyn Confirmer = &desk;
    let Ok(Confirmation::Pending(pending)) = confirmer.confirm(&question(request("users"))).wait() else {
        panic!()
    };
    let retry = question(Request { confirmation_token: Some(pending.token.clone()), ..request("users") });
    let again = confirmer.confirm(&retry).wait().unwrap();
    assert_eq!(again, Confirmation::Pending(pending.clone()));
    desk.approve(&pending.id, &Person::new("grace"), "").wait().unwrap();
    confirmer.decided(&pending.token, Duration::from_secs(60)).wait().unwrap();
    let approved = confirmer.confirm(&retry).wait().unwrap();
    assert_eq!(approved, Confirmation::Approved { by: Some("grace".into()) });
    let spent = confirmer.confirm(&retry).wait().unwrap();
    assert!(matches!(spent, Confirmation::Rejected { reason } if reason.contains("used already")));
}

pub(crate) fn waits_until_decided_and_no_longer(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    let begun = Instant::now();
    desk.wait(&asked.token, Duration::from_millis(60)).wait().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(60));
    // Somebody decides at another desk, as in another process.
    let (other, handle) = (bench.desk(), asked.handle.clone());
    let decider = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        other.approve(&handle, &Person::new("grace"), "").wait().unwrap();
    });
    let begun = Instant::now();
    desk.wait(&asked.token, Duration::from_secs(60)).wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    decider.join().unwrap();
    consume(&desk, &asked).unwrap();
}

#[derive(Default)]
struct Heard(Mutex<Vec<(&'static str, State)>>);

impl ConfirmListener for Heard {
    fn tell(&self, event: &ConfirmEvent) {
        let what = match event.what {
            Happened::Asked => "asked",
            Happened::Voted(_) => "voted",
            Happened::Consumed => "consumed",
            Happened::Expired => "expired",
        };
        self.0.lock().unwrap().push((what, event.entry.state));
    }
}

pub(crate) fn events_are_told(bench: Bench) {
    let heard = Arc::new(Heard::default());
    let desk = bench.desk().listener(Arc::clone(&heard) as _);
    let (asked, other) = (ask(&desk), ask(&desk));
    yes(&desk, &asked, "grace").unwrap();
    consume(&desk, &asked).unwrap();
    consume(&desk, &asked).unwrap_err();
    yes(&desk, &other, "grace").unwrap();
    bench.clock.advance(Duration::from_secs(900));
    desk.sweep().wait().unwrap();
    let told = std::mem::take(&mut *heard.0.lock().unwrap());
    let expected = [
        ("asked", State::Pending),
        ("asked", State::Pending),
        ("voted", State::Approved),
        ("consumed", State::Consumed),
        ("voted", State::Approved),
        ("expired", State::Expired),
    ];
    assert_eq!(told, expected);
}

pub(crate) fn the_outbox_keeps_what_is_not_delivered(bench: Bench) {
    let desk = bench.desk().announcing(*b"a key for the links");
    let (first, second) = (ask(&desk), {
        bench.clock.advance(Duration::from_secs(1));
        ask(&desk)
    });
    let (now, lease) = (bench.clock.now(), Duration::from_secs(30));
    let claim = |now: Timestamp| {
        let due = bench.store.claim(now, now.plus(lease)).wait().unwrap();
        due.map(|due| (due.entry.id, due.tries))
    };
    let id = |asked: &Asked| asked.entry.id.clone();
    assert_eq!(claim(now), Some((id(&first), 0)));
    assert_eq!(claim(now), Some((id(&second), 0)));
    assert_eq!(claim(now), None);
    bench.store.tell(&id(&second), Some(now.plus(Duration::from_secs(5)))).wait().unwrap();
    assert_eq!(claim(now.plus(Duration::from_secs(4))), None);
    let later = now.plus(Duration::from_secs(6));
    assert_eq!(claim(later), Some((id(&second), 1)));
    bench.store.tell(&id(&second), None).wait().unwrap();
    // The courier that had taken the first died.
    let after = later.plus(lease);
    assert_eq!(claim(after), Some((id(&first), 1)));
    bench.store.tell(&id(&first), None).wait().unwrap();
    assert_eq!(claim(after.plus(lease)), None);
}

pub(crate) fn a_link_answers_once(bench: Bench) {
    let desk = bench.desk();
    let asked = ask(&desk);
    let vote = Vote { by: "grace".into(), at: START, approves: true, note: String::new() };
    let step = Step::Vote { vote, link: Some("no such link".into()) };
    let begin = Some(&asked.entry);
    let stepped = bench.store.step(&asked.entry.id, &step, begin, START).wait().unwrap().unwrap();
    assert_eq!(stepped.refused, Some(Refused::LinkUsed));
    assert_eq!(stepped.entry.state, State::Pending);
}

/// Threads at every step of one confirmation at once: of each pair that excludes each other one wins.
pub(crate) fn one_wins(bench: Bench) {
    let desk = bench.desk();
    for round in 0..20 {
        let asked = ask(&desk);
        let (yes_won, no_won, used) = (Mutex::new(0), Mutex::new(0), Mutex::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (desk, asked, yes_won, no_won, used) = (&desk, &asked, &yes_won, &no_won, &used);
                scope.spawn(move || {
                    let who = format!("p{thread}");
                    match (thread + round) % 4 {
                        0 => *yes_won.lock().unwrap() += i32::from(yes(desk, asked, &who).is_ok()),
                        1 => *no_won.lock().unwrap() += i32::from(no(desk, asked, &who).is_ok()),
                        _ => {
                            for _ in 0..20 {
                                *used.lock().unwrap() += i32::from(consume(desk, asked).is_ok());
                            }
                        }
                    }
                });
            }
        });
        let (yes_won, no_won, used) =
            (*yes_won.lock().unwrap(), *no_won.lock().unwrap(), *used.lock().unwrap());
        assert_eq!(yes_won + no_won, 1, "round {round}");
        assert!(used <= yes_won, "round {round}: consumed {used} times");
    }
}

macro_rules! confirm_suite {
    ($(#[$attribute:meta])* $name:ident, $make:expr) => {
        confirm_suite!(@tests [$(#[$attribute])*] $name, $make;
            approved_is_consumed_once, rejected_stays_so, approved_cannot_be_rejected,
            expired_is_neither_approved_nor_used, sweeping_marks_and_forgets,
            another_call_is_refused_and_uses_nothing_up, only_who_may, several_have_to_approve, the_policy_says_how,
            nothing_secret_is_kept, what_is_not_a_token_is_refused, lists_the_latest_first,
            a_lost_answer_can_be_asked_for_again, stands_behind_the_port, waits_until_decided_and_no_longer,
            events_are_told, the_outbox_keeps_what_is_not_delivered, a_link_answers_once, one_wins);
    };
    (@tests $attributes:tt $name:ident, $make:expr; $($test:ident),*) => {
        mod $name {
            use super::*;
            $(confirm_suite!(@test $attributes $test, $make);)*
        }
    };
    (@test [$(#[$attribute:meta])*] $test:ident, $make:expr) => {
        #[test]
        $(#[$attribute])*
        fn $test() {
            for signed in [false, true] {
                let (store, alive) = $make();
                let clock = std::sync::Arc::new(guard_core::FixedClock::at(crate::suite::START));
                let (store, _alive) = (std::sync::Arc::new(store) as _, Box::new(alive) as _);
                crate::suite::$test(crate::suite::Bench { store, clock, signed, _alive });
            }
        }
    };
}
