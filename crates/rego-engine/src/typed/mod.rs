//! Inputs that are Rust values: written to the module's memory without a text between.
//!
//! A type is bound to a module once ([`Module::bind`]): what the module's custom section says is read is compared with
//! what the type has, and comes to a [`plan::Plan`] that says for each field where in the projected input it goes. A
//! decision then writes the fields that are read to their places, in one pass, and allocates nothing.
//!
//! Invariant: a policy finds what it would find in the value's JSON text.

mod bind;
mod impls;
mod plan;
mod writer;

pub use bind::{Binding, InputMisfit, Misfit};
pub use impls::JsonText;
pub use plan::{InputPlan, InputShape, ShapeField};
pub use writer::{InputHandle, InputObject, InputWriter, UnfitInput};

/// A value that knows how to write itself as far as it is read. Derived, with [`PolicyInput`].
pub trait WriteInput {
    /// Writes what the plan reads of the value. One that no policy can be given is said to be [`InputWriter::unfit`].
    fn write(&self, plan: &InputPlan, out: &mut InputWriter<'_>) -> InputHandle;
}

/// A type whose values can be the input of a policy, or part of it.
///
/// ```
/// use rego_build::{Options, Source, build};
/// use rego_engine::{Config, Engine, EvalContext, Instance, Module, PolicyInput};
///
/// #[derive(PolicyInput)]
/// struct Call<'a> {
///     operation: &'a str,
///     user: User<'a>,
///     #[policy(rename = "size_bytes")]
///     size: Option<u64>,
/// }
///
/// #[derive(PolicyInput)]
/// struct User<'a> {
///     name: &'a str,
///     roles: Vec<String>,
/// }
///
/// let policy = "package demo\n\nallow if {\n\tinput.operation == \"read\"\n\t\"reader\" in input.user.roles\n\tinput.size_bytes < 4096\n}\n";
/// let compiled = build(&[Source::new("demo.rego", policy)], &["demo/allow"], &Options::default())?;
/// let module = Module::new(&Engine::new(Config::default())?, &compiled.bytes)?;
/// // An error if the policy reads what the struct does not have.
/// let binding = module.bind::<Call<'_>>()?;
/// let (mut instance, allow) = (Instance::new(&module)?, module.entrypoint("demo/allow").expect("is there"));
///
/// let user = User { name: "grace", roles: vec!["reader".to_owned()] };
/// let call = Call { operation: "read", user, size: Some(12) };
/// let answer = instance.evaluate_value(allow, binding.input(&call), &EvalContext::default())?;
/// assert_eq!(answer, Some(true.into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Of structs with named fields and enums without data. Fields may be strings, booleans, integers, floats, `Option`,
/// vectors, arrays and slices, maps with string keys, [`rego_value::Value`], [`JsonText`], references and boxes of these,
/// and other such structs.
///
/// - `None` is left out, so that a policy finds it undefined; in a list or a map it is null.
/// - A float is the shortest decimal number that reads back as it, an integer where it is one below 2⁵³; one that is no
///   number is [`UnfitInput::NotFinite`], an error of the evaluation.
/// - `#[policy(rename = "…")]` on a field or a variant, `#[policy(rename_all = "camelCase")]` (`PascalCase`, `snake_case`,
///   `kebab-case`, `SCREAMING_SNAKE_CASE`, `lowercase`, `UPPERCASE`) on the type, `#[policy(skip)]` on a field, and
///   `#[policy(crate = "path")]` on the type where this crate has another name.
///
/// What is not a struct or an enum without data is refused when it is compiled:
///
/// ```compile_fail
/// #[derive(rego_engine::PolicyInput)]
/// struct Pair(String, String);
/// ```
///
/// ```compile_fail
/// #[derive(rego_engine::PolicyInput)]
/// struct Thread { handle: std::thread::Thread }
/// ```
///
/// ```compile_fail
/// #[derive(rego_engine::PolicyInput)]
/// struct Name { #[policy(renamed = "n")] name: String }
/// ```
///
/// ```compile_fail
/// #[derive(rego_engine::PolicyInput)]
/// struct Twice { a: String, #[policy(rename = "a")] b: String }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a policy's input",
    note = "derive `PolicyInput` for it, or mark the field `#[policy(skip)]`"
)]
pub trait PolicyInput: WriteInput {
    /// The same type with all lifetimes `'static`: what a [`Binding`] is for.
    type Static: 'static;

    /// What it looks like to a policy.
    fn shape() -> InputShape;
}
