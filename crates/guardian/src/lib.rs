//! The decision machine and its driver.
