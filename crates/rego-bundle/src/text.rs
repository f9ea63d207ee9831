//! Data as text.

use rego_value::Value;

/// Why a text is no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is not JSON.
    #[error("{0}")]
    Json(String),
    /// It is not YAML.
    #[error("error converting YAML to JSON: {0}")]
    Yaml(String),
}

/// A value from JSON; numbers keep their digits.
///
/// # Errors
/// [`TextError::Json`] with the place.
pub fn from_json(bytes: &[u8]) -> Result<Value, TextError> {
    rego_value::json::parse(bytes).map_err(|error| TextError::Json(error.to_string()))
}

/// A value from YAML, of which only the first document counts: what `yaml.unmarshal` makes of it.
///
/// # Errors
/// [`TextError::Yaml`] with the reason.
pub fn from_yaml(bytes: &[u8]) -> Result<Value, TextError> {
    let fail = |reason: &str| TextError::Yaml(reason.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| fail("yaml: invalid UTF-8"))?;
    let reader = rego_builtins::by_name("yaml.unmarshal").and_then(|row| row.implementation.host());
    let reader = reader.ok_or_else(|| fail("there is no reader of YAML"))?;
    let value = reader(&mut rego_builtins::Context::default(), &[Value::from(text)]);
    value.map_err(|error| fail(&error.message)).map(|value| value.unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_what_its_json_is() {
        let yaml =
            "name: svc\nports: [80, 443]\non: no\nbig: 12345678901234567890\nfloat: 1.50\nnothing: ~\n1: x\n";
        let json = r#"{"name":"svc","ports":[80,443],"on":"no","big":12345678901234567890,"float":1.5,"nothing":null,"1":"x"}"#;
        assert_eq!(from_yaml(yaml.as_bytes()).unwrap(), from_json(json.as_bytes()).unwrap());
        assert!(from_yaml(b"a: [1").is_err());
        assert_eq!(from_yaml(b"").unwrap(), Value::Null);
    }
}
