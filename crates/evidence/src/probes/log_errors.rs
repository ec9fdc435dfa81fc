//! What servicing logs name as the first thing that went wrong, looked up on the machine itself, and which packages could not be
//! installed.

use crate::logs::{cbs, checksur, dism, pending_xml, poqexec};
use crate::named::look_up::newest;
use crate::probe::{fact, text};
use crate::servicing_errors::dism::{failures as failed_commands, wants_source};
use crate::servicing_errors::{Named, Operations, PackageResult, look_up, remedies, succeeded, supersedes};
use model::{ErrorCode, FactDeclaration, FactKind, Facts, Failure, NotChecked, Reading, Subject, VolumePath};
use std::io::Read;
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "error.rule", kind: FactKind::Text, meaning: "which kind of line named the object: ngen-service, payload-missing, package-manifest … (knowledge/errors)" },
    FactDeclaration { name: "error.code", kind: FactKind::Text, meaning: "the code in the line, or with which the operation ended, as 0x80070002; absent when there is none" },
    FactDeclaration { name: "error.object", kind: FactKind::Text, meaning: "what the line names: a path, a service, a key, a package, a task" },
    FactDeclaration { name: "error.kind", kind: FactKind::Text, meaning: "what that is: file, folder, key, service, package, component, inf, driver-package, task, profile, installer or device" },
    FactDeclaration { name: "error.state", kind: FactKind::Text, meaning: "how it is on this machine now: absent, wrong, present, not-collected, unreadable or unclear (cannot be looked up)" },
    FactDeclaration { name: "error.log", kind: FactKind::Text, meaning: "the log's path; of a packed log, the cabinet's" },
    FactDeclaration { name: "error.phase", kind: FactKind::Text, meaning: "when: session (an installation in the running Windows), startup (at a start of Windows) or report (a check of the component store)" },
    FactDeclaration { name: "error.line-text", kind: FactKind::Text, meaning: "the line" },
    FactDeclaration { name: "error.package", kind: FactKind::Text, meaning: "the package that was being installed; absent when the log does not say" },
    FactDeclaration { name: "error.copy", kind: FactKind::Text, meaning: "for a missing file of the component store or of a package: where a file lies that may be the same, on this disk or (source:…) in what --source names; absent when there is none" },
    FactDeclaration { name: "error.other-set", kind: FactKind::Text, meaning: "for a driver's missing key: the same key in another control set; absent when there is none" },
    FactDeclaration { name: "error.package-folder", kind: FactKind::Text, meaning: "for a driver package of Windows that is not in the driver store: the folder that the driver database names" },
    FactDeclaration { name: "error.package-twin", kind: FactKind::Text, meaning: "for such a package: the folder of the component store that holds the same version of it; absent when there is none" },
    FactDeclaration { name: "error.task-tree", kind: FactKind::Text, meaning: "for a task that is half registered: its key below TaskCache\\Tree, when no other task lies below it" },
    FactDeclaration { name: "error.task-id", kind: FactKind::Text, meaning: "for such a task: its number in braces" },
    FactDeclaration { name: "error.task-file", kind: FactKind::Text, meaning: "for such a task: its file below System32\\Tasks; absent when there is none" },
];

/// The most failures and the most objects that are reported; a store that lost a folder names thousands.
const MOST: usize = 100;
/// For so many of them a copy is looked for; where more is missing, single files are not the way.
const MOST_COPIES: usize = 10;
const PACKAGES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages";
/// States of packages: installed; superseded, which is installed with a newer one in its place.
const INSTALLED: u32 = 0x70;
const SUPERSEDED: u32 = 0x50;
/// So many logs that Windows set aside are read, and so many bytes of them. A packed log counts for more than it takes: text of
/// servicing logs packs to a fifteenth or less.
const MOST_LOGS: usize = 12;
const LARGEST_IN_ALL: u64 = 4 << 30;
const PACKED: u64 = 20;
/// STATUS_OBJECT_NAME_NOT_FOUND and STATUS_OBJECT_PATH_NOT_FOUND (ntstatus.h).
const NOT_FOUND: [u32; 2] = [0xC000_0034, 0xC000_003A];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let folder = target.windows_folder().join("Logs\\CBS");
    let names = target.list(&folder).into_known().unwrap_or_default();
    let mut operations = Operations::new();
    let mut places: Vec<Place> = Vec::new();
    for path in logs(target, &folder, &names, facts) {
        if let Some(why) = scan(target, &path, &mut places, &mut operations) {
            facts.not_checked.push(NotChecked { what: format!("the servicing log {}", path.with_drive(target.drive())), why, blocking: false });
        }
    }
    let (named, results) = operations.finish();
    let packages = Packages::of(target);
    let current = named.iter().filter(|named| !named.package.as_ref().is_some_and(|package| packages.newer_than(package)));
    for named in current.take(MOST) {
        add(target, facts, named, places.get(named.log));
    }
    failures(&packages, facts, &results, &places);
    for name in names.iter().filter(|name| name.eq_ignore_ascii_case("CheckSUR.log")) {
        readiness(target, facts, &folder.join(name));
    }
    commands(target, facts);
    vanished(target, facts);
}

