//! Expressions and texts at random, the same in every run.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "not by its manifest, which is part of what `runtime.wasm` is stamped with"
)]
#[path = "../../../test-support/src/random.rs"]
mod random;

pub(crate) use random::Random;

const ATOMS: &[&str] = &[
    "a",
    "b",
    "c",
    "k",
    "S",
    "é",
    "ſ",
    "_",
    "1",
    " ",
    "\n",
    "ab",
    "foo",
    ".",
    "^",
    "$",
    r"\b",
    r"\B",
    r"\A",
    r"\z",
    r"\d",
    r"\D",
    r"\w",
    r"\W",
    r"\s",
    r"\S",
    "[a-c]",
    "[^a-c]",
    "[a-cé-ÿ]",
    "[[:alpha:]]",
    "[[:^space:]_]",
    r"[\d\-a]",
    "[]a]",
    "[^]a]",
    r"\pL",
    r"\PL",
    r"\p{Greek}",
    r"\p{^Lu}",
    r"\.",
    r"\x41",
    r"\x{e9}",
    r"\101",
    r"\n",
    r"\Qa.b\E",
    "[a&&b]",
    "[a~b]",
    "[a--]",
    r"[\W]",
    "(?:)",
    "()",
    "[k-s]",
    r"\p{Ll}",
    r"[\p{Lu}0-9]",
];

const REPEATS: &[&str] =
    &["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "{0}", "{,2}", "{0,1}"];

/// An expression; `wild` ones are often wrong.
pub(crate) fn expression(random: &mut Random, depth: usize, wild: bool) -> String {
    let mut out = String::new();
    for _ in 0..=random.below(3) {
        match random.below(if depth == 0 { 5 } else { 9 }) {
            0..=4 => out.push_str(random.text(ATOMS)),
            5 => out.push_str(&format!("({})", expression(random, depth - 1, wild))),
            6 => {
                let flags = random.text(&["i", "s", "m", "U", "-s", "is", "i-s", ""]);
                out.push_str(&format!("(?{flags}:{})", expression(random, depth - 1, wild)));
            }
            7 => {
                let (a, b) = (expression(random, depth - 1, wild), expression(random, depth - 1, wild));
                out.push_str(&format!("(?:{a}|{b})"));
            }
            _ => out.push_str(random.text(&["(?i)", "(?s)", "(?U)", "(?m)", "|", "(?-i)"])),
        }
        if random.below(3) == 0 {
            out.push_str(random.text(REPEATS));
        }
    }
    if wild && random.below(2) == 0 {
        let odd = [
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "*",
            "\\",
            "(?",
            "(?P<n>",
            "(?<n>a)",
            "[[:x:]]",
            r"\8",
            r"\p{X}",
            "{1001}",
            "[b-a]",
            r"\x{110000}",
            "(?x)",
            "(?i",
            r"\C",
            "**",
            "{2}{3}",
            r"\pX",
            "[a",
            r"\e",
            "(?P<>a)",
            "(?--i)",
            "(?=a)",
            "{3,2}",
        ];
        let mut at = random.below(out.len() + 1);
        while !out.is_char_boundary(at) {
            at -= 1;
        }
        out.insert_str(at, random.text(&odd));
    }
    out
}

/// A short text of what expressions are about.
pub(crate) fn text(random: &mut Random) -> String {
    let parts = [
        "a", "b", "c", "A", "B", "k", "K", "\u{212a}", "s", "ſ", "é", "É", "\n", " ", "_", "1", "-", ".",
        "foo", "λ", "Σ", "ς", "ab", "&",
    ];
    (0..random.below(9)).map(|_| random.text(&parts)).collect()
}
