//! Who carries out a built-in function.

use std::fmt;

use rego_value::Value;

use crate::context::Context;
use crate::error::BuiltinError;

/// A function of the host. It gets as many arguments as its row names; `Ok(None)` is undefined.
pub type HostFn = fn(&mut Context, &[Value]) -> Result<Option<Value>, BuiltinError>;

/// What the code generator does with a call.
#[derive(Clone, Copy)]
pub enum Implementation {
    /// There is no function: the compiler rewrites it or emits instructions.
    Compiled,
    /// A function of `rego-runtime`, exported under this name.
    Module(&'static str),
    /// A function of the host, imported through `opa_builtinN`.
    Host(HostFn),
    /// A function of the embedding program's own, which the compiler is told of by a declaration; imported as well.
    Own,
    /// Both, with the same results: the function of `rego-runtime` in a module for any host, that of the host in one for
    /// our own engine.
    Either(&'static str, HostFn),
    /// Known, but not available yet: using it is a compile error that names it.
    Unsupported,
}

impl Implementation {
    /// The host function, where there is one.
    pub fn host(&self) -> Option<HostFn> {
        match self {
            Implementation::Host(function) | Implementation::Either(_, function) => Some(*function),
            _ => None,
        }
    }
}

impl fmt::Debug for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Implementation::Compiled => f.write_str("Compiled"),
            Implementation::Module(symbol) => write!(f, "Module({symbol})"),
            Implementation::Host(_) => f.write_str("Host"),
            Implementation::Own => f.write_str("Own"),
            Implementation::Either(symbol, _) => write!(f, "Either({symbol})"),
            Implementation::Unsupported => f.write_str("Unsupported"),
        }
    }
}
