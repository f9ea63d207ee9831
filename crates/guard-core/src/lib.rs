//! The product's vocabulary and its ports.
