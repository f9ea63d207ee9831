//! P3 by hand, over `serde_json::Value`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{elements, text};
use crate::Decision;

pub(super) fn decide(data: &Value, input: &Value) -> Decision {
    let (config, request) = (&data["config"], &input["request"]);
    let mut deny = BTreeSet::new();
    if request["kind"]["kind"] == "Pod" && matches!(text(request, "operation"), "CREATE" | "UPDATE") {
        let (spec, labels) = (&request["object"]["spec"], &request["object"]["metadata"]["labels"]);
        for container in elements(spec, "containers") {
            check_container(config, container, &mut deny);
        }
        let required = elements(config, "required_labels").filter_map(Value::as_str);
        let missing = required.filter(|label| !is_truthy(&labels[*label]));
        deny.extend(missing.map(|label| format!("label {label} is missing")));
        if is_truthy(&spec["hostNetwork"]) {
            deny.insert("host network is not allowed".to_owned());
        }
    }
    if deny.is_empty() {
        return Decision::new(true, "", "admit");
    }
    let reasons: Vec<String> = deny.into_iter().collect();
    Decision::new(false, reasons.join("; "), "reject")
}

fn check_container(config: &Value, container: &Value, deny: &mut BTreeSet<String>) {
    let (name, image) = (text(container, "name"), text(container, "image"));
    if is_truthy(&container["securityContext"]["privileged"]) {
        deny.insert(format!("container {name} is privileged"));
    }
    if image.ends_with(":latest") {
        deny.insert(format!("container {name} uses the latest tag: {image}"));
    }
    if !image.contains(':') {
        deny.insert(format!("container {name} has no image tag: {image}"));
    }
    let mut registries = elements(config, "allowed_registries").filter_map(Value::as_str);
    if !registries.any(|registry| image.starts_with(registry)) {
        deny.insert(format!("container {name} image is from an unknown registry: {image}"));
    }
    for resource in ["cpu", "memory"] {
        if !is_truthy(&container["resources"]["limits"][resource]) {
            deny.insert(format!("container {name} has no {resource} limit"));
        }
    }
}

fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}
