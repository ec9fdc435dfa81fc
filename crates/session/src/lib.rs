//! A session: one machine from opening to verified. Every front end speaks to this and to nothing below it.

mod clock;
mod collect;
mod diagnose;
mod expectation;
mod fix;
mod ladder;
mod operate;
mod plan;
pub mod reports;
mod restart;
mod retry;
mod run_report;
mod runs;
mod session;
mod targets;
mod treat;

pub use clock::{HTTP_DATES, Network, TIME_SERVERS, TimeSources};
pub use collect::{Bundle, CollectedJson};
pub use diagnose::{DiagnoseRequest, Diagnosed, check_since};
pub use evidence::{TIME_FORMS, TimeZone};
pub use expectation::{Expectation, ExpectedFinding};
pub use fix::{FixRequest, Ui};
pub use plan::{Plan, PlanHive, PlanStep};
pub use retry::Retry;
pub use run_report::{LadderRung, RunReport, RunStep, RunVerdict, UndoJson, UndoJsonStep, Verified};
pub use runs::{Recovered, RunSummary};
pub use session::{Session, SessionError};
pub use target::{Now, OpenError, Watcher, host, lab, now};
pub use targets::TargetsJson;

/// The version of this program, as journals and `--version` say it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
