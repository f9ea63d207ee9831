//! Files of rules that are wrong, large or hostile; rules built in Rust; and their translation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/pages.rs"]
mod pages;
mod support;
#[path = "support/told.rs"]
mod told;

use std::time::{Duration, Instant};

use guard_policy::{
    Field, LoadOptions, NewCondition, NewRule, Otherwise, PolicyFile, Problems, RuleAction, RuleSet, Rules,
    export_json, export_rego, export_yaml, load_rules, parse, rules_json_schema, rules_key_reference,
    translate,
};
use serde_json::{Value, json};
use test_support::{Folder, Random, setting};

#[test]
fn everything_wrong_is_told_at_once() {
    told::assert_told(&told::cases("rules", 5), |text| {
        if text.starts_with("policies:") {
            parse("hexarch.yaml", text).expect_err("it is wrong").to_string()
        } else {
            RuleSet::parse("rules.yaml", text).expect_err("it is wrong").to_string()
        }
    });
}

#[test]
fn the_schema_is_committed_as_it_is_generated() {
    let text = serde_json::to_string_pretty(&rules_json_schema()).unwrap();
    pages::assert_current("rules.schema.json", &format!("{text}\n"));
}

/// The page for authors, and the marks between which its tables are generated.
#[test]
fn the_list_of_keys_is_committed_as_it_is_generated() {
    const BEGIN: &str = "<!-- generated: the keys -->\n";
    let page = std::fs::read_to_string(support::root().join("docs/rules.md")).unwrap();
    let (head, _) = page.split_once(BEGIN).expect("the mark");
    pages::assert_current("rules.md", &format!("{head}{BEGIN}{}", rules_key_reference()));
}

fn told(text: &str) -> String {
    match RuleSet::parse("rules.yaml", text) {
        Ok(rules) => format!("{} rules", rules.rules().count()),
        Err(problems) => problems
            .iter()
            .map(|p| format!("{}:{} {}: {}", p.place.line, p.place.column, p.code, p.message))
            .collect(),
    }
}

fn rules_of(when: &str) -> String {
    format!("id: a\nrules:\n  - id: r\n    action: block\n    when: {when}\n")
}

#[test]
fn what_nests_too_deep_is_refused() {
    let nested = |depth: usize| {
        format!("{}{{field: operation, equals: a}}{}", "{not: ".repeat(depth), "}".repeat(depth))
    };
    assert_eq!(told(&rules_of(&nested(15))), "1 rules");
    assert!(told(&rules_of(&nested(16))).starts_with("5:"), "{}", told(&rules_of(&nested(16))));
    assert!(told(&rules_of(&nested(16))).ends_with("too_large: conditions nest deeper than 16"));
    for depth in [100, 100_000] {
        assert!(told(&rules_of(&nested(depth))).contains("nest deeper than 64"), "{depth}");
    }
}

#[test]
fn aliases_do_not_explode() {
    let mut text = String::from("id: a\nmetadata: &a0 {field: operation, equals: x}\n");
    for level in 1..20 {
        let parts = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("m{level}: &a{level} {{all: [{parts}]}}\n"));
    }
    let begun = Instant::now();
    assert!(RuleSet::parse("rules.yaml", &text).unwrap_err().to_string().contains("its aliases unfolded"));
    // Within what YAML may unfold to there can still be more conditions than anybody wrote.
    let many = vec!["*one"; 20_000].join(", ");
    let text = format!(
        "id: a\nrules:\n  - {{id: q, action: block, when: &one {{field: operation, equals: x}}}}\n  - id: r\n    \
         action: block\n    when: {{all: [{many}]}}\n"
    );
    assert!(told(&text).contains("the rules have more than 10000 conditions"), "{}", told(&text));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn fifty_megabytes_are_refused_unread() {
    let folder = Folder::new("rules");
    let path = folder.write("rules.yaml", vec![b' '; 50_000_000]);
    let options = LoadOptions { allow_writable_by_others: true, ..LoadOptions::default() };
    let error = RuleSet::load(&path, &options).unwrap_err().to_string();
    assert!(error.contains("50000000 bytes; at most 8000000"), "{error}");
}

