//! What servicing logs name as the first thing that went wrong, looked up on the machine itself, and which packages could not be
//! installed.

use crate::logs::{cbs, checksur, pending_xml, poqexec};
use crate::probe::{fact, text};
use crate::servicing_errors::{Named, Operations, PackageResult, look_up, succeeded};
use model::{ErrorCode, FactDeclaration, FactKind, Facts, Failure, NotChecked, Reading, Subject, VolumePath};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "error.rule", kind: FactKind::Text, meaning: "which kind of line named the object: ngen-service, payload-missing, package-manifest … (knowledge/errors)" },
    FactDeclaration { name: "error.code", kind: FactKind::Text, meaning: "the code in the line, or with which the operation ended, as 0x80070002; absent when there is none" },
    FactDeclaration { name: "error.object", kind: FactKind::Text, meaning: "what the line names: a path, a service, a key, a package, a task" },
    FactDeclaration { name: "error.kind", kind: FactKind::Text, meaning: "what that is: file, folder, key, service, package, component, inf, driver-package, task, profile, installer or device" },
    FactDeclaration { name: "error.state", kind: FactKind::Text, meaning: "how it is on this machine now: absent, wrong, present, not-collected, unreadable or unclear (cannot be looked up)" },
    FactDeclaration { name: "error.log", kind: FactKind::Text, meaning: "the log's path" },
    FactDeclaration { name: "error.phase", kind: FactKind::Text, meaning: "when: session (an installation in the running Windows), startup (at a start of Windows) or report (a check of the component store)" },
    FactDeclaration { name: "error.line-text", kind: FactKind::Text, meaning: "the line" },
    FactDeclaration { name: "error.package", kind: FactKind::Text, meaning: "the package that was being installed; absent when the log does not say" },
];

/// The most failures and the most objects that are reported; a store that lost a folder names thousands.
const MOST: usize = 100;
const PACKAGES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages";
const INSTALLED: u32 = 0x70;
/// STATUS_OBJECT_NAME_NOT_FOUND and STATUS_OBJECT_PATH_NOT_FOUND (ntstatus.h).
const NOT_FOUND: [u32; 2] = [0xC000_0034, 0xC000_003A];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let folder = target.windows_folder().join("Logs\\CBS");
    let names = target.list(&folder).into_known().unwrap_or_default();
    let mut logs: Vec<&String> = names.iter().filter(|name| is_persisted(name)).collect();
    logs.sort_unstable_by_key(|name| name.to_ascii_lowercase());
    logs.extend(names.iter().filter(|name| name.eq_ignore_ascii_case("CBS.log")));
    let paths: Vec<VolumePath> = logs.iter().map(|name| folder.join(name)).collect();
    let mut operations = Operations::new();
    for (number, path) in paths.iter().enumerate() {
        let failed = match target.open(path) {
            Reading::Known(mut input) => cbs::scan(&mut *input, &mut |entry| operations.take(number, &entry)).err().map(|error| error.to_string()),
            Reading::Unreadable(why) => Some(why),
            Reading::Absent | Reading::NotCollected => None,
        };
        if let Some(why) = failed {
            facts.not_checked.push(NotChecked { what: format!("the servicing log {}", path.with_drive(target.drive())), why, blocking: false });
        }
    }
    let (named, results) = operations.finish();
    let source = |log: usize| paths.get(log).map_or_else(String::new, |path| path.with_drive(target.drive()));
    for named in named.iter().take(MOST) {
        add(target, facts, named, &source(named.log));
    }
    failures(target, facts, &results, &source);
    for name in names.iter().filter(|name| name.eq_ignore_ascii_case("CheckSUR.log")) {
        readiness(target, facts, &folder.join(name));
    }
    vanished(target, facts);
}

/// `CbsPersist_20240115080000.log`; the packed ones (`.cab`) are not read.
fn is_persisted(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("cbspersist_") && name.ends_with(".log")
}

/// One subject for each object that a line means.
fn add(target: &dyn Target, facts: &mut Facts, named: &Named, source: &str) {
    for object in look_up(target, named) {
        let name = format!("{}: {}", named.rule, object.name);
        if facts.subject("error", &name).is_some() {
            continue;
        }
        let at = format!("line {}", named.line);
        let when = named.local.as_ref().map_or_else(String::new, |local| format!(" on {local}"));
        let line = format!("The log says{when}: {}", named.text);
        let mut subject = Subject::new("error", name);
        let mut put = |name, reading, says: &str| subject.put(name, fact(reading, says, source, &at));
        put("error.rule", text(named.rule), &line);
        let code = named.code.map_or(Reading::Absent, |code: ErrorCode| text(code.to_string()));
        put("error.code", code, &named.code.map_or_else(String::new, |code| format!("The code is {code}")));
        put("error.object", text(&object.name), &object.name);
        put("error.kind", text(object.kind), "");
        put("error.log", text(source), source);
        put("error.phase", text(named.phase), "");
        put("error.line-text", text(&named.text), &line);
        let package = named.package.as_ref().map_or(Reading::Absent, text);
        put("error.package", package, &named.package.as_ref().map_or_else(String::new, |package| format!("It was installing {package}")));
        subject.put("error.state", fact(text(object.state), &object.says, &object.name, object.kind));
        facts.subjects.push(subject);
    }
}

