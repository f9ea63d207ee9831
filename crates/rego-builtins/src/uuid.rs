//! Category uuid.

use rego_value::Value;

use crate::args::Args;
use crate::context::Context;
use crate::encoding::hex;
use crate::error::BuiltinError;

type Outcome = Result<Option<Value>, BuiltinError>;

/// `uuid.rfc4122`: a random UUID, the same for the same text within one evaluation.
pub(crate) fn rfc4122(context: &mut Context, args: &[Value]) -> Outcome {
    let question = format!("uuid {}", Args(args).value(1)?);
    let answer = context.once(question, |context| {
        let high = context.random() & !0xf000 | 0x4000;
        let low = context.random() >> 2 | 1 << 63;
        Value::from(format_id(u128::from(high) << 64 | u128::from(low)))
    });
    Ok(Some(answer))
}

fn format_id(id: u128) -> String {
    let digits = format!("{id:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    parts.join("-")
}

/// The forms that Go's `uuid.Parse` takes: plain, `urn:uuid:`, in braces (or any two characters), and
/// without hyphens.
fn parse_id(text: &str) -> Option<[u8; 16]> {
    let plain = match text.len() {
        36 => text,
        45 if text.get(..9)?.eq_ignore_ascii_case("urn:uuid:") => text.get(9..)?,
        38 => text.get(1..37)?,
        32 => return from_hex(text),
        _ => return None,
    };
    let hyphens = [8, 13, 18, 23];
    if hyphens.iter().any(|at| plain.as_bytes().get(*at) != Some(&b'-')) {
        return None;
    }
    let digits: Vec<&str> = [0..8, 9..13, 14..18, 19..23, 24..36]
        .into_iter()
        .map(|range| plain.get(range))
        .collect::<Option<_>>()?;
    from_hex(&digits.concat())
}

fn from_hex(digits: &str) -> Option<[u8; 16]> {
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)
}

fn field(bytes: &[u8]) -> i64 {
    bytes.iter().fold(0, |value, byte| value << 8 | i64::from(*byte))
}

/// 100 ns steps from 1582-10-15 to 1970-01-01.
const GREGORIAN: i64 = 122_192_928_000_000_000;

/// `uuid.parse`: undefined for what is no UUID.
pub(crate) fn parse(_: &mut Context, args: &[Value]) -> Outcome {
    let Some(id) = parse_id(Args(args).string(1)?) else { return Ok(None) };
    let [t0, t1, t2, t3, t4, t5, t6, t7, c0, c1, node @ ..] = id;
    let version = i64::from(t6 >> 4);
    let variant = match c0 {
        0x80..=0xbf => "RFC4122",
        0xc0..=0xdf => "Microsoft",
        0xe0..=0xff => "Future",
        _ => "Reserved",
    };
    let mut members = vec![("version", Value::from(version)), ("variant", Value::from(variant))];
    if matches!(version, 1 | 2) {
        let steps = field(&[t6 & 0x0f, t7, t4, t5, t0, t1, t2, t3]) - GREGORIAN;
        // Go splits into seconds and nanoseconds first; the product is the same, wrapped around.
        members.push(("time", Value::from(steps.wrapping_mul(100))));
        let node_text: Vec<String> = node.iter().map(|byte| hex(&[*byte])).collect();
        members.push(("nodeid", Value::from(node_text.join("-"))));
        let [first, ..] = node;
        members.push(("macvariables", Value::from(mac_variables(first))));
        members.push(("clocksequence", Value::from(field(&[c0 & 0x3f, c1]))));
    }
    if version == 2 {
        members.push(("id", Value::from(field(&[t0, t1, t2, t3]))));
        let domain = match c1 {
            0 => "Person".to_owned(),
            1 => "Group".to_owned(),
            2 => "Org".to_owned(),
            other => format!("Domain{other}"),
        };
        members.push(("domain", Value::from(domain)));
    }
    Ok(Some(Value::object(members.into_iter().map(|(key, value)| (Value::from(key), value)))))
}

fn mac_variables(first: u8) -> &'static str {
    match first & 0b11 {
        0b11 => "local:multicast",
        0b01 => "global:multicast",
        0b10 => "local:unicast",
        _ => "global:unicast",
    }
}
