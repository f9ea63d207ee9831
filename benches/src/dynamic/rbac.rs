//! P2 by hand, over `serde_json::Value`.

use serde_json::Value;

use super::{elements, text};
use crate::Decision;

pub(super) fn decide(data: &Value, input: &Value) -> Decision {
    let (user, action, resource) = (text(input, "user"), &input["action"], &input["resource"]);
    let roles = elements(&data["user_roles"], user).filter_map(Value::as_str);
    let mut grants = roles.flat_map(|role| elements(&data["roles"][role], "grants"));
    let allowed = grants.any(|grant| {
        grant["action"] == *action
            && grant["type"] == resource["type"]
            && (grant["id"] == "*" || grant["id"] == resource["id"])
    });
    if allowed {
        return Decision::new(true, "a role of the user grants this action", "allow");
    }
    let action = action.as_str().unwrap_or_default();
    Decision::new(false, format!("no role of {user} grants {action} on {}", text(resource, "type")), "deny")
}
