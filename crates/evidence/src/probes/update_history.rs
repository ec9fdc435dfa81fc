//! What Windows Update itself remembers of installations, on a running Windows: its failures join those of the logs, and its successes settle
//! them. It is read last, because a failure has the code that the logs gave it.

use crate::civil::Zone;
use crate::events::updates;
use crate::failures::same_update;
use model::{ErrorCode, FactDeclaration, Facts, Failure, NotChecked, Reading, UpdateName, UpdateRecord, UpdateResult};
use target::Target;

/// What this probe delivers: failures alone.
pub(super) const FACTS: &[FactDeclaration] = &[];

/// What people call it.
pub(crate) const WHAT: &str = "the history of Windows Update";
/// Phases of one update that its installation in the end settles.
const SETTLED: [&str; 4] = ["download", "install", "restart", "servicing"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    match target.update_history() {
        Reading::Known(records) => add(&records, &Zone::of(target), facts),
        Reading::Unreadable(why) => facts.not_checked.push(NotChecked { what: WHAT.into(), why: crate::code_names::named(&why), blocking: false }),
        // Only a running Windows has one that can be asked.
        Reading::Absent | Reading::NotCollected => {}
    }
}

/// Adds its failures, and settles what was installed later.
fn add(records: &[UpdateRecord], zone: &Zone, facts: &mut Facts) {
    let failures = failures(records, zone, &facts.failures);
    facts.failures.extend(failures);
    // Where local time is not known, what came first cannot be told.
    if zone.is_known() {
        settle(records, zone, &mut facts.failures);
    }
}

/// The failures of installations, one for each update and code.
fn failures(records: &[UpdateRecord], zone: &Zone, told: &[Failure]) -> Vec<Failure> {
    let mut failures: Vec<(Failure, &UpdateRecord)> = Vec::new();
    let failed = |record: &&UpdateRecord| !record.removed && record.result == UpdateResult::Failed && record.code & 0x8000_0000 != 0;
    for (number, record) in (1..).zip(records).filter(|(_, record)| failed(record)) {
        let code = ErrorCode(code_of(record, told)).to_string();
        let when = zone.local(record.at);
        match failures.iter_mut().find(|(failure, newest)| failure.code == code && is_same(newest, record)) {
            // The newest comes first.
            Some((failure, _)) => {
                failure.count = failure.count.saturating_add(1);
                failure.first = when;
            }
            None => failures.push((failure(record, code, when, number, zone), record)),
        }
    }
    for (failure, newest) in &mut failures {
        failure.resolved = records.iter().any(|record| is_success(record) && record.at > newest.at && is_same(record, newest));
    }
    failures.into_iter().map(|(failure, _)| failure).collect()
}

fn failure(record: &UpdateRecord, code: String, when: String, number: u32, zone: &Zone) -> Failure {
    Failure {
        id: 0,
        operation: updates::kind_of(&record.title).into(),
        transient: code.parse().is_ok_and(|code: ErrorCode| updates::PASSING.contains(&code.0)),
        code,
        subject: subject(record),
        phase: "install".into(),
        first: when.clone(),
        last: when,
        count: 1,
        resolved: false,
        source: format!("{WHAT}{}", zone.note()),
        at: format!("entry {number}, the newest being 1"),
    }
}

/// What was installed later than it failed did not fail in the end, whichever log tells of the failure.
fn settle(records: &[UpdateRecord], zone: &Zone, failures: &mut [Failure]) {
    let installed: Vec<(&UpdateRecord, String)> =
        records.iter().filter(|record| is_success(record)).map(|record| (record, zone.local(record.at))).collect();
    let open = |failure: &&mut Failure| !failure.resolved && SETTLED.contains(&failure.phase.as_str()) && !failure.last.is_empty();
    for failure in failures.iter_mut().filter(open) {
        failure.resolved = installed.iter().any(|(record, when)| *when > failure.last && same_update(&subject(record), &failure.subject));
    }
}

fn is_success(record: &UpdateRecord) -> bool {
    !record.removed && record.result == UpdateResult::Succeeded
}

fn is_same(one: &UpdateRecord, other: &UpdateRecord) -> bool {
    (one.id.is_some() && one.id == other.id) || same_update(&subject(one), &subject(other))
}

fn subject(record: &UpdateRecord) -> String {
    match &record.id {
        Some(id) if record.title.is_empty() => format!("{{{id}}}"),
        _ => record.title.clone(),
    }
}

/// The code of a failure. The agent turns some codes into ones of its own; where a log tells of the same failure by the first one, it is that
/// one, so that one failure stays one.
fn code_of(record: &UpdateRecord, told: &[Failure]) -> u32 {
    let first = match record.unmapped {
        // A number of Win32, as an installer returns it.
        number @ 1..=0xFFFF => 0x8007_0000 | number,
        code => code,
    };
    let named = |code: u32| {
        let code = ErrorCode(code).to_string();
        told.iter().any(|failure| failure.phase == "install" && failure.code.eq_ignore_ascii_case(&code) && same_update(&failure.subject, &subject(record)))
    };
    if first & 0x8000_0000 != 0 && named(first) && !named(record.code) { first } else { record.code }
}

