//! `collect.json`: what a bundle of collected evidence says about the questions that were asked of a machine.
//!
//! Each map is from a question, as it was asked, to its answer. What stands in none of them was not asked: it is "not collected".

use crate::{Reading, VolumePath, WhyNot, WindowsVersion};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The room on a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Room {
    /// Bytes that are free.
    pub free: u64,
    /// Bytes of the whole volume.
    pub whole: u64,
}

/// The index of a bundle. Values of registry keys stand in `registry/<hive>.reg`, contents of files under their path in Windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Collection {
    /// `hresolve/collection/1`.
    pub schema: String,
    /// The version of hresolve that made it.
    pub tool: String,
    /// True when names, numbers and addresses were replaced.
    pub redacted: bool,
    /// How many times something was replaced, by kind: `user`, `computer`, `address` … Never what was there.
    pub redactions: BTreeMap<String, u64>,
    /// The Windows.
    pub windows: WindowsVersion,
    /// Its number: 6.1 is Windows 7, 10.0 is Windows 10 and 11.
    pub version: (u32, u32),
    /// The letter by which it calls its own volume.
    pub drive: char,
    /// The Windows folder.
    pub windows_folder: VolumePath,
    /// Why nothing could be changed on it.
    pub why_not: Vec<WhyNot>,
    /// How it was read, in sentences.
    pub notes: Vec<String>,
    /// The room on its volume; none where it could not be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// Registry keys.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub keys: BTreeMap<String, Reading<CollectedKey>>,
    /// What stands at paths.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub entries: BTreeMap<String, Reading<CollectedEntry>>,
    /// Names in folders.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub lists: BTreeMap<String, Reading<Vec<String>>>,
    /// sha256 of files.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub hashes: BTreeMap<String, Reading<String>>,
    /// Contents of files.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub files: BTreeMap<String, Reading<CollectedFile>>,
    /// What is not in the bundle, and why.
    pub left_out: Vec<LeftOut>,
}

/// A registry key without its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedKey {
    /// Its path, with the control set's number; the values stand under it.
    pub path: String,
    /// Last written: 100 ns since 1601.
    pub written: u64,
    /// Names of the keys below it.
    pub subkeys: Vec<String>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedEntry {
    /// What it is.
    pub kind: CollectedKind,
    /// The path as the disk spells it.
    pub path: VolumePath,
    /// Bytes.
    pub size: u64,
    /// Last write: seconds since 1970 UTC.
    pub modified: i64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CollectedKind {
    /// An ordinary file.
    File,
    /// A folder.
    Folder,
    /// A junction or symbolic link, with its target.
    Link(String),
    /// A reparse point of another kind.
    Reparse(String),
    /// Something else.
    Other,
}

/// Where the content of a file is in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectedFile {
    /// The name in the bundle.
    pub file: String,
    /// How much of it.
    pub part: CollectedPart,
}

/// How much of a file was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CollectedPart {
    /// All of it.
    Whole,
    /// Its first bytes.
    Start,
    /// Its last lines.
    End,
}

/// Something that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LeftOut {
    /// The file or group of files.
    pub what: String,
    /// Why.
    pub why: String,
}