/// One failure for each package and code; a package that was installed later, or is installed now, is resolved.
fn failures(target: &dyn Target, facts: &mut Facts, results: &[PackageResult], source: &dyn Fn(usize) -> String) {
    let mut failures: Vec<(Failure, &str, usize)> = Vec::new();
    for (order, result) in results.iter().enumerate().filter(|(_, result)| result.code.0 & 0x8000_0000 != 0) {
        let code = result.code.to_string();
        let local = result.local.clone().unwrap_or_default();
        let (log, at) = (source(result.log), format!("line {}", result.line));
        if let Some((known, _, last)) = failures.iter_mut().find(|(known, package, _)| known.code == code && package.eq_ignore_ascii_case(&result.package)) {
            *last = order;
            *known = Failure { last: local, count: known.count + 1, source: log, at, ..known.clone() };
        } else if failures.len() < MOST {
            let failure = Failure {
                id: 0,
                operation: "update".into(),
                code,
                subject: subject_of(result),
                phase: "servicing".into(),
                first: local.clone(),
                last: local,
                count: 1,
                resolved: false,
                transient: false,
                source: log,
                at,
            };
            failures.push((failure, &result.package, order));
        }
    }
    for (mut failure, package, last) in failures {
        let installed = || target.value(&format!("{PACKAGES}\\{package}"), "CurrentState").into_known().and_then(|data| data.as_dword()) == Some(INSTALLED);
        failure.resolved = results.iter().skip(last + 1).any(|result| succeeded(result, package)) || installed();
        facts.failures.push(failure);
    }
}

/// `KB5034441 Package_for_KB5034441~…`, so that the same update is known in other logs.
fn subject_of(result: &PackageResult) -> String {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let inside = result.package.find("KB").map(|at| format!("KB{}", digits(result.package.get(at + 2..).unwrap_or_default()))).filter(|kb| kb.len() > 5);
    match result.kb.clone().filter(|kb| kb.starts_with("KB")).or(inside) {
        Some(kb) => format!("{kb} {}", result.package),
        None => result.package.clone(),
    }
}

/// What the readiness tool of Windows 7 could not mend.
fn readiness(target: &dyn Target, facts: &mut Facts, path: &VolumePath) {
    let source = path.with_drive(target.drive());
    let parsed = target.open(path).and_then(|mut input| match checksur::parse(&mut *input) {
        Ok(found) => Reading::Known(found),
        Err(error) => Reading::Unreadable(error.to_string()),
    });
    match parsed {
        Reading::Known((damage, problems)) => {
            if let Some(first) = problems.first() {
                let why = format!("they name no file that this version knows, the first of them in line {}", first.line);
                facts.not_checked.push(NotChecked { what: format!("{} of the faults in {source}", problems.len()), why, blocking: false });
            }
            for damage in damage.iter().take(MOST) {
                if let Some(named) = Named::of_readiness(damage) {
                    add(target, facts, &named, &source);
                }
            }
        }
        Reading::Unreadable(why) => facts.not_checked.push(NotChecked { what: format!("the log {source}"), why, blocking: false }),
        Reading::Absent | Reading::NotCollected => {}
    }
}

/// Work that waits for a start of Windows and was tried in vain, because its file is not there.
fn vanished(target: &dyn Target, facts: &mut Facts) {
    let store = target.windows_folder().join("WinSxS");
    let (list, log) = (store.join("pending.xml"), store.join("poqexec.log"));
    let waiting = target.open(&list).and_then(|mut input| pending_xml::parse(&mut *input).ok().into());
    let (Reading::Known((waiting, _)), source) = (waiting, log.with_drive(target.drive())) else { return };
    let tried = target.open(&log).and_then(|mut input| poqexec::parse(&mut *input).ok().into());
    let Reading::Known((tried, _)) = tried else { return };
    for failed in tried.iter().filter(|failed| NOT_FOUND.contains(&failed.status)) {
        if waiting.iter().any(|operation| operation.source.eq_ignore_ascii_case(&failed.source)) {
            add(target, facts, &Named::of_pending(failed), &source);
        }
    }
}
