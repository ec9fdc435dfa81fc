//! The level of a step: a promise about who decides, which can only fall.

use serde::{Deserialize, Serialize};

/// Who decides about a step. Ordered so that a lower promise is smaller: `Show < Ask < Auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// hresolve only says what to do; it never does it.
    Show,
    /// A person consents first.
    Ask,
    /// Proven undo, loses nothing: done without a question.
    Auto,
}

impl Level {
    /// The lower of two promises: weak evidence, missing undo or a target that cannot do it lower a step.
    #[must_use]
    pub fn lowered_to(self, limit: Level) -> Level {
        self.min(limit)
    }

    /// The word used in guides and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Show => "show",
            Level::Ask => "ask",
            Level::Auto => "auto",
        }
    }
}
