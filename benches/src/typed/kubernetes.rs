//! P3 by hand, over typed structs.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::Decide;
use crate::Decision;

#[derive(Deserialize)]
struct Data {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    allowed_registries: Vec<String>,
    required_labels: Vec<String>,
}

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    request: Request<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    kind: Kind<'a>,
    #[serde(borrow)]
    operation: Cow<'a, str>,
    #[serde(borrow)]
    object: Pod<'a>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Pod<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    spec: Spec<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    labels: HashMap<Cow<'a, str>, Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    containers: Vec<Container<'a>>,
    #[serde(default)]
    host_network: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    image: Cow<'a, str>,
    #[serde(default)]
    security_context: SecurityContext,
    #[serde(borrow, default)]
    resources: Resources<'a>,
}

#[derive(Deserialize, Default)]
struct SecurityContext {
    #[serde(default)]
    privileged: bool,
}

#[derive(Deserialize, Default)]
struct Resources<'a> {
    #[serde(borrow, default)]
    limits: Limits<'a>,
}

#[derive(Deserialize, Default)]
struct Limits<'a> {
    #[serde(borrow)]
    cpu: Option<Cow<'a, str>>,
    #[serde(borrow)]
    memory: Option<Cow<'a, str>>,
}

pub(super) fn load(data: &str) -> Decide {
    let data: Data = serde_json::from_str(data).unwrap();
    Box::new(move |text| decide(&data.config, &serde_json::from_slice(text).unwrap()))
}

fn decide(config: &Config, input: &Input<'_>) -> Decision {
    let request = &input.request;
    let mut deny = BTreeSet::new();
    if request.kind.kind == "Pod" && matches!(&*request.operation, "CREATE" | "UPDATE") {
        for container in &request.object.spec.containers {
            check_container(config, container, &mut deny);
        }
        let labels = &request.object.metadata.labels;
        let missing = config.required_labels.iter().filter(|label| !labels.contains_key(label.as_str()));
        deny.extend(missing.map(|label| format!("label {label} is missing")));
        if request.object.spec.host_network {
            deny.insert("host network is not allowed".to_owned());
        }
    }
    if deny.is_empty() {
        return Decision::new(true, "", "admit");
    }
    let reasons: Vec<String> = deny.into_iter().collect();
    Decision::new(false, reasons.join("; "), "reject")
}

fn check_container(config: &Config, container: &Container<'_>, deny: &mut BTreeSet<String>) {
    let Container { name, image, .. } = container;
    if container.security_context.privileged {
        deny.insert(format!("container {name} is privileged"));
    }
    if image.ends_with(":latest") {
        deny.insert(format!("container {name} uses the latest tag: {image}"));
    }
    if !image.contains(':') {
        deny.insert(format!("container {name} has no image tag: {image}"));
    }
    if !config.allowed_registries.iter().any(|registry| image.starts_with(registry.as_str())) {
        deny.insert(format!("container {name} image is from an unknown registry: {image}"));
    }
    let limits = &container.resources.limits;
    for (resource, limit) in [("cpu", &limits.cpu), ("memory", &limits.memory)] {
        if limit.is_none() {
            deny.insert(format!("container {name} has no {resource} limit"));
        }
    }
}
