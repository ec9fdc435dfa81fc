//! What happened on a machine and when, from every source that tells a time: what changed, what was installed, what went wrong with
//! the computer itself. Failures of updates are told by the probes. Nothing here judges what matters for a failure.

mod events;
mod logs;

pub(crate) use logs::written;

use crate::civil::{self, Zone};
use target::Target;

/// When something happened. The two are never compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    /// Seconds since 1970 by the machine's own clock.
    Local(i64),
    /// Seconds since 1970 UTC, where the machine's zone is not known.
    Utc(i64),
}

impl When {
    /// Of UTC: local time when the zone is known.
    pub(crate) fn of_utc(zone: &Zone, unix: i64) -> When {
        if zone.is_known() { When::Local(zone.local_seconds(unix)) } else { When::Utc(unix) }
    }

    /// Seconds since 1970 by its own clock.
    pub(crate) fn seconds(self) -> i64 {
        match self {
            When::Local(seconds) | When::Utc(seconds) => seconds,
        }
    }

    /// `2026-01-02T03:04:05` by its own clock.
    pub(crate) fn text(self) -> String {
        civil::text(self.seconds())
    }

    /// Whether both are told by the same clock.
    pub(crate) fn same_clock(self, other: When) -> bool {
        matches!((self, other), (When::Local(_), When::Local(_)) | (When::Utc(_), When::Utc(_)))
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) when: When,
    pub(crate) what: What,
    pub(crate) says: String,
    /// File with path.
    pub(crate) source: String,
    /// Line or record.
    pub(crate) at: String,
}

/// What kind of thing happened; what is needed to tell which belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Windows started.
    Boot,
    /// It had not been shut down before.
    NotShutDown,
    /// The clock was set by more than some minutes.
    ClockSet,
    /// A service starts in another way: its name, before, and after.
    StartType { service: String, before: String, after: String, matters: bool },
    /// A service or driver was added.
    NewService,
    /// An update's download or installation began: its title.
    UpdateBegun(String),
    /// An update was installed: its title.
    UpdateInstalled(String),
    /// An update was removed: its title.
    UpdateRemoved(String),
    /// A driver or device was installed or removed.
    Driver,
    /// A program was installed, changed or removed.
    Program,
    /// A drive did not do what it was asked: its name and the event's number.
    Drive(String),
    /// A restore point was made.
    RestorePoint,
    /// Windows was installed or upgraded.
    Upgrade,
    /// A registry key that a finding names was written last.
    Registry,
    /// A file that a finding names was written last.
    File,
}

/// Everything that happened, as far as the machine tells.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub(crate) moments: Vec<Moment>,
    /// The newest time that the machine's own evidence holds, and where it stands.
    pub(crate) newest: Option<(When, String)>,
    /// Event logs that were not read, with the reason.
    pub(crate) missing: Vec<String>,
    /// Event logs with the time of their oldest record.
    pub(crate) begins: Vec<(String, When)>,
}

impl History {
    /// Notes a time that the machine's own evidence holds.
    pub(crate) fn seen(&mut self, when: When, source: &str) {
        if self.newest.as_ref().is_none_or(|(newest, _)| when.seconds() > newest.seconds()) {
            self.newest = Some((when, source.to_owned()));
        }
    }
}

/// Reads the sources that tell what happened.
pub fn history(target: &dyn Target) -> History {
    let zone = Zone::of(target);
    let mut history = History::default();
    events::read(target, &zone, &mut history);
    logs::read(target, &zone, &mut history);
    history.moments.sort_by_key(|moment| moment.when);
    history
}

/// Seconds since 1970 UTC of a Windows file time; nothing for what no Windows ever wrote.
pub(crate) fn of_filetime(ticks: u64) -> Option<i64> {
    let unix = i64::try_from(ticks / 10_000_000).ok()? - 11_644_473_600;
    (unix > 0).then_some(unix)
}
