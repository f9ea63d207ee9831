//! Amounts in smaller units.
#![allow(clippy::unwrap_used, reason = "tests")]

use guard_core::Amount;

#[test]
fn an_amount_is_rounded_up_to_whole_units() {
    let rows = [
        ("0", Some(0)),
        ("1", Some(1_000_000)),
        ("0.3000001", Some(300_001)),
        ("0.300000", Some(300_000)),
        ("0.0000000000000000000000000001", Some(1)),
        ("-0.3000001", Some(-300_000)),
        ("9223372036854.775807", Some(i64::MAX)),
        ("9223372036854.775808", None),
        ("99999999999999999999999999999999", None),
    ];
    for (text, units) in rows {
        assert_eq!(text.parse::<Amount>().unwrap().rounded_up(6), units, "{text}");
    }
}
