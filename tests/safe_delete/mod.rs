//! A Guardian that keeps production, and the call that it is asked about.

use hexarch_guardrails::{FixedClock, GuardError, Guardian, GuardianBuilder, Timestamp};

const POLICIES: &str = r#"
policies:
  - id: safe_delete
    rules:
      - operation: delete
        resource: "production/*"
        action: block
      - operation: delete
        requests_per_minute: 1
        action: throttle
"#;

pub(crate) fn builder() -> GuardianBuilder {
    let clock = FixedClock::at(Timestamp::from_seconds(1_772_466_000));
    Guardian::builder().policy_text("hexarch.yaml", POLICIES).clock(clock)
}

pub(crate) fn delete(guardian: &Guardian, resource: &str) -> Result<(), GuardError> {
    let check =
        guardian.check("safe_delete").unwrap().function("wipe").operation("delete").resource(resource);
    check.user("ada").run(|| ())
}
