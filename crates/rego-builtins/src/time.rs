//! Category time. Zones come from the tz database that is compiled in, never from the machine.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use rego_value::{Number, Value};

use crate::args::{Args, wrong_type};
use crate::context::Context;
use crate::error::BuiltinError;
use crate::gotime::{self, Civil};

type Outcome = Result<Option<Value>, BuiltinError>;

const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

/// The layouts that have a name.
const NAMED: [(&str, &str); 10] = [
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", RFC3339),
    ("RFC3339Nano", RFC3339_NANO),
];

fn layout(name: &str) -> &str {
    NAMED.iter().find(|(known, _)| *known == name).map_or(name, |(_, layout)| layout)
}

/// An instant as seen in a zone.
struct Moment {
    /// Nanoseconds since 1970 began.
    ns: i64,
    /// None is UTC.
    zone: Option<TimeZone>,
    layout: String,
}

const OPERAND: &str = "either number (ns) or [number (ns), string (tz)]";

impl Moment {
    /// Reads `ns`, `[ns]`, `[ns, zone]` or `[ns, zone, layout]`.
    fn operand(args: Args<'_>, position: usize) -> Result<Self, BuiltinError> {
        let value = args.value(position)?;
        let (number, zone, layout) = match value {
            Value::Number(number) => (number, None, String::new()),
            Value::Array(parts) => {
                let first = parts.first().ok_or_else(|| wrong_type(1, value, &[OPERAND]))?;
                let number = first.as_number().ok_or_else(|| wrong_type(1, first, &["number"]))?;
                let text = |at: usize| match parts.get(at) {
                    None => Ok(""),
                    Some(part) => part.as_str().ok_or_else(|| wrong_type(1, part, &["string"])),
                };
                let zone = zone(text(1)?)?;
                (number, zone, text(2)?.to_owned())
            }
            _ => return Err(wrong_type(1, value, &[OPERAND])),
        };
        Ok(Self { ns: nanoseconds(number)?, zone, layout })
    }

    /// Seconds east of UTC at an instant, and the zone's abbreviation.
    fn offset_at(&self, seconds: i64) -> (i64, String) {
        let Some(zone) = &self.zone else { return (0, "UTC".to_owned()) };
        let Ok(timestamp) = Timestamp::from_second(seconds) else { return (0, "UTC".to_owned()) };
        let info = zone.to_offset_info(timestamp);
        (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
    }

    fn seconds(&self) -> i64 {
        self.ns.div_euclid(1_000_000_000)
    }

    /// The local date and time, with the offset and abbreviation of the zone then.
    fn local(&self) -> (Civil, i64, String) {
        let (offset, name) = self.offset_at(self.seconds());
        (Civil::from_unix(self.seconds() + offset, self.ns.rem_euclid(1_000_000_000)), offset, name)
    }

    /// The instant of a local date and time. In a gap or an overlap it is what Go takes it for.
    fn instant(&self, local: Civil) -> i64 {
        let unix = local.to_unix();
        match self.offset_at(unix).0 {
            0 => unix,
            guess => unix - self.offset_at(unix - guess).0,
        }
    }
}

fn nanoseconds(number: &Number) -> Result<i64, BuiltinError> {
    let float = number.to_float();
    let exact = if float.is_integer() { float.truncated_i64() } else { None };
    exact.ok_or_else(|| BuiltinError::new("timestamp too big"))
}

/// The database keeps what it has read.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone by its name in the tz database. `Local` is UTC: evaluation knows no machine.
fn zone(name: &str) -> Result<Option<TimeZone>, BuiltinError> {
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(None);
    }
    if name.contains("..") || name.starts_with(['/', '\\']) {
        return Err(BuiltinError::new("time: invalid location name"));
    }
    let found = ZONES.get(name).ok();
    // The database finds names in any case; Go does not.
    match found.filter(|zone| zone.iana_name() == Some(name)) {
        Some(zone) => Ok(Some(zone)),
        None => Err(BuiltinError::new(format!("unknown time zone {name}"))),
    }
}

fn from_seconds(seconds: i64, nanosecond: i64) -> Outcome {
    let ns = i128::from(seconds) * 1_000_000_000 + i128::from(nanosecond);
    match i64::try_from(ns) {
        Ok(ns) => Ok(Some(Value::from(ns))),
        Err(_) => Err(BuiltinError::new("time outside of valid range")),
    }
}

