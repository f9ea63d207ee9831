//! Random programs: a grammar with types, so that most of them mean something.
//!
//! | file | what it makes |
//! |---|---|
//! | `rule` | imports, rules of every kind |
//! | `body` | expressions of bodies: `some`, `every`, `not`, unification, `with` |
//! | `expr` | terms: references, operators, comprehensions, calls |
//! | `builtins` | calls of built-in functions, by their table |
//! | `value`, `types` | constants and documents, and the types of all of these |

mod body;
mod builtins;
mod expr;
mod rule;
mod types;
mod value;

use crate::choices::Choices;
use crate::program::Program;

use types::Ty;

/// What the name of a rule stands for.
#[derive(Clone, Debug)]
enum Kind {
    Value(Ty),
    Function(Vec<Ty>, Ty),
}

/// A rule that later ones may refer to.
#[derive(Clone, Debug)]
struct Known {
    name: String,
    kind: Kind,
}

/// What a policy may be written in.
#[derive(Clone, Copy, Debug, Default)]
struct Dialect {
    v0: bool,
    /// `in`, `every`, `if` and `contains` are keywords.
    keywords: bool,
    /// `if` and `contains` must stand.
    heads: bool,
    /// `$"{x}"` is read; OPA does not read it when it is told to be compatible with v0.
    templates: bool,
}

struct Generator {
    c: Choices,
    dialect: Dialect,
    rules: Vec<Known>,
    vars: Vec<(String, Ty)>,
    names: usize,
}

/// The program that the choices make.
pub(crate) fn program(choices: Choices) -> Program {
    let mut c = choices;
    let v0 = c.one_in(5);
    let strict = c.one_in(4);
    let mut g = Generator { c, dialect: Dialect::default(), rules: Vec::new(), vars: Vec::new(), names: 0 };
    let imports = g.imports(v0);
    let data = value::document(&mut g.c);
    let inputs = (0..=g.c.below(3)).map(|_| g.input()).collect();
    let mut parts = imports;
    for number in 0..=g.c.below(7) {
        parts.push(g.rule(number));
    }
    let values = g.rules.iter().filter(|rule| matches!(rule.kind, Kind::Value(_)));
    let mut entries: Vec<String> = values.map(|rule| rule.name.clone()).collect();
    if !strict {
        // Of several rules with errors, the one that a package's document meets first is a matter of chance in OPA.
        entries.push(String::new());
    }
    Program { v0, strict, parts, data, inputs, entries }
}

impl Generator {
    /// The imports, which say what the policy is written in.
    fn imports(&mut self, v0: bool) -> Vec<String> {
        let v1 = Dialect { v0: false, keywords: true, heads: true, templates: !v0 };
        let (dialect, import) = match (v0, self.c.below(3)) {
            (false, _) => (v1, None),
            (true, 0) => (Dialect { v0: true, ..Dialect::default() }, None),
            (true, 1) => {
                (Dialect { v0: true, keywords: true, ..Dialect::default() }, Some("import future.keywords"))
            }
            (true, _) => (v1, Some("import rego.v1")),
        };
        self.dialect = dialect;
        import.into_iter().map(str::to_owned).collect()
    }

    fn input(&mut self) -> String {
        match self.c.below(12) {
            11 => String::new(),
            10 => value::constant(&mut self.c, &Ty::Any, true, 2),
            _ => value::document(&mut self.c),
        }
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// Generates with the variables of now, and forgets those that come in between.
    fn scoped<T>(&mut self, generate: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.vars.len();
        let result = generate(self);
        self.vars.truncate(before);
        result
    }

    fn bind(&mut self, name: &str, ty: Ty) {
        self.vars.push((name.to_owned(), ty));
    }
}
