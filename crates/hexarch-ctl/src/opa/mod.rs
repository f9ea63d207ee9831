//! What the commands that are OPA's as well have in common: its flags, its way of loading files, its engine.

pub(crate) mod capabilities;
pub(crate) mod flags;
pub(crate) mod load;
pub(crate) mod partial;
pub(crate) mod path;
pub(crate) mod present;
pub(crate) mod program;
pub(crate) mod table;
