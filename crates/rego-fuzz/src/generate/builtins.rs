//! Calls of built-in functions, typed by their table.

use rego_builtins::{Builtin, all};

use super::Generator;
use super::types::Ty;

/// Families that are compared elsewhere, with arguments made for them, or that depend on more than their arguments.
const LEFT_OUT: [&str; 14] = [
    "crypto.",
    "graphql.",
    "http.",
    "internal.",
    "io.jwt.",
    "net.lookup",
    "opa.",
    "providers.",
    "rand.",
    "rego.",
    "time.now",
    "uuid.rfc",
    "json.match_schema",
    "json.verify_schema",
];

/// Operators, which are written as such, and statements.
const NO_CALLS: [&str; 6] = ["assign", "eq", "print", "trace", "walk", "test.sleep"];

/// Texts that mean something to a function's argument; most others are only refused.
const TEXTS: &[(&str, usize, &[&str])] = &[
    ("sprintf", 0, &["%v", "%s|%d", "%v-%v", "%5.1f", "%x", "%q", "%05d", "%t", "%-6s|", "100%%"]),
    ("glob.match", 0, &["*", "a*", "a.*", "**", "{a,b}*", "?oo", "[a-c]", "foo:*"]),
    ("regex.match", 0, REGEXES),
    ("re_match", 0, REGEXES),
    ("regex.is_valid", 0, REGEXES),
    ("regex.find_n", 0, REGEXES),
    ("regex.find_all_string_submatch_n", 0, REGEXES),
    ("regex.split", 0, REGEXES),
    ("regex.replace", 1, REGEXES),
    ("regex.replace", 2, &["x", "$1", "${1}y", "$0$0", ""]),
    ("regex.globs_match", 0, &["a.a.[0-9]+", "[a-z]+", "x*"]),
    ("regex.template_match", 0, &["urn:foo:{.*}", "a{b+}", "{x}"]),
    ("regex.template_match", 2, &["{"]),
    ("regex.template_match", 3, &["}"]),
    ("semver.compare", 0, VERSIONS),
    ("semver.compare", 1, VERSIONS),
    ("semver.is_valid", 0, VERSIONS),
    ("time.parse_duration_ns", 0, &["1h", "1.5s", "-2m3s", "1d", "10ms"]),
    (
        "time.parse_rfc3339_ns",
        0,
        &["2024-01-02T03:04:05Z", "2024-02-29T23:59:59.5+01:00", "2024-13-01T00:00:00Z"],
    ),
    ("time.parse_ns", 0, &["2006-01-02", "15:04:05", "RFC3339"]),
    ("time.parse_ns", 1, &["2024-01-02", "03:04:05", "2024-01-02T03:04:05Z"]),
    ("units.parse", 0, UNITS),
    ("units.parse_bytes", 0, UNITS),
    ("uuid.parse", 0, &["00000000-0000-0000-0000-000000000000", "b6a1a64e-6b2a-4a3c-8d9e-0123456789ab"]),
    ("net.cidr_contains", 0, NETWORKS),
    ("net.cidr_contains", 1, NETWORKS),
    ("net.cidr_intersects", 0, NETWORKS),
    ("net.cidr_intersects", 1, NETWORKS),
    ("net.cidr_overlap", 0, NETWORKS),
    ("net.cidr_overlap", 1, NETWORKS),
    ("net.cidr_is_valid", 0, NETWORKS),
    ("net.cidr_expand", 0, &["10.0.0.0/30", "192.168.1.1/32", "2001:db8::/126", "x"]),
    ("json.unmarshal", 0, JSON),
    ("json.is_valid", 0, JSON),
    ("yaml.unmarshal", 0, &["a: 1", "[1, 2]", "a: [b, {c: d}]", "1.50", "true"]),
    ("yaml.is_valid", 0, &["a: 1", "[1", "- x"]),
    ("hex.decode", 0, &["6162", "zz", ""]),
    ("base64.decode", 0, &["YWJj", "YQ==", "?"]),
    ("base64url.decode", 0, &["YWJj", "YQ==", "_-8="]),
    ("urlquery.decode", 0, &["a%20b", "a+b", "%zz"]),
    ("urlquery.decode_object", 0, &["a=1&a=2&b=", "x", "%zz"]),
    ("to_number", 0, &["1", "1.50", "-0.1e2", "x", "0x1"]),
    ("uri.parse", 0, &["http://a.b/c?d#e", "x"]),
    ("strings.render_template", 0, &["{{.a}}", "x{{.b}}y"]),
];

