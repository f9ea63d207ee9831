//! The page that a link leads to: what is asked, by whom and why, and two buttons.
//!
//! Pure: a server looks ([`Desk::look_link`](crate::Desk::look_link)), shows, and lets only a POST answer
//! ([`Desk::answer_link`](crate::Desk::answer_link)). The page has no scripts, loads nothing, and posts to the address
//! that it was shown at. Everything in it that others wrote is escaped, with what cannot be seen made visible.

mod seal;

use std::fmt::Write as _;

use guard_core::Timestamp;
use serde_json::{Map, Value};
use sha2::Digest as _;

use crate::entry::{Entry, Person, State, Vote};
use crate::terminal::visible;

pub use seal::FormKey;

const STYLE: &str = include_str!("page/style.css");

/// What a person is shown.
#[derive(Debug, Clone, Copy)]
pub enum Page<'a> {
    /// They can answer.
    Question {
        /// The confirmation.
        entry: &'a Entry,
        /// Who is there.
        person: &'a Person,
        /// What makes a form that was filled in here count, where no secret in the address does ([`FormKey`]).
        seal: Option<&'a str>,
        /// What time it is.
        now: Timestamp,
    },
    /// There is nothing more to answer here: how it stands.
    Standing {
        /// The confirmation.
        entry: &'a Entry,
    },
    /// It cannot be answered.
    Trouble {
        /// What is wrong, in a few words.
        title: &'a str,
        /// And in a sentence or two.
        text: &'a str,
    },
}

/// Headers of every page: nobody keeps it, frames it, or is told its address, and nothing but its style is carried out.
pub fn headers() -> [(&'static str, String); 8] {
    use base64::Engine as _;
    let style = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    let text = |text: &str| text.to_owned();
    [
        ("cache-control", text("no-store")),
        ("content-security-policy", policy),
        ("cross-origin-opener-policy", text("same-origin")),
        ("cross-origin-resource-policy", text("same-origin")),
        ("referrer-policy", text("no-referrer")),
        ("x-content-type-options", text("nosniff")),
        ("x-frame-options", text("DENY")),
        ("x-robots-tag", text("noindex, nofollow")),
    ]
}

impl Page<'_> {
    /// The page.
    pub fn html(&self) -> String {
        match *self {
            Self::Question { entry, person, seal, now } => question(entry, person, seal, now),
            Self::Standing { entry } => standing(entry),
            Self::Trouble { title, text } => {
                document(title, &format!("<h1>{}</h1><p>{}</p>", escaped(title), escaped(text)), "")
            }
        }
    }
}

fn question(entry: &Entry, person: &Person, seal: Option<&str>, now: Timestamp) -> String {
    let mut body = "<h1>May this call run?</h1>".to_owned();
    body.push_str(&facts(entry, Some(now)));
    body.push_str(&arguments(entry));
    body.push_str(&votes(&entry.votes));
    let may_approve = entry.admits(person).is_ok();
    if !may_approve {
        body.push_str(
            "<p class=\"soft\">It is yours: you can withdraw it, and somebody else approves it.</p>",
        );
    }
    body.push_str("<form method=\"post\" accept-charset=\"utf-8\">");
    if let Some(seal) = seal {
        let _ = write!(body, "<input type=\"hidden\" name=\"seal\" value=\"{}\">", escaped(seal));
    }
    body.push_str(
        "<label for=\"note\">A note <span class=\"soft\">(optional; kept with your answer)</span></label>\
         <textarea id=\"note\" name=\"note\" rows=\"2\" maxlength=\"1000\"></textarea><div class=\"answers\">",
    );
    if may_approve {
        body.push_str("<button name=\"answer\" value=\"approve\">Approve</button>");
    }
    body.push_str("<button name=\"answer\" value=\"reject\">Reject</button></div></form>");
    let who = format!("You answer as <strong>{}</strong>.", escaped(&person.id));
    document("May this call run?", &body, &who)
}

fn standing(entry: &Entry) -> String {
    let missing = usize::try_from(entry.rules.approvals).unwrap_or(usize::MAX);
    let missing = missing.saturating_sub(entry.approved_by().count());
    let (title, text) = match entry.state {
        State::Pending => (
            "Not decided yet",
            format!("{missing} more {} to approve.", if missing == 1 { "person has" } else { "people have" }),
        ),
        State::Approved => ("Approved", "Whoever asked may run it, once.".to_owned()),
        State::Rejected => ("Rejected", "It will not run.".to_owned()),
        State::Expired => ("Expired", "Its time ran out. It has to be asked for again.".to_owned()),
        State::Consumed => ("Approved, and done", "Whoever asked has run it.".to_owned()),
    };
    let body = format!(
        "<h1>{title}</h1><p role=\"status\">{text}</p>{}{}{}",
        votes(&entry.votes),
        facts(entry, None),
        arguments(entry)
    );
    document(title, &body, "")
}

