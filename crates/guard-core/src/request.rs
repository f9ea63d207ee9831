//! What a policy is asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::amount::Amount;
use crate::confirm::ConfirmationToken;
use crate::json::{Json, write_string};
use crate::session::Session;
use crate::time::Timestamp;

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The roles the user has, without the `@` that policies write before them.
    pub roles: Vec<String>,
}

/// One call that a policy is to decide about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// The policy that is asked.
    pub policy_id: String,
    /// The function about to run, as the caller names it.
    pub function: String,
    /// What is done: `delete`, `deploy`, `chat.completion`.
    pub operation: String,
    /// To what it is done.
    pub resource: String,
    /// What kind of thing the resource is.
    pub resource_type: Option<String>,
    /// The model that is called, where one is.
    pub model: Option<String>,
    /// The feature that is used, where one is.
    pub feature: Option<String>,
    /// Who is calling, where it is known.
    pub user: Option<User>,
    /// The run of calls that this one belongs to, where it is known.
    pub session: Option<Session>,
    /// What the call is expected to cost, in the currency the policy counts in.
    pub cost: Option<Amount>,
    /// Where the call says its model and its tokens and no cost, and the configuration's prices have none for the model:
    /// which prices those are.
    pub unpriced: Option<String>,
    /// How many tokens the call is expected to take.
    pub tokens: Option<u64>,
    /// Whether a person has confirmed this very call.
    pub confirmed: bool,
    /// What the caller was given when this call was held for a confirmation. No policy sees it.
    pub confirmation_token: Option<ConfirmationToken>,
    /// Names in the context, at any depth, whose values people are not shown. No policy sees these names.
    pub secrets: BTreeSet<String>,
    /// What else the policy may want to know.
    pub context: BTreeMap<String, Json>,
    /// What is carried along for the record.
    pub metadata: BTreeMap<String, Json>,
    /// Names this call for its charges: a call that comes again with the same key, since its first answer was lost, is
    /// charged once. A key belongs to one policy, and to one call with one cost. No policy sees it.
    pub idempotency_key: Option<String>,
    /// When the question is asked.
    pub time: Timestamp,
}

impl Request {
    /// A request about `policy_id` with nothing else said.
    pub fn new(policy_id: impl Into<String>) -> Self {
        Self { policy_id: policy_id.into(), ..Self::default() }
    }

    /// What the call is expected to cost in whole micro-dollars, rounded up; none where it does not say, and where that
    /// is below zero or beyond 64 bits. Exact, where a policy that multiplied the dollars would have to round.
    pub fn cost_micros(&self) -> Option<i64> {
        self.cost.and_then(Amount::micro_dollars)
    }

    /// The policy's `input`: the wire shape that the in-process modules and OPA are both asked with.
    /// Optional fields are left out rather than null, so that a policy finds them undefined.
    pub fn to_input(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push('{');
        text(&mut out, "policy_id", &self.policy_id);
        out.push(',');
        text(&mut out, "function", &self.function);
        out.push(',');
        text(&mut out, "operation", &self.operation);
        out.push(',');
        text(&mut out, "resource", &self.resource);
        if let Some(kind) = &self.resource_type {
            out.push(',');
            text(&mut out, "resource_type", kind);
        }
        if let Some(model) = &self.model {
            out.push(',');
            text(&mut out, "model", model);
        }
        if let Some(feature) = &self.feature {
            out.push(',');
            text(&mut out, "feature", feature);
        }
        if let Some(user) = &self.user {
            out.push(',');
            write_user(&mut out, user);
        }
        if let Some(session) = &self.session {
            session.write(&mut out);
        }
        if let Some(cost) = self.cost {
            number(&mut out, "cost", cost);
        }
        if let Some(micros) = self.cost_micros() {
            number(&mut out, "cost_micros", micros);
        }
        if let Some(prices) = &self.unpriced {
            out.push(',');
            text(&mut out, "unpriced", prices);
        }
        if let Some(tokens) = self.tokens {
            number(&mut out, "tokens", tokens);
        }
        number(&mut out, "confirmed", self.confirmed);
        out.push(',');
        object(&mut out, "context", &self.context);
        out.push(',');
        object(&mut out, "metadata", &self.metadata);
        number(&mut out, "time_ns", self.time.as_nanos());
        out.push('}');
        out
    }
}

fn text(out: &mut String, key: &str, value: &str) {
    write_string(out, key);
    out.push(':');
    write_string(out, value);
}

/// A number or a boolean, with the comma before it. Writing to a `String` cannot fail.
fn number(out: &mut String, key: &str, value: impl std::fmt::Display) {
    let _ = write!(out, ",\"{key}\":{value}");
}

fn write_user(out: &mut String, user: &User) {
    out.push_str("\"user\":{");
    text(out, "id", &user.id);
    out.push_str(",\"roles\":[");
    for (position, role) in user.roles.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_string(out, role);
    }
    out.push_str("]}");
}

fn object(out: &mut String, key: &str, fields: &BTreeMap<String, Json>) {
    write_string(out, key);
    out.push_str(":{");
    for (position, (name, value)) in fields.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        out.push_str(value.as_str());
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_request_has_the_wire_shape() {
        let request = Request {
            policy_id: "api_budget".into(),
            function: "chat".into(),
            operation: "call".into(),
            resource: "openai/\"gpt\"".into(),
            resource_type: Some("api".into()),
            model: Some("gpt-4o".into()),
            feature: Some("beta".into()),
            session: Some(Session { id: "s\"1".into(), started: Timestamp::from_nanos(7) }),
            user: Some(User { id: "u1".into(), roles: vec!["admin".into(), "owner".into()] }),
            cost: Some("0.0000001".parse().unwrap()),
            unpriced: Some("prices.yaml".into()),
            tokens: Some(u64::MAX),
            confirmed: true,
            confirmation_token: Some(ConfirmationToken::new("not for policies")),
            secrets: BTreeSet::from(["nor this".into()]),
            context: BTreeMap::from([(
                "big".into(),
                Json::from_text("123456789012345678901234567890").unwrap(),
            )]),
            metadata: BTreeMap::from([("a\nb".into(), Json::from_text("null").unwrap())]),
            idempotency_key: Some("not for policies".into()),
            time: Timestamp::from_nanos(42),
        };
        assert_eq!(
            request.to_input(),
            concat!(
                r#"{"policy_id":"api_budget","function":"chat","operation":"call","resource":"openai/\"gpt\"","#,
                r#""resource_type":"api","model":"gpt-4o","feature":"beta","user":{"id":"u1","roles":["admin","owner"]},"#,
                r#""session":{"id":"s\"1","started_ns":7},"#,
                r#""cost":0.0000001,"cost_micros":1,"unpriced":"prices.yaml","tokens":18446744073709551615,"confirmed":true,"#,
                r#""context":{"big":123456789012345678901234567890},"metadata":{"a\nb":null},"time_ns":42}"#,
            )
        );
    }

    #[test]
    fn what_was_not_said_is_left_out() {
        let negative = Request { cost: Some("-0.0000001".parse().unwrap()), ..Request::new("p") };
        assert_eq!(negative.cost_micros(), None);
        assert_eq!(
            Request::new("p").to_input(),
            concat!(
                r#"{"policy_id":"p","function":"","operation":"","resource":"","confirmed":false,"#,
                r#""context":{},"metadata":{},"time_ns":0}"#
            )
        );
    }
}
