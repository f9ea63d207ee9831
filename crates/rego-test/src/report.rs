//! Reports in OPA's forms.

use std::fmt::Write as _;
use std::time::Duration;

use crate::cases::{Case, Cases};
use crate::output::{Error, json, list_text};
use crate::run::{Report, Verdict};

/// How a report for people is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Tests that pass are shown, and why others fail.
    pub verbose: bool,
    /// Where a test fails the source is shown, with the values of what stands there.
    pub values: bool,
}

const LINE: &str = "--------------------------------------------------------------------------------";

/// The report for people.
#[must_use]
pub fn pretty(reports: &[Report], style: Style) -> String {
    let mut out = String::new();
    let mut counts = Counts::default();
    let mut last_file = None;
    for report in reports {
        counts.add(report);
        if style.verbose || !report.passed() {
            let file = report.test.location.file.as_str();
            if last_file.is_some_and(|last| last != file) {
                out.push('\n');
            }
            last_file = Some(file);
            one(&mut out, report, style);
        }
    }
    let shown = !out.is_empty();
    if counts.fail > 0 && (style.verbose || style.values) {
        failures(&mut out, reports, style);
    }
    if shown {
        let _ = writeln!(out, "{LINE}");
    }
    counts.write(&mut out);
    out
}

fn one(out: &mut String, report: &Report, style: Style) {
    let location = &report.test.location;
    let _ = writeln!(out, "{}:{}:\n{}", location.file, location.row, summary(report));
    for (path, case) in report.cases.all() {
        if case.failed || style.verbose {
            let indent = "  ".repeat(path.len());
            let _ = writeln!(out, "{indent}{}: {}", path.last().unwrap_or(&""), outcome(case));
        }
    }
    if !report.prints.is_empty() {
        let text = report.prints.join("\n");
        let indented: Vec<String> = text.trim().lines().map(|line| format!("  {line}")).collect();
        let _ = writeln!(out, "\n{}\n", indented.join("\n"));
    }
    match &report.verdict {
        Verdict::Error(error) => {
            let _ = writeln!(out, "  {}", error.text());
            if !error.trace.is_empty() {
                let _ = writeln!(out, "  Traceback:");
                error.trace_lines().iter().for_each(|line| {
                    let _ = writeln!(out, "    {line}");
                });
            }
        }
        Verdict::Wrong(errors) => {
            let _ = writeln!(out, "  {}", list_text(errors, ""));
        }
        _ => {}
    }
}

/// `data.a.test_b: FAIL (1.2ms)`
#[must_use]
pub fn summary(report: &Report) -> String {
    let name = report.test.full_name();
    match &report.verdict {
        Verdict::Pass => format!("{name}: PASS ({})", duration(report.duration)),
        Verdict::Fail => format!("{name}: FAIL ({})", duration(report.duration)),
        Verdict::Skip => format!("{name}: SKIPPED"),
        Verdict::Error(_) | Verdict::Wrong(_) => format!("{name}: ERROR ({})", duration(report.duration)),
    }
}

fn outcome(case: &Case) -> &'static str {
    if case.failed { "FAIL" } else { "PASS" }
}

fn failures(out: &mut String, reports: &[Report], style: Style) {
    let _ = writeln!(out, "{LINE}\nFAILURES\n{LINE}");
    for report in reports.iter().filter(|report| report.failed()) {
        let _ = writeln!(out, "{}", summary(report));
        if style.verbose {
            out.push('\n');
            report.why.iter().for_each(|why| out.push_str(&why.trace));
        }
        if !report.cases.is_empty() {
            out.push('\n');
            failed_cases(out, report, style);
        } else if style.values {
            out.push('\n');
            let picture = report.why.iter().filter_map(|why| why.picture.as_ref());
            picture.for_each(|picture| out.push_str(&indented(picture, "  ")));
        }
        out.push('\n');
    }
}

/// A text with blanks before each line.
fn indented(text: &str, indent: &str) -> String {
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}

/// Each failed case below the names that lead to it.
fn failed_cases(out: &mut String, report: &Report, style: Style) {
    for (path, case) in report.cases.all().into_iter().filter(|(_, case)| case.failed && case.is_leaf()) {
        for (depth, name) in path.iter().enumerate() {
            let _ = writeln!(out, "{}{name}: {}", "  ".repeat(depth + 1), outcome(case));
        }
        if style.values {
            let indent = "  ".repeat(path.len() + 1);
            let told = report.why.iter().flat_map(|why| &why.cases).rev().find(|(names, _)| *names == path);
            let _ = writeln!(out, "{indent}");
            if let Some(picture) = told.and_then(|(_, picture)| picture.as_ref()) {
                out.push_str(indented(picture, &format!("{indent}  ")).trim_end_matches('\n'));
                let _ = writeln!(out, "{indent}");
            }
        }
    }
}

