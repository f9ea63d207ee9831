//! Evaluators: in-process, sidecar, fallback.
