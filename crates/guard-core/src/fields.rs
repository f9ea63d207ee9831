//! The fields of an object that is read strictly: each is known, there once, and of its type.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::amount::{Amount, Quantity, shorten};
use crate::charge::{Algorithm, Charge, ChargeKind};
use crate::decision::{ACTIONS, Action, UnknownActionName};
use crate::document::{Document, Named, Names, Shape};
use crate::json::Json;
use crate::malformed::{
    DuplicateField, MalformedDecision, MissingField, NotAnObject, NotJson, OutOfRange, UnknownAction,
    UnknownField, WrongType,
};
use crate::names::CellNames;

/// The fields of an object that have not been read yet.
pub(crate) struct Fields<'p, D, const N: usize> {
    place: &'p dyn fmt::Display,
    known: &'static Names<N>,
    found: [Option<D>; N],
    /// The first of the names that nobody knows.
    unknown: Option<String>,
}

/// A field and the object it stands in, for messages.
pub(crate) struct At<'a> {
    place: &'a dyn fmt::Display,
    field: &'static str,
}

impl At<'_> {
    #[cold]
    fn wrong(&self, expected: &'static str, value: impl Document) -> MalformedDecision {
        WrongType {
            place: self.place.to_string(),
            field: self.field.to_owned(),
            expected,
            found: describe(value),
        }
        .into()
    }

    #[cold]
    fn out_of_range(&self, value: impl Document) -> MalformedDecision {
        OutOfRange { place: self.place.to_string(), field: self.field.to_owned(), found: describe(value) }
            .into()
    }
}

impl<'p, D: Document, const N: usize> Fields<'p, D, N> {
    /// The members of an object, of which those in `known` may be there.
    #[inline]
    pub(crate) fn of(
        place: &'p dyn fmt::Display,
        known: &'static Names<N>,
        value: D,
    ) -> Result<Self, MalformedDecision> {
        let mut fields = Self { place, known, found: [None; N], unknown: None };
        if let Some(members) = value.pick(known, &mut fields.found)
            && members == fields.found.iter().flatten().count()
        {
            return Ok(fields);
        }
        fields.one_by_one(value)?;
        Ok(fields)
    }

    /// The same by looking at each, which tells what is wrong.
    #[cold]
    fn one_by_one(&mut self, value: D) -> Result<(), MalformedDecision> {
        self.found = [None; N];
        match value.members(|name, member| self.put(name, member)) {
            Ok(()) => Ok(()),
            Err(Shape::NotAnObject) => {
                Err(NotAnObject { place: self.place.to_string(), found: describe(value) }.into())
            }
            Err(Shape::Duplicate(name)) => {
                Err(DuplicateField { place: self.place.to_string(), field: shorten(&name) }.into())
            }
        }
    }

    fn put(&mut self, name: &str, value: D) {
        let position = self.known.names.iter().position(|known| *known == name);
        match position.and_then(|position| self.found.get_mut(position)) {
            Some(place) => *place = Some(value),
            None if self.unknown.as_deref().is_none_or(|first| name < first) => {
                self.unknown = Some(name.to_owned());
            }
            None => {}
        }
    }

