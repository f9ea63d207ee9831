//! What is answered: `PREFIX/ID/SECRET` to whoever has the link, and `PREFIX/ID` to those who are known.
//!
//! GET and HEAD show, and never decide: mail programs and chats open links before people do. POST decides. A secret is in
//! no answer and in no line that is printed.

use std::time::Duration;

use guard_confirm::page::{FormKey, Page, headers};
use guard_confirm::{Desk, DeskError, Entry, Person, Refused, State, visible};
use guard_core::{Clock as _, SystemClock};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::people::{Peer, People};
use crate::commands::confirm::entry_json;

/// A note of a thousand bytes, each of them escaped, and the rest of the form.
const LONGEST_BODY: usize = 8 * 1024;
/// A body has to be there by then.
const BODY: Duration = Duration::from_secs(10);

/// The site of one desk.
pub(super) struct Site {
    desk: Desk,
    prefix: String,
    people: People,
    form: FormKey,
}

/// What an address names.
enum Target<'a> {
    /// A confirmation, and the secret of its link.
    Link { id: &'a str, secret: &'a str },
    /// A confirmation.
    Known { handle: &'a str },
}

/// What was decided.
struct Choice {
    approves: bool,
    note: String,
    /// What a form was sealed with, if it was a form.
    form: Option<String>,
}

/// What is told, to people and to programs.
struct Told {
    status: StatusCode,
    html: String,
    json: Value,
}

impl Told {
    fn trouble(status: StatusCode, error: &str, title: &str, text: &str) -> Self {
        let html = Page::Trouble { title, text }.html();
        Self { status, html, json: json!({"error": error, "message": text}) }
    }

    fn standing(status: StatusCode, entry: &Entry) -> Self {
        Self { status, html: Page::Standing { entry }.html(), json: entry_json(entry) }
    }

    fn no_link() -> Self {
        let text = "It may have been used already, or be copied without its end. If it was in a message, open it from \
                    there once more.";
        Self::trouble(StatusCode::NOT_FOUND, "no_link", "This link leads nowhere", text)
    }

    fn not_yours(why: &str) -> Self {
        Self::trouble(StatusCode::FORBIDDEN, "not_allowed", "You cannot answer this", why)
    }
}

impl Site {
    pub(super) fn new(desk: Desk, prefix: &str, people: People, form: FormKey) -> Self {
        Self { desk, prefix: prefix.trim_end_matches('/').to_owned(), people, form }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, peer: Peer, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let as_json = wants_json(request.headers());
        let told = self.told(peer, request).await.unwrap_or_else(|told| told);
        response(&told, as_json)
    }

    async fn told(&self, peer: Peer, request: Request<Incoming>) -> Result<Told, Told> {
        let (parts, body) = request.into_parts();
        let target = self.target(parts.uri.path()).ok_or_else(Told::no_link)?;
        let decides = match parts.method {
            Method::GET | Method::HEAD => false,
            Method::POST => true,
            _ => {
                let text = "Open the link, and answer on its page.";
                return Err(Told::trouble(StatusCode::METHOD_NOT_ALLOWED, "method", "That is not how", text));
            }
        };
        let person = self
            .people
            .who(peer, &parts.headers)
            .map_err(|why| Told::trouble(StatusCode::FORBIDDEN, "who", "It is not known who you are", why))?;
        if !decides {
            return self.show(&target, &person).await;
        }
        let choice = choice(&parts.headers, body).await?;
        self.decide(&target, &person, &choice).await
    }

