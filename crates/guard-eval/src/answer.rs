//! A decision where the engine has it, in the terms in which decisions are read.

use std::borrow::Cow;

use guard_core::{Document, Json, JsonError, Named, Names, Shape};
use rego_engine::{Answer, Key, Wanted};
use rego_value::{Value, json};

/// What an entrypoint gave, to be read without a copy.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a>(pub(crate) Answer<'a>);

/// The members of decisions and of charges, by their hashes.
static DECISION: [Key<'static>; 10] = keys(&Names::DECISION.names);
static CHARGE: [Key<'static>; 10] = keys(&Names::CHARGE.names);

thread_local! {
    /// The same, with the order in which they stood last on this thread.
    static WANTED_OF_DECISION: Wanted<'static> = const { Wanted::new(&DECISION) };
    static WANTED_OF_CHARGE: Wanted<'static> = const { Wanted::new(&CHARGE) };
}

const fn keys<const N: usize>(names: &[&'static str; N]) -> [Key<'static>; N] {
    let mut keys = [Key::new(""); N];
    let (mut places, mut names): (&mut [Key<'static>], &[&'static str]) = (&mut keys, names);
    while let ([place, later @ ..], [name, others @ ..]) = (places, names) {
        *place = Key::new(name);
        (places, names) = (later, others);
    }
    keys
}

impl Document for Read<'_> {
    fn as_bool(&self) -> Option<bool> {
        self.0.as_bool()
    }

    fn as_str(&self) -> Option<Cow<'_, str>> {
        self.0.as_str().map(Cow::Borrowed)
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.as_i64()
    }

    fn as_number(&self) -> Option<Cow<'_, str>> {
        self.0.as_number()
    }

    fn items<E>(&self, mut each: impl FnMut(Self) -> Result<(), E>) -> Result<bool, E> {
        match self.0.items() {
            Some(mut items) => items.try_for_each(|item| each(Self(item))).map(|()| true),
            None => Ok(false),
        }
    }

    fn pick<const N: usize>(&self, names: &Names<N>, found: &mut [Option<Self>; N]) -> Option<usize> {
        let wanted = match names.of {
            Named::Decision => &WANTED_OF_DECISION,
            Named::Charge => &WANTED_OF_CHARGE,
        };
        let pick = |wanted: &Wanted<'_>| {
            self.0.pick(wanted, |position, value| {
                if let Some(place) = found.get_mut(position) {
                    *place = Some(Self(value));
                }
            })
        };
        wanted.with(pick)
    }

    fn members(&self, mut each: impl FnMut(&str, Self)) -> Result<(), Shape> {
        let members = self.0.members().ok_or(Shape::NotAnObject)?;
        for (key, value) in members {
            match key.as_str() {
                Some(name) => each(name, Self(value)),
                // JSON has no other keys: it is one that nobody knows, under the name it has as text.
                None => each(&Self(key).to_json(), Self(value)),
            }
        }
        Ok(())
    }

    fn to_json(&self) -> String {
        // Memory that holds no value is nothing that a decision can be made of.
        let value = self.0.to_value().unwrap_or(Value::Null);
        json::to_string(&value, json::Escape::Plain)
    }

    fn as_object(&self) -> Result<Option<Json>, JsonError> {
        // What most decisions carry along is one text under its name, such as the rule's.
        if let Some((name, value)) = self.0.only_member()
            && let (Some(name), Some(text)) = (name.as_str(), value.as_str())
        {
            return Ok(Some(Json::of_text(name, text)));
        }
        if self.0.members().is_none() {
            return Ok(None);
        }
        Json::from_text(&self.to_json()).map(Some)
    }
}

/// Whether its charges are a set, which is read in its order and so has to be copied.
pub(crate) fn has_set(answer: Answer<'_>) -> bool {
    const CHARGES: Key<'_> = Key::new("charges");
    answer.get_key(CHARGES).is_some_and(|charges| charges.is_set())
}
