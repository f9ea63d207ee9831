//! `confirmation`.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Approval, Ask, ConfirmationSettings, KeyMaterial, Secret, SigningKey, Webhook};
use crate::problem::{Problem, ProblemCode};
use crate::schema;
use crate::yaml::{Entry, Kind, Node};

use super::fields::{Fields, one_of};
use super::{settings, values};

const ASKS: &[(&str, Ask)] = &[("token", Ask::Token), ("terminal", Ask::Terminal)];

/// The shortest secret of a webhook, in bytes.
const SHORTEST_SECRET: usize = 16;

pub(super) fn read(entry: &Entry, problems: &mut Vec<Problem>) -> Option<ConfirmationSettings> {
    const FIFTEEN_MINUTES: Duration = Duration::from_secs(900);
    let fields = Fields::of(&entry.value, "`confirmation`", schema::CONFIRMATION, problems)?;
    let ask = fields.get("ask").and_then(|e| one_of(e, ASKS, problems)).unwrap_or_default();
    let webhook = fields.get("webhook").and_then(|e| webhook(e, problems));
    if let (Ask::Terminal, Some(entry)) = (ask, fields.get("webhook")) {
        let message = "`webhook` is told of calls that wait for a token, and `ask: terminal` holds none";
        problems.push(Problem::new(ProblemCode::BadValue, entry.place, message));
    }
    let signed = fields.get("signed").map(|e| signed(e, problems)).unwrap_or_default();
    if let (Ask::Terminal, Some(entry)) = (ask, fields.get("signed")) {
        let message = "`signed` is about tokens, and `ask: terminal` gives none";
        problems.push(Problem::new(ProblemCode::BadValue, entry.place, message));
    }
    let approvals = fields.get("approvals").and_then(|e| values::count(e, "people", problems));
    Some(ConfirmationSettings {
        ask,
        store: fields.get("store").and_then(|e| store(e, problems)).unwrap_or_else(|| "memory:".to_owned()),
        approvers: fields.get("approvers").map(|e| values::names(e, problems)).unwrap_or_default(),
        four_eyes: fields.get("four_eyes").and_then(|e| values::boolean(e, problems)).unwrap_or(false),
        approvals: approvals.map_or(1, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        expires: fields
            .get("expires_seconds")
            .and_then(|e| values::seconds(e, problems))
            .unwrap_or(FIFTEEN_MINUTES),
        flag: fields.get("flag").and_then(|e| values::boolean(e, problems)).unwrap_or(false),
        webhook,
        signed,
    })
}

/// The keys of a rule or of a policy.
pub(crate) fn approval(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Approval {
    Approval {
        approvers: fields.get("approvers").map(|e| values::names(e, problems)),
        four_eyes: fields.get("four_eyes").and_then(|e| values::boolean(e, problems)),
        approvals: fields.get("approvals").and_then(|e| values::count(e, "people", problems)),
    }
}

/// Who approves is said where nothing is to be approved.
pub(crate) fn check_approval(
    fields: &Fields<'_>,
    asks: bool,
    whose: &str,
    how: &str,
    problems: &mut Vec<Problem>,
) {
    let mut said = ["approvers", "four_eyes", "approvals"].into_iter().filter_map(|key| fields.get(key));
    if let (Some(entry), false) = (said.next(), asks) {
        let message =
            format!("`{}` says who approves, and no call of the {whose} needs a confirmation", entry.key);
        let problem = Problem::new(ProblemCode::Contradiction, entry.place, message);
        problems.push(problem.with_help(format!("add `{how}`, or drop the key")));
    }
}

fn store(entry: &Entry, problems: &mut Vec<Problem>) -> Option<String> {
    let text = values::text(entry, problems)?;
    let with = |scheme: &str| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
    if matches!(text, "memory" | "memory:") {
        return Some("memory:".to_owned());
    }
    if ["sqlite:", "redis://", "postgres://", "postgresql://"].into_iter().any(with) {
        return Some(text.to_owned());
    }
    let message = "`store` takes the address of a store";
    let problem = Problem::new(ProblemCode::BadValue, entry.value.place, message);
    problems.push(
        problem
            .with_help("`memory`, `sqlite:PATH`, `redis://HOST:PORT/DB` or `postgres://USER@HOST/DATABASE`"),
    );
    None
}

fn signed(entry: &Entry, problems: &mut Vec<Problem>) -> Vec<SigningKey> {
    let Kind::List(items) = &entry.value.kind else {
        problems.push(entry.value.wrong_type("`signed`", "a list of keys"));
        return Vec::new();
    };
    let mut keys: Vec<SigningKey> = Vec::new();
    for item in items {
        let Some(key) = signing_key(item, problems) else { continue };
        if keys.iter().any(|other| other.id == key.id) {
            let message = format!("the key id `{}` is taken", key.id);
            problems.push(Problem::new(ProblemCode::Duplicate, item.place, message));
        }
        keys.push(key);
    }
    if items.is_empty() {
        problems.push(Problem::new(ProblemCode::Missing, entry.place, "`signed` has no key to sign with"));
    }
    keys
}

fn signing_key(item: &Arc<Node>, problems: &mut Vec<Problem>) -> Option<SigningKey> {
    let fields = Fields::of(item, "a key of `signed`", schema::SIGNING_KEY, problems)?;
    let id = fields.get("id").and_then(|e| values::text(e, problems));
    let id = id.filter(|id| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = (1..=64).contains(&id.len()) && id.bytes().all(fits);
        if !fits {
            let message = "the id of a key has up to 64 letters, digits, `-` and `_`";
            problems.push(Problem::new(ProblemCode::BadValue, item.place, message));
        }
        fits
    });
    let mut text = |key: &str, fits: fn(&str) -> bool, wanted: &str| {
        let entry = fields.get(key)?;
        let text = values::text(entry, problems)?;
        if !fits(text) {
            let message = format!("`{key}` takes {wanted}");
            problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
        }
        Some(Secret(text.to_owned()))
    };
    let hmac = text("hmac", |text| text.len() >= SHORTEST_SECRET, "at least 16 bytes");
    let seed = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ed25519 = text("ed25519", seed, "32 bytes in hexadecimal, 64 digits");
    let key = match (hmac, ed25519) {
        (Some(secret), None) => KeyMaterial::Hmac(secret),
        (None, Some(seed)) => KeyMaterial::Ed25519(seed),
        (None, None) if fields.get("hmac").or(fields.get("ed25519")).is_some() => return None,
        _ => {
            let message = "a key of `signed` has either `hmac` or `ed25519`";
            problems.push(Problem::new(ProblemCode::Missing, item.place, message));
            return None;
        }
    };
    if fields.get("id").is_none() {
        problems.push(Problem::new(ProblemCode::Missing, item.place, "the key has no `id`"));
    }
    Some(SigningKey { id: id?.to_owned(), key })
}

fn webhook(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Webhook> {
    let fields = Fields::of(&entry.value, "`webhook`", schema::WEBHOOK, problems)?;
    let url = fields.get("url").and_then(|e| settings::url(e, problems));
    let link = fields.get("link").and_then(|e| settings::url(e, problems));
    let secret = fields.get("secret").and_then(|e| values::text(e, problems));
    for key in ["url", "secret"] {
        if fields.get(key).is_none() {
            problems.push(Problem::new(
                ProblemCode::Missing,
                entry.place,
                format!("`webhook` has no `{key}`"),
            ));
        }
    }
    if let (Some(text), Some(entry)) = (secret, fields.get("secret"))
        && text.len() < SHORTEST_SECRET
    {
        let message = format!("`secret` is shorter than {SHORTEST_SECRET} bytes, and could be guessed");
        problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
    }
    Some(Webhook { url: url?, secret: Secret(secret?.to_owned()), link })
}
