//! Probes: each reads one part of a target and yields facts. Nothing here changes a target or judges a cause.

mod civil;
mod clock_offset;
mod code_names;
mod collection;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a test may fail loudly and print its counts")]
mod damage;
mod defaults;
mod ese;
pub mod events;
mod failures;
mod here;
pub mod logs;
mod message_tables;
mod moments;
mod named;
mod operations;
mod pe;
mod probe;
mod probes;
mod redact;
mod service_file;
mod servicing_errors;
mod setup_blocks;
mod setup_state;
mod since;
mod time_zones;
mod timeline;
mod update_tries;
mod windows_says;

pub use clock_offset::{ClockCompared, Majority, TIME_FORMS, TOLERATED, TimeSource, add_clock, local_time, majority, said_time};
pub use collection::{EXTRAS, EventLogs, Extra, NEVER, Privacy, gather};
pub use moments::{History, history};
pub use operations::{OperationResult, Outcome, judge as judge_operation};
pub use probe::{Probe, declarations, read_all};
pub use probes::{ALL, choose_time_zone};
pub use redact::Redactor;
pub use since::{SINCE_FORMS, Since, leave_out};
pub use time_zones::{TimeZone, time_zones};
pub use timeline::{About, add_written, keep_weightiest, timeline};
pub use update_tries::{Proof, TryResult, TryState, is_same_update, judge_update, update_of};
pub use windows_says::{Looked, MessageFile, Said, WindowsSays, windows_says};
