//! What a bundle keeps of an event log: lines of JSON instead of the log itself, in which nothing could be replaced.
//!
//! The first line says what the log was and which events are kept ([`CollectedEvents`]); each line behind it is one event
//! ([`CollectedEvent`]), in the order of time and record number.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CollectedEvents {
    /// `hresolve/events/1`.
    pub schema: String,
    /// The log, for example `Microsoft-Windows-Bits-Client/Operational`.
    pub channel: String,
    /// When the oldest record of any kind was written, as `2026-01-02T03:04:05Z`.
    pub oldest: Option<String>,
    /// When the newest record of any kind was written, as `2026-01-02T03:04:05Z`.
    pub newest: Option<String>,
    /// Records of any kind that could be read, kept or not.
    pub records: u64,
    /// Records and parts of the log that could not be read.
    pub bad: u64,
    /// What was wrong with the first of them.
    pub first_bad: Option<String>,
    /// Which events are kept. One of these that no line shows was not in the log; of every other event nothing is said.
    pub covers: Vec<CoveredEvents>,
}

/// Events of one provider, all of which are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CoveredEvents {
    /// Who writes them.
    pub provider: String,
    /// Their numbers.
    pub ids: Vec<u16>,
    /// The fields that are kept of them, where they have such; those without a name are called by their place, from 0.
    pub fields: Vec<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CollectedEvent {
    /// The log that held it.
    pub channel: String,
    /// Who wrote it.
    pub provider: String,
    /// Its number.
    pub id: u16,
    /// Its record number, as the Event Viewer shows it.
    pub record: u64,
    /// When it was written, as `2026-01-02T03:04:05Z`.
    pub time: String,
    /// 1 critical, 2 error, 3 warning, 4 information, 5 verbose; 0 is information, too. None where the record does not say.
    pub level: Option<u8>,
    /// The computer that wrote it; empty where the record does not say.
    pub computer: String,
    /// Its fields, by name.
    pub fields: BTreeMap<String, String>,
}
