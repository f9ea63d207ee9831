//! Documents as trees, with the members that OPA's objects have (see `encode` and `decode`).

use std::fmt;
use std::sync::Arc;

use super::problem::Place;

/// The lines of a comment, with their `#`; none, where there is no comment.
pub(super) type Comment = Vec<String>;

/// Operations and fragments.
#[derive(Clone, Debug, Default)]
pub(super) struct QueryDocument {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: Vec<Fragment>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// `query`, `mutation` or `subscription`; empty means `query` in documents given as objects.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) variables: Vec<Variable>,
    pub(super) directives: Vec<Directive>,
    pub(super) selections: Vec<Selection>,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) default: Option<Literal>,
    pub(super) directives: Vec<Directive>,
    /// Only in documents given as objects, which may say so.
    pub(super) used: bool,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) name: String,
    pub(super) variables: Vec<Variable>,
    pub(super) condition: String,
    pub(super) directives: Vec<Directive>,
    pub(super) selections: Vec<Selection>,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug)]
pub(super) enum Selection {
    Field(Field),
    Spread(Spread),
    Inline(Inline),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    /// The name itself where none is given.
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) directives: Vec<Directive>,
    pub(super) selections: Vec<Selection>,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

impl Field {
    /// The name in the answer.
    pub(super) fn response_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

/// `...Name`
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    pub(super) name: String,
    pub(super) directives: Vec<Directive>,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

/// `... on Type { }`; the condition may be empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Inline {
    pub(super) condition: String,
    pub(super) directives: Vec<Directive>,
    pub(super) selections: Vec<Selection>,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) value: Literal,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug)]
pub(super) struct Directive {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    /// Only in documents given as objects.
    pub(super) location: String,
    pub(super) at: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypeBase {
    Named(String),
    List(Box<Type>),
}

#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) base: TypeBase,
    pub(super) non_null: bool,
    pub(super) at: Option<Place>,
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        self.base == other.base && self.non_null == other.non_null
    }
}

impl Eq for Type {}

impl Type {
    pub(super) fn named(name: &str, non_null: bool) -> Self {
        Self { base: TypeBase::Named(name.to_owned()), non_null, at: None }
    }

    /// The name within all lists.
    pub(super) fn name(&self) -> &str {
        let mut ty = self;
        loop {
            match &ty.base {
                TypeBase::Named(name) => return name,
                TypeBase::List(of) => ty = of,
            }
        }
    }

    /// The type of a list's elements.
    pub(super) fn element(&self) -> Option<&Type> {
        match &self.base {
            TypeBase::Named(_) => None,
            TypeBase::List(of) => Some(of),
        }
    }

    /// Whether a value of this type can stand where the other one is wanted; `nullable` takes back the other's `!`.
    pub(super) fn is_compatible(&self, other: &Type, nullable: bool) -> bool {
        let same = match (&self.base, &other.base) {
            (TypeBase::Named(mine), TypeBase::Named(theirs)) => mine == theirs,
            (TypeBase::List(mine), TypeBase::List(theirs)) => mine.is_compatible(theirs, false),
            _ => false,
        };
        same && (self.non_null || nullable || !other.non_null)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bang = if self.non_null { "!" } else { "" };
        match &self.base {
            TypeBase::Named(name) => write!(f, "{name}{bang}"),
            TypeBase::List(of) => write!(f, "[{of}]{bang}"),
        }
    }
}

/// The kinds of literals; their numbers are those of OPA's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiteralKind {
    Variable = 0,
    Int = 1,
    Float = 2,
    String = 3,
    Block = 4,
    Boolean = 5,
    Null = 6,
    Enum = 7,
    List = 8,
    Object = 9,
}

impl LiteralKind {
    pub(super) const ALL: [LiteralKind; 10] = [
        LiteralKind::Variable,
        LiteralKind::Int,
        LiteralKind::Float,
        LiteralKind::String,
        LiteralKind::Block,
        LiteralKind::Boolean,
        LiteralKind::Null,
        LiteralKind::Enum,
        LiteralKind::List,
        LiteralKind::Object,
    ];
}

#[derive(Clone, Debug)]
pub(super) struct Literal {
    pub(super) kind: LiteralKind,
    /// The text without quotes, or a variable's name; empty for lists and objects.
    pub(super) raw: String,
    pub(super) children: Vec<Child>,
    /// Only in documents given as objects.
    pub(super) expected_has_default: bool,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

/// An element of a list, without a name, or a member of an object.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) name: String,
    pub(super) value: Literal,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            LiteralKind::Variable => write!(f, "${}", self.raw),
            LiteralKind::String | LiteralKind::Block => f.write_str(&crate::gofmt::quote(&self.raw)),
            LiteralKind::List | LiteralKind::Object => {
                let object = self.kind == LiteralKind::Object;
                f.write_str(if object { "{" } else { "[" })?;
                for (i, child) in self.children.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    if object {
                        write!(f, "{comma}{}:{}", child.name, child.value)?;
                    } else {
                        write!(f, "{comma}{}", child.value)?;
                    }
                }
                f.write_str(if object { "}" } else { "]" })
            }
            _ => f.write_str(&self.raw),
        }
    }
}

