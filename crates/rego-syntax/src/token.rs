//! Tokens and keywords.

use crate::ast::RegoVersion;

/// The kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Token {
    Illegal,
    Eof,
    Whitespace,
    Ident,
    Comment,
    Package,
    Import,
    As,
    Default,
    Else,
    Not,
    Some,
    With,
    Null,
    True,
    False,
    Number,
    String,
    TemplateStringPart,
    TemplateStringEnd,
    RawTemplateStringPart,
    RawTemplateStringEnd,
    LBrack,
    RBrack,
    LBrace,
    RBrace,
    LParen,
    RParen,
    Comma,
    Colon,
    Add,
    Sub,
    Mul,
    Quo,
    Rem,
    And,
    Or,
    Unify,
    Equal,
    Assign,
    In,
    Neq,
    Gt,
    Lt,
    Gte,
    Lte,
    Dot,
    Semicolon,
    Every,
    Contains,
    If,
    LogicalAnd,
    LogicalOr,
}

impl Token {
    /// OPA's word for the token. For an operator it is the name of the built-in that it calls.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Illegal => "illegal",
            Self::Eof => "eof",
            Self::Whitespace => "whitespace",
            Self::Ident => "identifier",
            Self::Comment => "comment",
            Self::Package => "package",
            Self::Import => "import",
            Self::As => "as",
            Self::Default => "default",
            Self::Else => "else",
            Self::Not => "not",
            Self::Some => "some",
            Self::With => "with",
            Self::Null => "null",
            Self::True => "true",
            Self::False => "false",
            Self::Number => "number",
            Self::String => "string",
            Self::TemplateStringPart => "template-string-part",
            Self::TemplateStringEnd => "template-string-end",
            Self::RawTemplateStringPart => "raw-template-string-part",
            Self::RawTemplateStringEnd => "raw-template-string-end",
            Self::In => "in",
            Self::Every => "every",
            Self::Contains => "contains",
            Self::If => "if",
            Self::LogicalAnd => "and",
            Self::LogicalOr => "or",
            _ => self.operator_str(),
        }
    }

    fn operator_str(self) -> &'static str {
        match self {
            Self::LBrack => "[",
            Self::RBrack => "]",
            Self::LBrace => "{",
            Self::RBrace => "}",
            Self::LParen => "(",
            Self::RParen => ")",
            Self::Comma => ",",
            Self::Colon => ":",
            Self::Add => "plus",
            Self::Sub => "minus",
            Self::Mul => "mul",
            Self::Quo => "div",
            Self::Rem => "rem",
            Self::And => "and",
            Self::Or => "or",
            Self::Unify => "eq",
            Self::Equal => "equal",
            Self::Assign => "assign",
            Self::Neq => "neq",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::Gte => "gte",
            Self::Lte => "lte",
            Self::Dot => ".",
            Self::Semicolon => ";",
            _ => "unknown",
        }
    }

    /// Whether an error message calls the token a keyword.
    pub(crate) fn is_keyword(self) -> bool {
        keyword(self.as_str()).is_some_and(|t| t == self)
            || FUTURE_KEYWORDS.iter().any(|(_, token)| *token == self)
    }
}

/// The keyword of every version of the language with this text.
fn keyword(text: &str) -> Option<Token> {
    Some(match text {
        "package" => Token::Package,
        "import" => Token::Import,
        "as" => Token::As,
        "default" => Token::Default,
        "else" => Token::Else,
        "not" => Token::Not,
        "some" => Token::Some,
        "with" => Token::With,
        "null" => Token::Null,
        "true" => Token::True,
        "false" => Token::False,
        _ => return None,
    })
}

/// The keywords that some version of the language has to import, in alphabetical order.
pub(crate) const FUTURE_KEYWORDS: [(&str, Token); 7] = [
    ("and", Token::LogicalAnd),
    ("contains", Token::Contains),
    ("every", Token::Every),
    ("if", Token::If),
    ("in", Token::In),
    ("not", Token::Not),
    ("or", Token::LogicalOr),
];

/// The future keyword with this text.
pub(crate) fn future_keyword(text: &str) -> Option<Token> {
    FUTURE_KEYWORDS.iter().find(|(name, _)| *name == text).map(|(_, token)| *token)
}

/// Whether V0 has to import this keyword and V1 has not.
pub(crate) fn is_v0_future_keyword(text: &str) -> bool {
    matches!(text, "in" | "every" | "contains" | "if")
}

/// Whether V1 has to import this keyword.
pub(crate) fn is_v1_future_keyword(text: &str) -> bool {
    matches!(text, "not" | "and" | "or")
}

/// Whether the text is a keyword of this version without any import.
pub(crate) fn is_keyword_in(text: &str, version: RegoVersion) -> bool {
    keyword(text).is_some()
        || match version {
            RegoVersion::V0 => false,
            RegoVersion::V1 | RegoVersion::V0CompatV1 => is_v0_future_keyword(text),
            RegoVersion::V2 => is_v0_future_keyword(text) || matches!(text, "and" | "or"),
        }
}

/// Which keywords the lexer knows at a point of a file: the constant ones and those of the future in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Keywords(u8);

impl Keywords {
    /// All keywords of the future.
    pub(crate) const ALL: Self = Self(0x7f);

    /// No keyword that some version has to import; `not` is a name then.
    pub(crate) const NO_FUTURE: Self = Self(Self::NOT_IS_A_NAME);

    const NOT_IS_A_NAME: u8 = 0x80;

    /// Adds a keyword of the future. `every` brings `in`.
    pub(crate) fn add(&mut self, text: &str) {
        for (bit, (name, _)) in FUTURE_KEYWORDS.iter().enumerate() {
            if *name == text || (text == "every" && *name == "in") {
                self.0 |= 1 << bit;
            }
        }
    }

    /// Whether the text is a keyword here. (`not` always is; importing it changes only its meaning.)
    pub(crate) fn contains(self, text: &str) -> bool {
        self.lookup(text).is_some()
    }

    /// The keyword with this text.
    pub(crate) fn lookup(self, text: &str) -> Option<Token> {
        if text == "not" && self.0 & Self::NOT_IS_A_NAME != 0 {
            return None;
        }
        keyword(text).or_else(|| {
            FUTURE_KEYWORDS
                .iter()
                .enumerate()
                .find(|(bit, (name, _))| *name == text && self.0 & (1 << bit) != 0)
                .map(|(_, (_, token))| *token)
        })
    }
}