#[test]
fn no_text_breaks_the_reader() {
    let sources: Vec<String> =
        told::cases("rules", 5).iter().map(|case| std::fs::read_to_string(case).unwrap()).collect();
    let sound = std::fs::read_to_string(support::root().join("docs/rules.md")).unwrap();
    let seed = setting("SEED", 1);
    println!("SEED={seed}");
    let mut random = Random::new(seed);
    let pieces = [
        ":",
        "-",
        "\n",
        "  ",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "#",
        "|",
        "é",
        "\u{0}",
        "all: ",
        "not: ",
        "field: ",
        "context.",
        "[0]",
        "equals: ",
        "in: [",
        "regex: (",
        "between: [1, ",
        "1e9",
        "null",
        "action: block",
    ];
    for _ in 0..setting("CASES", 1500) {
        let mut chars: Vec<char> = random.pick(&sources).chars().chain(example(&sound).chars()).collect();
        for _ in 0..=random.below(5) {
            let at = random.below(chars.len());
            if random.one_in(2) {
                chars.splice(at..at, random.text(&pieces).chars());
            } else {
                chars.drain(at..(at + 1 + random.below(30)).min(chars.len()));
            }
        }
        let text: String = chars.into_iter().collect();
        match RuleSet::parse("rules.yaml", &text) {
            Ok(rules) => assert!(!translate(rules.file()).modules().is_empty()),
            Err(problems) => {
                let lines = text.lines().count().max(1) + 1;
                assert!(problems.iter().all(|p| (1..=lines).contains(&p.place.line)), "{text}\n{problems}");
            }
        }
    }
}

/// The first YAML of the page for authors.
fn example(page: &str) -> &str {
    page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0
}

fn all_operators() -> Result<RuleSet, Problems> {
    let at = |name: &str| Field::at(format!("context.{name}"));
    let parts = [
        at("a").equals("x: y"),
        at("a").not_equals(-5),
        at("a").is_in(["a", "true", "7"]),
        at("a").not_in([1.5, -2.0]),
        at("a").greater_than(5),
        at("a").at_least(5_u64),
        at("a").less_than(1e300),
        at("a").at_most(0.25),
        at("a").between(1, 2),
        at("a").contains(true),
        at("a").not_contains("\"quoted\"\n"),
        at("a").starts_with("#"),
        at("a").ends_with(" "),
        at("a").regex(r"^\d+$"),
        at("a").exists(),
        at("a").is_missing(),
        at("a").is_true(),
        at("a").is_false(),
        at("a").satisfies("long"),
        NewCondition::any([at("b").exists(), Field::at("operation").equals("delete").negated()]),
    ];
    RuleSet::builder("built")
        .description("made\nin Rust")
        .otherwise(Otherwise::Block)
        .functions("long(value) := count(value) > 5")
        .rule(
            NewRule::new("all", NewCondition::all(parts))
                .name("Everything")
                .description("yes: no")
                .priority(7)
                .metadata(json!({"team": "a", "n": [1, null]}).as_object().unwrap())
                .action(RuleAction::RequireConfirmation)
                .action(RuleAction::Warn),
        )
        .rule(NewRule::new("off", at("a").exists()).enabled(false).action(RuleAction::Block))
        .build()
}

#[test]
fn what_is_built_in_rust_is_what_a_file_says() {
    let built = all_operators().unwrap();
    let yaml = built.to_yaml();
    let read = RuleSet::parse("rules.yaml", &yaml).unwrap();
    assert_eq!(translate(built.file()).modules(), translate(read.file()).modules());
    let json = RuleSet::parse("rules.yaml", &built.to_json()).unwrap();
    assert_eq!(json.to_yaml(), yaml);
    assert_eq!(built.rules().count(), 2);
    let rule = built.rule("all").unwrap();
    assert_eq!((rule.priority(), rule.name(), rule.description()), (7, Some("Everything"), Some("yes: no")));
    let operators: Vec<&str> = rule.when().conditions().iter().map(|part| part.operator()).collect();
    assert_eq!(
        operators,
        [
            "equals",
            "not_equals",
            "in",
            "not_in",
            "greater_than",
            "gte",
            "less_than",
            "lte",
            "between",
            "contains",
            "not_contains",
            "starts_with",
            "ends_with",
            "regex",
            "exists",
            "exists",
            "is_true",
            "is_false",
            "function",
            "any"
        ]
    );
}

