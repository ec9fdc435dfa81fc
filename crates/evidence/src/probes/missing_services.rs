//! Services whose key is gone, and what else on the disk says that this Windows should have them: another control set, the
//! service's own file with its copy in the component store, its place in the svchost group.

use crate::defaults::{self, ServiceDefault};
use crate::probe::{fact, text};
use crate::service_file;
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, Value};
use target::{Expanded, Target, names_equal};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "missing-service.name", kind: FactKind::Text, meaning: "a service of the table of right states that has no key" },
    FactDeclaration { name: "missing-service.role", kind: FactKind::Text, meaning: "update or base" },
    FactDeclaration { name: "missing-service.sourced", kind: FactKind::Bool, meaning: "that it belongs there comes from a source, not from memory" },
    FactDeclaration { name: "missing-service.key", kind: FactKind::Text, meaning: "where its key belongs" },
    FactDeclaration { name: "missing-service.other-set", kind: FactKind::Text, meaning: "its complete key in another control set of this disk" },
    FactDeclaration { name: "missing-service.file", kind: FactKind::Text, meaning: "its file (DLL or program), when it exists" },
    FactDeclaration { name: "missing-service.file-in-store", kind: FactKind::Bool, meaning: "the component store holds exactly that file" },
    FactDeclaration { name: "missing-service.group", kind: FactKind::Text, meaning: "listed, not-listed or not-used (no svchost service)" },
    FactDeclaration {
        name: "missing-service.same-build",
        kind: FactKind::Bool,
        meaning: "the hives SYSTEM and SOFTWARE are of the same revision (Windows 10 and 11), so that the one can be judged by the other",
    },
];

const SVCHOST: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Svchost";
/// Windows keeps a handful of control sets at most.
const SETS: std::ops::RangeInclusive<u32> = 1..=9;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(services) = target.key("HKLM\\SYSTEM\\CurrentControlSet\\Services") else { return };
    for default in defaults::services(target.windows()).iter().filter(|default| matches!(default.role, "update" | "base")) {
        if target.key(&format!("{}\\{}", services.path, default.service)).is_absent() {
            facts.subjects.push(subject(target, default, &services.path));
        }
    }
}

fn subject(target: &dyn Target, default: &ServiceDefault, services: &str) -> Subject {
    let name = default.service;
    let mut subject = Subject::new("missing-service", name);
    let key = format!("{services}\\{name}");
    let says = format!("There is no key {key}, so Windows does not know the service {name}");
    subject.put("missing-service.name", fact(text(name), &says, "SYSTEM", "Services"));
    subject.put(
        "missing-service.role",
        fact(text(default.role), format!("{name} belongs to: {}", default.role), "knowledge/defaults/services.tsv", name),
    );
    let says_sourced = format!("That {name} belongs to this Windows is {}", if default.sourced { "sourced" } else { "from memory only" });
    subject.put("missing-service.sourced", fact(Reading::Known(Value::Bool(default.sourced)), says_sourced, "knowledge/defaults/services.tsv", name));
    subject.put("missing-service.key", fact(text(&key), says, "SYSTEM", "Services"));
    let other = other_set(target, default);
    let says = other.as_ref().map_or_else(|| "no other control set has it".to_owned(), |other| format!("{other} has it complete"));
    subject.put("missing-service.other-set", fact(other.map_or(Reading::Absent, text), says, "SYSTEM", "control sets"));
    file(target, default, &mut subject);
    group(target, default, &mut subject);
    let (same, says) = same_build(target);
    subject.put("missing-service.same-build", fact(same, says, "SYSTEM", "CSDBuildNumber"));
    subject
}

/// The service's key in another control set, when it has what makes it run.
fn other_set(target: &dyn Target, default: &ServiceDefault) -> Option<String> {
    SETS.filter(|set| *set != target.windows().control_set).find_map(|set| {
        let view = target.key(&format!("HKLM\\SYSTEM\\ControlSet{set:03}\\Services\\{}", default.service)).into_known()?;
        let has_dll = || view.value("ServiceDll").is_some() || target.value(&format!("{}\\Parameters", view.path), "ServiceDll").known().is_some();
        let complete = view.value("ImagePath").is_some() && view.value("Start").is_some() && (default.dll.is_empty() || has_dll());
        complete.then_some(view.path.clone())
    })
}

fn file(target: &dyn Target, default: &ServiceDefault, subject: &mut Subject) {
    let mut seen = Subject::new("service", default.service);
    service_file::put(target, default, &mut seen);
    let Some(file) = seen.get("service.file") else { return };
    subject.put("missing-service.file", fact(file.reading.clone(), &file.says, &file.source, &file.at));
    let Some(path) = file.reading.known().map(ToString::to_string) else { return };
    if let Expanded::Here(path) = target.expand(&path) {
        let in_store = service_file::in_store(target, &path);
        let says = match &in_store {
            Reading::Known(true) => "The component store holds exactly this file",
            Reading::Known(false) => "The component store does not hold this file",
            _ => "Whether the component store holds this file could not be seen",
        };
        subject.put("missing-service.file-in-store", fact(in_store.map(Value::Bool), says, &file.source, "component store"));
    }
}

fn group(target: &dyn Target, default: &ServiceDefault, subject: &mut Subject) {
    let name = default.service;
    let Some(group) = default.image.first().and_then(|image| image.split_once(" -k ")).and_then(|(_, rest)| rest.split_whitespace().next()) else {
        subject
            .put("missing-service.group", fact(text("not-used"), format!("{name} is not run by svchost"), "knowledge/defaults/services.tsv", name));
        return;
    };
    let (state, says) = match target.value(SVCHOST, group) {
        Reading::Known(data) if data.as_list().is_some_and(|list| list.iter().any(|member| names_equal(member, name))) => {
            (text("listed"), format!("{name} is still listed in the svchost group {group}"))
        }
        Reading::Known(_) | Reading::Absent => (text("not-listed"), format!("{name} is not listed in the svchost group {group}")),
        Reading::NotCollected => (Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    };
    subject.put("missing-service.group", fact(state, says, "SOFTWARE", group));
}

/// Windows 10 and 11 note the revision in both hives (`CSDBuildNumber` and `UBR`). A SYSTEM hive of another revision was put there
/// from elsewhere, for example from a backup before a feature update; what it lacks, that Windows may never have had.
fn same_build(target: &dyn Target) -> (Reading<Value>, String) {
    let windows = target.windows();
    let (10.., Some(ubr)) = (windows.major, windows.ubr) else {
        return (Reading::Known(Value::Bool(windows.major < 10)), "this Windows does not note its revision in both hives".into());
    };
    match target.value("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Windows", "CSDBuildNumber").and_then(|data| RegistryData::as_dword(&data).into()) {
        Reading::Known(number) if number == ubr => (Reading::Known(Value::Bool(true)), format!("Both hives are of revision {ubr}")),
        Reading::Known(number) => {
            (Reading::Known(Value::Bool(false)), format!("The hive SYSTEM is of revision {number}, SOFTWARE of revision {ubr}"))
        }
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
        _ => (Reading::NotCollected, "the hive SYSTEM does not say its revision".into()),
    }
}
