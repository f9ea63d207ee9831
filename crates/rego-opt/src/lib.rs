//! Passes over the plan IR: plans in, plans out, the same answers faster.
//!
//! **Job.** [`optimise`] runs the passes that are switched on. Each is a function from a policy to a policy that can be
//! run alone, so that a difference in an answer can be traced to one of them.
//!
//! **Invariant.** No evaluation can tell the optimised plan from the one before: values, errors with their places, and
//! what is undefined stay the same. What the verifier accepts, it accepts afterwards.
//!
//! **What must be true**, and how it is shown: each pass has its text tests (`tests/inline`, `tests/outline`, a plan and
//! what becomes of it); the conformance harness runs every case with all passes, with none, and with each alone
//! (`--passes`), and so does the differential fuzzer.
//!
//! The passes work on OPA's plan IR and not on one of our own: what they need to know stands in it, its printer, parser
//! and verifier exist, and plans of OPA's profit as well.

mod call_graph;
mod inline;
mod outline;
mod rename;
mod stmts;

use outline::Sizes;
use rego_ir::Policy;

/// Which passes are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passes {
    /// Functions that are called once, and small ones, become part of their callers.
    pub inline: bool,
    /// What stands behind equalities becomes functions of its own.
    pub outline: Outline,
}

/// From what is outlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outline {
    /// From no function.
    Never,
    /// From large ones, which take long to compile.
    Large,
    /// From all, whether it pays or not.
    Always,
}

impl Outline {
    const fn sizes(self) -> Option<Sizes> {
        match self {
            Self::Never => None,
            Self::Large => Some(Sizes { function: 300, stretch: 12 }),
            Self::Always => Some(Sizes { function: 0, stretch: 1 }),
        }
    }
}

impl Passes {
    /// All, where they pay.
    pub const ALL: Self = Self { inline: true, outline: Outline::Large };
    /// None.
    pub const NONE: Self = Self { inline: false, outline: Outline::Never };

    /// Each pass by its name, alone.
    pub const EACH: [(&'static str, Self); 2] = [
        ("inline", Self { inline: true, ..Self::NONE }),
        ("outline", Self { outline: Outline::Always, ..Self::NONE }),
    ];

    /// The passes of a name: `all`, `none`, or one pass.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::ALL),
            "none" => Some(Self::NONE),
            _ => Self::EACH.iter().find(|(known, _)| *known == name).map(|(_, passes)| *passes),
        }
    }
}

impl Default for Passes {
    fn default() -> Self {
        Self::ALL
    }
}

/// Runs the passes.
#[must_use]
pub fn optimise(policy: Policy, passes: Passes) -> Policy {
    let policy = if passes.inline { inline::inline(policy) } else { policy };
    match passes.outline.sizes() {
        Some(sizes) => outline::outline(policy, sizes),
        None => policy,
    }
}
