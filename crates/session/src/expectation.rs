//! What a practice machine is expected to show: the front matter of its `expected.md`.

use model::{Diagnosis, ErrorCode};
use serde::Deserialize;

/// One expected finding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExpectedFinding {
    /// The guide's id.
    pub cause: String,
    /// The thing that is wrong.
    pub object: String,
}

/// The front matter of `expected.md`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The machine's name.
    pub machine: String,
    /// The healthy machine it differs from.
    #[serde(default)]
    pub base: Option<String>,
    /// Windows version.
    pub windows: String,
    /// Whether something is wrong with it.
    pub sick: bool,
    /// Catalogue rows and tools that the machine is made after.
    #[serde(default)]
    pub cites: Vec<String>,
    /// What must be found; nothing else may be.
    #[serde(default)]
    pub expect: Vec<ExpectedFinding>,
    /// The code its owner came with.
    #[serde(default)]
    pub code: Option<String>,
    /// Exit code of `diagnose` without a code.
    pub diagnose_exit: u8,
    /// Exit code of `fix --yes` without a code.
    pub fix_exit: u8,
}

impl Expectation {
    /// Parses the text of an `expected.md`.
    ///
    /// # Errors
    /// A sentence: what is wrong with its front matter.
    pub fn parse(text: &str) -> Result<Self, String> {
        let front = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---").map(|(front, _)| front));
        let front = front.ok_or("an expected.md begins with front matter between two lines of ---")?;
        serde_saphyr::from_str(front).map_err(|error| error.to_string())
    }

    /// The code its owner came with, when there was one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.code.as_ref().filter(|code| !code.is_empty()).and_then(|code| code.parse().ok())
    }

    /// How the diagnosis of the built machine, asked without a code, differs from what is expected; empty when it does not.
    pub fn differences(&self, diagnosis: &Diagnosis) -> Vec<String> {
        let found: Vec<(String, String)> = diagnosis.findings.iter().map(|finding| (finding.cause.clone(), finding.object.clone())).collect();
        let same = |one: &(String, String), other: &ExpectedFinding| one.0 == other.cause && one.1.eq_ignore_ascii_case(&other.object);
        let mut differences = Vec::new();
        for expected in self.expect.iter().filter(|expected| !found.iter().any(|one| same(one, expected))) {
            differences.push(format!("{}: {} on {} was not found", self.machine, expected.cause, expected.object));
        }
        for one in found.iter().filter(|one| !self.expect.iter().any(|expected| same(one, expected))) {
            differences.push(format!("{}: {} on {} was found, but nothing is wrong with it", self.machine, one.0, one.1));
        }
        if let (Some(first), false) = (found.first(), self.expect.is_empty())
            && !self.expect.iter().any(|expected| same(first, expected))
        {
            differences.push(format!("{}: the first finding is {} on {}", self.machine, first.0, first.1));
        }
        differences
    }
}
