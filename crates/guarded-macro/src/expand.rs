//! The function that comes out.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Block, Error, Expr, Lit, Path, Result, ReturnType, Signature, Token, Type, Visibility,
    parse_quote,
};

use crate::arguments::{Arguments, Told};
use crate::options::{Options, Said};

/// Tokens whose variables and labels the function's own names do not meet.
macro_rules! ours {
    ($($tokens:tt)*) => { quote_spanned!(Span::mixed_site()=> $($tokens)*) };
}

/// The same, where an error in them is told at a place of the user's.
fn at(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

/// A function or a method.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    default: Option<Token![default]>,
    signature: Signature,
    body: Block,
}

impl Function {
    fn parse(input: syn::parse::ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let default = input.parse()?;
        let signature: Signature = input
            .parse()
            .map_err(|error| Error::new(error.span(), "`#[guarded]` stands before a function or a method"))?;
        if input.peek(Token![;]) {
            let message = "a function without a body cannot be guarded: guard the one that implements it";
            return Err(Error::new_spanned(&signature.ident, message));
        }
        Ok(Self { attributes, visibility, default, signature, body: input.parse()? })
    }
}

pub(crate) fn guarded(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    let mut function = Function::parse.parse2(item)?;
    if let Some(word) = &function.signature.constness {
        return Err(Error::new(
            word.span(),
            "a `const fn` cannot be guarded: a check happens while the program runs",
        ));
    }
    let arguments = Arguments::of(&function.signature, &options)?;
    let sdk: Path = options.sdk.clone().unwrap_or_else(|| parse_quote!(::hexarch_guardrails));
    let returned = returned(&mut function.signature, &options, &sdk)?;
    let body = body(&function, &options, &arguments, &returned, &sdk);
    let documentation = arguments.documentation(&policy_words(&options.policy));
    let Function { attributes, visibility, default, signature, .. } = function;
    Ok(quote! {
        #(#attributes)*
        #[doc = #documentation]
        #visibility #default #signature {
            #body
        }
    })
}

/// What the body gives, and what the function makes of it.
struct Returned {
    /// The body's type, where it can be written down beside it.
    body: Option<Type>,
    wrap: bool,
}

fn returned(signature: &mut Signature, options: &Options, sdk: &Path) -> Result<Returned> {
    let own: Type = match &signature.output {
        ReturnType::Type(_, own) => (**own).clone(),
        ReturnType::Default if options.wrap.is_none() => {
            let message = "a guarded function says with its result whether it ran: let it return `Result<(), E>` with \
                           `E: From<GuardError>`, or add `wrap`";
            return Err(Error::new_spanned(&signature.ident, message));
        }
        ReturnType::Default => parse_quote!(()),
    };
    if options.wrap.is_some() {
        let span = own.span();
        signature.output =
            syn::parse2(quote_spanned!(span=> -> ::core::result::Result<#own, #sdk::GuardError>))?;
    }
    let named = !mentions_impl(own.to_token_stream());
    Ok(Returned { body: named.then_some(own), wrap: options.wrap.is_some() })
}

/// `impl Trait` can only be written in a signature.
fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}

fn policy_words(policy: &Expr) -> String {
    match policy {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => format!("the policy `{}`", text.value()),
            _ => "a policy".to_owned(),
        },
        other => format!("the policy that `{}` names", other.to_token_stream()),
    }
}

