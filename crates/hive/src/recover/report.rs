//! What a replay did.

/// The generation of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Windows 2000 to 8: a bitmap of dirty pages (`DIRT`).
    Old,
    /// Windows 8.1 and later: a sequence of entries with hashes (`HvLE`).
    New,
}

/// What a replay did, for people and for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayReport {
    /// The generation of the logs that were used.
    pub format: LogFormat,
    /// Which of the logs given were used, counted from 0, in the order of use.
    pub logs_used: Vec<usize>,
    /// Log entries applied; 1 for an old log.
    pub entries: usize,
    /// Pages written into the hive.
    pub pages: usize,
    /// Bytes written into the hive.
    pub bytes: usize,
    /// Sequence number of the first entry applied.
    pub first_sequence: u32,
    /// Sequence number of the last entry applied.
    pub last_sequence: u32,
    /// Whether the hive's base block was damaged and taken from a log.
    pub base_block_recovered: bool,
}
