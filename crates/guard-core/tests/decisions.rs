//! Decision texts, and what becomes of each.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use guard_core::{Action, Algorithm, ChargeKind, Decision, Quantity};

/// What a text is read as: the decision's action, or the message of the error.
fn read(text: &str) -> String {
    match Decision::from_json(text.as_bytes()) {
        Ok(decision) => decision.action.to_string(),
        Err(malformed) => malformed.to_string(),
    }
}

#[test]
fn the_table() {
    let table = [
        (r#"{"allowed": true, "action": "allow", "reason": ""}"#, "allow"),
        (r#"{"allowed": true, "action": "warn", "reason": "80 % used"}"#, "warn"),
        (r#"{"allowed": false, "action": "block", "reason": "no"}"#, "block"),
        (r#"{"allowed": false, "action": "throttle", "reason": "no", "retry_after_ms": 1e3}"#, "throttle"),
        (
            r#"{"allowed": false, "action": "require_confirmation", "reason": "sure?"}"#,
            "require_confirmation",
        ),
        ("", "the decision is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{", "the decision is not JSON: EOF while parsing an object at line 1 column 1"),
        ("{} {}", "the decision is not JSON: trailing characters at line 1 column 4"),
        ("{}", "the decision has no `allowed`"),
        ("null", "the decision must be an object, found null"),
        ("true", "the decision must be an object, found the boolean `true`"),
        ("[]", "the decision must be an object, found the array `[]`"),
        (r#"{"allow": false}"#, "the decision has no `allowed`"),
        (r#"{"allowed": true}"#, "the decision has no `action`"),
        (r#"{"allowed": true, "action": "allow"}"#, "the decision has no `reason`"),
        (
            r#"{"allowed": "false", "action": "block", "reason": ""}"#,
            "`allowed` of the decision must be true or false, found the string `\"false\"`",
        ),
        (
            r#"{"allowed": 1, "action": "allow", "reason": ""}"#,
            "`allowed` of the decision must be true or false, found the number `1`",
        ),
        (
            r#"{"allowed": null, "action": "allow", "reason": ""}"#,
            "`allowed` of the decision must be true or false, found null",
        ),
        (
            r#"{"allowed": true, "action": "block", "reason": ""}"#,
            "the decision contradicts itself: `allowed` is true and `action` is `block`",
        ),
        (
            r#"{"allowed": true, "action": "throttle", "reason": ""}"#,
            "the decision contradicts itself: `allowed` is true and `action` is `throttle`",
        ),
        (
            r#"{"allowed": true, "action": "require_confirmation", "reason": ""}"#,
            "the decision contradicts itself: `allowed` is true and `action` is `require_confirmation`",
        ),
        (
            r#"{"allowed": false, "action": "allow", "reason": ""}"#,
            "the decision contradicts itself: `allowed` is false and `action` is `allow`",
        ),
        (
            r#"{"allowed": true, "action": "Allow", "reason": ""}"#,
            "`action` of the decision is `Allow`, which is none of `allow`, `warn`, `queue`, `throttle`, `block`, \
             `require_confirmation`",
        ),
        (
            r#"{"allowed": true, "action": "allow", "reason": 5}"#,
            "`reason` of the decision must be a string, found the number `5`",
        ),
        (
            r#"{"allowed": true, "action": "allow", "reason": "", "chargse": []}"#,
            "the decision has the unknown field `chargse`; what is only informative belongs under `metadata`",
        ),
        (
            r#"{"allowed": false, "allowed": true, "action": "allow", "reason": ""}"#,
            "the decision has the field `allowed` twice",
        ),
        (
            r#"{"allowed": false, "action": "throttle", "reason": "", "retry_after_ms": -1}"#,
            "`retry_after_ms` of the decision is out of range: the number `-1`",
        ),
        (
            r#"{"allowed": true, "action": "allow", "reason": "", "metadata": []}"#,
            "`metadata` of the decision must be an object, found the array `[]`",
        ),
        (
            r#"{"allowed": true, "action": "allow", "reason": "", "charges": {}}"#,
            "`charges` of the decision must be an array of charges, found the object `{}`",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), expected, "{text}");
    }
}

fn with_charge(charge: &str) -> String {
    format!(r#"{{"allowed": true, "action": "allow", "reason": "", "charges": [{charge}]}}"#)
}

#[test]
fn charges_are_exact_or_refused() {
    let table = [
        (r#"{"limit":"l","key":"k","window":"w","amount":5,"max":10}"#, "allow"),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5.0,"max":1e1,"kind":"rate","reset_ms":60000}"#,
            "allow",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":0.5,"max":10}"#,
            "`amount` of `charges[0]` must be a whole number of units within 64 bits, found the number `0.5`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":-5,"max":10}"#,
            "`amount` of `charges[0]` is out of range: the number `-5`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":1e400,"max":10}"#,
            "`amount` of `charges[0]` is out of range: the number `1e400`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":"5","max":10}"#,
            "`amount` of `charges[0]` must be a number, found the string `\"5\"`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5,"max":99999999999999999999}"#,
            "`max` of `charges[0]` must be a whole number of units within 64 bits, found the number \
             `99999999999999999999`",
        ),
        (r#"{"limit":"l","key":"k","amount":5,"max":10}"#, "`charges[0]` has no `window`"),
        ("7", "`charges[0]` must be an object, found the number `7`"),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5,"max":10,"kind":"loan"}"#,
            "`kind` of `charges[0]` is `loan`, which is none of `budget`, `rate`, `concurrency`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5,"max":10,"algorithm":"leaky"}"#,
            "`algorithm` of `charges[0]` is `leaky`, which is none of `fixed`, `sliding`, `bucket`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5,"max":10,"algorithm":"sliding"}"#,
            "`charges[0]` has no `span_ms`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5,"max":10,"span_ms":7}"#,
            "`charges[0]` has the unknown field `span_ms`; what is only informative belongs under `metadata`",
        ),
        (
            r#"{"limit":"l","key":"k","window":"w","amount":5,"max":10,"maximum":1}"#,
            "`charges[0]` has the unknown field `maximum`; what is only informative belongs under `metadata`",
        ),
    ];
    for (charge, expected) in table {
        assert_eq!(read(&with_charge(charge)), expected, "{charge}");
    }
}

#[test]
fn every_field_arrives() {
    let text = r#"{"allowed": true, "action": "warn", "reason": "r\u00e9", "severity": "high", "limit": "l",
        "remaining": -0.25, "retry_after_ms": 1500, "confirm": {"ask": 1}, "metadata": {"n": 1e500},
        "charges": [{"limit":"l","key":"k","window":"w","amount":7,"max":10,"kind":"rate","reset_ms":60000},
        {"limit":"l","key":"k","window":"w","amount":7,"max":10,"algorithm":"bucket","span_ms":5,"warn_at":8}]}"#;
    let decision = Decision::from_json(text.as_bytes()).unwrap();
    assert!(decision.allowed);
    assert_eq!(decision.action, Action::Warn);
    assert_eq!(decision.reason, "ré");
    assert_eq!(decision.severity.unwrap().0, "high");
    assert_eq!(decision.limit.as_deref(), Some("l"));
    assert_eq!(decision.remaining.unwrap().to_string(), "-0.25");
    assert_eq!(decision.retry_after, Some(Duration::from_millis(1500)));
    assert_eq!(decision.confirm.unwrap().as_str(), r#"{"ask": 1}"#);
    assert_eq!(decision.metadata.unwrap().as_str(), r#"{"n": 1e500}"#);
    let [charge, bucket] = &*decision.charges else { panic!("two charges") };
    assert_eq!(bucket.algorithm, Algorithm::Bucket(Duration::from_millis(5)));
    assert_eq!((bucket.kind, bucket.warn_at), (ChargeKind::Budget, Some(Quantity::new(8))));
    assert_eq!(charge.cell.to_string(), "l/k/w");
    assert_eq!((charge.amount, charge.max), (Quantity::new(7), Quantity::new(10)));
    assert_eq!(charge.kind, ChargeKind::Rate);
    assert_eq!(charge.resets_in, Some(Duration::from_secs(60)));
}

/// Nothing that a broken sidecar can send may panic or take long.
#[test]
fn hostile_texts_are_only_malformed() {
    let deep = format!(
        r#"{{"allowed": true, "action": "allow", "reason": "", "metadata": {}1{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for text in
        [deep.as_bytes(), b"\xff\xfe", b"{\"allowed\": tru", &[b'['; 100_000][..], b"{\"\\ud800\": 1}"]
    {
        assert!(Decision::from_json(text).is_err());
    }
}
