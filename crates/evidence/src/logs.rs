//! Log parsers: bytes in, entries and problems out. A bad line costs only itself; a file cut anywhere gives the entries before
//! the cut. Nothing here knows a machine or judges a cause.

pub mod cbs;
pub mod ccm;
pub mod checksur;
pub mod compat_report;
pub mod dism;
mod entry;
pub mod pending_xml;
pub mod poqexec;
pub mod reagent;
pub mod reporting_events;
pub mod setup_attempts;
pub mod setup_diag;
pub mod setupact;
pub mod setupapi;
mod text;
#[cfg(test)]
pub(crate) mod text_tests;
pub mod web_requests;
pub mod wer;
pub mod windows_update;
pub mod winhttp_settings;
mod xml;

pub use entry::{Entry, Level, Problem};
pub(crate) use entry::{MOST_PROBLEMS, civil_time};
pub use text::{Lines, decode};
