//! The keys beside `policies`. This crate reads and checks them; the SDK acts on them.

use std::fmt;
use std::time::Duration;

use crate::model::{Audit, ConfirmationSettings, Prices};
use crate::problem::Place;

/// Everything in a hexarch.yaml that is not a policy.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub(crate) enforcement: Enforcement,
    pub(crate) timezone: Option<String>,
    pub(crate) logging: Logging,
    pub(crate) opa: Option<Opa>,
    pub(crate) state: State,
    pub(crate) fail_mode: FailModes,
    pub(crate) confirmation: Option<ConfirmationSettings>,
    pub(crate) audit: Option<Audit>,
    pub(crate) prices: Option<Prices>,
}

impl Settings {
    /// Whether denials stop calls.
    pub const fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// The timezone of policies that name none; `UTC` where the file names none either.
    pub fn timezone(&self) -> &str {
        self.timezone.as_deref().unwrap_or("UTC")
    }

    /// What is logged.
    pub const fn logging(&self) -> &Logging {
        &self.logging
    }

    /// The OPA sidecar, where there is one.
    pub const fn opa(&self) -> Option<&Opa> {
        self.opa.as_ref()
    }

    /// Where the limits are counted.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// How people are asked, where the file says it.
    pub const fn confirmation(&self) -> Option<&ConfirmationSettings> {
        self.confirmation.as_ref()
    }

    /// Where records are kept, where the file says it.
    pub const fn audit(&self) -> Option<&Audit> {
        self.audit.as_ref()
    }

    /// What tokens of models cost, where the file says it.
    pub const fn prices(&self) -> Option<&Prices> {
        self.prices.as_ref()
    }

    /// What happens when no decision can be had.
    pub const fn fail_mode(&self) -> &FailModes {
        &self.fail_mode
    }
}

/// `enforcement`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Enforcement {
    /// A denied call does not run.
    #[default]
    Strict,
    /// A denied call runs; the decision is reported.
    Warn,
}

/// `logging`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    pub(crate) enabled: bool,
    pub(crate) level: LogLevel,
    pub(crate) file: Option<String>,
}

impl Default for Logging {
    fn default() -> Self {
        Self { enabled: true, level: LogLevel::Info, file: None }
    }
}

impl Logging {
    /// Whether anything is logged; `true` where the file does not say.
    pub const fn enabled(&self) -> bool {
        self.enabled
    }

    /// From which level on; `info` where the file does not say.
    pub const fn level(&self) -> LogLevel {
        self.level
    }

    /// Into which file; standard error where the file does not say.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `warning` (or `warn`)
    Warning,
    /// `error` (or `critical`)
    Error,
}

/// `opa`: a sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opa {
    pub(crate) url: String,
    pub(crate) order: EvaluatorOrder,
    pub(crate) timeout: Duration,
    pub(crate) health_check_interval: Option<Duration>,
    pub(crate) token: Option<Secret>,
    pub(crate) tls: OpaTls,
}

impl Opa {
    /// Its address, `http://` or `https://`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Who is asked first, and who if that fails.
    pub const fn order(&self) -> EvaluatorOrder {
        self.order
    }

    /// The deadline of one question; five seconds where the file does not say.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How often its health is asked for; never where the file does not say.
    pub const fn health_check_interval(&self) -> Option<Duration> {
        self.health_check_interval
    }

    /// The bearer token.
    pub const fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// The certificates.
    pub const fn tls(&self) -> &OpaTls {
        &self.tls
    }
}

/// `opa.order`: who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EvaluatorOrder {
    /// `wasm`: the module in this process, alone.
    Wasm,
    /// `wasm-then-sidecar`, where the file does not say.
    #[default]
    WasmThenSidecar,
    /// `sidecar-then-wasm`
    SidecarThenWasm,
    /// `sidecar`: the sidecar alone.
    Sidecar,
}

/// `opa.tls`: paths of PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpaTls {
    pub(crate) ca_file: Option<String>,
    pub(crate) cert_file: Option<String>,
    pub(crate) key_file: Option<String>,
}

impl OpaTls {
    /// The authorities to trust in place of the system's.
    pub fn ca_file(&self) -> Option<&str> {
        self.ca_file.as_deref()
    }

    /// The client's certificate; always with a key.
    pub fn cert_file(&self) -> Option<&str> {
        self.cert_file.as_deref()
    }

    /// The key of the client's certificate.
    pub fn key_file(&self) -> Option<&str> {
        self.key_file.as_deref()
    }
}

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `state`: where limits are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub(crate) store: StateStore,
    pub(crate) leased: bool,
    pub(crate) journal: Option<String>,
    pub(crate) place: Option<Place>,
}

impl State {
    /// The store; memory where the file does not say.
    pub const fn store(&self) -> &StateStore {
        &self.store
    }

    /// Whether slices of the limits are spent in this process.
    pub const fn leased(&self) -> bool {
        self.leased
    }

    /// The folder in which is written down what is spent of slices.
    pub fn journal(&self) -> Option<&str> {
        self.journal.as_deref()
    }

    /// Where the file names the store.
    pub const fn place(&self) -> Option<Place> {
        self.place
    }
}

/// `state.store`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StateStore {
    /// In this process, gone with it.
    #[default]
    Memory,
    /// A file that the processes of one machine share.
    Sqlite {
        /// Its path, from the directory that the process runs in.
        path: String,
    },
    /// A Redis.
    Redis {
        /// Its address, which may hold a password.
        url: Secret,
    },
    /// A PostgreSQL.
    Postgres {
        /// Its address, which may hold a password.
        url: Secret,
    },
    /// The documents of an OPA.
    Opa {
        /// Its address; that of `opa` where it is not said.
        url: Option<String>,
        /// The file of this replica's own part.
        copy: Option<String>,
    },
}

/// What happens to a call when no decision can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FailMode {
    /// It is denied.
    #[default]
    Closed,
    /// It runs.
    Open,
}

/// `fail_mode`: one word for all, or a word for each action class. A class is a pattern of operations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailModes {
    pub(crate) default: FailMode,
    pub(crate) classes: Vec<(String, FailMode)>,
}

impl FailModes {
    /// What holds for operations of no class; closed where the file does not say.
    pub const fn default_mode(&self) -> FailMode {
        self.default
    }

    /// The classes in the order of the file: a name, or a prefix followed by `*`. The first that an operation
    /// fits decides.
    pub fn classes(&self) -> &[(String, FailMode)] {
        &self.classes
    }

    /// The mode of an operation.
    pub fn of(&self, operation: &str) -> FailMode {
        let fits = |class: &str| match class.strip_suffix('*') {
            Some(prefix) => operation.starts_with(prefix),
            None => operation == class,
        };
        self.classes.iter().find(|(class, _)| fits(class)).map_or(self.default, |(_, mode)| *mode)
    }
}