/// Commands of DISM that failed, where the servicing log does not tell of the same.
fn commands(target: &dyn Target, facts: &mut Facts) {
    let path = target.windows_folder().join("Logs\\DISM\\dism.log");
    let source = path.with_drive(target.drive());
    let commands = match target.open(&path) {
        Reading::Known(mut input) => dism::parse(&mut *input).0,
        Reading::Unreadable(why) => {
            facts.not_checked.push(NotChecked { what: format!("the log {source}"), why, blocking: false });
            return;
        }
        Reading::Absent | Reading::NotCollected => return,
    };
    for (failure, named) in failed_commands(&commands, &source).into_iter().take(MOST) {
        if wants_source(&failure) && !failure.resolved {
            add(target, facts, &named, Some(&Place { source: source.clone(), inside: None }));
        }
        let day = |time: &str| time.get(..10).unwrap_or_default().to_owned();
        let told = |known: &Failure| known.phase == "servicing" && known.code == failure.code && day(&known.last) == day(&failure.last);
        if !facts.failures.iter().any(told) {
            facts.failures.push(failure);
        }
    }
}

/// Where an entry was read.
struct Place {
    source: String,
    /// The name in the cabinet.
    inside: Option<String>,
}

impl Place {
    fn at(&self, line: u64) -> String {
        self.inside.as_ref().map_or_else(|| format!("line {line}"), |inside| format!("line {line} of {inside}"))
    }
}

/// The logs to be read, the oldest first: `CBS.log`, and what Windows set aside of it, as it was (`CbsPersist_20240115080000.log`) or
/// packed (`….cab`). The newest count: those that are too many are named as not checked.
fn logs(target: &dyn Target, folder: &VolumePath, names: &[String], facts: &mut Facts) -> Vec<VolumePath> {
    let stem = |name: &str| name.get(..name.len().saturating_sub(4)).unwrap_or_default().to_ascii_lowercase();
    let ends = |name: &str, ending: &str| name.to_ascii_lowercase().starts_with("cbspersist_") && name.to_ascii_lowercase().ends_with(ending);
    let plain: Vec<String> = names.iter().filter(|name| ends(name, ".log")).map(|name| stem(name)).collect();
    // While Windows packs a log, both are there, and the packed one is not complete yet.
    let packed = |name: &&String| ends(name, ".log") || (ends(name, ".cab") && !plain.contains(&stem(name)));
    let mut older: Vec<&String> = names.iter().filter(packed).collect();
    older.sort_unstable_by_key(|name| std::cmp::Reverse(stem(name)));
    let mut room = LARGEST_IN_ALL;
    let mut chosen: Vec<VolumePath> = Vec::new();
    for (number, name) in older.iter().enumerate() {
        let path = folder.join(name);
        let size = target.entry(&path).into_known().map_or(0, |entry| entry.size);
        let size = if is_packed(&path) { size.saturating_mul(PACKED) } else { size };
        if number >= MOST_LOGS || size > room {
            let what = format!("{} older servicing logs, the newest of them {}", older.len() - number, path.with_drive(target.drive()));
            facts.not_checked.push(NotChecked { what, why: "newer ones were read, and all of them are too much to read".into(), blocking: false });
            break;
        }
        room -= size;
        chosen.push(path);
    }
    chosen.reverse();
    chosen.extend(names.iter().filter(|name| name.eq_ignore_ascii_case("CBS.log")).map(|name| folder.join(name)));
    chosen
}

fn is_packed(path: &VolumePath) -> bool {
    path.file_name().to_ascii_lowercase().ends_with(".cab")
}