    /// The field at this position of those that are known.
    #[inline]
    pub(crate) fn optional<T>(
        &mut self,
        position: usize,
        read: impl FnOnce(&At<'_>, D) -> Result<T, MalformedDecision>,
    ) -> Result<Option<T>, MalformedDecision> {
        let Some(value) = self.found.get_mut(position).and_then(Option::take) else { return Ok(None) };
        read(&At { place: self.place, field: self.name(position) }, value).map(Some)
    }

    #[inline]
    fn name(&self, position: usize) -> &'static str {
        self.known.names.get(position).copied().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn require<T>(
        &mut self,
        position: usize,
        read: impl FnOnce(&At<'_>, D) -> Result<T, MalformedDecision>,
    ) -> Result<T, MalformedDecision> {
        match self.optional(position, read)? {
            Some(value) => Ok(value),
            None => Err(self.missing(position)),
        }
    }

    #[cold]
    fn missing(&self, position: usize) -> MalformedDecision {
        MissingField { place: self.place.to_string(), field: self.name(position) }.into()
    }

    /// A text that has to be there, where it stands.
    #[inline]
    fn text(&self, position: usize) -> Result<Cow<'_, str>, MalformedDecision> {
        let Some(Some(value)) = self.found.get(position) else { return Err(self.missing(position)) };
        let at = At { place: self.place, field: self.name(position) };
        value.as_str().ok_or_else(|| at.wrong("a string", *value))
    }

    pub(crate) fn finish(self) -> Result<(), MalformedDecision> {
        match self.unknown {
            None => Ok(()),
            Some(field) => Err(UnknownField { place: self.place.to_string(), field: shorten(&field) }.into()),
        }
    }
}

/// What stands there, for a message: its type, and itself when it is short.
fn describe(value: impl Document) -> String {
    let text = value.to_json();
    let kind = match text.as_bytes().first() {
        Some(b'"') => "the string",
        Some(b'{') => "the object",
        Some(b'[') => "the array",
        Some(b't' | b'f') => "the boolean",
        Some(b'n') => return "null".to_owned(),
        _ => "the number",
    };
    format!("{kind} `{}`", shorten(&text))
}

pub(crate) fn bool_of(at: &At<'_>, value: impl Document) -> Result<bool, MalformedDecision> {
    value.as_bool().ok_or_else(|| at.wrong("true or false", value))
}

pub(crate) fn string_of(at: &At<'_>, value: impl Document) -> Result<String, MalformedDecision> {
    let text = value.as_str().map(Cow::into_owned);
    text.ok_or_else(|| at.wrong("a string", value))
}

pub(crate) fn action_of(at: &At<'_>, value: impl Document) -> Result<Action, MalformedDecision> {
    let text = value.as_str().ok_or_else(|| at.wrong("a string", value))?;
    text.parse().map_err(|unknown: UnknownActionName| {
        let (place, found) = (at.place.to_string(), unknown.0);
        UnknownAction { place, field: at.field, found, known: ACTIONS }.into()
    })
}

fn kind_of(at: &At<'_>, value: impl Document) -> Result<ChargeKind, MalformedDecision> {
    let name = value.as_str().ok_or_else(|| at.wrong("a string", value))?;
    kind_named(&name).ok_or_else(|| {
        let (place, found, known) = (at.place.to_string(), shorten(&name), "`budget`, `rate`, `concurrency`");
        UnknownAction { place, field: at.field, found, known }.into()
    })
}

fn kind_named(name: &str) -> Option<ChargeKind> {
    match name {
        "budget" => Some(ChargeKind::Budget),
        "rate" => Some(ChargeKind::Rate),
        "concurrency" => Some(ChargeKind::Concurrency),
        _ => None,
    }
}

pub(crate) fn amount_of(at: &At<'_>, value: impl Document) -> Result<Amount, MalformedDecision> {
    if let Some(whole) = value.as_i64() {
        return Ok(whole.into());
    }
    let text = value.as_number().ok_or_else(|| at.wrong("a number", value))?;
    text.parse().map_err(|_| at.out_of_range(value))
}

/// A whole number of units that is not negative, however it is written: `5`, `5.0` and `5e0` are the same.
fn units_of(at: &At<'_>, value: impl Document) -> Result<Quantity, MalformedDecision> {
    // The short way for nearly all of them.
    if let Some(units @ 0..) = value.as_i64() {
        return Ok(Quantity::new(units));
    }
    let amount = amount_of(at, value)?;
    match amount.to_integer() {
        Some(units) if units >= 0 => Ok(Quantity::new(units)),
        Some(_) => Err(at.out_of_range(value)),
        None => Err(at.wrong("a whole number of units within 64 bits", value)),
    }
}

pub(crate) fn millis_of(at: &At<'_>, value: impl Document) -> Result<Duration, MalformedDecision> {
    let units = units_of(at, value)?.units();
    u64::try_from(units).map(Duration::from_millis).map_err(|_| at.out_of_range(value))
}

pub(crate) fn object_of(at: &At<'_>, value: impl Document) -> Result<Json, MalformedDecision> {
    match value.as_object() {
        Ok(object) => object.ok_or_else(|| at.wrong("an object", value)),
        Err(error) => Err(NotJson { detail: error.reason }.into()),
    }
}

pub(crate) fn charges_of(
    at: &At<'_>,
    value: impl Document,
    names: &mut CellNames,
) -> Result<Arc<[Charge]>, MalformedDecision> {
    let mut charges = Vec::new();
    let is_array = value.items(|item| {
        let charge = match plain_charge(item, names) {
            Some(charge) => charge,
            None => charge_of(charges.len(), item, names)?,
        };
        charges.push(charge);
        Ok::<_, MalformedDecision>(())
    })?;
    if is_array { Ok(charges.into()) } else { Err(at.wrong("an array of charges", value)) }
}

impl Names<10> {
    /// Everything that a charge may say.
    pub const CHARGE: Self = Self {
        of: Named::Charge,
        names: [
            "limit",
            "key",
            "window",
            "amount",
            "max",
            "kind",
            "reset_ms",
            "algorithm",
            "span_ms",
            "warn_at",
        ],
    };
}

/// The positions of these names.
mod charge {
    pub(super) const LIMIT: usize = 0;
    pub(super) const KEY: usize = 1;
    pub(super) const WINDOW: usize = 2;
    pub(super) const AMOUNT: usize = 3;
    pub(super) const MAX: usize = 4;
    pub(super) const KIND: usize = 5;
    pub(super) const RESET: usize = 6;
    pub(super) const ALGORITHM: usize = 7;
    pub(super) const SPAN: usize = 8;
    pub(super) const WARN_AT: usize = 9;
}

/// A charge whose algorithm has a span has one, and a fixed window has none.
fn algorithm_of<D: Document>(fields: &mut Fields<'_, D, 10>) -> Result<Algorithm, MalformedDecision> {
    const KNOWN: &str = "`fixed`, `sliding`, `bucket`";
    let named = fields.optional(charge::ALGORITHM, |at, value| {
        let name = value.as_str().ok_or_else(|| at.wrong("a string", value))?;
        let make: Option<fn(Duration) -> Algorithm> = match &*name {
            "fixed" => None,
            "sliding" => Some(Algorithm::Sliding),
            "bucket" => Some(Algorithm::Bucket),
            _ => {
                let (place, found) = (at.place.to_string(), shorten(&name));
                return Err(UnknownAction { place, field: at.field, found, known: KNOWN }.into());
            }
        };
        Ok(make)
    })?;
    match named.flatten() {
        None => {
            // What would be ignored is refused.
            fields.optional(charge::SPAN, |at, _| {
                Err::<(), _>(UnknownField { place: at.place.to_string(), field: at.field.to_owned() }.into())
            })?;
            Ok(Algorithm::Fixed)
        }
        Some(make) => fields.require(charge::SPAN, millis_of).map(make),
    }
}

/// Where a charge stands, for messages.
struct Place(usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`charges[{}]`", self.0)
    }
}