    fn target<'a>(&self, path: &'a str) -> Option<Target<'a>> {
        let rest = path.strip_prefix(&*self.prefix)?.strip_prefix('/')?;
        let fits = |part: &str| !part.is_empty() && !part.contains('/');
        match rest.split_once('/') {
            Some((id, secret)) if fits(id) && fits(secret) => Some(Target::Link { id, secret }),
            None if fits(rest) && self.people.are_known() => Some(Target::Known { handle: rest }),
            _ => None,
        }
    }

    async fn show(&self, target: &Target<'_>, person: &Person) -> Result<Told, Told> {
        let now = SystemClock::new().now();
        match *target {
            Target::Link { id, secret } => {
                let linked = self.desk.look_link(id, secret).await.map_err(|error| failed(&error))?;
                may_see(&linked.entry, person)?;
                if !linked.is_open {
                    return Ok(Told::standing(StatusCode::GONE, &linked.entry));
                }
                let html = Page::Question { entry: &linked.entry, person, seal: None, now }.html();
                Ok(Told { status: StatusCode::OK, html, json: entry_json(&linked.entry) })
            }
            Target::Known { handle } => {
                let entry = self.desk.look(handle).await.map_err(|error| failed(&error))?;
                may_see(&entry, person)?;
                let answered = entry.votes.iter().any(|vote| vote.by == person.id);
                if entry.state != State::Pending || answered {
                    return Ok(Told::standing(StatusCode::OK, &entry));
                }
                let seal = self.form.seal(handle, &person.id).map_err(|error| failed(&error))?;
                let html = Page::Question { entry: &entry, person, seal: Some(&seal), now }.html();
                Ok(Told { status: StatusCode::OK, html, json: entry_json(&entry) })
            }
        }
    }

    async fn decide(&self, target: &Target<'_>, person: &Person, choice: &Choice) -> Result<Told, Told> {
        let Choice { approves, note, form } = choice;
        let answered = match *target {
            Target::Link { id, secret } => self.desk.answer_link(id, secret, person, *approves, note).await,
            Target::Known { handle } => {
                let sealed = |seal: &String| self.form.opens(seal, handle, &person.id);
                if !form.as_ref().is_none_or(sealed) {
                    let text = "Open the page again, and answer there.";
                    return Err(Told::trouble(
                        StatusCode::FORBIDDEN,
                        "form",
                        "This form does not count",
                        text,
                    ));
                }
                match approves {
                    true => self.desk.approve(handle, person, note).await,
                    false => self.desk.reject(handle, person, note).await,
                }
            }
        };
        let entry = match answered {
            Ok(entry) => entry,
            Err(error) => return Err(self.refused(target, &error).await),
        };
        let word = if *approves { "approved" } else { "rejected" };
        eprintln!("hexarch-ctl: {} {word} by {}: {}", entry.id, visible(&person.id), entry.state.as_str());
        Ok(Told::standing(StatusCode::OK, &entry))
    }

    /// What somebody hears whose answer did not count: how it stands, if they had a way to answer it.
    async fn refused(&self, target: &Target<'_>, error: &DeskError) -> Told {
        let stands = match error {
            DeskError::Refused(Refused::NotAllowed { .. } | Refused::NoToken { .. }) => None,
            DeskError::Refused(_) => match *target {
                Target::Link { id, secret } => {
                    self.desk.look_link(id, secret).await.ok().map(|linked| linked.entry)
                }
                Target::Known { handle } => self.desk.look(handle).await.ok(),
            },
            _ => None,
        };
        match stands {
            Some(entry) if entry.state == State::Expired => Told::standing(StatusCode::GONE, &entry),
            Some(entry) => Told::standing(StatusCode::CONFLICT, &entry),
            None => failed(error),
        }
    }
}

/// Whether this person may see it: who may approve, and who asked.
fn may_see(entry: &Entry, person: &Person) -> Result<(), Told> {
    match entry.admits(person) {
        Ok(()) => Ok(()),
        Err(_) if entry.requester.as_ref() == Some(&person.id) => Ok(()),
        Err(refused) => Err(Told::not_yours(&format!("{refused}."))),
    }
}

fn failed(error: &DeskError) -> Told {
    match error {
        DeskError::Refused(Refused::NotAllowed { .. }) => Told::not_yours(&format!("{error}.")),
        DeskError::Refused(_) => Told::no_link(),
        error => {
            eprintln!("hexarch-ctl: {}", visible(&error.to_string()));
            let text =
                "The confirmations cannot be read at the moment. Nothing has been decided; try again soon.";
            Told::trouble(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not at the moment", text)
        }
    }
}

async fn choice(headers: &HeaderMap, body: Incoming) -> Result<Choice, Told> {
    let bad = |status, text: &str| Told::trouble(status, "bad_request", "That was not understood", text);
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_form = match kind.as_str() {
        "application/x-www-form-urlencoded" => true,
        "application/json" => false,
        _ => return Err(bad(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send a form, or application/json.")),
    };
    let read = tokio::time::timeout(BODY, Limited::new(body, LONGEST_BODY).collect()).await;
    let read = read.map_err(|_| bad(StatusCode::REQUEST_TIMEOUT, "The answer did not arrive."))?;
    let bytes = match read {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(bad(StatusCode::PAYLOAD_TOO_LARGE, "The answer is too long."));
        }
        Err(_) => return Err(bad(StatusCode::BAD_REQUEST, "The answer broke off.")),
    };
    let said = if is_form { of_form(&bytes) } else { of_json(&bytes) };
    let text = "An answer is `answer`, which is `approve` or `reject`, and may have a `note`.";
    said.ok_or_else(|| bad(StatusCode::BAD_REQUEST, text))
}

fn of_form(bytes: &[u8]) -> Option<Choice> {
    let (mut answer, mut note, mut seal) = (None, None, None);
    for (name, value) in url::form_urlencoded::parse(bytes) {
        let field = match &*name {
            "answer" => &mut answer,
            "note" => &mut note,
            "seal" => &mut seal,
            _ => continue,
        };
        // Two answers are none.
        if field.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    Some(Choice {
        approves: approves(&answer?)?,
        note: note.unwrap_or_default(),
        form: Some(seal.unwrap_or_default()),
    })
}

fn of_json(bytes: &[u8]) -> Option<Choice> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let note = match value.get("note") {
        None => String::new(),
        Some(note) => note.as_str()?.to_owned(),
    };
    Some(Choice { approves: approves(value.get("answer")?.as_str()?)?, note, form: None })
}

fn approves(answer: &str) -> Option<bool> {
    match answer {
        "approve" => Some(true),
        "reject" => Some(false),
        _ => None,
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/html")
}

fn response(told: &Told, as_json: bool) -> Response<Full<Bytes>> {
    let (kind, body) = match as_json {
        true => ("application/json", told.json.to_string()),
        false => ("text/html; charset=utf-8", told.html.clone()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = told.status;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in headers() {
        if let Ok(value) = HeaderValue::try_from(value) {
            fields.insert(HeaderName::from_static(name), value);
        }
    }
    match told.status {
        StatusCode::METHOD_NOT_ALLOWED => {
            fields.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            fields.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    response
}
