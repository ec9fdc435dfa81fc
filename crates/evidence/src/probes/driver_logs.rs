//! Driver installations that failed, from the logs in `Windows\INF`, and the file or package that their first error names.

use crate::logs::setupapi::{self, Exit, Section};
use crate::named::drivers;
use crate::named::look_up::{Place, error_facts, newest, subject};
use crate::probe::{fact, read_log, text};
use model::{ErrorCode, Facts, Failure, Reading, Value};
use target::Target;

error_facts!(
    "driver-error",
    "which rule recognised it: driver-file (a file that the package should bring), driver-package (a published package that Windows lost), or section-without-end (installation was cut short)",
    "inf": Text = "the INF that was being installed, as the log names it",
    "device": Text = "the device or the package that the section is about",
);

const MOST_NAMED: usize = 24;
const LOGS: [&str; 4] = ["setupapi.dev.log", "setupapi.setup.log", "setupapi.offline.log", "setupapi.app.log"];
/// Ends that are answers. 0xE000020B: no such device (a driver for hardware that is not plugged in, ERROR_NO_SUCH_DEVINST);
/// 0x103: no more items (the driver in use is the better one); 0x4C7: the person cancelled; 0xE000022B: the class does not want
/// it; 0xBC2 and 0xBC3: done, restart needed; 0x420: the service runs already (setupapi.h, newdev.h, winerror.h).
const ANSWERS: [u32; 7] = [0xE000_020B, 0x103, 0x4C7, 0xE000_022B, 0xBC2, 0xBC3, 0x420];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for name in LOGS {
        let path = target.windows_folder().join("INF").join(name);
        let source = path.with_drive(target.drive());
        let mut sections = Vec::new();
        read_log(target, &path, "log of driver installation", facts, &mut |input| {
            let (found, problems) = setupapi::parse(input);
            sections = found;
            problems
        });
        one_log(target, &sections, &source, facts);
    }
}

fn one_log(target: &dyn Target, sections: &[Section], source: &str, facts: &mut Facts) {
    for (at, section) in sections.iter().enumerate() {
        let later = sections.get(at + 1..).unwrap_or_default();
        if section.exit.is_none() && section.end.is_none() && section.followed && !section.operation.is_empty() {
            cut_short(section, later, source, facts);
        }
        if let Some(code) = failed(section)
            && !resolved(section, later)
            && let Some((named, line)) = drivers::named(section, code)
            && facts.of_kind("driver-error").count() < MOST_NAMED
        {
            let place = Place { source: source.into(), at: format!("line {}", line.line), text: line.text.clone(), phase: section.operation.clone(), when: time(section) };
            let state = drivers::state(target, &named);
            let mut subject = subject(&NAMES, &named, &state, &place);
            match again(facts, &subject) {
                Some(there) => newest(&mut there.when, &subject.when),
                None => {
                    details(&mut subject, section, source);
                    facts.subjects.push(subject);
                }
            }
        }
    }
    facts.failures.extend(failures(sections, source));
}

/// Every installation that failed, one for each code and subject.
fn failures(sections: &[Section], source: &str) -> Vec<Failure> {
    let mut found = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        if let Some(code) = failed(section) {
            add(&mut found, failure(section, code, resolved(section, sections.get(at + 1..).unwrap_or_default()), source));
        }
    }
    found
}

/// A later section of the same device or package succeeded.
fn resolved(section: &Section, later: &[Section]) -> bool {
    later.iter().any(|other| succeeded(other) && same(section, other))
}

fn details(subject: &mut model::Subject, section: &Section, source: &str) {
    let at = format!("line {}", section.line);
    let says = format!("{} of {} failed", section.operation, section.subject);
    subject.put("driver-error.inf", fact(section.inf.as_ref().map_or(Reading::Absent, text), section.inf.clone().unwrap_or_default(), source, &at));
    let device: Reading<Value> = if section.subject.is_empty() { Reading::Absent } else { text(&section.subject) };
    subject.put("driver-error.device", fact(device, says, source, at));
}

/// A section that another one follows without its own end, when nothing of the same device or INF succeeded later.
fn cut_short(section: &Section, later: &[Section], source: &str, facts: &mut Facts) {
    if resolved(section, later) {
        return;
    }
    let named = crate::named::look_up::Named { rule: "section-without-end", kind: "device", object: section.subject.clone(), code: None };
    let place = Place {
        source: source.into(),
        at: format!("line {}", section.line),
        text: format!("{} of {} has no end", section.operation, section.subject),
        phase: section.operation.clone(),
        when: time(section),
    };
    let state = ("unclear", "what happened to the device afterwards is not in this log".to_owned());
    let mut subject = subject(&NAMES, &named, &state, &place);
    match again(facts, &subject) {
        Some(there) => newest(&mut there.when, &subject.when),
        None => {
            details(&mut subject, section, source);
            facts.subjects.push(subject);
        }
    }
}

/// The subject that an earlier section gave already.
fn again<'a>(facts: &'a mut Facts, new: &model::Subject) -> Option<&'a mut model::Subject> {
    facts.subjects.iter_mut().find(|there| there.kind == new.kind && there.name.eq_ignore_ascii_case(&new.name))
}

/// Local time of a section.
fn time(section: &Section) -> String {
    section.start.clone().or_else(|| section.end.clone()).unwrap_or_default()
}

