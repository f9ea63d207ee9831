//! A client of OPA's REST API.
