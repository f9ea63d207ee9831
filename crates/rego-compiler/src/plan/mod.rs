//! The planner: checked modules and a query to the plan IR.
//!
//! The semantics are those of OPA's own planner (`internal/planner`), the method is not. Statements are appended to
//! the innermost open block, and a statement that iterates leaves its block open for what follows (see `blocks`), so
//! each kind of expression is planned by a function that says in order what it appends.
//!
//! | file | what it plans |
//! |---|---|
//! | `query` | queries and entrypoints |
//! | `contexts`, `functions` | what a `with` changes, and the functions that are to be planned |
//! | `rules`, `heads`, `collisions` | the rules that share a function, and what their heads contribute |
//! | `body`, `negation`, `every`, `with` | expressions |
//! | `call` | calls of functions and built-ins, replaced ones too |
//! | `unify` | `=` |
//! | `term` | terms and comprehensions |
//! | `reference`, `document` | references to values, and to `data` with its rules |

mod blocks;
mod body;
mod call;
mod collisions;
mod contexts;
mod document;
mod error;
mod every;
mod functions;
mod heads;
mod negation;
mod query;
mod reference;
mod rules;
mod scope;
mod statics;
mod term;
mod trie;
mod unify;
mod vars;
mod with;

use std::rc::Rc;

use rego_ir::{Block, Func, Local, Operand, Plan, Policy, StmtKind};
use rego_syntax::ast::Module;
use rego_syntax::{SourceMap, Span};

use crate::options::Options;
use crate::program::CheckedProgram;

use self::blocks::{Mark, Opener};
use self::contexts::{Context, Contexts};
use self::functions::Functions;
use self::scope::Scope;
use self::statics::Statics;
use self::trie::{PlannedRule, RuleTrie};

pub use self::error::{PlanError, PlanErrorKind};
pub use self::query::Query;

type Result<T, E = PlanError> = std::result::Result<T, E>;

/// Plans queries over a checked program: one plan for each, and the functions that they need.
///
/// # Errors
/// The first thing that cannot be planned: an unknown entrypoint, or a rule that refers back into the document that
/// it contributes to ([`PlanErrorKind::SharedPrefix`]).
pub fn plan(program: &CheckedProgram, queries: &[Query]) -> Result<Policy> {
    plan_in(program, program.sources(), queries, Marks::None)
}

/// Whether what is evaluated says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// It does not.
    #[default]
    None,
    /// Each expression that is evaluated and each rule whose body holds passes its span to `internal.test_case`, as the
    /// text `file:start:end`: the number of the file and the offsets.
    Spans,
}

/// The same with more files than the program's: those that the queries come from.
///
/// # Errors
/// As [`plan`].
pub fn plan_in(
    program: &CheckedProgram,
    sources: &SourceMap,
    queries: &[Query],
    marks: Marks,
) -> Result<Policy> {
    let mut planner = Planner::new(program.modules(), sources, program.options());
    planner.marks = marks;
    for query in queries {
        planner.plan_query(query)?;
        planner.plan_requests()?;
    }
    planner.functions.check_circles()?;
    Ok(planner.finish())
}

struct Planner<'a> {
    /// Which built-in functions there are.
    options: &'a Options,
    rules: RuleTrie<'a>,
    statics: Statics<'a>,
    contexts: Contexts,
    /// What rules and functions mean in what is being planned.
    context: Rc<Context>,
    functions: Functions,
    scope: Scope,
    /// The source of what is being planned, for errors.
    span: Span,
    plans: Vec<Plan>,
    funcs: Vec<Func>,
    marks: Marks,
}

impl<'a> Planner<'a> {
    fn new(modules: &'a [Module], sources: &'a SourceMap, options: &'a Options) -> Self {
        let mut rules = RuleTrie::new();
        for module in modules {
            rules.add_package(module.package.path.steps());
            for rule in &module.rules {
                rules.add_rule(PlannedRule { reference: rule.full_ref(&module.package), rule });
            }
        }
        Self {
            options,
            rules,
            statics: Statics::new(sources),
            contexts: Contexts::default(),
            context: Rc::new(Context::outermost()),
            functions: Functions::default(),
            scope: Scope::of_documents(),
            span: Span::NONE,
            plans: Vec::new(),
            funcs: Vec::new(),
            marks: Marks::None,
        }
    }

    fn finish(self) -> Policy {
        Policy {
            static_: self.statics.finish(),
            plans: self.plans,
            funcs: self.funcs,
            unplanned_rules: Vec::new(),
        }
    }

    fn error<T>(&self, kind: PlanErrorKind) -> Result<T> {
        Err(PlanError { kind, span: self.span })
    }

    /// Plans in another context from now on, and gives back the one before.
    fn enter(&mut self, context: Rc<Context>) -> Rc<Context> {
        self.rules.set_hidden(context.hidden.clone());
        std::mem::replace(&mut self.context, context)
    }

    /// What is appended from now on comes from `span`. A span that points nowhere changes nothing.
    fn locate(&mut self, span: Span) {
        if let Some(location) = self.statics.location(span) {
            self.scope.location = location;
            self.span = span;
        }
    }

    /// Plans with the source set to `span`, and sets it back.
    fn at<T>(&mut self, span: Span, plan: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = (self.scope.location, self.span);
        self.locate(span);
        let result = plan(self);
        (self.scope.location, self.span) = before;
        result
    }

    /// Says that a span is reached, if that is asked for.
    fn mark(&mut self, span: Span) {
        const MARK: &str = "internal.test_case";
        if self.marks == Marks::None || !span.is_some() {
            return;
        }
        if let Some(builtin) = rego_builtins::by_name(MARK) {
            self.statics.use_builtin(builtin);
            let text = self.statics.string(&format!("{}:{}:{}", span.file.0, span.start, span.end));
            let result = self.new_local();
            self.emit(StmtKind::Call { func: MARK.to_owned(), args: vec![Operand::String(text)], result });
        }
    }

    fn emit(&mut self, kind: StmtKind) {
        let stmt = kind.at(self.scope.location);
        self.scope.blocks.push(stmt);
    }

    fn open(&mut self, opener: Opener) {
        self.scope.blocks.open(opener, self.scope.location);
    }

    /// Plans into a block of its own, whose variables end with it.
    fn block(&mut self, plan: impl FnOnce(&mut Self) -> Result<()>) -> Result<Block> {
        self.open(Opener::Detached);
        self.scope.push_frame();
        let result = plan(self);
        self.scope.pop_frame();
        let block = self.scope.blocks.take();
        result.map(|()| block)
    }

    fn new_local(&mut self) -> Local {
        self.scope.new_local()
    }

    fn assign(&mut self, target: Local, source: impl Into<Operand>) {
        self.emit(StmtKind::AssignVar { source: source.into(), target });
    }

    /// Ends an iteration that needs no further answer: leaves the block that was the innermost when `inside` was taken,
    /// if anything iterates in it.
    fn leave(&mut self, inside: Mark) {
        if self.scope.blocks.iterates_since(inside) {
            let index = u32::try_from(self.scope.blocks.opened_since(inside)).unwrap_or(u32::MAX);
            self.emit(StmtKind::Break { index });
        }
    }

    /// A local that holds the operand.
    fn local_of(&mut self, operand: Operand) -> Local {
        if let Operand::Local(local) = operand {
            return local;
        }
        let local = self.new_local();
        self.assign(local, operand);
        local
    }
}
