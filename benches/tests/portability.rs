//! Modules both ways: ours in the `opa-wasm` crate's host, OPA's in our engine, each with the expected decisions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

/// The benchmark policies are data beside the project, as the conformance corpus is.
mod needs_corpus {
    use hexarch_benches::engines::{opa_wasm, ours, regorus};
    use hexarch_benches::{dynamic, opa, policy, typed};

    #[test]
    #[ignore = "needs the benchmark policies"]
    fn our_modules_run_in_the_opa_wasm_crate() {
        for policy in policy::load_all(&policy::standing()) {
            let module = ours::portable(&policy);
            let mut host = opa_wasm::Host::new(&module, &policy.data).unwrap();
            for case in &policy.cases {
                let decision = host.decide(&policy.entrypoint, &case.input);
                assert_eq!(decision, case.expected, "{}/{}", policy.name, case.name);
            }
        }
    }

    #[test]
    #[ignore = "needs the benchmark policies and OPA"]
    fn the_modules_of_opa_run_in_our_engine() {
        for policy in policy::load_all(&policy::standing()) {
            let module = opa::build(&policy).expect("OPA_BIN names a real OPA");
            let mut engine = ours::Loaded::new(&module, &policy);
            for case in &policy.cases {
                assert_eq!(engine.decide(&case.input), case.expected, "{}/{}", policy.name, case.name);
            }
        }
    }

    #[test]
    #[ignore = "needs the benchmark policies"]
    fn every_engine_gives_the_expected_decisions() {
        for policy in policy::load_all(&policy::standing()) {
            let module = ours::compile(&policy);
            let mut engine = ours::Loaded::new(&module, &policy);
            let by_type = typed::load(&policy.name, &policy.data).unwrap();
            let by_value = dynamic::load(&policy.name, &policy.data).unwrap();
            let mut vm = regorus::load(&policy).expect("regorus compiles the standing policies");
            for case in &policy.cases {
                let (name, input) = (format!("{}/{}", policy.name, case.name), case.input.as_str());
                assert_eq!(engine.decide(input), case.expected, "ours, {name}");
                assert_eq!(
                    engine.decide_parsed(&ours::Loaded::parse(input)),
                    case.expected,
                    "parsed, {name}"
                );
                assert_eq!(by_type(input.as_bytes()), case.expected, "typed, {name}");
                assert_eq!(by_value(input.as_bytes()), case.expected, "serde, {name}");
                assert_eq!(vm(input), case.expected, "regorus, {name}");
            }
        }
    }
}
