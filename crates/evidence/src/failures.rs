//! The same failure told by several logs is one failure.

use model::Failure;

/// Names of operations that are all "an update was installed", told more or less exactly.
const UPDATES: [&str; 4] = ["update", "driver", "app", "feature-update"];

/// Joins failures that are one: the same operation on the same update with the same code in the same phase. From the same log the
/// counts are added, from different ones the larger counts; the newest says whether it was resolved; source and subject are those of the
/// entry that names the update best.
pub(crate) fn join(failures: Vec<Failure>) -> Vec<Failure> {
    let mut joined: Vec<Failure> = Vec::new();
    for failure in failures {
        match joined.iter_mut().find(|there| same(there, &failure)) {
            Some(there) => merge(there, failure),
            None => joined.push(failure),
        }
    }
    settle(&mut joined);
    joined.sort_by(|one, other| other.last.cmp(&one.last));
    joined
}

/// What one log says of an update that was installed in the end settles what another one says of the same failure: the servicing log
/// that held the success may be gone while the one with the failure is still there.
fn settle(failures: &mut [Failure]) {
    let settled: Vec<Failure> =
        failures.iter().filter(|failure| failure.resolved && UPDATES.contains(&failure.operation.as_str())).cloned().collect();
    for failure in failures.iter_mut().filter(|failure| !failure.resolved && failure.phase == "servicing") {
        let same = |other: &Failure| {
            // Only a number tells surely that it is the same update.
            kb(&other.subject).is_some_and(|number| kb(&failure.subject) == Some(number)) && other.code.eq_ignore_ascii_case(&failure.code)
        };
        // The client reports a failure after the servicing stack has.
        failure.resolved = !failure.last.is_empty() && settled.iter().any(|other| same(other) && other.last >= failure.last);
    }
}

fn same(one: &Failure, other: &Failure) -> bool {
    let updates = |failure: &Failure| UPDATES.contains(&failure.operation.as_str());
    let operation = one.operation == other.operation || (updates(one) && updates(other));
    // A search is for all updates at once.
    operation
        && one.phase == other.phase
        && one.code.eq_ignore_ascii_case(&other.code)
        && (one.operation == "scan" || same_update(&one.subject, &other.subject))
}

/// Whether two texts name the same update: by its GUID, its KB number or its title.
pub(crate) fn same_update(one: &str, other: &str) -> bool {
    let both = |one: Option<String>, other: Option<String>| Some(one? == other?);
    if let Some(answer) = both(kb(one), kb(other)).or_else(|| both(guid(one), guid(other))) {
        return answer;
    }
    let (one, other) = (plain(one), plain(other));
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short == long || (short.len() >= 12 && long.contains(&short))
}

fn merge(there: &mut Failure, new: Failure) {
    let newest = if new.last == there.last {
        there.resolved || new.resolved
    } else if new.last > there.last {
        new.resolved
    } else {
        there.resolved
    };
    there.resolved = newest;
    there.transient |= new.transient;
    there.count = if there.source == new.source { there.count.saturating_add(new.count) } else { there.count.max(new.count) };
    if new.first < there.first {
        there.first.clone_from(&new.first);
    }
    if new.last > there.last {
        there.last.clone_from(&new.last);
    }
    // Only sentences hold the code again; a title is better, a bare number worse.
    let detail = |failure: &Failure| (!failure.subject.contains("0x"), failure.subject.contains(' '));
    if detail(&new) > detail(there) {
        (there.subject, there.source, there.at) = (new.subject, new.source, new.at);
    }
    if there.operation == "update" {
        there.operation = new.operation;
    }
}

/// `KB5034441` of a text, upper case.
pub(crate) fn kb(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    upper.match_indices("KB").find_map(|(at, _)| {
        let digits: String = upper.get(at + 2..)?.chars().take_while(char::is_ascii_digit).collect();
        (6..=8).contains(&digits.len()).then(|| format!("KB{digits}"))
    })
}

/// The first GUID in braces, lower case.
fn guid(text: &str) -> Option<String> {
    let rest = text.get(text.find('{')?..)?;
    let guid = rest.get(..38)?;
    (guid.ends_with('}') && guid.matches('-').count() == 4).then(|| guid.to_ascii_lowercase())
}

fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(source: &str, subject: &str, last: &str, resolved: bool) -> Failure {
        Failure {
            id: 0,
            operation: "update".into(),
            code: "0x80070002".into(),
            subject: subject.into(),
            phase: "install".into(),
            first: last.into(),
            last: last.into(),
            count: 2,
            resolved,
            transient: false,
            source: source.into(),
            at: String::new(),
        }
    }

    #[test]
    fn one_failure_in_two_logs_is_one() {
        let sentence = "Installation Failure: Windows failed to install the following update with error 0x80070002: KB5034441.";
        let joined = join(vec![
            failure("ReportingEvents.log", sentence, "2026-01-02T03:04:05", true),
            failure("System.evtx", "2024-01 Security Update for Windows 10 (KB5034441)", "2026-01-02T03:04:06", false),
            failure("System.evtx", "2024-01 Security Update for Windows 10 (KB5034441)", "2026-01-03T03:04:06", false),
            failure("System.evtx", "2024-02 Security Update for Windows 10 (KB5034763)", "2026-02-03T03:04:06", false),
        ]);
        assert_eq!(joined.len(), 2);
        let one = joined.last().cloned().unwrap_or_else(|| failure("", "", "", false));
        assert_eq!((one.count, one.resolved, one.source.as_str()), (4, false, "System.evtx"));
        assert_eq!((one.first.as_str(), one.last.as_str()), ("2026-01-02T03:04:05", "2026-01-03T03:04:06"));
    }

    #[test]
    fn what_was_installed_in_the_end_settles_what_the_servicing_log_says_of_the_same_failure() {
        let servicing = |last: &str| Failure { phase: "servicing".into(), ..failure("CBS.log", "KB5034441 Package_for_KB5034441~x", last, false) };
        let client = failure("ReportingEvents.log", "Security Update (KB5034441)", "2026-01-02T03:04:06", true);
        let settled =
            |servicing: Failure, client: Failure| join(vec![servicing, client]).into_iter().any(|one| one.phase == "servicing" && one.resolved);
        assert!(settled(servicing("2026-01-02T03:04:05"), client.clone()));
        // It failed again after that, or the success is of another update, or of another failure.
        assert!(!settled(servicing("2026-01-09T03:04:05"), client.clone()));
        assert!(!settled(servicing("2026-01-02T03:04:05"), Failure { subject: "KB5034763".into(), ..client.clone() }));
        assert!(!settled(servicing("2026-01-02T03:04:05"), Failure { code: "0x80070003".into(), ..client.clone() }));
        assert!(!settled(servicing("2026-01-02T03:04:05"), Failure { resolved: false, ..client }));
    }

    #[test]
    fn what_differs_in_code_phase_or_update_stays_apart() {
        let one = failure("a", "{0F1E2D3C-0000-0000-0000-00000000000A}", "x", false);
        let code = Failure { code: "0x80070003".into(), ..one.clone() };
        let phase = Failure { phase: "download".into(), ..one.clone() };
        let other = Failure { subject: "{0f1e2d3c-0000-0000-0000-00000000000b}".into(), ..one.clone() };
        let same = Failure { subject: "{0f1e2d3c-0000-0000-0000-00000000000a}".into(), ..one.clone() };
        assert_eq!(join(vec![one, code, phase, other, same]).len(), 4);
    }
}
