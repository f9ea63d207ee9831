//! The keys beside `policies`.

use crate::beside::Beside;
use crate::model::{
    Enforcement, EvaluatorOrder, FailMode, FailModes, LogLevel, Logging, Opa, OpaTls, Secret, Settings,
};
use crate::problem::{Problem, ProblemCode};
use crate::schema;
use crate::yaml::{Entry, Kind};

use super::fields::{Fields, one_of};
use super::{audit, confirmation, prices, state, values};

const LEVELS: &[(&str, LogLevel)] = &[
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("warning", LogLevel::Warning),
    ("error", LogLevel::Error),
];

const ORDERS: &[(&str, EvaluatorOrder)] = &[
    ("wasm", EvaluatorOrder::Wasm),
    ("wasm-then-sidecar", EvaluatorOrder::WasmThenSidecar),
    ("sidecar-then-wasm", EvaluatorOrder::SidecarThenWasm),
    ("sidecar", EvaluatorOrder::Sidecar),
];

const FAIL_MODES: &[(&str, FailMode)] = &[("closed", FailMode::Closed), ("open", FailMode::Open)];

pub(super) fn read(file: &Fields<'_>, files: &Beside<'_>, problems: &mut Vec<Problem>) -> Settings {
    let enforcement = file.get("enforcement").and_then(|entry| {
        one_of(entry, &[("strict", Enforcement::Strict), ("warn", Enforcement::Warn)], problems)
    });
    let timezone = file.get("timezone").and_then(|entry| values::timezone(entry, problems));
    Settings {
        enforcement: enforcement.unwrap_or_default(),
        timezone: timezone.map(str::to_owned),
        logging: file.get("logging").and_then(|entry| logging(entry, problems)).unwrap_or_default(),
        opa: file.get("opa").and_then(|entry| opa(entry, problems)),
        state: file
            .get("state")
            .and_then(|entry| state::read(entry, file.get("opa").is_some(), problems))
            .unwrap_or_default(),
        fail_mode: file.get("fail_mode").map(|entry| fail_mode(entry, problems)).unwrap_or_default(),
        confirmation: file.get("confirmation").and_then(|entry| confirmation::read(entry, problems)),
        audit: file.get("audit").and_then(|entry| audit::read(entry, problems)),
        prices: file.get("prices").and_then(|entry| prices::read(entry, files, problems)),
    }
}

fn logging(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Logging> {
    let fields = Fields::of(&entry.value, "`logging`", schema::LOGGING, problems)?;
    let silent = Logging::default();
    Some(Logging {
        enabled: fields.get("enabled").and_then(|e| values::boolean(e, problems)).unwrap_or(silent.enabled),
        level: fields.get("level").and_then(|e| level(e, problems)).unwrap_or(silent.level),
        file: fields.get("file").and_then(|e| values::text(e, problems)).map(str::to_owned),
    })
}

/// Levels in either case, and by the two further names that Python's logging has for them.
fn level(entry: &Entry, problems: &mut Vec<Problem>) -> Option<LogLevel> {
    let word = match &entry.value.kind {
        Kind::Scalar(scalar) => scalar.text.to_ascii_lowercase(),
        Kind::List(_) | Kind::Map(_) => String::new(),
    };
    let name = match word.as_str() {
        "warn" => "warning",
        "critical" => "error",
        other => other,
    };
    match LEVELS.iter().find(|(level, _)| *level == name) {
        Some((_, level)) => Some(*level),
        None => one_of(entry, LEVELS, problems),
    }
}

fn opa(entry: &Entry, problems: &mut Vec<Problem>) -> Option<Opa> {
    const DEFAULT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
    let fields = Fields::of(&entry.value, "`opa`", schema::OPA, problems)?;
    let url = match fields.get("url") {
        Some(entry) => url(entry, problems),
        None => {
            let message = "`opa` has no `url`";
            let problem = Problem::new(ProblemCode::Missing, entry.place, message);
            problems.push(problem.with_help("such as `url: http://localhost:8181`"));
            None
        }
    };
    let order = fields.get("order").and_then(|e| one_of(e, ORDERS, problems)).unwrap_or_default();
    let timeout = fields.get("timeout_seconds").and_then(|e| values::seconds(e, problems));
    let interval = fields.get("health_check_interval").and_then(|e| values::seconds(e, problems));
    let token = fields.get("token").and_then(|e| values::text(e, problems));
    if let (Some(entry), Some(text)) = (fields.get("tls"), &url)
        && !text.starts_with("https://")
    {
        let message = "`tls` is about https, and the `url` begins with `http://`";
        let problem = Problem::new(ProblemCode::Contradiction, entry.place, message);
        problems.push(problem.with_help("write `https://` in the `url`, or drop `tls`"));
    }
    let tls = fields.get("tls").and_then(|e| tls(e, problems)).unwrap_or_default();
    Some(Opa {
        url: url?,
        order,
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        health_check_interval: interval,
        token: token.map(|text| Secret(text.to_owned())),
        tls,
    })
}

pub(super) fn url(entry: &Entry, problems: &mut Vec<Problem>) -> Option<String> {
    let text = values::text(entry, problems)?;
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with('/') && !text.contains(char::is_whitespace) => {
            Some(text.trim_end_matches('/').to_owned())
        }
        _ => {
            let message =
                format!("`{}` takes an address that begins with `http://` or `https://`", entry.key);
            problems.push(Problem::new(ProblemCode::BadValue, entry.value.place, message));
            None
        }
    }
}

fn tls(entry: &Entry, problems: &mut Vec<Problem>) -> Option<OpaTls> {
    let fields = Fields::of(&entry.value, "`tls`", schema::OPA_TLS, problems)?;
    let mut path = |key: &str| fields.get(key).and_then(|e| values::text(e, problems)).map(str::to_owned);
    let tls = OpaTls { ca_file: path("ca_file"), cert_file: path("cert_file"), key_file: path("key_file") };
    if ["ca_file", "cert_file", "key_file"].iter().all(|key| fields.get(key).is_none()) {
        let problem = Problem::new(ProblemCode::Missing, entry.place, "`tls` says nothing");
        problems.push(problem.with_help("such as `ca_file: opa-ca.pem`"));
    }
    if fields.get("cert_file").is_some() != fields.get("key_file").is_some() {
        let message = "`cert_file` and `key_file` belong together";
        problems.push(Problem::new(ProblemCode::Missing, entry.place, message));
    }
    Some(tls)
}

/// `closed`, `open`, or a mapping from action classes to one of them; `default` is the class of the rest.
fn fail_mode(entry: &Entry, problems: &mut Vec<Problem>) -> FailModes {
    let Kind::Map(classes) = &entry.value.kind else {
        let default = one_of(entry, FAIL_MODES, problems).unwrap_or_default();
        return FailModes { default, classes: Vec::new() };
    };
    let mut modes = FailModes::default();
    for class in classes {
        let Some(mode) = one_of(class, FAIL_MODES, problems) else { continue };
        let name = class.key.strip_suffix('*').unwrap_or(&class.key);
        if name.contains(['*', '?', '[', ']', '{', '}', '\\']) {
            let message = "an action class is the name of an operation, or a beginning followed by one `*`";
            problems.push(Problem::new(ProblemCode::BadValue, class.place, message));
        } else if class.key == "default" {
            modes.default = mode;
        } else {
            modes.classes.push((class.key.clone(), mode));
        }
    }
    modes
}
