//! What stands in the parentheses of `#[guarded(…)]`.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Path, Result, Token, parenthesized};

/// What the check is told with a method of its own, by the method's name.
const FIELDS: &[&str] = &[
    "operation",
    "resource",
    "resource_type",
    "model",
    "feature",
    "user",
    "role",
    "cost",
    "tokens",
    "confirm",
    "confirmation_token",
    "idempotency_key",
    "function",
];

/// Everything that can be said.
const KNOWN: &str = "`guardian`, `operation`, `resource`, `resource_type`, `model`, `feature`, `user`, `role`, \
                     `cost`, `tokens`, `confirm`, `confirmation_token`, `idempotency_key`, `function`, `context(…)`, \
                     `with`, `within`, `skip(…)`, `skip_all`, `secret(…)`, `wrap` and `crate`";

/// `name = expression`.
pub(crate) struct Said {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

impl Parse for Said {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        Ok(Self { name, value: input.parse()? })
    }
}

/// The options of one function.
pub(crate) struct Options {
    /// The policy's id.
    pub(crate) policy: Expr,
    pub(crate) guardian: Option<Expr>,
    /// Methods of the check, with their argument.
    pub(crate) fields: Vec<Said>,
    pub(crate) context: Vec<Said>,
    /// A function from check to check.
    pub(crate) with: Option<Expr>,
    /// How long to wait for a confirmation or a place.
    pub(crate) within: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_all: bool,
    pub(crate) secret: Vec<Ident>,
    /// Whether the function's own return type becomes the `Ok` of a `Result`.
    pub(crate) wrap: Option<Ident>,
    /// Where the SDK is.
    pub(crate) sdk: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            let message = "name the policy first, such as `#[guarded(\"safe_delete\")]`";
            return Err(Error::new(Span::call_site(), message));
        }
        let mut options = Self {
            policy: input.parse()?,
            guardian: None,
            fields: Vec::new(),
            context: Vec::new(),
            with: None,
            within: None,
            skip: Vec::new(),
            skip_all: false,
            secret: Vec::new(),
            wrap: None,
            sdk: None,
        };
        if let Expr::Assign(assigned) = &options.policy {
            let message =
                "the policy comes first, such as `#[guarded(\"safe_delete\", operation = \"delete\")]`";
            return Err(Error::new_spanned(assigned, message));
        }
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            options.option(input)?;
        }
        Ok(options)
    }
}

impl Options {
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        let name = input.call(Ident::parse_any)?;
        let text = name.to_string();
        match text.as_str() {
            "skip" => self.skip.extend(names(input)?),
            "secret" => self.secret.extend(names(input)?),
            "context" => {
                let inside;
                parenthesized!(inside in input);
                self.context.extend(Punctuated::<Said, Token![,]>::parse_terminated(&inside)?);
            }
            "skip_all" => self.skip_all = true,
            "wrap" => self.wrap = Some(name),
            "guardian" => once(&mut self.guardian, &name, value(input)?)?,
            "with" => once(&mut self.with, &name, value(input)?)?,
            "within" => once(&mut self.within, &name, value(input)?)?,
            "crate" => {
                input.parse::<Token![=]>()?;
                once(&mut self.sdk, &name, input.call(Path::parse_mod_style)?)?;
            }
            // A caller can have several roles.
            field if FIELDS.contains(&field) => {
                if field != "role" && self.fields.iter().any(|said| said.name == name) {
                    return Err(twice(&name));
                }
                self.fields.push(Said { name, value: value(input)? });
            }
            _ => {
                return Err(Error::new(
                    name.span(),
                    format!("there is no option `{text}`; there are {KNOWN}"),
                ));
            }
        }
        Ok(())
    }
}

fn value(input: ParseStream<'_>) -> Result<Expr> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn names(input: ParseStream<'_>) -> Result<Punctuated<Ident, Token![,]>> {
    let inside;
    parenthesized!(inside in input);
    inside.call(|inside| Punctuated::parse_terminated_with(inside, Ident::parse_any))
}

fn once<T>(slot: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(twice(name));
    }
    Ok(())
}

fn twice(name: &Ident) -> Error {
    Error::new(name.span(), format!("`{name}` is said twice"))
}
