//! Signed tokens: tampering, algorithms, rotation.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use guard_confirm::{
    Asked, Desk, DeskConfig, DeskError, Key, KeyError, Keyring, MemoryStore, Person, Refused,
};
use guard_core::{ConfirmRequest, ConfirmationToken, DecisionId, FixedClock, Request, Timestamp};

fn desk(store: &Arc<MemoryStore>, keys: Keyring) -> Desk {
    let clock = Arc::new(FixedClock::at(Timestamp::from_seconds(1_700_000_000)));
    Desk::new(Arc::clone(store) as _, clock, DeskConfig::default()).signed(keys)
}

fn ask(desk: &Desk) -> Asked {
    let request = Request::new("p");
    let question = ConfirmRequest {
        decision_id: DecisionId::from_u128(1),
        request,
        reason: "why".into(),
        details: None,
    };
    desk.ask(&question).wait().unwrap()
}

fn approve(desk: &Desk, ticket: &str) -> Result<(), DeskError> {
    desk.approve(ticket, &Person::new("grace"), "").wait().map(drop)
}

fn consume(desk: &Desk, token: &str) -> Result<(), DeskError> {
    desk.consume(&ConfirmationToken::new(token), &Request::new("p")).wait().map(drop)
}

fn is_no_token(result: Result<(), DeskError>) -> bool {
    matches!(result, Err(DeskError::Refused(Refused::NoToken { .. })))
}

fn hmac(byte: u8) -> Key {
    Key::Hmac(vec![byte; 32])
}

#[test]
fn no_byte_of_a_ticket_can_be_changed() {
    let store = Arc::new(MemoryStore::new());
    let desk = desk(&store, Keyring::new("k1", hmac(1)).unwrap());
    let ticket = ask(&desk).handle;
    for place in 0..ticket.len() {
        for other in [b'A', b'_', b'.', b'~'] {
            let mut bytes = ticket.clone().into_bytes();
            if bytes[place] == other {
                continue;
            }
            bytes[place] = other;
            let changed = String::from_utf8(bytes).unwrap();
            let Err(DeskError::Refused(refused)) = approve(&desk, &changed) else { panic!("{changed}") };
            assert!(matches!(refused, Refused::NoToken { .. } | Refused::Unknown), "{refused}");
        }
    }
    for end in 0..ticket.len() {
        approve(&desk, &ticket[..end]).unwrap_err();
    }
    approve(&desk, &ticket).unwrap();
}

#[test]
fn both_algorithms_sign_and_neither_stands_in_for_the_other() {
    let ed = Key::ed25519(&[9; 32]);
    let store = Arc::new(MemoryStore::new());
    for key in [hmac(1), ed.clone()] {
        let desk = desk(&store, Keyring::new("k", key).unwrap());
        let asked = ask(&desk);
        assert!(is_no_token(consume(&desk, &asked.handle)));
        approve(&desk, &asked.handle).unwrap();
        consume(&desk, asked.token.expose()).unwrap();
        assert_eq!(consume(&desk, asked.token.expose()), Err(Refused::Consumed.into()));
    }
    // The public key as a shared secret: the classical confusion.
    let Key::Ed25519Public(public) = ed.public() else { panic!() };
    let forger = desk(&store, Keyring::new("k", Key::Hmac(public.to_bytes().to_vec())).unwrap());
    let verifier = desk(&store, Keyring::new("k", ed.public()).unwrap());
    assert!(is_no_token(approve(&verifier, &ask(&forger).handle)));
    // Who can only verify approves what another signed, and signs nothing.
    approve(&verifier, &ask(&desk(&store, Keyring::new("k", ed).unwrap())).handle).unwrap();
    let question = ConfirmRequest {
        decision_id: DecisionId::from_u128(1),
        request: Request::new("p"),
        reason: String::new(),
        details: None,
    };
    assert!(verifier.ask(&question).wait().is_err());
}

#[test]
fn keys_rotate() {
    let store = Arc::new(MemoryStore::new());
    let old = desk(&store, Keyring::new("old", hmac(1)).unwrap());
    let both = desk(&store, Keyring::new("new", hmac(2)).unwrap().with("old", hmac(1)).unwrap());
    let new = desk(&store, Keyring::new("new", hmac(2)).unwrap());
    let before = ask(&old);
    approve(&both, &before.handle).unwrap();
    assert!(is_no_token(consume(&new, before.token.expose())));
    consume(&both, before.token.expose()).unwrap();
    let after = ask(&both);
    approve(&new, &after.handle).unwrap();
    assert!(is_no_token(consume(&old, after.token.expose())));
    consume(&new, after.token.expose()).unwrap();
    assert!(matches!(Keyring::new("a.b", hmac(1)), Err(KeyError::Id(_))));
    assert!(matches!(Keyring::new("", hmac(1)), Err(KeyError::Id(_))));
    assert!(matches!(Keyring::new("k", Key::Hmac(vec![0; 15])), Err(KeyError::Short(_))));
    assert!(matches!(Keyring::new("k", hmac(1)).unwrap().with("k", hmac(2)), Err(KeyError::Twice(_))));
}

#[test]
fn a_secret_of_another_token_opens_nothing() {
    let store = Arc::new(MemoryStore::new());
    let desk = desk(&store, Keyring::new("k", hmac(1)).unwrap());
    let (one, other) = (ask(&desk), ask(&desk));
    approve(&desk, &one.handle).unwrap();
    let secret = other.token.expose().rsplit('~').next().unwrap();
    assert_eq!(consume(&desk, &format!("{}~{secret}", one.handle)), Err(Refused::Unknown.into()));
    consume(&desk, one.token.expose()).unwrap();
}