/// What is asked. With the time, also how long there is left.
fn facts(entry: &Entry, now: Option<Timestamp>) -> String {
    let approvals = entry.rules.approvals;
    let mut approvers = match entry.rules.approvers.as_slice() {
        [] => String::new(),
        names => names.join(", "),
    };
    if approvals > 1 {
        let separator = if approvers.is_empty() { "" } else { "; " };
        let _ = write!(approvers, "{separator}{approvals} people, {} so far", entry.approved_by().count());
    }
    if entry.rules.four_eyes {
        let separator = if approvers.is_empty() { "" } else { "; " };
        let _ = write!(approvers, "{separator}not the one who asks");
    }
    let mut html = match entry.reason.as_str() {
        "" => String::new(),
        reason => format!("<p class=\"reason\">{}</p>", escaped(reason)),
    };
    html.push_str("<dl>");
    let rows = [
        ("Operation", entry.operation.as_str()),
        ("Resource", &entry.resource),
        ("Function", &entry.function),
        ("Asked by", entry.requester.as_deref().unwrap_or("(not said)")),
        ("Policy", &entry.policy),
        ("Approvers", &approvers),
    ];
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        row(&mut html, name, &escaped(value));
    }
    row(&mut html, "Asked", &time(entry.asked));
    let left = now.map(|now| left(entry.expires, now)).unwrap_or_default();
    row(&mut html, "Expires", &format!("{}{left}", time(entry.expires)));
    html.push_str("</dl>");
    html
}

fn row(html: &mut String, name: &str, value: &str) {
    let _ = write!(html, "<dt>{name}</dt><dd>{value}</dd>");
}

/// The arguments, as they are kept: without secrets.
fn arguments(entry: &Entry) -> String {
    let members: Map<String, Value> = serde_json::from_str(&entry.shown).unwrap_or_default();
    if members.is_empty() {
        return String::new();
    }
    let mut html = "<h2>Arguments</h2><dl class=\"stacked\">".to_owned();
    for (name, value) in &members {
        row(
            &mut html,
            &format!("<code>{}</code>", escaped(name)),
            &format!("<pre>{}</pre>", argument(value)),
        );
    }
    html.push_str("</dl>");
    html
}

/// What fits into a line stands in one.
fn argument(value: &Value) -> String {
    const LINE: usize = 60;
    if let Value::String(text) = value {
        return escaped(text);
    }
    let short = value.to_string();
    if short.len() <= LINE {
        return escaped(&short);
    }
    let text = serde_json::to_string_pretty(value).unwrap_or(short);
    // Its own line breaks are not to be made visible.
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}

fn votes(votes: &[Vote]) -> String {
    if votes.is_empty() {
        return String::new();
    }
    let mut html = "<ul>".to_owned();
    for vote in votes {
        let word = if vote.approves { "approved" } else { "rejected" };
        let note = match vote.note.as_str() {
            "" => String::new(),
            note => format!(": “{}”", escaped(note)),
        };
        let _ = write!(
            html,
            "<li><strong>{}</strong> {word} it, {}{note}</li>",
            escaped(&vote.by),
            time(vote.at)
        );
    }
    html.push_str("</ul>");
    html
}

fn time(time: Timestamp) -> String {
    let Ok(time) = jiff::Timestamp::from_nanosecond(time.as_nanos().into()) else { return "?".to_owned() };
    let shown = time.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("<time datetime=\"{}\">{shown}</time>", time.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// How long there is left, in the unit that says it best.
fn left(expires: Timestamp, now: Timestamp) -> String {
    let seconds = expires.as_nanos().saturating_sub(now.as_nanos()).max(0) / 1_000_000_000;
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!(" (in {count} {unit}{})", if count == 1 { "" } else { "s" })
}

/// `main` is HTML already, and so is `foot`.
fn document(title: &str, main: &str, foot: &str) -> String {
    let foot = if foot.is_empty() { String::new() } else { format!("<footer>{foot}</footer>") };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex, nofollow\"><style>{STYLE}</style></head>\
         <body><main><article>{main}</article>{foot}</main></body></html>\n",
        escaped(title)
    )
}

/// Text within an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}
