//! Windows registry hives (`regf` files): read, recover from their logs, create and edit.
//!
//! * [`Hive`] reads the bytes of a hive where they lie and tolerates damage: every part is checked when it is looked at.
//! * [`recover()`] decides whether a hive may be written: it is clean, or its logs are replayed as Windows would do it.
//! * [`CleanHive`] is the only type that can be edited; [`Edit::commit`] reads its result again, compares it with what was
//!   meant and checks it before it gives it back.
//! * [`diff()`] says what differs between two hives.
//!
//! The crate takes bytes and gives bytes: it must never open files, read the clock or depend on the machine it runs on. The
//! format is described in "Windows registry file format specification" by M. Suhanov (github.com/msuhanov/regf), called "the
//! specification" in this crate. Times are FILETIMEs: units of 100 ns since 1601-01-01 UTC.
//!
//! ```
//! use hive::{CleanHive, MinorVersion, ValueKind, encode_sz};
//!
//! let empty = CleanHive::create(MinorVersion::V5, "SYSTEM", 0);
//! let mut edit = empty.edit();
//! edit.create_key(r"ControlSet001\Services\Example");
//! edit.set_value(r"ControlSet001\Services\Example", "ImagePath", ValueKind::Sz.into(), &encode_sz("example.sys"));
//! let committed = edit.commit(0)?;
//! let hive = committed.hive.hive();
//! let key = hive.open(r"controlset001\SERVICES\example")?.expect("it was just made");
//! assert_eq!(key.value("imagepath")?.and_then(|value| value.as_string()).as_deref(), Some("example.sys"));
//! # Ok::<(), hive::Error>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod base_block;
mod bytes;
mod cell;
mod check;
mod check_bins;
mod clean_hive;
mod create;
mod diff;
mod edit;
mod error;
mod hive;
mod key;
mod marvin;
mod name;
mod problem;
mod recover;
mod subkey_list;
mod text;
pub mod tree;
mod upcase;
mod upcase_table;
mod value;
mod value_kind;
mod walk;

pub use base_block::BaseBlock;
pub use clean_hive::CleanHive;
pub use create::MinorVersion;
pub use diff::{Difference, ValueContent, diff};
pub use edit::{Committed, Edit};
pub use error::Error;
pub use hive::Hive;
pub use key::{Key, Subkeys};
pub use name::Units;
pub use problem::{Problem, ProblemKind};
pub use recover::{LogFormat, Recovered, ReplayReport, recover};
pub use text::{decode_multi_sz, decode_sz, encode_multi_sz, encode_sz, from_filetime, to_filetime};
pub use upcase::{name_hash, upcase};
pub use value::{Value, Values};
pub use value_kind::ValueKind;
pub use walk::{Step, Walk};
