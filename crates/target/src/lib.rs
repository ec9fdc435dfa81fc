//! Targets: one Windows installation, wherever it is.
//!
//! Reading and writing are two traits. Only this crate and the front ends touch files, the clock and the environment.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate is the one place where files, time and environment are reached")]

mod attributes;
mod clock;
mod durable;
mod error;
mod genuine;
mod installations;
mod names;
mod observe;
mod protected;
mod registry_path;
mod security;
mod source;
mod store;
mod target;
mod targets;
mod time_servers;

pub use clock::{Now, Stopwatch, now};
pub use error::{OpenError, TargetError};
pub use genuine::{CATALOGS, Candidate, digests as catalog_digests, proof as genuine};
pub use installations::{Installations, installations};
pub use names::names_equal;
pub use protected::why as protected;
pub use registry_path::{HiveName, RegistryPath};
pub use source::{Source, open_source};
pub use store::{RunFolder, StateStore, StoreError, StoreLock};
pub use target::{Direction, Entry, EntryKind, Expanded, HiveIntent, HiveState, KeyView, LARGEST_HELD, LARGEST_TREE, Target, WritableTarget};
pub use targets::bundle::BundleTarget;
pub use targets::collected::CollectedTarget;
pub use targets::collected::answers::{Answers, Content, Rewrite, Table};
pub use targets::collected::archive::zip_of;
pub use targets::collected::parts::{Parts, pack};
pub use targets::folder::FolderTarget;
pub use targets::lab;
pub use targets::live::host;
pub use targets::overlay::OverlayTarget;
pub use targets::recording::Recording;
pub use targets::watched::{Watched, Watcher};
pub use targets::{open, open_writable};
pub use time_servers::{HTTP_PORT, NTP_PORT, TimeAnswer, TimeAnswered, ask_http_date, ask_time_servers};

/// sha256 of bytes, as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