const REGEXES: &[&str] =
    &["a+", "[a-z]+", "^foo$", "(a)(b)?", "o{2}", "[0-9]*", "a|b", ".", "[", "(?i)FOO", "\\\\d+", "^$", "b*"];
const VERSIONS: &[&str] = &["1.2.3", "1.10.0", "1.2.3-rc.1", "1.2.3-rc.2+b", "x"];
const UNITS: &[&str] = &["10", "1k", "1.5Mi", "100m", "2GB", "x", "1KiB"];
const NETWORKS: &[&str] = &["10.0.0.0/8", "10.1.2.3", "10.1.0.0/16", "192.168.0.0/24", "2001:db8::/32", "x"];
const JSON: &[&str] = &["1", "{\\\"a\\\": [1, 2.50]}", "[1", "null", "\\\"x\\\"", "1e400"];

/// Numbers that decide how much a function makes are constants, and small.
const BOUNDS: &[(&str, usize, &[&str])] = &[
    ("numbers.range", 0, &["0", "1", "-2", "3"]),
    ("numbers.range", 1, &["2", "5", "-3", "0.5"]),
    ("numbers.range_step", 0, &["0", "1", "-2"]),
    ("numbers.range_step", 1, &["2", "5", "-3"]),
    ("numbers.range_step", 2, &["1", "2", "0"]),
    ("bits.lsh", 1, &["1", "3", "64", "-1"]),
    ("bits.rsh", 1, &["1", "3", "64", "-1"]),
    ("format_int", 1, &["10", "2", "8", "16", "3"]),
    ("strings.split_n", 2, &["1", "2", "-1", "0"]),
    ("time.add_date", 1, &["1", "-1", "0"]),
    ("time.add_date", 2, &["1", "-13"]),
    ("time.add_date", 3, &["1", "40"]),
];

impl Generator {
    /// A call whose result should have this type.
    pub(super) fn builtin(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let fitting: Vec<&Builtin> = all().iter().copied().filter(|row| self.is_fit(row, ty)).collect();
        let row = self.c.pick(&fitting).copied()?;
        let args: Vec<String> =
            (0..row.args.len()).map(|position| self.argument(row, position, depth)).collect();
        Some(format!("{}({})", row.name, args.join(", ")))
    }

    fn is_fit(&self, row: &Builtin, ty: &Ty) -> bool {
        let result = row.result.map(|result| Ty::of_result(&result.ty));
        result.is_some_and(|of| of == *ty || (of.fits(ty) && of != Ty::Any) || (of == Ty::Any && *ty == Ty::Any))
            && !row.nondeterministic
            && !row.relation
            && !matches!(row.implementation, rego_builtins::Implementation::Unsupported)
            && !NO_CALLS.contains(&row.name)
            && !LEFT_OUT.iter().any(|family| row.name.starts_with(family))
            // Words that v1 has no function for, or that strict mode refuses.
            && (self.dialect.v0 || !row.deprecated)
    }

    fn argument(&mut self, row: &Builtin, position: usize, depth: usize) -> String {
        let listed = |list: &[(&str, usize, &'static [&'static str])]| {
            list.iter().find(|(name, at, _)| *name == row.name && *at == position).map(|(_, _, texts)| *texts)
        };
        if let Some(numbers) = listed(BOUNDS) {
            return self.c.text(numbers);
        }
        if let Some(texts) = listed(TEXTS)
            && !self.c.one_in(6)
        {
            return format!("\"{}\"", self.c.text(texts));
        }
        let ty = row.args.get(position).map_or(Ty::Any, |arg| Ty::of(&arg.ty, &mut self.c));
        self.expr(&ty, depth)
    }
}
