//! The person at the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use guard_core::{Clock, ConfirmError, ConfirmRequest, Confirmation, Confirmer, Reply, SystemClock};
use guard_pool::later;

use crate::desk::{DeskConfig, rules_of};
use crate::entry::{Person, Rules, unwritten};
use crate::redact::shown;

/// A line is no longer than that, in bytes.
const LONGEST_LINE: u64 = 1_024;

/// Where questions are put, and answers come from.
pub trait Terminal: Send + Sync {
    /// Whether a person can see the question and answer it.
    fn is_interactive(&self) -> bool;

    /// Shows this.
    ///
    /// # Errors
    /// When it cannot be shown.
    fn show(&self, text: &str) -> std::io::Result<()>;

    /// The next line that is typed from now on, or none when there will be none in that time.
    fn read_line(&self, within: Duration) -> Option<String>;

    /// Forgets what has been typed up to now.
    fn forget(&self) {
        while self.read_line(Duration::ZERO).is_some() {}
    }
}

/// Standard input and standard error.
#[derive(Default)]
pub struct StandardTerminal {
    lines: Mutex<Option<Receiver<String>>>,
}

impl StandardTerminal {
    /// The terminal of this process.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Reads lines until there are no more. A thread of its own: nothing ends a read but a line.
fn lines() -> Receiver<String> {
    let (sender, receiver) = channel();
    let read = move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = String::new();
            let read = std::io::Read::take(&mut input, LONGEST_LINE).read_line(&mut line);
            if !matches!(read, Ok(1..)) || sender.send(line).is_err() {
                return;
            }
        }
    };
    // Without a thread the sender is gone, and nobody answers.
    let _ = std::thread::Builder::new().name("hexarch-terminal".to_owned()).spawn(read);
    receiver
}

impl Terminal for StandardTerminal {
    fn is_interactive(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    fn show(&self, text: &str) -> std::io::Result<()> {
        let mut out = std::io::stderr().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    fn read_line(&self, within: Duration) -> Option<String> {
        let mut held = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = held.get_or_insert_with(lines);
        lines.recv_timeout(within).ok()
    }

    fn forget(&self) {
        forget_typed_ahead();
        while self.read_line(Duration::ZERO).is_some() {}
    }
}

/// Takes the lines that lie in the terminal and that nobody has read yet. Opened anew, since a terminal that does not wait
/// is one for all who have it open.
#[cfg(unix)]
fn forget_typed_ahead() {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(terminal) = rustix::fs::open("/dev/tty", flags, Mode::empty()) else { return };
    let mut typed = std::fs::File::from(terminal);
    let mut lines = [0; 4_096];
    // What is typed faster than that is typed by nobody.
    for _ in 0..64 {
        if !matches!(std::io::Read::read(&mut typed, &mut lines), Ok(1..)) {
            return;
        }
    }
}

#[cfg(not(unix))]
const fn forget_typed_ahead() {}

/// Asks the person at the terminal, one question at a time. Only `yes`, `y` and `approve` are a yes; without a terminal,
/// without an answer in time, and where this person may not approve, the call is denied.
pub struct TerminalConfirmer {
    inner: Arc<Inner>,
}

struct Inner {
    terminal: Box<dyn Terminal>,
    person: Person,
    config: DeskConfig,
    clock: Box<dyn Clock>,
    one_at_a_time: Mutex<()>,
}

impl TerminalConfirmer {
    /// Asks at this process' terminal.
    pub fn new(person: Person, config: DeskConfig) -> Self {
        Self::at(StandardTerminal::new(), person, config)
    }

    /// Asks there. `person` is who sits there: whoever runs this program, as it knows them.
    pub fn at(terminal: impl Terminal + 'static, person: Person, config: DeskConfig) -> Self {
        let clock = Box::new(SystemClock::new());
        let (terminal, one_at_a_time) = (Box::new(terminal), Mutex::new(()));
        Self { inner: Arc::new(Inner { terminal, person, config, clock, one_at_a_time }) }
    }
}

impl Confirmer for TerminalConfirmer {
    fn confirm<'a>(&'a self, request: &'a ConfirmRequest) -> Reply<'a, Result<Confirmation, ConfirmError>> {
        if !self.inner.terminal.is_interactive() {
            return Reply::Now(Ok(rejected("confirmation is required, and there is no terminal to ask at")));
        }
        let (inner, request) = (Arc::clone(&self.inner), request.clone());
        let (giver, waiter) = later::pair();
        let ask = move || giver.give(inner.ask(&request));
        if let Err(error) = std::thread::Builder::new().name("hexarch-prompt".to_owned()).spawn(ask) {
            return Reply::Now(Err(ConfirmError { detail: error.to_string() }));
        }
        let gone = ConfirmError { detail: "the prompt has ended".to_owned() };
        Reply::later(async move { waiter.await.unwrap_or(Err(gone)) })
    }
}

fn rejected(reason: impl Into<String>) -> Confirmation {
    Confirmation::Rejected { reason: reason.into() }
}

impl Inner {
    fn ask(&self, request: &ConfirmRequest) -> Result<Confirmation, ConfirmError> {
        let (rules, expires) = rules_of(request, &self.config)?;
        if let Some(why) = self.is_in_the_way(request, &rules) {
            return Ok(rejected(format!("it cannot be confirmed at this terminal: {why}")));
        }
        let _turn = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error: std::io::Error| ConfirmError { detail: error.to_string() };
        // What was typed before the question is no answer to it.
        self.terminal.forget();
        self.terminal.show(&question(request)?).map_err(failed)?;
        let end = Instant::now() + expires.min(Duration::from_secs(86_400));
        for _ in 0..3 {
            let Some(line) = self.terminal.read_line(end.saturating_duration_since(Instant::now())) else {
                break;
            };
            match line.trim().to_ascii_lowercase().as_str() {
                "yes" | "y" | "approve" => {
                    return Ok(Confirmation::Approved { by: Some(self.person.id.clone()) });
                }
                "no" | "n" | "reject" => {
                    return Ok(rejected(format!("`{}` has rejected it", self.person.id)));
                }
                _ => self.terminal.show("yes or no? ").map_err(failed)?,
            }
        }
        Ok(rejected("nobody confirmed it"))
    }

    fn is_in_the_way(&self, request: &ConfirmRequest, rules: &Rules) -> Option<String> {
        if rules.approvals > 1 {
            return Some(format!("{} people have to approve", rules.approvals));
        }
        let entry = unwritten(&request.request, rules.clone(), self.clock.now());
        entry.admits(&self.person).err().map(|refused| refused.to_string())
    }
}

/// The question, without anything that a terminal would obey.
fn question(request: &ConfirmRequest) -> Result<String, ConfirmError> {
    let call = &request.request;
    let arguments = shown(call)?;
    let user = call.user.as_ref().map_or("", |user| user.id.as_str());
    let lines = [
        ("policy", call.policy_id.as_str()),
        ("reason", &request.reason),
        ("function", &call.function),
        ("operation", &call.operation),
        ("resource", &call.resource),
        ("user", user),
        ("arguments", &arguments),
    ];
    let mut text = "A call has to be confirmed.\n".to_owned();
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("  {name:<10} {}\n", visible(value)));
    }
    text.push_str("Let it run? yes or no: ");
    Ok(text)
}

/// The text with everything that is not to be seen, or changes the direction of what is, as an escape.
pub fn visible(text: &str) -> String {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().flat_map(|c| if invisible(c) { c.escape_unicode().collect() } else { vec![c] }).collect()
}
