//! What can go wrong, where it is noticed.

use guard_core::{AmountError, JsonError, Violation};
use guard_policy::{DiscoverError, EvaluatorOrder, LoadError, Problems};
use thiserror::Error;

/// Why there is no Guardian.
#[derive(Debug, Error)]
pub enum BuildError {
    /// No hexarch.yaml was found.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// The file cannot be read, or says something wrong.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The text says something wrong.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// The policies do not compile.
    #[cfg(feature = "compiler")]
    #[error(transparent)]
    Compile(#[from] rego_build::BuildError),
    /// The compiled policies cannot be run here.
    #[error(transparent)]
    Engine(#[from] guard_eval::LoadError),
    /// A precompiled module that is not run here.
    #[error(transparent)]
    Native(#[from] rego_engine::NativeError),
    /// A precompiled module of other policies.
    #[error("the precompiled module was made of other policies than these; build it again")]
    OtherSources,
    /// Policies that are not compiled yet, in a program that cannot do it.
    #[error(
        "this program has no compiler (the feature `compiler` is off), and there is no precompiled module for these \
         policies"
    )]
    NoCompiler,
    /// The sidecar's address or token is not one.
    #[error(transparent)]
    Opa(#[from] guard_opa::ConfigError),
    /// The confirmations' store cannot be opened.
    #[error(transparent)]
    Confirmations(#[from] guard_confirm::StoreError),
    /// The confirmations' webhook cannot be told.
    #[error(transparent)]
    Webhook(#[from] guard_confirm::DeskError),
    /// `confirmation.signed` has keys that cannot be.
    #[error("confirmation.signed: {0}")]
    SigningKeys(#[from] guard_confirm::KeyError),
    /// The file of `logging` cannot be appended to.
    #[error("cannot log to `{file}`: {source}")]
    LogFile {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store of `audit` cannot be opened.
    #[cfg(feature = "sqlite")]
    #[error("{place}: {source}")]
    Audit {
        /// File, line and column of `audit.store`.
        place: String,
        /// What is wrong with it.
        source: guard_audit::StoreError,
    },
    /// The store of `state` or `audit` is not in this program.
    #[error("{place}: this program was built without that store; build it with the feature `{feature}`")]
    StoreNotBuiltIn {
        /// File, line and column of the `store`.
        place: String,
        /// The feature that it takes.
        feature: &'static str,
    },
    /// The store of `state` cannot be opened.
    #[error("{place}: {source}")]
    State {
        /// File, line and column of `state.store`.
        place: String,
        /// What is wrong with it.
        source: Box<guard_core::StateError>,
    },
    /// The decision service's address or token is not one.
    #[error(transparent)]
    Service(#[from] guard_eval::ServiceConfigError),
    /// Neither a file, nor a text, nor a pack.
    #[error("no policies were given: name a file, a text or a pack, or use `Guardian::discover()`")]
    NoPolicies,
    /// There is no such pack.
    #[error("there is no pack `{name}`; there are {}", .known.join(", "))]
    UnknownPack {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// An order that needs a sidecar, and no address.
    #[error("evaluator order `{}` needs the address of a sidecar", order_name(*.order))]
    NoSidecar {
        /// The order.
        order: EvaluatorOrder,
    },
    /// Something that the configuration asks for and this version does not do.
    #[error("`{what}` is not supported in this version")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// A permissive Guardian in a release build.
    #[error(
        "a permissive Guardian checks nothing, and is refused in release builds unless the feature \
         `permissive-in-release` is enabled"
    )]
    PermissiveInRelease,
}

/// The name of an order in hexarch.yaml.
pub(crate) fn order_name(order: EvaluatorOrder) -> &'static str {
    match order {
        EvaluatorOrder::Wasm => "wasm",
        EvaluatorOrder::WasmThenSidecar => "wasm-then-sidecar",
        EvaluatorOrder::SidecarThenWasm => "sidecar-then-wasm",
        EvaluatorOrder::Sidecar => "sidecar",
    }
}

/// A check of a policy that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no policy `{id}`; there are {}", list(.known))]
pub struct UnknownPolicy {
    /// The id.
    pub id: String,
    /// Those that there are.
    pub known: Vec<String>,
}

fn list(known: &[String]) -> String {
    match known {
        [] => "none".to_owned(),
        _ => known.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
    }
}

/// A function is guarded by the Guardian of the process, and there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "no Guardian is installed, so the call does not run: call `Guardian::install` when the program starts"
)]
pub struct NoGuardian;

/// The process has a Guardian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a Guardian is installed already, and stays for as long as the process runs")]
pub struct AlreadyInstalled;

/// Why a guarded call did not run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GuardError {
    /// The policy, or the want of a decision, is against it.
    #[error(transparent)]
    Denied(Box<Violation>),
    /// The check itself says something that cannot be.
    #[error(transparent)]
    Invalid(#[from] RequestError),
    /// There is no such policy.
    #[error(transparent)]
    Unknown(#[from] UnknownPolicy),
    /// The call names no Guardian, and the process has none.
    #[error(transparent)]
    NoGuardian(#[from] NoGuardian),
}

impl GuardError {
    /// The violation, when it was one.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Denied(violation) => Some(violation),
            Self::Invalid(_) | Self::Unknown(_) | Self::NoGuardian(_) => None,
        }
    }
}

impl From<Box<Violation>> for GuardError {
    fn from(violation: Box<Violation>) -> Self {
        Self::Denied(violation)
    }
}

/// Something in a check that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// A cost that is no number, or cannot be held exactly.
    #[error("the cost is no amount: {0}")]
    Cost(#[from] AmountError),
    /// A cost below zero.
    #[error("the cost `{0}` is below zero")]
    NegativeCost(String),
    /// A value of the context or the metadata that JSON cannot express.
    #[error("`{name}` cannot be handed to the policy: {source}")]
    Value {
        /// Its name.
        name: String,
        /// Why not.
        source: JsonError,
    },
}