#[derive(Default)]
struct Counts {
    pass: usize,
    fail: usize,
    skip: usize,
    error: usize,
}

impl Counts {
    /// Cases count instead of their test; groups of them do not.
    fn add(&mut self, report: &Report) {
        let leaves = report.cases.all().into_iter().filter(|(_, case)| case.is_leaf());
        match &report.verdict {
            Verdict::Skip => self.skip += 1,
            Verdict::Error(_) | Verdict::Wrong(_) => self.error += 1,
            _ if !report.cases.is_empty() => {
                for (_, case) in leaves {
                    *(if case.failed { &mut self.fail } else { &mut self.pass }) += 1;
                }
            }
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
        }
    }

    fn write(&self, out: &mut String) {
        let total = self.pass + self.fail + self.skip + self.error;
        let counts =
            [("PASS", self.pass), ("FAIL", self.fail), ("SKIPPED", self.skip), ("ERROR", self.error)];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let _ = writeln!(out, "{name}: {count}/{total}");
        }
    }
}

/// The report as JSON.
#[must_use]
pub fn as_json(reports: &[Report]) -> String {
    json::indented(&json::array(reports.iter().map(one_json))) + "\n"
}

fn one_json(report: &Report) -> String {
    let test = &report.test;
    let mut object = json::Object::new()
        .raw("location", &test.location.json())
        .text("package", &test.package)
        .text("name", &test.name)
        .flag("fail", report.failed());
    match &report.verdict {
        Verdict::Error(error) => object = object.raw("error", &error.json(true)),
        Verdict::Wrong(errors) => {
            let errors = json::array(errors.iter().map(|error: &Error| error.json(true)));
            object = object.raw("error", &errors);
        }
        _ => {}
    }
    let nanoseconds = report.duration.as_nanos();
    object = object.flag("skip", report.verdict == Verdict::Skip).number("duration", nanoseconds);
    if !report.prints.is_empty() {
        let text = report.prints.iter().fold(String::new(), |text, line| text + line + "\n");
        object = object.text("output", &base64(text.as_bytes()));
    }
    if !report.cases.is_empty() {
        object = object.raw("sub_results", &cases_json(&report.cases));
    }
    object.finish()
}

fn cases_json(cases: &Cases) -> String {
    let add = |object: json::Object, (name, case): (&str, &Case)| {
        let mut own = json::Object::new();
        if !name.is_empty() {
            own = own.text("name", name);
        }
        own = own.flag("fail", case.failed);
        if !case.cases.is_empty() {
            own = own.raw("sub_results", &cases_json(&case.cases));
        }
        object.raw(name, &own.finish())
    };
    cases.iter().fold(json::Object::new(), add).finish()
}

/// Bytes as Go's encoder writes them.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| DIGITS.get((bits & 63) as usize).map_or('A', |digit| char::from(*digit));
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for at in 0..4 {
            out.push(if at <= group.len() { digit(bits >> (18 - 6 * at)) } else { '=' });
        }
    }
    out
}

/// A duration as Go writes it, to the microsecond: `1.234ms`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let (unit, digits) = match nanoseconds {
        0 => return "0s".to_owned(),
        1..1_000 => return format!("{nanoseconds}ns"),
        1_000..1_000_000 => ("µs", 3),
        1_000_000..1_000_000_000 => ("ms", 6),
        _ => return seconds(nanoseconds),
    };
    fraction(nanoseconds, digits) + unit
}

fn seconds(nanoseconds: u128) -> String {
    const SECOND: u128 = 1_000_000_000;
    let whole = nanoseconds / SECOND;
    let rest = fraction(nanoseconds - whole / 60 * 60 * SECOND, 9) + "s";
    match (whole / 3600, whole / 60 % 60) {
        (0, 0) => rest,
        (0, minutes) => format!("{minutes}m{rest}"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}"),
    }
}

/// A number of units of which each has `digits` digits behind the point, without zeros at the end.
fn fraction(number: u128, digits: usize) -> String {
    let unit = 10_u128.pow(u32::try_from(digits).unwrap_or_default());
    let behind = format!("{:0digits$}", number % unit);
    match behind.trim_end_matches('0') {
        "" => (number / unit).to_string(),
        behind => format!("{}.{behind}", number / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5µs"),
            (2_000_000, "2ms"),
            (1_234_567, "1.234567ms"),
            (1_000_000_000, "1s"),
            (90_000_000_000, "1m30s"),
            (3_661_500_000_000, "1h1m1.5s"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanoseconds)), text);
        }
    }

    #[test]
    fn bytes_in_base64() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