/// Definitions and extensions. Definitions are shared: those that every schema has are read once.
#[derive(Clone, Debug, Default)]
pub(super) struct SchemaDocument {
    pub(super) schema: Vec<SchemaDefinition>,
    pub(super) schema_extensions: Vec<SchemaDefinition>,
    pub(super) directives: Vec<Arc<DirectiveDefinition>>,
    pub(super) definitions: Vec<Arc<Definition>>,
    pub(super) extensions: Vec<Definition>,
    pub(super) comment: Comment,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SchemaDefinition {
    pub(super) description: String,
    pub(super) directives: Vec<Directive>,
    pub(super) roots: Vec<Root>,
    pub(super) at: Option<Place>,
    pub(super) comments: Comments,
}

/// `query: Type`
#[derive(Clone, Debug, Default)]
pub(super) struct Root {
    pub(super) operation: String,
    pub(super) ty: String,
    pub(super) at: Option<Place>,
    pub(super) comment: Comment,
}

/// The comments around a definition.
#[derive(Clone, Debug, Default)]
pub(super) struct Comments {
    pub(super) before_description: Comment,
    pub(super) after_description: Comment,
    pub(super) end: Comment,
}

/// `SCALAR`, `OBJECT`, `INTERFACE`, `UNION`, `ENUM` and `INPUT_OBJECT`: names of kinds, and of the places of directives.
pub(super) mod kind {
    pub(in super::super) const SCALAR: &str = "SCALAR";
    pub(in super::super) const OBJECT: &str = "OBJECT";
    pub(in super::super) const INTERFACE: &str = "INTERFACE";
    pub(in super::super) const UNION: &str = "UNION";
    pub(in super::super) const ENUM: &str = "ENUM";
    pub(in super::super) const INPUT_OBJECT: &str = "INPUT_OBJECT";
}

/// A type, or the extension of one.
#[derive(Clone, Debug, Default)]
pub(super) struct Definition {
    /// One of [`kind`]; anything in documents given as objects.
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) name: String,
    pub(super) directives: Vec<Directive>,
    pub(super) interfaces: Vec<String>,
    pub(super) fields: Vec<FieldDefinition>,
    /// The members of a union, and where each of them stands.
    pub(super) types: Vec<String>,
    pub(super) type_places: Vec<Place>,
    pub(super) enum_values: Vec<EnumValue>,
    pub(super) built_in: bool,
    pub(super) at: Option<Place>,
    pub(super) comments: Comments,
}

impl Definition {
    pub(super) fn is_leaf(&self) -> bool {
        [kind::ENUM, kind::SCALAR].contains(&self.kind.as_str())
    }

    pub(super) fn is_abstract(&self) -> bool {
        [kind::INTERFACE, kind::UNION].contains(&self.kind.as_str())
    }

    pub(super) fn is_composite(&self) -> bool {
        self.kind == kind::OBJECT || self.is_abstract()
    }

    pub(super) fn is_input(&self) -> bool {
        self.kind == kind::INPUT_OBJECT || self.is_leaf()
    }
}

/// A field of an object, of an interface or of an input object.
#[derive(Clone, Debug)]
pub(super) struct FieldDefinition {
    pub(super) description: String,
    pub(super) name: String,
    pub(super) arguments: Vec<ArgumentDefinition>,
    pub(super) default: Option<Literal>,
    pub(super) ty: Type,
    pub(super) directives: Vec<Directive>,
    pub(super) at: Option<Place>,
    pub(super) comments: Comments,
}

#[derive(Clone, Debug)]
pub(super) struct ArgumentDefinition {
    pub(super) description: String,
    pub(super) name: String,
    pub(super) default: Option<Literal>,
    pub(super) ty: Type,
    pub(super) directives: Vec<Directive>,
    pub(super) at: Option<Place>,
    pub(super) comments: Comments,
}

impl ArgumentDefinition {
    /// It must be given: not nullable, and without a default.
    pub(super) fn is_required(&self) -> bool {
        self.ty.non_null && self.default.is_none()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct EnumValue {
    pub(super) description: String,
    pub(super) name: String,
    pub(super) directives: Vec<Directive>,
    pub(super) at: Option<Place>,
    pub(super) comments: Comments,
}

#[derive(Clone, Debug, Default)]
pub(super) struct DirectiveDefinition {
    pub(super) description: String,
    pub(super) name: String,
    pub(super) arguments: Vec<ArgumentDefinition>,
    pub(super) locations: Vec<String>,
    pub(super) repeatable: bool,
    pub(super) at: Option<Place>,
    pub(super) comments: Comments,
}
