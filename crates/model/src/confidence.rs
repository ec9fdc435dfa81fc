//! How sure a finding is.

use serde::{Deserialize, Serialize};

/// How sure it is that the named state is wrong. Ordered: `Possible < Likely < Proved`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Fits, but other explanations fit as well.
    Possible,
    /// The evidence points here, one link was not seen.
    Likely,
    /// The object was looked at and is wrong, and the right state is known.
    Proved,
}

impl Confidence {
    /// The word used in guides and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Proved => "proved",
        }
    }
}
