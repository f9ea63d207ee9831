//! P2 by hand, over typed structs.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::Decide;
use crate::Decision;

#[derive(Deserialize)]
struct Data {
    user_roles: HashMap<String, Vec<String>>,
    roles: HashMap<String, Role>,
}

#[derive(Deserialize)]
struct Role {
    grants: Vec<Grant>,
}

#[derive(Deserialize)]
struct Grant {
    action: String,
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow)]
    resource: Resource<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

pub(super) fn load(data: &str) -> Decide {
    let data: Data = serde_json::from_str(data).unwrap();
    Box::new(move |text| decide(&data, &serde_json::from_slice(text).unwrap()))
}

fn decide(data: &Data, input: &Input<'_>) -> Decision {
    let roles = data.user_roles.get(&*input.user).into_iter().flatten();
    let mut grants = roles.filter_map(|role| data.roles.get(role)).flat_map(|role| &role.grants);
    let allowed = grants.any(|grant| {
        grant.action == *input.action
            && grant.kind == *input.resource.kind
            && (grant.id == "*" || grant.id == *input.resource.id)
    });
    if allowed {
        return Decision::new(true, "a role of the user grants this action", "allow");
    }
    let Input { user, action, resource } = input;
    Decision::new(false, format!("no role of {user} grants {action} on {}", resource.kind), "deny")
}
