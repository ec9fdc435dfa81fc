//! Leaving out evidence that is too old: failures, and objects that only old log entries name. What the state of the machine shows
//! has no time and always stays.

use crate::civil::{self, Zone};
use crate::moments::{History, When};
use model::{Facts, Reading, SinceUsed, Value};
use target::Target;

/// From which moment on evidence counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Seconds since 1970 by the machine's own clock.
    Local(i64),
    /// Seconds since 1970 UTC.
    Utc(i64),
    /// So many seconds before the newest time in the machine's own evidence.
    Age(i64),
}

const HOUR: i64 = 3600;
/// What is accepted, for people.
pub const SINCE_FORMS: &str = "a date (2026-01-31), a date with a time of the machine's own clock (2026-01-31T14:30, 2026-01-31T14:30:00) or of UTC (2026-01-31T14:30:00Z), or an age in days or hours (3d, 12h)";
/// Clocks of the world differ from UTC by at most so much.
const WIDEST: i64 = 14 * HOUR;
/// A longer age than a hundred years is a slip of the finger.
const LONGEST: i64 = 100 * 366 * 24 * HOUR;
/// The one fact of what is state otherwise that tells what a log said.
const UPGRADE_FAILED: &str = "setup-error.upgrade-failed";

impl Since {
    /// Reads what a person typed; nothing when it is none of [`SINCE_FORMS`].
    pub fn parse(typed: &str) -> Option<Since> {
        let typed = typed.trim();
        if let Some(number) = typed.strip_suffix(['d', 'h']).filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())) {
            let unit = if typed.ends_with('d') { 24 * HOUR } else { HOUR };
            return number.parse::<i64>().ok()?.checked_mul(unit).filter(|age| *age <= LONGEST).map(Since::Age);
        }
        let (civil, utc) = typed.strip_suffix('Z').map_or((typed, false), |civil| (civil, true));
        let (date, clock) = civil.split_once(['T', ' ']).unwrap_or((civil, ""));
        let clock = match clock.len() {
            0 if !utc => "00:00:00".to_owned(),
            5 => format!("{clock}:00"),
            _ => clock.to_owned(),
        };
        // "2026-01-31T" is half a time.
        let whole = !civil.ends_with(['T', ' ']);
        let seconds = civil::parse(&format!("{date}T{clock}")).filter(|_| whole)?;
        Some(if utc { Since::Utc(seconds) } else { Since::Local(seconds) })
    }
}

/// Leaves out what was last told before that moment. What has no time stays. `asked` is what the person typed.
///
/// # Errors
/// When it is an age and nothing in the machine's evidence has a time.
pub fn leave_out(target: &dyn Target, facts: &mut Facts, history: &History, since: Since, asked: &str) -> Result<SinceUsed, String> {
    let zone = Zone::of(target);
    let mut counted_from = None;
    let from = match since {
        Since::Local(local) => local,
        Since::Utc(unix) => zone.local_seconds(unix),
        Since::Age(age) => {
            let (newest, source) = history
                .newest
                .as_ref()
                .ok_or("Nothing in this machine's evidence has a time from which that age could be counted back. Name a date instead.")?;
            let utc = if matches!(newest, When::Utc(_)) { " UTC" } else { "" };
            counted_from = Some(format!("{}{utc} ({source})", newest.text()));
            newest.seconds() - age
        }
    };
    // Without the zone some times are UTC and some local: what may be new enough stays.
    let earliest = civil::text(if zone.is_known() { from } else { from - WIDEST });
    let is_old = |when: &str| !when.is_empty() && when < earliest.as_str();
    let (failures, subjects) = (facts.failures.len(), facts.subjects.len());
    facts.failures.retain(|failure| !is_old(&failure.last));
    for (number, failure) in (1..).zip(facts.failures.iter_mut()) {
        failure.id = number;
    }
    facts.subjects.retain(|subject| !is_old(&subject.when));
    forget_old_upgrades(facts);
    let used = SinceUsed {
        asked: asked.to_owned(),
        from: civil::text(from),
        counted_from,
        failures_left_out: failures - facts.failures.len(),
        objects_left_out: subjects - facts.subjects.len(),
    };
    Ok(used)
}

/// Whether an upgrade failed is told by the failures that are left.
fn forget_old_upgrades(facts: &mut Facts) {
    let failed = facts.failures.iter().any(|failure| failure.operation == "feature-update" && !failure.resolved && !failure.transient);
    for subject in facts.subjects.iter_mut().filter(|_| !failed) {
        let Some(fact) = subject.get(UPGRADE_FAILED).filter(|fact| fact.reading.known() == Some(&Value::Bool(true))) else { continue };
        let says = "No failed upgrade is recorded since the moment from which evidence counts".to_owned();
        let fact = model::Fact { reading: Reading::Known(Value::Bool(false)), says, ..fact.clone() };
        subject.put(UPGRADE_FAILED, fact);
    }
}

#[cfg(test)]
mod tests {
    use super::Since;
    use crate::civil::parse;

    #[test]
    fn every_accepted_form_and_nothing_else() {
        let local = |text: &str| parse(text).map(Since::Local);
        for (typed, meant) in [
            ("2026-01-31", local("2026-01-31T00:00:00")),
            ("2026-01-31T14:30", local("2026-01-31T14:30:00")),
            ("2026-01-31 14:30:05", local("2026-01-31T14:30:05")),
            ("2026-01-31T14:30:05Z", parse("2026-01-31T14:30:05").map(Since::Utc)),
            ("3d", Some(Since::Age(3 * 86_400))),
            ("12h", Some(Since::Age(12 * 3600))),
            ("0d", Some(Since::Age(0))),
        ] {
            assert_eq!(Since::parse(typed), meant, "{typed}");
        }
        for wrong in [
            "",
            "d",
            "3",
            "3w",
            "-3d",
            "3.5d",
            "+3d",
            "2026-02-30",
            "2026-1-31",
            "31.01.2026",
            "yesterday",
            "2026-01-31T",
            "2026-01-31Z",
            "2026-01-31T14",
            "2026-01-31T25:00",
            "99999999999999999999d",
            "400000d",
            "2026-01-31T14:30:05+01:00",
        ] {
            assert_eq!(Since::parse(wrong), None, "{wrong}");
        }
    }
}
