//! What happens when there is no decision.

/// What becomes of a call about which nobody could decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FailMode {
    /// It is denied.
    #[default]
    Closed,
    /// It runs, and the record says that it did without a decision.
    Open,
}

/// The fail mode of each class of actions. A class is an operation's name, or a prefix followed by `*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailModes {
    default: FailMode,
    classes: Vec<(String, FailMode)>,
}

impl FailModes {
    /// The same mode for everything that is in no class.
    pub fn all(default: FailMode) -> Self {
        Self { default, classes: Vec::new() }
    }

    /// Another mode for one more class. Of several that an operation fits the first decides.
    #[must_use]
    pub fn with(mut self, class: impl Into<String>, mode: FailMode) -> Self {
        self.classes.push((class.into(), mode));
        self
    }

    /// The mode of an operation.
    pub fn of(&self, operation: &str) -> FailMode {
        let fits = |class: &str| match class.strip_suffix('*') {
            Some(prefix) => operation.starts_with(prefix),
            None => operation == class,
        };
        self.classes.iter().find(|(class, _)| fits(class)).map_or(self.default, |(_, mode)| *mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_fits_decides() {
        let modes = FailModes::default().with("read.secrets", FailMode::Closed).with("read*", FailMode::Open);
        assert_eq!(modes.of("read"), FailMode::Open);
        assert_eq!(modes.of("read.files"), FailMode::Open);
        assert_eq!(modes.of("read.secrets"), FailMode::Closed);
        assert_eq!(modes.of("delete"), FailMode::Closed);
        assert_eq!(FailModes::all(FailMode::Open).of("delete"), FailMode::Open);
    }
}
