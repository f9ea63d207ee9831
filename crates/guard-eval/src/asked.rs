//! A request as the input of a policy: what [`Request::to_input`] writes as JSON, without the text.

use std::collections::BTreeMap;

use guard_core::{Json, Request};
use rego_engine::{InputHandle, InputPlan, InputShape, InputWriter, JsonText, PolicyInput, WriteInput};

/// What is asked. What was not said is left out.
#[derive(PolicyInput)]
pub(crate) struct Asked<'a> {
    policy_id: &'a str,
    function: &'a str,
    operation: &'a str,
    resource: &'a str,
    resource_type: Option<&'a str>,
    model: Option<&'a str>,
    feature: Option<&'a str>,
    user: Option<Caller<'a>>,
    session: Option<Run<'a>>,
    cost: Option<Cost>,
    cost_micros: Option<i64>,
    unpriced: Option<&'a str>,
    tokens: Option<u64>,
    confirmed: bool,
    context: Extras<'a>,
    metadata: Extras<'a>,
    time_ns: i64,
}

#[derive(PolicyInput)]
struct Caller<'a> {
    id: &'a str,
    roles: &'a [String],
}

#[derive(PolicyInput)]
struct Run<'a> {
    id: &'a str,
    started_ns: i64,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(request: &'a Request) -> Self {
        Self {
            policy_id: &request.policy_id,
            function: &request.function,
            operation: &request.operation,
            resource: &request.resource,
            resource_type: request.resource_type.as_deref(),
            model: request.model.as_deref(),
            feature: request.feature.as_deref(),
            user: request.user.as_ref().map(|user| Caller { id: &user.id, roles: &user.roles }),
            session: request
                .session
                .as_ref()
                .map(|session| Run { id: &session.id, started_ns: session.started.as_nanos() }),
            cost: request.cost.map(Cost),
            cost_micros: request.cost_micros(),
            unpriced: request.unpriced.as_deref(),
            tokens: request.tokens,
            confirmed: request.confirmed,
            context: Extras(&request.context),
            metadata: Extras(&request.metadata),
            time_ns: request.time.as_nanos(),
        }
    }
}

/// An amount, exactly.
struct Cost(guard_core::Amount);

impl WriteInput for Cost {
    fn write(&self, _: &InputPlan, out: &mut InputWriter<'_>) -> InputHandle {
        out.number(self.0.digits(&mut [0; guard_core::Amount::LONGEST]))
    }
}

impl PolicyInput for Cost {
    type Static = Self;

    fn shape() -> InputShape {
        InputShape::Scalar("a number")
    }
}

/// Members that the caller named.
struct Extras<'a>(&'a BTreeMap<String, Json>);

impl WriteInput for Extras<'_> {
    fn write(&self, plan: &InputPlan, out: &mut InputWriter<'_>) -> InputHandle {
        out.map(plan, self.0.iter().map(|(name, value)| (name.as_str(), JsonText(value.as_str()))))
    }
}

impl PolicyInput for Extras<'_> {
    type Static = Extras<'static>;

    fn shape() -> InputShape {
        InputShape::Map(<JsonText<'static> as PolicyInput>::shape)
    }
}

#[cfg(all(test, feature = "compiler"))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use guard_core::{Session, Timestamp, User};
    use rego_build::{Options, Source, build};
    use rego_engine::{Config, Engine, EvalContext, Input, Instance, Module};
    use test_support::Random;

    use super::*;

    const READS: [&str; 6] = [
        "input",
        "[input.operation, input.cost, input.cost_micros, input.tokens, input.time_ns, input.confirmed]",
        "[input.user.id, input.model, input.session.id, input.session.started_ns, input.feature, input.unpriced]",
        "[input.context.amount, object.get(input, [\"metadata\", \"trace\"], 0)]",
        "{name: value | some name, value in input.context}",
        "[key | some key, _ in input]",
    ];

    fn request(random: &mut Random) -> Request {
        let words = ["", "delete", "gpt-4o", "a \"quoted\"\n", "é\u{1F600}", "a resource with a long name"];
        let values =
            ["null", "1e400", "[1, {\"a\": [true]}]", "\"text\\u0041\"", "0.10", "{\"a\":1,\"a\":2}", "-0"];
        let mut extras = || {
            let names = ["amount", "trace", "a\nb", "x"];
            let some = names.iter().filter(|_| random.one_in(2)).copied().collect::<Vec<_>>();
            some.iter()
                .map(|name| ((*name).to_owned(), Json::from_text(random.text(&values)).unwrap()))
                .collect()
        };
        let (context, metadata) = (extras(), extras());
        let mut word = || random.text(&words).to_owned();
        let (policy_id, function, operation, resource) = (word(), word(), word(), word());
        let (kind, model, user, role) = (word(), word(), word(), word());
        let (feature, session, prices) = (word(), word(), word());
        Request {
            policy_id,
            function,
            operation,
            resource,
            resource_type: random.one_in(2).then_some(kind),
            model: random.one_in(2).then_some(model),
            feature: random.one_in(2).then_some(feature),
            session: random.one_in(2).then(|| Session { id: session, started: Timestamp::from_nanos(7) }),
            user: random.one_in(2).then(|| User { id: user, roles: vec![role; random.below(3)] }),
            cost: random
                .one_in(2)
                .then(|| random.text(&["0", "0.0000001", "-12.50", "99999999999999999999"]).parse().unwrap()),
            unpriced: random.one_in(2).then_some(prices),
            tokens: random.one_in(2).then(|| random.bits()),
            confirmed: random.one_in(2),
            confirmation_token: None,
            secrets: Default::default(),
            context,
            metadata,
            idempotency_key: None,
            time: Timestamp::from_nanos(i64::try_from(random.bits() >> 1).unwrap()),
        }
    }

    #[test]
    fn a_policy_finds_what_it_finds_in_the_text() {
        let engine = Engine::new(Config::default()).unwrap();
        let mut random = Random::new(5);
        for read in READS {
            let source = Source::new("t.rego", format!("package t\n\np := {read}\n"));
            let module = build(&[source], &["t/p"], &Options::default()).unwrap();
            let module = Module::new(&engine, &module.bytes).unwrap();
            let (binding, _) = module.bind_partly::<Asked<'_>>();
            let mut instance = Instance::new(&module).unwrap();
            let mut ask = |input: Input<'_>| {
                let answer = instance.evaluate("t/p", input, &EvalContext::default()).unwrap();
                answer
                    .into_result()
                    .map(|value| rego_value::json::to_string(&value, rego_value::json::Escape::Plain))
            };
            for _ in 0..300 {
                let request = request(&mut random);
                let text = request.to_input();
                assert_eq!(
                    ask(binding.input(&Asked::new(&request))),
                    ask(Input::from(text.as_str())),
                    "{text}"
                );
            }
        }
    }
}
