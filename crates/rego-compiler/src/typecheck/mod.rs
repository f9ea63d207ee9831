//! The type checker: OPA's inference, over rules in the order of their dependencies.
//!
//! Types are kept in layers, of which the later hide the earlier: built-in functions, rules, and one for
//! every body that is being checked, which holds its variables.

mod calls;
mod lookup;
mod merge;
mod refs;
mod report;
mod rules;
mod schema;
mod tree;
mod unify;
mod with;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use rego_syntax::ast::{Body, Expr, ExprKind, Name, Ref, Term, Value};
use rego_syntax::{Diagnostic, Span};

use crate::options::Options;
use crate::types::{FunctionType, Maybe, Type};
use crate::visit::{self, Closure, Node};
use tree::TypeTree;

pub(crate) use report::Names;

/// The types of rules and functions, once they are checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypeEnv {
    functions: Arc<TypeTree>,
    rules: Arc<TypeTree>,
    schemas: Option<Schemas>,
}

/// Schemas by their path below `schema`.
type Schemas = Arc<HashMap<Vec<String>, serde_json::Value>>;

impl TypeEnv {
    /// The types of the built-in functions, and of `input` where a schema says what it is.
    pub(crate) fn new(options: &Options) -> Self {
        let mut functions = TypeTree::default();
        for builtin in options.builtins() {
            let path = Ref::from_dotted(builtin.name, Span::NONE);
            functions.put(&path, Some(Type::Function(Arc::new(FunctionType::of_builtin(builtin)))));
        }
        let schemas = options.schemas.as_ref().map(|list| list.iter().cloned().collect());
        if let Some(input) = schemas.as_ref().and_then(|schemas: &HashMap<_, _>| schemas.get(&Vec::new()))
            && let Ok(ty) = schema::type_of_schema(input)
        {
            functions.put(&[Term::var("input", Span::NONE)], Some(ty));
        }
        Self { functions: Arc::new(functions), rules: Arc::default(), schemas: schemas.map(Arc::new) }
    }
}

/// What is wrong with the schema of `input`, if there is one.
pub(crate) fn wrong_input_schema(options: &Options) -> Option<String> {
    let mut schemas = options.schemas.iter().flatten();
    let (_, schema) = schemas.find(|(path, _)| path.is_empty())?;
    schema::type_of_schema(schema).err()
}

/// Tells which rules may have another value when a document is replaced.
pub(crate) type Dependents<'a> = &'a dyn Fn(&Ref) -> Vec<Ref>;

struct Layer {
    tree: Arc<TypeTree>,
    /// The layer that the types of variables go to, which outlive a layer that `with` makes.
    vars: usize,
    id: u64,
    version: u64,
}

/// A type error; `unknown` if it comes from a type that is not known, which another error often explains.
struct Issue {
    diagnostic: Diagnostic,
    unknown: bool,
}

/// What is known of a comprehension.
struct Comprehension {
    ty: Maybe,
    errors: Vec<Diagnostic>,
}

/// Which layers there are, and how often each was changed.
type State = Vec<(u64, u64)>;