fn body(
    function: &Function,
    options: &Options,
    arguments: &Arguments,
    returned: &Returned,
    sdk: &Path,
) -> TokenStream {
    let check = check(function, options, arguments, sdk);
    let is_async = function.signature.asyncness.is_some();
    let authorized = match (&options.within, is_async) {
        (None, false) => ours!(check.authorize()),
        (None, true) => ours!(check.authorize_async().await),
        (Some(within), false) => ours!(check.authorize_or_wait(#within)),
        (Some(within), true) => ours!(check.authorize_or_wait_async(#within).await),
    };
    let span = match &function.signature.output {
        ReturnType::Type(_, own) => own.span(),
        ReturnType::Default => Span::call_site(),
    };
    // At the return type, since an error here is about it.
    let sdk_there = respanned(sdk.to_token_stream(), at(span));
    let denied = quote_spanned!(at(span)=> return #sdk_there::guarded::GuardedReturn::denied(error));
    let (ran, complete) = (ran(function, returned, sdk), complete(is_async));
    let result = if returned.wrap { ours!(::core::result::Result::Ok(result)) } else { ours!(result) };
    ours! {
        let permit = {
            let check = #check;
            let permit = match check {
                ::core::result::Result::Ok(check) => #authorized,
                ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
            };
            match permit {
                ::core::result::Result::Ok(permit) => permit,
                ::core::result::Result::Err(error) => #denied,
            }
        };
        let result = #ran;
        #complete
        #result
    }
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let set = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.into_iter().map(set).collect()
}

fn complete(is_async: bool) -> TokenStream {
    if is_async { ours!(permit.complete().await;) } else { ours!(permit.complete_now();) }
}

/// The body, in something of its own that `return` and `?` leave.
fn ran(function: &Function, returned: &Returned, sdk: &Path) -> TokenStream {
    let body = &function.body;
    match (function.signature.asyncness.is_some(), &returned.body) {
        (false, Some(own)) => ours!(#sdk::guarded::call(move || -> #own #body)),
        (false, None) => ours!(#sdk::guarded::call(move || #body)),
        // A block cannot be given a type; a `return` that is never reached does.
        (true, Some(own)) => {
            let statements = &body.stmts;
            ours! {
                async move {
                    #[allow(unreachable_code, clippy::all, reason = "says of what type the block is")]
                    if false {
                        let never: #own = loop {};
                        return never;
                    }
                    #(#statements)*
                }
                .await
            }
        }
        (true, None) => ours!(async move #body.await),
    }
}

/// A block that builds the check: a `Result<Check, GuardError>`.
fn check(function: &Function, options: &Options, arguments: &Arguments, sdk: &Path) -> TokenStream {
    let Options { policy, .. } = options;
    let guardian = match &options.guardian {
        Some(guardian) => {
            quote_spanned!(at(guardian.span())=> ::core::clone::Clone::clone({ let guardian: &#sdk::Guardian = &#guardian; guardian }))
        }
        None => ours!(match #sdk::Guardian::installed() {
            ::core::result::Result::Ok(guardian) => guardian,
            ::core::result::Result::Err(error) => break 'check ::core::result::Result::Err(error.into()),
        }),
    };
    let name = function.signature.ident.unraw().to_string();
    let captured = arguments.named.iter().filter_map(|(argument, told)| captured(argument, *told, sdk));
    let fields = options.fields.iter().map(|said| field(said, arguments));
    let context = options.context.iter().map(|Said { name, value }| {
        let text = name.unraw().to_string();
        quote_spanned!(at(name.span())=> let check = check.context(#text, &#value);)
    });
    let with = options.with.as_ref().map(
        |with| quote_spanned!(at(with.span())=> let check: #sdk::Check = #sdk::guarded::apply(check, #with);),
    );
    ours! {
        'check: {
            let guardian: #sdk::Guardian = #guardian;
            let check = match guardian.check(#policy) {
                ::core::result::Result::Ok(check) => check,
                ::core::result::Result::Err(error) => {
                    break 'check ::core::result::Result::Err(#sdk::GuardError::from(error));
                }
            };
            let check = check.function(::core::concat!(::core::module_path!(), "::", #name));
            #(#captured)*
            #(#context)*
            #(#fields)*
            #with
            ::core::result::Result::<#sdk::Check, #sdk::GuardError>::Ok(check)
        }
    }
}

fn captured(argument: &Ident, told: Told, sdk: &Path) -> Option<TokenStream> {
    let name = argument.unraw().to_string();
    let how = match told {
        Told::Shown => ours!(capture_or_skip),
        Told::Secret => ours!(secret_or_skip),
        Told::Skipped => return None,
    };
    // At the argument, since an error here is that it cannot be serialised.
    Some(quote_spanned!(at(argument.span())=> let check = #sdk::guarded::#how(check, #name, &#argument);))
}

/// An argument that is mapped stays the body's: a clone is handed over.
fn field(Said { name, value }: &Said, arguments: &Arguments) -> TokenStream {
    let is_argument = |path: &syn::ExprPath| {
        path.path.get_ident().is_some_and(|ident| arguments.named.iter().any(|(known, _)| known == ident))
    };
    match value {
        Expr::Path(path) if is_argument(path) => {
            quote_spanned!(at(value.span())=> let check = check.#name(::core::clone::Clone::clone(&#value));)
        }
        _ => quote_spanned!(at(value.span())=> let check = check.#name(#value);),
    }
}
