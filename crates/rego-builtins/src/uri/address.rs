//! Addresses between the brackets of a URI, with the words of Go's `net/netip` for those that are none.

/// Whether the text is an IPv4 address; an error if it is no address at all.
///
/// # Errors
/// What is wrong, as Go says it.
pub(super) fn check(address: &[u8]) -> Result<bool, String> {
    let failed = |(problem, at): Problem<'_>| {
        let shown = super::quote_bytes;
        match at {
            [] => format!("ParseAddr({}): {problem}", shown(address)),
            at => format!("ParseAddr({}): {problem} (at {})", shown(address), shown(at)),
        }
    };
    match address.iter().find(|byte| b".:%".contains(byte)) {
        Some(b'.') => check_v4(address).map(|()| true).map_err(failed),
        Some(b':') => check_v6(address).map(|()| false).map_err(failed),
        Some(_) => Err(failed(("missing IPv6 address", &[]))),
        None => Err(failed(("unable to parse IP", &[]))),
    }
}

/// What is wrong, and from where on.
type Problem<'a> = (&'static str, &'a [u8]);

fn check_v4(text: &[u8]) -> Result<(), Problem<'_>> {
    let (mut value, mut digits, mut dots) = (0u32, 0, 0);
    for (at, byte) in text.iter().enumerate() {
        let rest = text.get(at..).unwrap_or_default();
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(("IPv4 field has octet with leading zero", &[]));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(("IPv4 field has value >255", &[]));
                }
            }
            b'.' if digits == 0 || rest.len() == 1 => {
                return Err(("IPv4 field must have at least one digit", rest));
            }
            b'.' if dots == 3 => return Err(("IPv4 address too long", &[])),
            b'.' => (value, digits, dots) = (0, 0, dots + 1),
            _ => return Err(("unexpected character", rest)),
        }
    }
    if dots < 3 { Err(("IPv4 address too short", &[])) } else { Ok(()) }
}

/// How many groups an IPv6 address has.
const GROUPS: usize = 8;

fn check_v6(text: &[u8]) -> Result<(), Problem<'_>> {
    let (mut rest, zone) = match text.iter().position(|byte| *byte == b'%') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    };
    if zone.is_some_and(<[u8]>::is_empty) {
        return Err(("zone must be a non-empty string", &[]));
    }
    let mut gap = false;
    if let Some(after) = rest.strip_prefix(b"::") {
        gap = true;
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
    let mut groups = 0;
    while groups < GROUPS {
        let digits = group(rest)?;
        if rest.get(digits) == Some(&b'.') {
            embedded_v4(rest, groups, gap)?;
            rest = &[];
            groups += 2;
            break;
        }
        groups += 1;
        rest = rest.get(digits..).unwrap_or_default();
        let Some((colon, after)) = rest.split_first() else { break };
        if *colon != b':' {
            return Err(("unexpected character, want colon", rest));
        }
        let Some(next) = after.first() else {
            return Err(("colon must be followed by more characters", rest));
        };
        rest = after;
        if *next == b':' {
            if gap {
                return Err(("multiple :: in address", rest));
            }
            gap = true;
            rest = after.get(1..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
        }
    }
    match (rest, groups < GROUPS, gap) {
        ([_, ..], ..) => Err(("trailing garbage after address", rest)),
        (_, true, false) => Err(("address string too short", &[])),
        (_, false, true) => Err(("the :: must expand to at least one field of zeros", &[])),
        _ => Ok(()),
    }
}

/// The number of digits of the group that the text begins with.
fn group(rest: &[u8]) -> Result<usize, Problem<'_>> {
    match rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() {
        0 => Err(("each colon-separated field must have at least one digit", rest)),
        digits @ 1..=4 => Ok(digits),
        _ => Err(("each group must have 4 or less digits", rest)),
    }
}

/// An IPv4 address that stands for the last two groups.
fn embedded_v4(rest: &[u8], groups: usize, gap: bool) -> Result<(), Problem<'_>> {
    if !gap && groups != GROUPS - 2 {
        return Err(("embedded IPv4 address must replace the final 2 fields of the address", rest));
    }
    if groups + 2 > GROUPS {
        return Err(("too many hex fields to fit an embedded IPv4 at the end of the address", rest));
    }
    check_v4(rest)
}