/// The code of a section that really failed.
fn failed(section: &Section) -> Option<ErrorCode> {
    match section.exit {
        // Removing what is not there any more is no failure either.
        Some(Exit::Failure(code)) if !ANSWERS.contains(&code) && !ErrorCode(code).win32().is_some_and(|number| ANSWERS.contains(&number.into())) && !section.operation.starts_with("Delete Device") => {
            Some(ErrorCode(code).normal())
        }
        _ => None,
    }
}

fn succeeded(section: &Section) -> bool {
    matches!(section.exit, Some(Exit::Success | Exit::RestartNeeded)) && !section.operation.starts_with("Delete Device")
}

/// Two sections about the same device, or where no device is named about the same INF.
fn same(one: &Section, other: &Section) -> bool {
    if one.subject.is_empty() && one.inf.is_none() {
        return one.operation == other.operation;
    }
    let package = |section: &Section| section.subject.is_empty() || section.subject.to_lowercase().ends_with(".inf");
    match (package(one), package(other)) {
        (false, false) => one.subject.eq_ignore_ascii_case(&other.subject),
        (true, true) => match (&one.inf, &other.inf) {
            (Some(one), Some(other)) => one == other,
            _ => one.operation == other.operation && one.subject.eq_ignore_ascii_case(&other.subject),
        },
        _ => false,
    }
}

fn failure(section: &Section, code: ErrorCode, resolved: bool, source: &str) -> Failure {
    let local = time(section);
    let subject = match (&section.inf, section.subject.as_str()) {
        (Some(inf), "") => inf.clone(),
        (Some(inf), subject) if !subject.to_lowercase().ends_with(inf.as_str()) => format!("{subject} ({inf})"),
        (None, "") => section.operation.clone(),
        (_, subject) => subject.to_owned(),
    };
    Failure {
        id: 0,
        operation: "driver".into(),
        code: code.to_string(),
        subject,
        phase: if section.operation.is_empty() { "install".into() } else { section.operation.clone() },
        first: local.clone(),
        last: local,
        count: 1,
        resolved,
        transient: false,
        source: source.into(),
        at: format!("line {}", section.line),
    }
}

/// One failure for each code and subject.
fn add(failures: &mut Vec<Failure>, new: Failure) {
    match failures.iter_mut().find(|old| old.code == new.code && old.subject == new.subject) {
        Some(old) => {
            old.count += 1;
            (old.last, old.at, old.resolved) = (new.last, new.at, new.resolved);
        }
        None => failures.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::failures;
    use crate::logs::setupapi::parse;
    use crate::logs::text_tests;

    fn section(subject: &str, status: &str) -> String {
        format!(">>>  [Device Install (DiInstallDriver) - {subject}]\n>>>  Section start 2026/01/02 03:04:05.678\n<<<  Section end 2026/01/02 03:04:06.000\n<<<  [Exit status: {status}]\n")
    }

    fn found(text: &str) -> Vec<(String, String, u32, bool)> {
        let (sections, _) = parse(&mut text.as_bytes());
        failures(&sections, "log").into_iter().map(|f| (f.code, f.subject, f.count, f.resolved)).collect()
    }

    #[test]
    fn answers_are_no_failures() {
        for status in ["FAILURE(0xe000020b)", "FAILURE(0x00000103)", "FAILURE(0x000004c7)", "SUCCESS", "SUCCESS (REBOOT_REQUIRED)"] {
            assert_eq!(found(&section("C:\\a.inf", status)), [], "{status}");
        }
    }

    #[test]
    fn a_later_success_of_the_same_package_or_device_resolves() {
        let bad = section("C:\\d\\a.inf", "FAILURE(0x00000002)");
        let wanted = |count, resolved| [("0x80070002".to_owned(), "C:\\d\\a.inf".to_owned(), count, resolved)];
        assert_eq!(found(&[bad.as_str(), &bad].concat()), wanted(2, false));
        assert_eq!(found(&[bad.as_str(), &section("C:\\e\\A.inf", "SUCCESS")].concat()), wanted(1, true));
        assert_eq!(found(&[bad.as_str(), &section("C:\\d\\b.inf", "SUCCESS")].concat()), wanted(1, false));
        assert_eq!(found(&[section("C:\\d\\a.inf", "SUCCESS").as_str(), &bad].concat()), wanted(1, false));
        let device = section("USB\\VID_1\\2", "FAILURE(0x00000002)");
        assert!(found(&[device.as_str(), &section("usb\\vid_1\\2", "SUCCESS")].concat()).iter().all(|failure| failure.3));
        assert!(found(&[device.as_str(), &section("USB\\VID_1\\3", "SUCCESS")].concat()).iter().all(|failure| !failure.3));
    }

    #[test]
    fn published_logs_of_healthy_machines_have_no_failure() {
        for name in ["setupapi-museum-win11/setupapi.dev.log", "setupapi-plaso/setupapi.dev.log", "setupapi-plaso/setupapi.setup.log"] {
            let Some(bytes) = text_tests::shared(name) else { continue };
            let (sections, _) = parse(&mut &bytes[..]);
            assert!(!sections.is_empty());
            assert_eq!(failures(&sections, name), [], "{name}");
        }
    }
}
