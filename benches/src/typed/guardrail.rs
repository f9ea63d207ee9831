//! P1 by hand, over typed structs.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::Decide;
use crate::Decision;

#[derive(Deserialize)]
struct Data {
    config: Config,
    state: State,
}

#[derive(Deserialize)]
struct Config {
    warn_percent: i64,
    hours: Hours,
    blocked_users: HashSet<String>,
    tiers: HashMap<String, Tier>,
}

#[derive(Deserialize)]
struct Hours {
    days: Vec<i64>,
    start: i64,
    end: i64,
}

#[derive(Deserialize)]
struct Tier {
    monthly_budget_cents: i64,
    requests_per_minute: i64,
    models: Vec<String>,
}

#[derive(Deserialize)]
struct State {
    spend: HashMap<String, i64>,
    counters: HashMap<String, Counter>,
}

#[derive(Deserialize)]
struct Counter {
    window: i64,
    count: i64,
}

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    user: User<'a>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    resource: Resource<'a>,
    #[serde(borrow)]
    model: Cow<'a, str>,
    cost_cents: i64,
    timestamp: i64,
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    tier: Cow<'a, str>,
    #[serde(borrow)]
    roles: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    env: Cow<'a, str>,
}

const DAY: i64 = 86_400;

pub(super) fn load(data: &str) -> Decide {
    let data: Data = serde_json::from_str(data).unwrap();
    Box::new(move |text| decide(&data, &serde_json::from_slice(text).unwrap()))
}

fn decide(data: &Data, input: &Input<'_>) -> Decision {
    let tier = data.config.tiers.get(&*input.user.tier);
    let destructive = matches!(&*input.action, "delete" | "drop" | "purge");
    let production = input.resource.env == "production";
    if data.config.blocked_users.contains(&*input.user.id) {
        return Decision::new(false, "user is blocked", "deny");
    }
    if destructive && !input.confirm {
        let reason = format!("action {} on {} needs input.confirm", input.action, input.resource.id);
        return Decision::new(false, reason, "confirm");
    }
    if destructive && production && !input.user.roles.iter().any(|role| role == "admin") {
        return Decision::new(false, "only an admin may change production", "deny");
    }
    if destructive && production && !business_hours(&data.config.hours, input.timestamp) {
        return Decision::new(false, "outside business hours", "deny");
    }
    let Some(tier) = tier.filter(|tier| tier.models.iter().any(|model| *model == *input.model)) else {
        let reason = format!("model {} is not allowed for tier {}", input.model, input.user.tier);
        return Decision::new(false, reason, "deny");
    };
    let window = input.timestamp.div_euclid(60);
    let counter = data.state.counters.get(&*input.user.id).filter(|counter| counter.window == window);
    let requests = counter.map_or(0, |counter| counter.count);
    if requests >= tier.requests_per_minute {
        let reason = format!("{requests} requests this minute, limit {}", tier.requests_per_minute);
        return Decision::new(false, reason, "throttle");
    }
    budget(data, tier, data.state.spend.get(&*input.user.id).copied().unwrap_or(0) + input.cost_cents)
}

fn budget(data: &Data, tier: &Tier, projected: i64) -> Decision {
    let limit = tier.monthly_budget_cents;
    if projected > limit {
        return Decision::new(
            false,
            format!("monthly budget exceeded: {projected} of {limit} cents"),
            "deny",
        );
    }
    if projected * 100 >= limit * data.config.warn_percent {
        return Decision::new(true, format!("monthly budget at {projected} of {limit} cents"), "warn");
    }
    Decision::new(true, "all guardrails passed", "allow")
}

fn business_hours(hours: &Hours, timestamp: i64) -> bool {
    let weekday = (timestamp.div_euclid(DAY) + 4) % 7;
    let hour = timestamp.rem_euclid(DAY) / 3600;
    hours.days.contains(&weekday) && hour >= hours.start && hour < hours.end
}
