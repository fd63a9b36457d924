//! One finding of one rule, at one line.

use std::fmt;

/// Sorts by path and line, which is the order in which a person works them off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    rule: &'static str,
    message: String,
}

impl Violation {
    /// `message` says what is wrong and, after a semicolon, what to do.
    pub(crate) fn new(
        path: &str,
        line: usize,
        rule: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { path: path.to_owned(), line, rule, message: message.into() }
    }

    #[cfg(test)]
    pub(crate) fn rule(&self) -> &'static str {
        self.rule
    }

    #[cfg(test)]
    pub(crate) fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, message } = self;
        write!(f, "{path}:{line}: {rule}: {message}")
    }
}

/// The lines of violations, which is what most tests of rules compare.
#[cfg(test)]
pub(crate) fn lines(violations: &[Violation]) -> Vec<usize> {
    violations.iter().map(Violation::line).collect()
}