/// Reads one log, or all that are packed in a cabinet; why it could not be read to its end.
fn scan(target: &dyn Target, path: &VolumePath, places: &mut Vec<Place>, operations: &mut Operations) -> Option<String> {
    let source = path.with_drive(target.drive());
    let mut failed = None;
    let mut one = |inside: Option<&str>, input: &mut dyn Read| {
        let number = places.len();
        places.push(Place { source: source.clone(), inside: inside.map(str::to_owned) });
        cbs::scan(input, &mut |entry| operations.take(number, &entry)).err().map(|error| error.to_string())
    };
    let read = if is_packed(path) {
        target.unpack(path, &mut |name, content| failed = one(Some(name), content))
    } else {
        target.open(path).map(|mut input| failed = one(None, &mut *input))
    };
    if let Reading::Unreadable(why) = read { Some(why) } else { failed }
}

/// Packages that are installed, as the registry lists them.
struct Packages<'a> {
    target: &'a dyn Target,
    /// Names of all packages, installed or not; asked for once, because there are thousands.
    names: Vec<String>,
}

impl<'a> Packages<'a> {
    fn of(target: &'a dyn Target) -> Self {
        Packages { target, names: target.key(PACKAGES).into_known().map_or_else(Vec::new, |view| view.subkeys) }
    }

    fn state(&self, package: &str) -> Option<u32> {
        self.target.value(&format!("{PACKAGES}\\{package}"), "CurrentState").into_known().and_then(|data| data.as_dword())
    }

    /// The package itself is installed, or was until a newer one took its place.
    fn has(&self, package: &str) -> bool {
        matches!(self.state(package), Some(INSTALLED | SUPERSEDED))
    }

    /// A newer package of the same name is installed: what went wrong with this one is history.
    fn newer_than(&self, package: &str) -> bool {
        let newer = |other: &&String| !other.eq_ignore_ascii_case(package) && supersedes(other, package);
        self.names.iter().filter(newer).any(|other| self.state(other) == Some(INSTALLED))
    }
}

/// One subject for each object that a line means.
fn add(target: &dyn Target, facts: &mut Facts, named: &Named, place: Option<&Place>) {
    let (source, at) = place.map_or_else(Default::default, |place| (place.source.as_str(), place.at(named.line)));
    for object in look_up(target, named) {
        let name = format!("{}: {}", named.rule, object.name);
        let when = named.local.clone().unwrap_or_default();
        if let Some(there) = facts.subjects.iter_mut().find(|there| there.kind == "error" && there.name.eq_ignore_ascii_case(&name)) {
            newest(&mut there.when, &when);
            continue;
        }
        let on = if when.is_empty() { String::new() } else { format!(" on {when}") };
        let line = format!("The log says{on}: {}", named.text);
        let mut subject = Subject::new("error", name);
        subject.when = when;
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
        let looked_up = facts.subjects.iter().filter(|there| there.kind == "error").count();
        // What is at hand is evidence of its own; why nothing is stands beside what is missing.
        let mut says = object.says.clone();
        for (name, value, why) in remedies(target, named.rule, &object, looked_up < MOST_COPIES) {
            if value.is_none() && !why.is_empty() {
                says = format!("{says}; {why}");
            }
            subject.put(name, fact(value.map_or(Reading::Absent, text), &why, &object.name, "what could put it right"));
        }
        subject.put("error.state", fact(text(object.state), &says, &object.name, object.kind));
        facts.subjects.push(subject);
    }
}

/// One failure for each package and code; a package that was installed later, or is installed now, is resolved.
fn failures(packages: &Packages<'_>, facts: &mut Facts, results: &[PackageResult], places: &[Place]) {
    let mut failures: Vec<(Failure, &str, usize)> = Vec::new();
    for (order, result) in results.iter().enumerate().filter(|(_, result)| result.code.0 & 0x8000_0000 != 0) {
        let code = result.code.to_string();
        let local = result.local.clone().unwrap_or_default();
        let (log, at) = places.get(result.log).map_or_else(Default::default, |place| (place.source.clone(), place.at(result.line)));
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
        let later = results.iter().skip(last + 1).any(|result| succeeded(result, package));
        failure.resolved = later || packages.has(package) || packages.newer_than(package);
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
                    add(target, facts, &named, Some(&Place { source: source.clone(), inside: None }));
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
            add(target, facts, &Named::of_pending(failed), Some(&Place { source: source.clone(), inside: None }));
        }
    }
}
