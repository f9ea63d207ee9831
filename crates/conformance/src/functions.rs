//! The functions that OPA's test runners add to those of Rego, and the network as far as the cases need it.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rego_builtins::network::{
    Hosts, HttpFailure, HttpRequest, HttpResponse, LookupFailure, Network, Transport,
};
use rego_builtins::{Arg, Builtin, BuiltinError, Type};
use rego_engine::Environment;
use rego_value::Value;

const fn result(ty: Type) -> Arg {
    Arg::new("", ty)
}

/// `test.sleep(duration)`, of the compliance suite.
static SLEEP: Builtin =
    Builtin::declared("test.sleep", &[Arg::new("duration", Type::String)], result(Type::Null));

/// `custom_builtin_test(x)`, of the Wasm assets: one more.
static SUCCESSOR: Builtin =
    Builtin::declared("custom_builtin_test", &[result(Type::Number)], result(Type::Number));

/// `custom_builtin_test_impure()`, of the Wasm assets: a text.
static IMPURE: Builtin = Builtin::declared("custom_builtin_test_impure", &[], result(Type::String));

/// `custom_builtin_test_memoization()`, of the Wasm assets: 100, once.
static ONCE: Builtin = Builtin::declared("custom_builtin_test_memoization", &[], result(Type::Number));

/// What the compiler is told of them.
pub(crate) fn declarations() -> Vec<&'static Builtin> {
    vec![&SLEEP, &SUCCESSOR, &IMPURE, &ONCE]
}

/// The functions and the network for the evaluations of one case.
pub(crate) fn environment() -> Environment {
    let called = AtomicBool::new(false);
    Environment::new()
        .with_function(SLEEP.name, |_, arguments| sleep(arguments).map(Some))
        .with_function(SUCCESSOR.name, |_, arguments| {
            let number = arguments.first().and_then(Value::as_i64);
            Ok(number.map(|number| Value::from(number + 1)))
        })
        .with_function(IMPURE.name, |_, _| Ok(Some(Value::from("foo"))))
        .with_function(ONCE.name, move |_, _| match called.swap(true, Ordering::Relaxed) {
            false => Ok(Some(Value::from(100))),
            true => Err(BuiltinError { halt: true, ..BuiltinError::new("should have been memoized") }),
        })
        .with_network(Network::new(Offline, Hosts::any()))
}

/// Waits for a duration in milliseconds, the only unit that the cases use.
fn sleep(arguments: &[Value]) -> Result<Value, BuiltinError> {
    let text = arguments.first().and_then(Value::as_str).and_then(|text| text.strip_suffix("ms"));
    let wait = text.and_then(|number| number.parse().ok()).map(Duration::from_millis);
    let wait = wait.filter(|wait| *wait <= Duration::from_secs(1));
    std::thread::sleep(wait.ok_or_else(|| BuiltinError::new("not a short duration in ms"))?);
    Ok(Value::Null)
}

/// The machine's own names, and nothing else: OPA passes the cases without a network.
struct Offline;

impl Transport for Offline {
    fn send(&self, _: &HttpRequest, _: &(dyn Fn(&str) -> bool + Sync)) -> Result<HttpResponse, HttpFailure> {
        Err(HttpFailure::Network("no case needs an answer from the network".to_owned()))
    }

    fn lookup(&self, host: &str, _: Option<Instant>) -> Result<Vec<IpAddr>, LookupFailure> {
        let found = (host, 0).to_socket_addrs();
        let found = found.map_err(|error| LookupFailure::Failed(format!("lookup {host}: {error}")))?;
        Ok(found.map(|address| address.ip()).collect())
    }
}