/// The short way for nearly all charges: well formed, of a fixed window, in plain whole numbers. None for all others, of
/// which [`charge_of`] tells what is wrong, if anything is.
fn plain_charge<D: Document>(value: D, names: &mut CellNames) -> Option<Charge> {
    let mut found = [None; 10];
    if value.pick(&Names::CHARGE, &mut found)? != found.iter().flatten().count() {
        return None;
    }
    let [Some(limit), Some(key), Some(window), Some(amount), Some(max), kind, reset, None, None, warn_at] =
        found
    else {
        return None;
    };
    let units = |value: D| value.as_i64().filter(|units| *units >= 0);
    Some(Charge {
        amount: Quantity::new(units(amount)?),
        max: Quantity::new(units(max)?),
        kind: match kind {
            Some(kind) => kind_named(&kind.as_str()?)?,
            None => ChargeKind::default(),
        },
        resets_in: match reset {
            Some(reset) => Some(Duration::from_millis(u64::try_from(units(reset)?).ok()?)),
            None => None,
        },
        algorithm: Algorithm::Fixed,
        warn_at: match warn_at {
            Some(threshold) => Some(Quantity::new(units(threshold)?)),
            None => None,
        },
        cell: names.name(&limit.as_str()?, &key.as_str()?, &window.as_str()?),
    })
}

fn charge_of(
    position: usize,
    value: impl Document,
    names: &mut CellNames,
) -> Result<Charge, MalformedDecision> {
    let place = Place(position);
    let mut fields = Fields::of(&place, &Names::CHARGE, value)?;
    let cell = {
        let (limit, key) = (fields.text(charge::LIMIT)?, fields.text(charge::KEY)?);
        names.name(&limit, &key, &fields.text(charge::WINDOW)?)
    };
    let charge = Charge {
        cell,
        amount: fields.require(charge::AMOUNT, units_of)?,
        max: fields.require(charge::MAX, units_of)?,
        kind: fields.optional(charge::KIND, kind_of)?.unwrap_or_default(),
        resets_in: fields.optional(charge::RESET, millis_of)?,
        algorithm: algorithm_of(&mut fields)?,
        warn_at: fields.optional(charge::WARN_AT, units_of)?,
    };
    fields.finish()?;
    Ok(charge)
}