/// By what the update of a failure can be asked for: its article, or the id that the history has for it.
pub(crate) fn name_of(failure: &Failure, records: &[UpdateRecord]) -> Option<UpdateName> {
    if !SETTLED.contains(&failure.phase.as_str()) {
        return None;
    }
    let by_id = || records.iter().filter(|record| same_update(&subject(record), &failure.subject)).find_map(|record| record.id.clone());
    let written = || failure.subject.split_once('{').and_then(|(_, rest)| UpdateName::of_id(rest.split('}').next()?));
    UpdateName::in_text(&failure.subject).or_else(written).or_else(|| UpdateName::of_id(&failure.subject)).or_else(by_id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test")]
mod tests {
    use super::{add, name_of};
    use crate::civil::{Zone, text};
    use model::{Facts, Failure, UpdateName, UpdateRecord, UpdateResult};

    const KB: &str = "2024-01 Security Update for Windows 10 (KB5034441)";
    const ID: &str = "0f1e2d3c-0000-0000-0000-00000000000a";
    const DAY: i64 = 1_704_855_845;

    fn record(title: &str, at: i64, code: u32) -> UpdateRecord {
        let result = if code == 0 { UpdateResult::Succeeded } else { UpdateResult::Failed };
        UpdateRecord { title: title.into(), id: UpdateName::of_id(ID), removed: false, result, code, unmapped: 0, at }
    }

    /// UTC is the local time.
    fn zone() -> Zone {
        Zone::utc()
    }

    fn of_log(code: &str, last: i64) -> Failure {
        Failure {
            id: 0,
            operation: "update".into(),
            code: code.into(),
            subject: KB.into(),
            phase: "install".into(),
            first: text(last),
            last: text(last),
            count: 1,
            resolved: false,
            transient: false,
            source: "System.evtx".into(),
            at: String::new(),
        }
    }

    fn joined(records: &[UpdateRecord], logs: Vec<Failure>) -> Vec<Failure> {
        let mut facts = Facts { failures: logs, ..Facts::default() };
        add(records, &zone(), &mut facts);
        crate::failures::join(facts.failures)
    }

    #[test]
    fn a_failure_of_the_history_is_one_with_that_of_a_log() {
        let failures = joined(&[record(KB, DAY, 0x800F_0922), record(KB, DAY - 9000, 0x800F_0922)], vec![of_log("0x800F0922", DAY)]);
        assert_eq!((failures.len(), failures[0].count, failures[0].resolved), (1, 2, false), "{failures:?}");
        assert_eq!((failures[0].first.clone(), failures[0].last.clone()), (text(DAY - 9000), text(DAY)));
        // The agent calls it by a code of its own, and the log by the one before.
        let translated = UpdateRecord { unmapped: 1603, ..record(KB, DAY, 0x8024_200B) };
        let failures = joined(std::slice::from_ref(&translated), vec![of_log("0x80070643", DAY)]);
        assert_eq!((failures.len(), failures[0].code.as_str()), (1, "0x80070643"), "{failures:?}");
        assert_eq!(joined(&[translated], Vec::new())[0].code, "0x8024200B");
    }

    #[test]
    fn a_later_success_settles_what_any_log_says() {
        let success = record(KB, DAY, 0);
        assert!(joined(&[success.clone(), record(KB, DAY - 5, 0x800F_0922)], Vec::new())[0].resolved);
        assert!(joined(std::slice::from_ref(&success), vec![of_log("0x800F0922", DAY - 5)])[0].resolved);
        assert!(!joined(std::slice::from_ref(&success), vec![of_log("0x800F0922", DAY + 5)])[0].resolved, "it failed again");
        assert!(!joined(&[record("Another (KB5034763)", DAY, 0)], vec![of_log("0x800F0922", DAY - 5)])[0].resolved);
        // A removal, or one that is done in part, is no success.
        assert!(!joined(&[UpdateRecord { removed: true, ..success.clone() }], vec![of_log("0x800F0922", DAY - 5)])[0].resolved);
        let partly = UpdateRecord { result: UpdateResult::SucceededWithErrors, ..success.clone() };
        assert!(!joined(&[partly], vec![of_log("0x800F0922", DAY - 5)])[0].resolved);
        // Without a time zone nothing is compared with a log's local time.
        let mut facts = Facts { failures: vec![of_log("0x800F0922", DAY - 5)], ..Facts::default() };
        add(&[success], &Zone::unknown(), &mut facts);
        assert!(!facts.failures[0].resolved);
    }

    #[test]
    fn an_update_is_named_by_its_article_or_by_the_id_of_the_history() {
        let named = |subject: &str, records: &[UpdateRecord]| name_of(&Failure { subject: subject.into(), ..of_log("0x80070002", 0) }, records);
        assert_eq!(named(KB, &[]), Some(UpdateName::Article(5_034_441)));
        let driver = "Intel - System - 10.1.19.42";
        assert_eq!(named(driver, &[]), None);
        assert_eq!(named(driver, &[record(driver, DAY, 0x8007_0002)]), UpdateName::of_id(ID));
        assert_eq!(named(&format!("{{{ID}}}"), &[]), UpdateName::of_id(ID));
        let scan = Failure { phase: "scan".into(), ..of_log("0x80072EE2", 0) };
        assert_eq!(name_of(&scan, &[]), None);
    }
}
