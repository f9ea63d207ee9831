//! P1 by hand, over `serde_json::Value`.

use serde_json::Value;

use super::{elements, integer, text};
use crate::Decision;

const DAY: i64 = 86_400;

pub(super) fn decide(data: &Value, input: &Value) -> Decision {
    let (config, user, resource) = (&data["config"], &input["user"], &input["resource"]);
    let (id, action) = (text(user, "id"), text(input, "action"));
    let destructive = matches!(action, "delete" | "drop" | "purge");
    let production = text(resource, "env") == "production";
    if elements(config, "blocked_users").any(|blocked| blocked == id) {
        return Decision::new(false, "user is blocked", "deny");
    }
    if destructive && input["confirm"] != true {
        let reason = format!("action {action} on {} needs input.confirm", text(resource, "id"));
        return Decision::new(false, reason, "confirm");
    }
    if destructive && production && !elements(user, "roles").any(|role| role == "admin") {
        return Decision::new(false, "only an admin may change production", "deny");
    }
    if destructive && production && !business_hours(&config["hours"], integer(input, "timestamp")) {
        return Decision::new(false, "outside business hours", "deny");
    }
    let tier = &config["tiers"][text(user, "tier")];
    if !elements(tier, "models").any(|model| *model == input["model"]) {
        let reason = format!("model {} is not allowed for tier {}", text(input, "model"), text(user, "tier"));
        return Decision::new(false, reason, "deny");
    }
    let counter = &data["state"]["counters"][id];
    let in_window = counter["window"].as_i64() == Some(integer(input, "timestamp").div_euclid(60));
    let requests = if in_window { integer(counter, "count") } else { 0 };
    let limit = integer(tier, "requests_per_minute");
    if requests >= limit {
        return Decision::new(false, format!("{requests} requests this minute, limit {limit}"), "throttle");
    }
    budget(config, tier, integer(&data["state"]["spend"], id) + integer(input, "cost_cents"))
}

fn budget(config: &Value, tier: &Value, projected: i64) -> Decision {
    let limit = integer(tier, "monthly_budget_cents");
    if projected > limit {
        return Decision::new(
            false,
            format!("monthly budget exceeded: {projected} of {limit} cents"),
            "deny",
        );
    }
    if projected * 100 >= limit * integer(config, "warn_percent") {
        return Decision::new(true, format!("monthly budget at {projected} of {limit} cents"), "warn");
    }
    Decision::new(true, "all guardrails passed", "allow")
}

fn business_hours(hours: &Value, timestamp: i64) -> bool {
    let weekday = (timestamp.div_euclid(DAY) + 4) % 7;
    let hour = timestamp.rem_euclid(DAY) / 3600;
    elements(hours, "days").any(|day| *day == weekday)
        && hour >= integer(hours, "start")
        && hour < integer(hours, "end")
}
