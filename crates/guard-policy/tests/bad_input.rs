//! YAML that is not ours: each text is refused with its line and what to do about it, or means what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use guard_policy::{LimitKind, parse};

/// A file of one policy with these lines in a rule.
fn rule(lines: &str) -> String {
    format!("policies:\n  - id: p\n    rules:\n      - {}\n", lines.replace('\n', "\n        "))
}

/// What is told about a text, each problem in one line without its help.
fn told(text: &str) -> Vec<String> {
    match parse("h", text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .iter()
            .map(|p| {
                let help = p.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
                format!("{}:{} {}: {}{help}", p.place.line, p.place.column, p.code, p.message)
            })
            .collect(),
    }
}

#[test]
fn hours_and_days_that_cannot_be() {
    for (lines, expected) in [
        ("allowed_hours: \"22:00-22:00\"", "`22:00-22:00` is empty; a whole day is `00:00-24:00`"),
        ("allowed_hours: \"25:00-26:00\"", "`25:00` is not a time of day"),
        ("allowed_hours: \"09:60-10:00\"", "`09:60` is not a time of day"),
        ("allowed_hours: \"24:00-06:00\"", "`24:00` can only be an end"),
        ("allowed_hours: \"9-17\"", "`9` is not a time of day"),
        ("allowed_hours: 09:00", "`09:00` has no `-` between two times"),
        ("allowed_hours: []", "`allowed_hours` must not be an empty list"),
        ("forbidden_days: funday", "`funday` is not a day of the week (did you mean `sunday`?)"),
        ("forbidden_days: [mon, Monday]", "`Monday` stands in `forbidden_days` twice"),
    ] {
        let told = told(&rule(lines));
        assert!(
            told.len() == 1 && told[0].starts_with("4:") && told[0].contains(expected),
            "{lines}: {told:?}"
        );
    }
    let zone = told("timezone: Europe/Berln\npolicies: []\n");
    assert_eq!(
        zone,
        ["1:11 unknown_value: `Europe/Berln` is not a timezone (did you mean `Europe/Berlin`?)"]
    );
}

#[test]
fn numbers_that_cannot_be() {
    for (lines, expected) in [
        ("monthly_budget: -10", "`monthly_budget` must not be negative"),
        ("monthly_budget: \"10\"", "(write `monthly_budget: 10`)"),
        ("monthly_budget: $10", "(write `monthly_budget: 10`)"),
        ("monthly_budget: .inf", "takes a number of dollars"),
        ("monthly_budget: 1e3", "takes plain digits, without an exponent"),
        ("monthly_budget: 0.0000001", "takes up to six digits after the point"),
        ("requests_per_hour: 0", "to forbid every call, write `action: block`"),
        ("requests_per_hour: -1", "takes a whole number from 1"),
        ("requests_per_hour: 1.5", "takes a whole number from 1"),
        ("requests_per_hour: 99999999999999999999", "takes a whole number from 1"),
        ("concurrent_limit: 0x10", "takes a whole number of calls"),
        ("max_tokens_per_hour: many", "takes a whole number of tokens"),
        ("timeout_seconds: 0", "takes 0.001 to 86400 seconds"),
        ("parameter: n\nmin: 007", "takes a number such as 5 or -0.5, found `007`"),
        ("parameter: n\nmin: 5\nmax: 4", "`max` is below `min`"),
        ("parameter: n\nmax: 5\nmax_length: 4", "`max_length` is of texts and lists"),
        ("parameter: n\naction: block", "the rule names a parameter and does not bound it"),
        ("max: 5", "`max` bounds a `parameter`, and the rule names none"),
        ("requests_per_hour: 5\nwarn_at_percentage: 0.8", "(write `warn_at_percentage: 80`)"),
    ] {
        let told = told(&rule(lines));
        assert!(told.iter().any(|line| line.contains(expected)), "{lines}: {told:?}");
        assert!(told.iter().all(|line| line.starts_with(['4', '5', '6'])), "{lines}: {told:?}");
    }
}

#[test]
fn texts_that_cannot_be() {
    for (lines, expected) in [
        ("operation: 5\naction: block", "put it in quotes if it is meant as a text"),
        ("operation: true\naction: block", "put it in quotes if it is meant as a text"),
        ("operation: \"\"\naction: block", "must not be empty"),
        ("allowed_users: \"@amin\"", "`@amin` is nothing that a caller can be (did you mean `@admin`?)"),
        ("allowed_users: [ann, ann]", "`ann` stands in `allowed_users` twice"),
        ("allowed_users: []", "must not be an empty list"),
        ("allowed_users: {ann: 1}", "takes a text or a list of texts"),
        ("enabled: false", "switches a feature, and needs a `feature`"),
        ("feature: x\nenabled: \"no\"", "write `false`, without quotes"),
        ("action: queu", "there is no action `queu`"),
    ] {
        let told = told(&rule(lines));
        assert!(told.iter().any(|line| line.contains(expected)), "{lines}: {told:?}");
    }
}

#[test]
fn what_stands_there_twice() {
    let keys = told("policies:\n  - id: a\n    id: b\n    requires_confirmation: true\n");
    assert_eq!(keys, ["3:5 duplicate: the key `id` stands here a second time (it is on line 2 already)"]);
    let ids = told(
        "policies:\n  - {id: a, requires_confirmation: true}\n  - {id: a, requires_confirmation: true}\n",
    );
    assert_eq!(ids, ["3:10 duplicate: the policy id `a` is taken (the policy on line 2 has it)"]);
    let rules = told(
        &rule("{id: r, action: block}\n")
            .replace("{id: r, action: block}\n", "{id: r, action: block}\n      - {id: r, action: warn}\n"),
    );
    assert!(rules.len() == 1 && rules[0].contains("the rule id `r` is taken"), "{rules:?}");
}

#[test]
fn marks_and_line_ends() {
    let text = "policies:\n  - id: p\n    rules:\n      - requests_per_hour: 5\n";
    for sound in [
        format!("\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{}", text.replace('\n', "\r\n")),
    ] {
        let file = parse("h", &sound).unwrap();
        assert_eq!(file.policies()[0].rules()[0].limits()[0].kind(), LimitKind::Rate);
    }
    let wrong = told(&format!(
        "\u{feff}{}",
        text.replace('\n', "\r\n").replace("requests_per_hour", "requests_per_our")
    ));
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].starts_with("4:9 unknown_key") && wrong[0].contains("did you mean `requests_per_hour`?"),
        "{wrong:?}"
    );
    for tab in [text.replace("    rules", "\trules"), text.replace("  - id", "\t- id")] {
        let told = told(&tab);
        assert!(told.len() == 1 && told[0].contains("syntax"), "{told:?}");
    }
    assert_eq!(told(""), ["1:1 missing: the file is empty"]);
    assert_eq!(told("# nothing\n---\n"), ["1:1 missing: the file is empty"]);
}

#[test]
fn anchors_and_merge_keys_are_bounded_and_mean_what_they_say() {
    let shared = "
policies:
  - id: a
    rules:
      - &base {operation: delete, requests_per_hour: 5}
      - {<<: *base, id: other, requests_per_hour: 6}
";
    let file = parse("h", shared).unwrap();
    let limits: Vec<u64> = file.policies()[0].rules().iter().map(|rule| rule.limits()[0].max()).collect();
    assert_eq!(limits, [5, 6]);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let told = told(&bomb);
    assert!(
        told.iter().any(|line| line.contains("too_large") && line.contains("its aliases unfolded")),
        "{told:?}"
    );
}
