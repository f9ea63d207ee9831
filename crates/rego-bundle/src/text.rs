//! Data as text.

use rego_value::{Number, Object, Value};

/// Why a text is no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is not JSON.
    #[error("{0}")]
    Json(String),
    /// It is not YAML.
    #[error("error converting YAML to JSON: yaml: {0}")]
    Yaml(String),
}

/// A value from JSON; numbers keep their digits.
///
/// # Errors
/// [`TextError::Json`] with the place.
pub fn from_json(bytes: &[u8]) -> Result<Value, TextError> {
    rego_value::json::parse(bytes).map_err(|error| TextError::Json(error.to_string()))
}

/// A value from YAML, of which only the first document counts. Keys are strings, as in JSON.
///
/// # Errors
/// [`TextError::Yaml`] with the reason.
pub fn from_yaml(bytes: &[u8]) -> Result<Value, TextError> {
    let mut documents = serde_yaml::Deserializer::from_slice(bytes);
    let Some(first) = documents.next() else { return Ok(Value::Null) };
    let value = <serde_yaml::Value as serde::Deserialize>::deserialize(first);
    let value = value.map_err(|error| TextError::Yaml(error.to_string()))?;
    convert(value)
}

/// As deep as the reader lets documents be.
fn convert(value: serde_yaml::Value) -> Result<Value, TextError> {
    Ok(match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(truth) => Value::Bool(truth),
        serde_yaml::Value::Number(number) => number_of(&number.to_string())?,
        serde_yaml::Value::String(text) => Value::from(text.as_str()),
        serde_yaml::Value::Sequence(items) => {
            Value::array(items.into_iter().map(convert).collect::<Result<Vec<_>, _>>()?)
        }
        serde_yaml::Value::Mapping(members) => {
            let pair = |(key, value)| Ok((key_of(key)?, convert(value)?));
            let members = members.into_iter().map(pair).collect::<Result<Vec<_>, TextError>>()?;
            Value::Object(Object::from_iter(members))
        }
        serde_yaml::Value::Tagged(tagged) => convert(tagged.value)?,
    })
}

fn number_of(text: &str) -> Result<Value, TextError> {
    let number = Number::parse(text).map_err(|_| TextError::Yaml(format!("unsupported number {text}")))?;
    Ok(Value::Number(number))
}

/// A key as JSON has it.
fn key_of(key: serde_yaml::Value) -> Result<Value, TextError> {
    let text = match key {
        serde_yaml::Value::String(text) => text,
        serde_yaml::Value::Bool(truth) => truth.to_string(),
        serde_yaml::Value::Number(number) => number.to_string(),
        serde_yaml::Value::Null => "null".to_owned(),
        _ => return Err(TextError::Yaml("a key has to be a scalar".to_owned())),
    };
    Ok(Value::from(text.as_str()))
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
