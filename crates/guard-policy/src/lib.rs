//! hexarch.yaml: discovery, schema, validation, translation to Rego.