#[test]
fn nothing_can_be_built_that_a_file_could_not_say() {
    let at = || Field::at("context.a");
    let wrong = [
        (at().greater_than("5"), "`greater_than` takes a number, found the text `5`"),
        (at().equals(f64::NAN), "`equals` takes a text, a number, `true` or `false`, found nothing"),
        (at().between(2, 1), "the bounds of `between` are the wrong way round"),
        (at().regex("("), "is not a regular expression"),
        (at().satisfies("nobody"), "there is no function `nobody` of one argument"),
        (at().is_in(Vec::<&str>::new()), "`in` must not be an empty list"),
        (Field::at("a..b").exists(), "a name is missing beside a `.`"),
        (Field::at("operation").greater_than(5), "`operation` is a text, and this compares a number"),
        (NewCondition::all([]), "`all` must not be an empty list"),
    ];
    for (when, expected) in wrong {
        let built = RuleSet::builder("a").rule(NewRule::new("r", when).action(RuleAction::Block)).build();
        let told = built.unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
    let rule = |id: &str| NewRule::new(id, at().exists()).action(RuleAction::Block);
    for (built, expected) in [
        (RuleSet::builder("a b").rule(rule("r")), "`id` takes up to 128 letters"),
        (RuleSet::builder("a"), "`rules` must not be an empty list"),
        (RuleSet::builder("a").rule(rule("r")).rule(rule("r")), "the rule id `r` is taken"),
        (RuleSet::builder("a").rule(rule("r").action(RuleAction::Allow)), "`block` leaves nothing"),
        (RuleSet::builder("a").rule(NewRule::new("r", at().exists())), "does not say what is to happen"),
        (RuleSet::builder("a").rule(rule("r").action(RuleAction::Throttle)), "has no action `throttle`"),
        (RuleSet::builder("a").functions("f(x) :=").rule(rule("r")), "line 1 of `functions`: unexpected eof"),
    ] {
        let told = built.build().unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn rules_of_one_priority_are_warned_of() {
    let rule = |id: &str, priority: &str| {
        format!("  - {{id: {id}, {priority} action: warn, when: {{field: operation, exists: true}}}}\n")
    };
    let text = format!(
        "id: a\nrules:\n{}{}{}{}",
        rule("first", "priority: 5,"),
        rule("plain", ""),
        rule("second", "priority: 5,"),
        rule("also", "")
    );
    let rules = RuleSet::parse("rules.yaml", &text).unwrap();
    let order: Vec<&str> = rules.rules().map(|rule| rule.id()).collect();
    assert_eq!(order, ["first", "second", "plain", "also"]);
    let warnings: Vec<String> =
        rules.file().warnings().iter().map(|warning| warning.render("rules.yaml")).collect();
    assert_eq!(
        warnings,
        [
            "rules.yaml:5:5: warning[same_priority]: policy `a`: rule `second` on line 5: its priority 5 is that of rule \
          `first` on line 3, which is asked first since it stands first"
        ]
    );
}

#[test]
fn rules_stand_beside_policies_of_another_id() {
    let rules = all_operators().unwrap();
    let file = parse("hexarch.yaml", "policies: [{id: other, requires_confirmation: true}]").unwrap();
    let file = file.with_rules(&rules).unwrap();
    let ids: Vec<&str> = file.policies().iter().map(|policy| policy.id()).collect();
    assert_eq!(ids, ["other", "built"]);
    let told = file.with_rules(&rules).unwrap_err().to_string();
    assert!(told.contains("the policy id `built` is taken"), "{told}");
}

#[test]
fn exports_say_the_same() {
    let file = PolicyFile::without_policies().with_rules(&all_operators().unwrap()).unwrap();
    let policy = &file.policies()[0];
    for text in [export_yaml(policy), export_json(policy)] {
        let again = parse("hexarch.yaml", &text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        assert_eq!(again.policies()[0].conditions().unwrap().rules().count(), 2);
    }
    assert!(!export_rego(&file, policy).contains("import"));
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_what_is_built_passes_opa_check_and_fmt() {
    let rules = all_operators().unwrap();
    let folder = Folder::new("rules-clean");
    for module in translate(rules.file()).modules() {
        folder.write(module.name(), module.text());
    }
    let alone = Folder::new("rules-alone");
    alone.write("policy.rego", export_rego(rules.file(), &rules.file().policies()[0]));
    for path in [folder.path(), alone.path()] {
        for arguments in [vec!["check", "--strict"], vec!["fmt", "--fail", "--diff"]] {
            support::run(support::opa(), &arguments, &[path])
                .unwrap_or_else(|told| panic!("{arguments:?}: {told}"));
        }
    }
}

#[test]
#[ignore = "needs OPA"]
fn needs_opa_the_schema_takes_what_the_reader_takes_and_refuses_what_it_refuses() {
    let with = |when: Value| json!({"id": "a", "rules": [{"id": "r", "action": "block", "when": when}]});
    let built: Value = serde_json::from_str(&all_operators().unwrap().to_json()).unwrap();
    let cases = [
        (built, true),
        (with(json!({"field": "operation", "equals": "a"})), true),
        (with(json!({"field": "context.a", "gt": 5})), true),
        (with(json!({"field": "context.a", "gt": "5"})), false),
        (with(json!({"field": "context.a", "gt": 5, "lt": 7})), false),
        (with(json!({"field": "context.a"})), false),
        (with(json!({"equals": "a"})), false),
        (with(json!({"all": []})), false),
        (with(json!({"not": {"any": [{"field": "context.a", "between": [1, 2]}]}})), true),
        (with(json!({"not": {"any": [{"field": "context.a", "between": [1]}]}})), false),
        (with(json!({"all": [{"field": "context.a", "is_true": true}], "any": []})), false),
        (with(json!({"field": "context.a", "is_true": false})), false),
        (with(json!({"field": "context.a", "greter_than": 5})), false),
        (json!({"id": "a", "rules": [{"id": "r", "action": "block"}]}), false),
        (json!({"rules": []}), false),
        (json!({"id": "a", "otherwise": "deny", "rules": []}), false),
    ];
    for (document, sound) in &cases {
        let read = RuleSet::parse("rules.json", &document.to_string());
        assert_eq!(read.is_ok(), *sound, "{document}: {read:?}");
    }
    pages::assert_schema(&rules_json_schema(), &cases);
}

#[test]
fn who_approves_is_said_of_all_rules_and_of_one() {
    let text = "id: a\napprovers: ['@lead']\nfour_eyes: true\nrules:\n  - id: r\n    action: require_confirmation\n    \
                when: {field: operation, equals: x}\n    approvals: 2\n";
    let rules = RuleSet::parse("rules.yaml", text).unwrap();
    let rule = rules.rule("r").unwrap();
    assert_eq!((rule.approvers(), rule.four_eyes(), rule.approvals()), (None, None, Some(2)));
    let built = RuleSet::builder("a")
        .approvers(["@lead"])
        .four_eyes(true)
        .rule(
            NewRule::new("r", Field::at("operation").equals("x"))
                .action(RuleAction::RequireConfirmation)
                .approvals(2),
        )
        .build()
        .unwrap();
    let rego = |rules: &RuleSet| export_rego(rules.file(), &rules.file().policies()[0]);
    assert!(rego(&rules).contains("\"confirm\": {\"approvals\": 2},"), "{}", rego(&rules));
    assert!(rego(&rules).contains("{\"policy\": \"a\", \"approvers\": [\"@lead\"], \"four_eyes\": true}"));
    let lines = |text: &str| {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&rego(&built)), lines(&rego(&rules)));
    // It comes back from what it is written as.
    let again = RuleSet::parse("rules.yaml", &built.to_yaml()).unwrap();
    assert_eq!(lines(&rego(&again)), lines(&rego(&rules)));
}

#[test]
fn rules_are_found_in_a_policy() {
    let folder = Folder::new("rules");
    let text = "policies:\n  - id: plain\n    requires_confirmation: true\n  - id: both\n    approvers: [ann]\n    rules:\n      \
                - {id: calls, requests_per_minute: 5}\n    conditions:\n      - {id: r, when: {field: operation, equals: x}, \
                action: require_confirmation}\n    otherwise: block\n";
    let path = folder.write("hexarch.yaml", text);
    let Rules::Policies(file) = load_rules(&path, &LoadOptions::default()).unwrap() else {
        panic!("no policies")
    };
    assert!(RuleSet::of_policy(&file, "plain").is_none() && RuleSet::of_policy(&file, "nobody").is_none());
    let rules = RuleSet::of_policy(&file, "both").unwrap();
    assert_eq!((rules.id(), rules.rules().count()), ("both", 1));
    let rego = export_rego(rules.file(), &rules.file().policies()[0]);
    assert!(rego.contains("\"approvers\": [\"ann\"]") && !rego.contains("requests_per_minute"), "{rego}");
    // As a file of its own it says the same.
    let own = folder.write("rules.yaml", rules.to_yaml());
    let Rules::Set(own) = load_rules(&own, &LoadOptions::default()).unwrap() else { panic!("no rules") };
    assert_eq!((own.id(), own.rules().count()), ("both", 1));
    let wrong = folder.write("wrong.yaml", "policies: [{id: a}]\n");
    assert!(load_rules(&wrong, &LoadOptions::default()).is_err());
    assert!(load_rules(folder.write("none.yaml", ""), &LoadOptions::default()).is_err());
}