pub(crate) struct Checker<'a> {
    layers: Vec<Layer>,
    dependents: Dependents<'a>,
    names: Names<'a>,
    /// By target, the types that `with` takes back.
    relaxed: HashMap<String, Option<Arc<TypeTree>>>,
    /// Comprehensions in the layers they were checked in. Without it the time would double with each level
    /// of nesting, since a comprehension is looked at for its errors and for its type.
    comprehensions: HashMap<(usize, State), Rc<Comprehension>>,
    next_layer: u64,
    schemas: Option<Schemas>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(types: &TypeEnv, dependents: Dependents<'a>, names: Names<'a>) -> Self {
        let mut checker = Self {
            layers: Vec::new(),
            dependents,
            names,
            relaxed: HashMap::new(),
            comprehensions: HashMap::new(),
            next_layer: 0,
            schemas: types.schemas.clone(),
        };
        checker.push_tree(types.functions.clone());
        checker.push_tree(types.rules.clone());
        checker
    }

    /// What is known of rules and functions now.
    pub(crate) fn into_types(mut self) -> TypeEnv {
        let tree = |layer: Option<Layer>| layer.map(|layer| layer.tree).unwrap_or_default();
        let rules = tree((self.layers.len() > 1).then(|| self.layers.swap_remove(1)));
        let functions = tree((!self.layers.is_empty()).then(|| self.layers.swap_remove(0)));
        TypeEnv { functions, rules, schemas: self.schemas }
    }

    fn push_tree(&mut self, tree: Arc<TypeTree>) {
        let vars = self.layers.len();
        self.push_layer(tree, vars);
    }

    fn push_layer(&mut self, tree: Arc<TypeTree>, vars: usize) {
        self.layers.push(Layer { tree, vars, id: self.next_layer, version: 0 });
        self.next_layer += 1;
    }

    /// The layer that variables go to now.
    fn vars_layer(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.vars)
    }

    fn change(&mut self, layer: usize, change: impl FnOnce(&mut TypeTree)) {
        if let Some(layer) = self.layers.get_mut(layer) {
            change(Arc::make_mut(&mut layer.tree));
            layer.version += 1;
        }
    }

    fn put_var(&mut self, name: &Name, ty: Maybe) {
        self.change(self.vars_layer(), |tree| tree.put_one(&Value::Var(name.clone()), ty));
    }

    /// Checks a query; its variables have types afterwards.
    pub(crate) fn check_query(&mut self, query: &Body) -> Vec<Diagnostic> {
        self.body(query)
    }

    /// Checks a body in a layer of its own, which stays.
    fn body(&mut self, body: &Body) -> Vec<Diagnostic> {
        self.push_tree(Arc::default());
        let mut errors = Vec::new();
        for expr in body.iter() {
            let depth = self.layers.len();
            if !expr.with.is_empty() {
                self.push_with(expr);
            }
            self.statement(expr, &mut errors);
            self.layers.truncate(depth);
        }
        errors
    }

    fn statement(&mut self, expr: &Expr, errors: &mut Vec<Diagnostic>) {
        let in_closures = self.closures(expr);
        let in_refs = self.refs_of(expr);
        let explained = !in_closures.is_empty() || !in_refs.is_empty();
        errors.extend(in_closures);
        errors.extend(in_refs);
        if let Some(issue) = self.expr(expr)
            && !(explained && issue.unknown)
        {
            errors.push(issue.diagnostic);
        }
    }

    /// The errors in comprehensions of an expression; each of those checks what is within it.
    fn closures(&mut self, expr: &Expr) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        visit::walk_closures(Node::Expr(expr), &mut |closure| match closure {
            Closure::Comprehension(term) => {
                let checked = self.comprehension(&term.value);
                if !checked.errors.is_empty() {
                    found.clone_from(&checked.errors);
                }
                true
            }
            Closure::Statement(_) => false,
        });
        found
    }

    fn comprehension(&mut self, value: &Value) -> Rc<Comprehension> {
        let state = self.layers.iter().map(|layer| (layer.id, layer.version)).collect();
        let key = (std::ptr::from_ref(value) as usize, state);
        if let Some(known) = self.comprehensions.get(&key) {
            return known.clone();
        }
        let depth = self.layers.len();
        let (errors, ty) = match value {
            Value::ArrayComp(comp) => {
                (self.body(&comp.body), Type::array(Vec::new(), self.get(&comp.term.value)))
            }
            Value::SetComp(comp) => (self.body(&comp.body), Type::set(self.get(&comp.term.value))),
            Value::ObjectComp(comp) => {
                let errors = self.body(&comp.body);
                let rest = (self.get(&comp.key.value), self.get(&comp.value.value));
                (errors, Type::object(Vec::new(), Some(rest)))
            }
            _ => (Vec::new(), Type::any()),
        };
        self.layers.truncate(depth);
        let ty = errors.is_empty().then_some(ty);
        let checked = Rc::new(Comprehension { ty, errors });
        self.comprehensions.insert(key, checked.clone());
        checked
    }

    fn expr(&mut self, expr: &Expr) -> Option<Issue> {
        let replaced = self.replacements(expr);
        if replaced.is_some() {
            return replaced;
        }
        let ExprKind::Call(terms) = &expr.kind else { return None };
        let operator = terms.first().and_then(Term::as_ref_value)?;
        match crate::text::dotted(operator).as_deref() {
            Some("eq") => self.equality(expr),
            Some("internal.member_2") => self.membership(expr, false).or_else(|| self.call(expr, operator)),
            Some("internal.member_3") => self.membership(expr, true).or_else(|| self.call(expr, operator)),
            _ => self.call(expr, operator),
        }
    }
}

/// The type of an operand by itself, for messages.
pub(crate) fn describe_operand(term: &Term) -> String {
    let nothing = HashMap::new();
    let subjects = HashMap::new();
    let dependents = |_: &Ref| Vec::new();
    let names = Names { subjects: &subjects, rewritten: vec![&nothing], shared: &HashMap::new() };
    let mut checker = Checker::new(&TypeEnv::default(), &dependents, names);
    crate::types::Shown(&checker.get(&term.value)).to_string()
}