fn ints(items: impl IntoIterator<Item = i64>) -> Outcome {
    Ok(Some(Value::array(items.into_iter().map(Value::from))))
}

/// `time.now_ns`
pub(crate) fn now_ns(context: &mut Context, _: &[Value]) -> Outcome {
    Ok(Some(Value::from(context.now_ns)))
}

/// `time.parse_ns`
pub(crate) fn parse_ns(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    parse(layout(args.string(1)?), args.string(2)?)
}

/// `time.parse_rfc3339_ns`
pub(crate) fn parse_rfc3339_ns(_: &mut Context, args: &[Value]) -> Outcome {
    parse(RFC3339, Args(args).string(1)?)
}

fn parse(layout: &str, text: &str) -> Outcome {
    let (seconds, nanosecond) = gotime::parse(layout, text).map_err(BuiltinError::new)?;
    from_seconds(seconds, nanosecond)
}

/// `time.parse_duration_ns`
pub(crate) fn parse_duration_ns(_: &mut Context, args: &[Value]) -> Outcome {
    let ns = gotime::parse_duration(Args(args).string(1)?).map_err(BuiltinError::new)?;
    Ok(Some(Value::from(ns)))
}

/// `time.format`
pub(crate) fn format(_: &mut Context, args: &[Value]) -> Outcome {
    let moment = Moment::operand(Args(args), 1)?;
    let (local, offset, name) = moment.local();
    let layout = if moment.layout.is_empty() { RFC3339_NANO } else { layout(&moment.layout) };
    Ok(Some(gotime::format(local, offset, &name, layout).into()))
}

/// `time.date`
pub(crate) fn date(_: &mut Context, args: &[Value]) -> Outcome {
    let (local, ..) = Moment::operand(Args(args), 1)?.local();
    ints([local.year, local.month, local.day])
}

/// `time.clock`
pub(crate) fn clock(_: &mut Context, args: &[Value]) -> Outcome {
    let (local, ..) = Moment::operand(Args(args), 1)?.local();
    ints([local.hour, local.minute, local.second])
}

/// `time.weekday`
pub(crate) fn weekday(_: &mut Context, args: &[Value]) -> Outcome {
    let (local, ..) = Moment::operand(Args(args), 1)?.local();
    Ok(Some(gotime::weekday_name(local.weekday()).into()))
}

/// `time.add_date`
pub(crate) fn add_date(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let moment = Moment::operand(args, 1)?;
    let (years, months, days) = (args.int(2)?, args.int(3)?, args.int(4)?);
    // Far beyond what nanoseconds can tell, where seconds would still overflow.
    const FAR: i64 = 10_000_000;
    if [years, months, days].iter().any(|count| !(-FAR..=FAR).contains(count)) {
        return Err(BuiltinError::new("time outside of valid range"));
    }
    let (local, ..) = moment.local();
    let shifted =
        Civil { year: local.year + years, month: local.month + months, day: local.day + days, ..local };
    from_seconds(moment.instant(shifted), local.nanosecond)
}

/// `time.diff`: years, months, days, hours, minutes and seconds between two instants, each less than
/// the next larger unit, in the calendar of the first one's zone.
pub(crate) fn diff(_: &mut Context, args: &[Value]) -> Outcome {
    let args = Args(args);
    let first = Moment::operand(args, 1)?;
    let mut second = Moment::operand(args, 2)?;
    second.zone.clone_from(&first.zone);
    let (from, to) = if first.ns > second.ns { (second, first) } else { (first, second) };
    let ((from, ..), (to, ..)) = (from.local(), to.local());
    let mut difference = [
        to.year - from.year,
        to.month - from.month,
        to.day - from.day,
        to.hour - from.hour,
        to.minute - from.minute,
        to.second - from.second,
    ];
    // What one unit lacks it borrows from the next larger one, the smallest first.
    let sizes = [(5, 60), (4, 60), (3, 24), (2, gotime::days_in_month(from.year, from.month)), (1, 12)];
    for (unit, size) in sizes {
        if let Some([larger, smaller]) = difference.get_mut(unit - 1..=unit)
            && *smaller < 0
        {
            *smaller += size;
            *larger -= 1;
        }
    }
    ints(difference)
}
