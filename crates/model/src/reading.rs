//! What looking somewhere gave: one of four answers, never only two.

use serde::{Deserialize, Serialize};

/// The result of looking at one place of a target.
///
/// `Absent` means that the place was looked at and holds nothing. A place that could not be looked at is
/// `NotCollected` (this kind of target does not have it) or `Unreadable` (it is there, but reading failed).
/// Neither of these two is ever treated as "no".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading<T> {
    /// The place holds this.
    Known(T),
    /// The place was looked at; nothing is there.
    Absent,
    /// The target does not contain the place (a log bundle without hives, a partial copy).
    NotCollected,
    /// The place exists or may exist, but reading it failed for this reason.
    Unreadable(String),
}

impl<T> Reading<T> {
    /// The value when known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Reading::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value when known, by move.
    pub fn into_known(self) -> Option<T> {
        match self {
            Reading::Known(value) => Some(value),
            _ => None,
        }
    }

    /// True when the place was looked at and is empty.
    pub fn is_absent(&self) -> bool {
        matches!(self, Reading::Absent)
    }

    /// The same reading with another value inside.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Reading::Known(value) => Reading::Known(change(value)),
            Reading::Absent => Reading::Absent,
            Reading::NotCollected => Reading::NotCollected,
            Reading::Unreadable(why) => Reading::Unreadable(why),
        }
    }

    /// Goes on only from a known value; the other three answers stay as they are.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Reading<U>) -> Reading<U> {
        match self {
            Reading::Known(value) => next(value),
            Reading::Absent => Reading::Absent,
            Reading::NotCollected => Reading::NotCollected,
            Reading::Unreadable(why) => Reading::Unreadable(why),
        }
    }
}

impl<T> From<Option<T>> for Reading<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Reading::Absent, Reading::Known)
    }
}
