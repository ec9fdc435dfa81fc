//! Collecting evidence: what the probes ask, and what people who help want to see, as the parts of one bundle.

use crate::session::Session;
use model::{Collection, LeftOut};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use target::{Parts, Recording, Rewrite, Target};

/// The answer of `collect --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CollectedJson {
    /// `hresolve/collected/1`.
    pub schema: String,
    /// The file that was written.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// How many files are in it.
    pub items: usize,
    /// False after `--full`.
    pub redacted: bool,
    /// How many times something was replaced, by kind.
    pub redactions: BTreeMap<String, u64>,
    /// What is not in it, and why.
    pub left_out: Vec<LeftOut>,
}

/// The parts of a bundle.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Names and bytes.
    pub parts: Parts,
    /// Its index, which is one of the parts.
    pub index: Collection,
}

impl Bundle {
    /// As one zip archive.
    ///
    /// # Errors
    /// When a part is too large for an archive.
    pub fn zip(&self) -> std::io::Result<Vec<u8>> {
        target::zip_of(&self.parts)
    }
}

impl Session {
    /// Collects the evidence of this machine; it is only read. Without `full`, what names people, computers and places is replaced.
    pub fn collect(&self, full: bool) -> Bundle {
        let recording = Recording::new(self.target.as_target());
        evidence::read_all(&recording);
        // What a diagnosis asks besides.
        let _ = recording.entry(&crate::diagnose::never_there(&recording));
        evidence::gather(&recording, full);
        let mut answers = recording.into_answers();
        let (parts, index) = if full {
            target::pack(&answers, crate::VERSION, None)
        } else {
            let logs = evidence::EventLogs::take_from(&mut answers, self.target.as_target());
            let redactor = evidence::Redactor::of(self.target.as_target(), &answers);
            // Counted while it is rewritten.
            let mut rewritten = answers.rewritten(&redactor as &dyn Rewrite);
            logs.add_to(&mut rewritten, &redactor);
            target::pack(&rewritten, crate::VERSION, Some(redactor.counts()))
        };
        Bundle { parts, index }
    }
}
