//! Any text as a plan, in its JSON form and in its text form: what is read is written and read again as the same plan,
//! and what the verifier accepts compiles or is refused, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rego_build::Options;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let plans = [rego_ir::from_json(text).ok(), rego_ir::parse_text(text).ok()];
    for plan in plans.into_iter().flatten() {
        if rego_ir::verify(plan.clone()).is_ok() {
            let printed = rego_ir::print_text(&plan);
            assert!(rego_ir::parse_text(&printed).is_ok(), "{printed}");
        }
        let _ = rego_build::assemble_plan(plan, &Options::default());
    }
});
