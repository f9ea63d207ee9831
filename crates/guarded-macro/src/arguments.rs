//! Which arguments the policy is told, and which it is not.

use proc_macro2::Ident;
use syn::{Error, FnArg, Pat, Result, Signature};

use crate::options::Options;

/// How an argument is treated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// It is in the context.
    Shown,
    /// It is in the context, and nobody is shown it.
    Secret,
    /// It is not, since the options say so.
    Skipped,
}

/// The arguments of a function.
pub(crate) struct Arguments {
    pub(crate) named: Vec<(Ident, Told)>,
    /// What has no name to be told by, in words.
    nameless: Vec<String>,
}

impl Arguments {
    pub(crate) fn of(signature: &Signature, options: &Options) -> Result<Self> {
        let (mut named, mut nameless) = (Vec::new(), Vec::new());
        for (position, argument) in signature.inputs.iter().enumerate() {
            match argument {
                FnArg::Receiver(_) => nameless.push("`self`".to_owned()),
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(pattern) if pattern.subpat.is_none() => {
                        named.push((pattern.ident.clone(), told(&pattern.ident, options)));
                    }
                    _ => nameless.push(format!("argument {} (a pattern)", position + 1)),
                },
            }
        }
        let arguments = Self { named, nameless };
        for name in options.skip.iter().chain(&options.secret) {
            arguments.find(name)?;
        }
        if let Some(name) = options.secret.iter().find(|name| options.skip.contains(name)) {
            return Err(Error::new(name.span(), format!("`{name}` is skipped, and so it is no secret")));
        }
        Ok(arguments)
    }

    fn find(&self, name: &Ident) -> Result<()> {
        if self.named.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let known: Vec<String> = self.named.iter().map(|(name, _)| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none with a name".to_owned() } else { known.join(", ") };
        Err(Error::new(name.span(), format!("there is no argument `{name}`; there are {known}")))
    }

    /// A paragraph for the function's documentation.
    pub(crate) fn documentation(&self, policy: &str) -> String {
        let of = |wanted: Told| -> Vec<String> {
            let named = self.named.iter().filter(|(_, told)| *told == wanted);
            named.map(|(name, _)| format!("`{name}`")).collect()
        };
        let mut text = format!("\n\n**Guarded** by {policy}.");
        let mut say = |words: &str, names: Vec<String>| {
            if !names.is_empty() {
                text.push_str(&format!(" {words}: {}.", names.join(", ")));
            }
        };
        say("The policy is told", of(Told::Shown));
        say("Told, and shown to nobody", of(Told::Secret));
        let skipped = of(Told::Skipped).into_iter().map(|name| format!("{name} (skipped)"));
        say("Not told", self.nameless.iter().cloned().chain(skipped).collect());
        text
    }
}

fn told(name: &Ident, options: &Options) -> Told {
    if options.secret.contains(name) {
        Told::Secret
    } else if options.skip_all || options.skip.contains(name) {
        Told::Skipped
    } else {
        Told::Shown
    }
}
