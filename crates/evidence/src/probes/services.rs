//! The services that Windows Update stands on: start type, program, DLL, svchost group, dependencies – each beside what is right
//! for this Windows version.

use crate::defaults::{self, ServiceDefault};
use crate::probe::{fact, text};
use crate::service_file;
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject, Value, registry_type};
use target::{Expanded, KeyView, Target, names_equal};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "service.name", kind: FactKind::Text, meaning: "the service's own name, as the table of right states spells it" },
    FactDeclaration { name: "service.key", kind: FactKind::Text, meaning: "the service's registry key, with the control set's number" },
    FactDeclaration { name: "service.role", kind: FactKind::Text, meaning: "update, base (what the update services need), driver or related" },
    FactDeclaration { name: "service.sourced", kind: FactKind::Bool, meaning: "its right state comes from a source, not from memory" },
    FactDeclaration { name: "service.start", kind: FactKind::Number, meaning: "Start: 0 boot, 1 system, 2 automatic, 3 manual, 4 disabled" },
    FactDeclaration { name: "service.start.state", kind: FactKind::Text, meaning: "right, disabled, missing, wrong-type or other (another start type that works)" },
    FactDeclaration { name: "service.start.default", kind: FactKind::Number, meaning: "the right Start for this Windows version" },
    FactDeclaration { name: "service.start.delayed", kind: FactKind::Bool, meaning: "the right start type is delayed automatic" },
    FactDeclaration { name: "service.start.delayed-now", kind: FactKind::Bool, meaning: "DelayedAutostart is 1" },
    FactDeclaration { name: "service.image", kind: FactKind::Text, meaning: "ImagePath as stored" },
    FactDeclaration { name: "service.image.state", kind: FactKind::Text, meaning: "right, missing, wrong-type (not expanded), or wrong (another program)" },
    FactDeclaration { name: "service.image.default", kind: FactKind::Text, meaning: "the right ImagePath for this Windows version" },
    FactDeclaration { name: "service.dll", kind: FactKind::Text, meaning: "ServiceDll as stored" },
    FactDeclaration { name: "service.dll.state", kind: FactKind::Text, meaning: "right, missing, wrong-type (REG_SZ with a variable in it), wrong (another file) or not-used" },
    FactDeclaration { name: "service.dll.key", kind: FactKind::Text, meaning: "the key in which ServiceDll stands or belongs" },
    FactDeclaration { name: "service.dll.default", kind: FactKind::Text, meaning: "the right ServiceDll for this Windows version" },
    FactDeclaration { name: "service.dll.named-file", kind: FactKind::Text, meaning: "the file that ServiceDll names now, when it exists" },
    FactDeclaration {
        name: "service.dll.named-in-store",
        kind: FactKind::Bool,
        meaning: "when ServiceDll is wrong and its file exists: the component store has that very file, so it belongs to Windows",
    },
    FactDeclaration { name: "service.file", kind: FactKind::Text, meaning: "the service's right file (DLL or program), when it exists" },
    FactDeclaration { name: "service.file.path", kind: FactKind::Text, meaning: "the path of the service's right file, existing or not" },
    FactDeclaration { name: "service.file.twin", kind: FactKind::Text, meaning: "when the file is missing: its copy in the component store" },
    FactDeclaration { name: "service.file.renamed", kind: FactKind::Text, meaning: "when the file is missing: a file beside it under another name with exactly the store's content" },
    FactDeclaration { name: "service.group", kind: FactKind::Text, meaning: "the svchost group that ImagePath names" },
    FactDeclaration { name: "service.group.state", kind: FactKind::Text, meaning: "listed, not-listed, group-missing, wrong-type or not-used" },
    FactDeclaration { name: "service.group.known", kind: FactKind::Bool, meaning: "this service is known to belong to that group" },
    FactDeclaration { name: "service.dependency.missing", kind: FactKind::Text, meaning: "the first service named in DependOnService that does not exist, and that does not belong there" },
    FactDeclaration { name: "service.dependency.remaining", kind: FactKind::List, meaning: "DependOnService without the names that do not exist" },
    FactDeclaration { name: "service.dependency.rest", kind: FactKind::Number, meaning: "how many dependencies remain" },
];

const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";
const SVCHOST: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Svchost";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let existing = match target.key(SERVICES) {
        Reading::Known(view) => view.subkeys,
        other => {
            let why = match other {
                Reading::Unreadable(why) => why,
                Reading::NotCollected => "the key Services is not part of what was given".into(),
                _ => "there is no Services key".into(),
            };
            facts.not_checked.push(NotChecked { what: "services".into(), why, blocking: true });
            return;
        }
    };
    let mut missing = Vec::new();
    for default in defaults::services(target.windows()) {
        match target.key(&format!("{SERVICES}\\{}", default.service)) {
            Reading::Known(view) => facts.subjects.push(service(target, &default, &view, &existing)),
            Reading::Absent if default.role == "update" => missing.push(default.service),
            Reading::Unreadable(why) => {
                facts.not_checked.push(NotChecked { what: format!("service {}", default.service), why, blocking: default.role == "update" });
            }
            // Services outside the update stack come and go with features and editions.
            Reading::Absent | Reading::NotCollected => {}
        }
    }
    if !missing.is_empty() {
        let why = "there is no such service key; it is called a fault only when its files show that this Windows should have it".into();
        facts.not_checked.push(NotChecked { what: format!("service {}", missing.join(", ")), why, blocking: false });
    }
}

fn service(target: &dyn Target, default: &ServiceDefault, view: &KeyView, existing: &[String]) -> Subject {
    let mut subject = Subject::new("service", default.service);
    let name = default.service;
    subject.put("service.name", fact(text(name), name, "SYSTEM", "key"));
    subject.put("service.key", fact(text(&view.path), &view.path, "SYSTEM", "key"));
    subject.put("service.role", fact(text(default.role), format!("{name} belongs to: {}", default.role), "knowledge/defaults/services.tsv", name));
    subject.put(
        "service.sourced",
        fact(Reading::Known(Value::Bool(default.sourced)), format!("The right state of {name} is {}", if default.sourced { "sourced" } else { "from memory only" }), "knowledge/defaults/services.tsv", name),
    );
    start(default, view, &mut subject);
    image(target, default, view, &mut subject);
    dll(target, default, view, &mut subject);
    service_file::put(target, default, &mut subject);
    group(target, name, view, &mut subject);
    dependencies(default, view, existing, &mut subject);
    subject
}

fn start_word(start: u32, delayed: bool) -> &'static str {
    match (start, delayed) {
        (0, _) => "boot",
        (1, _) => "system",
        (2, true) => "automatic, delayed",
        (2, false) => "automatic",
        (3, _) => "manual",
        (4, _) => "disabled",
        _ => "not a start type",
    }
}

fn start(default: &ServiceDefault, view: &KeyView, subject: &mut Subject) {
    let name = default.service;
    let Some(&(right, delayed)) = default.start.first() else { return };
    let delayed_now = ["DelayedAutostart", "DelayedAutoStart"].iter().find_map(|value| view.value(value)).and_then(RegistryData::as_dword) == Some(1);
    let right_words = format!("{right} ({})", start_word(right, delayed));
    let (state, reading, says) = match view.value("Start") {
        None => ("missing", Reading::Absent, format!("{name} has no Start value, so Windows ignores it; right is {right_words}")),
        Some(data) => match data.as_dword() {
            None => ("wrong-type", Reading::Unreadable(format!("Start is {} instead of a number", registry_type::name(data.kind))), format!("The Start value of {name} is not a number; right is {right_words}")),
            Some(number) => {
                let state = match number {
                    4 if right != 4 => "disabled",
                    _ if default.start.iter().any(|(accepted, _)| *accepted == number) => "right",
                    0..=4 => "other",
                    _ => "wrong-type",
                };
                (state, Reading::Known(Value::Number(number.into())), format!("{name}: Start is {number} ({}); right is {right_words}", start_word(number, delayed_now)))
            }
        },
    };
    subject.put("service.start", fact(reading, &says, "SYSTEM", "Start"));
    subject.put("service.start.state", fact(text(state), &says, "SYSTEM", "Start"));
    subject.put("service.start.default", fact(Reading::Known(Value::Number(right.into())), format!("The right Start of {name} is {right_words}"), "knowledge/defaults/services.tsv", name));
    subject.put("service.start.delayed", fact(Reading::Known(Value::Bool(delayed)), format!("{name} should start delayed: {delayed}"), "knowledge/defaults/services.tsv", name));
    subject.put("service.start.delayed-now", fact(Reading::Known(Value::Bool(delayed_now)), format!("DelayedAutostart of {name} is {}", u8::from(delayed_now)), "SYSTEM", "DelayedAutostart"));
}

/// A command line brought to one form: expanded, lower case, without quotes, `-p` and doubled spaces.
fn command(target: &dyn Target, line: &str) -> String {
    let line = line.replace('"', "");
    let (program, arguments) = match line.to_ascii_lowercase().find(".exe") {
        Some(at) => line.split_at(at + 4),
        None => (line.as_str(), ""),
    };
    let program = match target.expand(program) {
        Expanded::Here(path) => path.to_string(),
        Expanded::Elsewhere(letter, rest) => format!("{letter}:{rest}"),
        Expanded::Unknown(_) => program.to_owned(),
    };
    // Windows 10 1709 and later add -p (process mitigation policy); both forms are right.
    let arguments: Vec<&str> = arguments.split_whitespace().filter(|word| *word != "-p").collect();
    format!("{program} {}", arguments.join(" ")).trim().to_lowercase()
}

fn image(target: &dyn Target, default: &ServiceDefault, view: &KeyView, subject: &mut Subject) {
    let name = default.service;
    let Some(right) = default.image.first() else { return };
    subject.put("service.image.default", fact(text(*right), format!("The right program of {name} is {right}"), "knowledge/defaults/services.tsv", name));
    let Some(data) = view.value("ImagePath") else {
        let says = format!("{name} has no ImagePath, so it cannot start; right is {right}");
        subject.put("service.image", fact(Reading::Absent, &says, "SYSTEM", "ImagePath"));
        // Drivers without ImagePath are loaded from System32\drivers by name.
        let state = if default.role == "driver" { "right" } else { "missing" };
        subject.put("service.image.state", fact(text(state), says, "SYSTEM", "ImagePath"));
        return;
    };
    let Some(now) = data.as_text() else {
        let says = format!("ImagePath of {name} is {} instead of text", registry_type::name(data.kind));
        subject.put("service.image", fact(Reading::Unreadable(says.clone()), &says, "SYSTEM", "ImagePath"));
        subject.put("service.image.state", fact(text("wrong-type"), says, "SYSTEM", "ImagePath"));
        return;
    };
    let accepted = default.image.iter().any(|accepted| command(target, accepted) == command(target, &now));
    let same_host = command(target, &now).split(" -k ").next() == command(target, right).split(" -k ").next() && right.contains("svchost");
    let (state, says) = if data.kind == registry_type::SZ && now.contains('%') {
        ("wrong-type", format!("ImagePath of {name} holds a variable but is REG_SZ, so Windows does not expand it"))
    } else if accepted {
        ("right", format!("{name} starts {now}"))
    } else if same_host || default.role == "driver" {
        // Another svchost group is possible on other builds; the group check decides.
        ("right", format!("{name} starts {now}, which differs from {right} only in its group"))
    } else {
        ("wrong", format!("{name} starts {now}; right is {right}"))
    };
    subject.put("service.image", fact(text(&now), &says, "SYSTEM", "ImagePath"));
    subject.put("service.image.state", fact(text(state), says, "SYSTEM", "ImagePath"));
}

fn dll(target: &dyn Target, default: &ServiceDefault, view: &KeyView, subject: &mut Subject) {
    let name = default.service;
    let Some(right) = service_file::right_dll(target, default) else {
        subject.put("service.dll.state", fact(text("not-used"), format!("{name} has no ServiceDll"), "knowledge/defaults/services.tsv", name));
        return;
    };
    // svchost looks into Parameters first, then into the service's own key (EventLog and DoSvc have it there).
    let parameters = format!("{}\\Parameters", view.path);
    let in_parameters = target.key(&parameters);
    let there = |view: &KeyView| view.value("ServiceDll").cloned();
    let (key, data) = match (in_parameters.known().and_then(there), there(view)) {
        (Some(data), _) => (parameters, Some(data)),
        (None, Some(data)) => (view.path.clone(), Some(data)),
        (None, None) => (parameters, None),
    };
    subject.put("service.dll.key", fact(text(&key), &key, "SYSTEM", "key"));
    subject.put("service.dll.default", fact(text(&right), format!("The right ServiceDll of {name} is {right}"), "knowledge/defaults/services.tsv", name));
    let Some(data) = data else {
        let says = format!("{name} has no ServiceDll, so svchost cannot start it; right is {right}");
        subject.put("service.dll", fact(Reading::Absent, &says, "SYSTEM", "ServiceDll"));
        subject.put("service.dll.state", fact(text("missing"), says, "SYSTEM", "ServiceDll"));
        return;
    };
    let Some(now) = data.as_text() else {
        let says = format!("ServiceDll of {name} is {} instead of text", registry_type::name(data.kind));
        subject.put("service.dll", fact(Reading::Unreadable(says.clone()), &says, "SYSTEM", "ServiceDll"));
        subject.put("service.dll.state", fact(text("wrong-type"), says, "SYSTEM", "ServiceDll"));
        return;
    };
    let right_file = default.dll.iter().any(|accepted| same_file(target, accepted, &now));
    let (state, says) = if data.kind == registry_type::SZ && now.contains('%') {
        ("wrong-type", format!("ServiceDll of {name} is {now}, but as REG_SZ, so the variable in it is not expanded; right is REG_EXPAND_SZ"))
    } else if right_file {
        ("right", format!("{name} loads {now}"))
    } else {
        ("wrong", format!("{name} loads {now}; right is {right}"))
    };
    subject.put("service.dll", fact(text(&now), &says, "SYSTEM", "ServiceDll"));
    subject.put("service.dll.state", fact(text(state), &says, "SYSTEM", "ServiceDll"));
    let named = match target.expand(&now) {
        Expanded::Here(path) => target.entry(&path).map(|entry| Value::Text(entry.path.with_drive(target.drive()))),
        _ => Reading::Unreadable("it lies on another drive".into()),
    };
    let says = match &named {
        Reading::Known(path) => format!("{path} exists"),
        Reading::Absent => format!("{now} does not exist"),
        _ => format!("whether {now} exists was not seen"),
    };
    subject.put("service.dll.named-file", fact(named, says, "SYSTEM", "ServiceDll"));
    // Searching the component store takes long on a real machine, so only a doubtful file is searched for.
    if let (Expanded::Here(path), "wrong") = (target.expand(&now), state) {
        let (reading, says) = match service_file::in_store(target, &path) {
            Reading::Known(yes) => {
                let says = if yes { format!("the component store has {now}, so it belongs to Windows") } else { format!("the component store has no {now}") };
                (Reading::Known(Value::Bool(yes)), says)
            }
            Reading::Absent => (Reading::Absent, format!("{now} does not exist")),
            Reading::NotCollected => (Reading::NotCollected, "the files are not part of what was given".into()),
            Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
        };
        subject.put("service.dll.named-in-store", fact(reading, says, "SYSTEM", "ServiceDll"));
    }
}

/// True when both texts name the same file on this machine.
fn same_file(target: &dyn Target, one: &str, other: &str) -> bool {
    match (target.expand(one), target.expand(other)) {
        (Expanded::Here(one), Expanded::Here(other)) => names_equal(&one.to_string(), &other.to_string()),
        _ => false,
    }
}

fn group(target: &dyn Target, name: &str, view: &KeyView, subject: &mut Subject) {
    let image = view.value("ImagePath").and_then(RegistryData::as_text).unwrap_or_default();
    let lower = image.to_ascii_lowercase();
    let group = lower.find("svchost.exe").and_then(|_| lower.find(" -k ")).and_then(|at| image.get(at + 4..)).and_then(|rest| rest.split_whitespace().next());
    let Some(group) = group else {
        subject.put("service.group.state", fact(text("not-used"), format!("{name} is not run by svchost"), "SYSTEM", "ImagePath"));
        return;
    };
    subject.put("service.group", fact(text(group), format!("{name} runs in the svchost group {group}"), "SYSTEM", "ImagePath"));
    let known = defaults::belongs_to_group(target.windows(), group, name);
    subject.put("service.group.known", fact(Reading::Known(Value::Bool(known)), format!("{name} belongs to the group {group}"), "knowledge/defaults/svchost-groups.tsv", group));
    let (state, says) = match target.value(SVCHOST, group) {
        Reading::Known(data) => match data.as_list() {
            Some(members) if members.iter().any(|member| names_equal(member, name)) => (text("listed"), format!("{name} is listed in the svchost group {group}")),
            Some(_) => (text("not-listed"), format!("{name} is not listed in the svchost group {group}, so svchost refuses to run it")),
            None => (text("wrong-type"), format!("The svchost group {group} is {} instead of a list", registry_type::name(data.kind))),
        },
        Reading::Absent => (text("group-missing"), format!("There is no svchost group {group}, so {name} cannot run")),
        Reading::NotCollected => (Reading::NotCollected, "The svchost groups are not part of what was given".into()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    };
    subject.put("service.group.state", fact(state, says, "SOFTWARE", group));
}

fn dependencies(default: &ServiceDefault, view: &KeyView, existing: &[String], subject: &mut Subject) {
    let name = default.service;
    let Some(list) = view.value("DependOnService").and_then(RegistryData::as_list) else { return };
    let exists = |wanted: &String| wanted.starts_with('+') || existing.iter().any(|service| names_equal(service, wanted));
    let gone: Vec<&String> = list.iter().filter(|wanted| !exists(wanted)).collect();
    // A missing service that does belong there is another fault: the list is right, the service is gone.
    let foreign = gone.iter().find(|wanted| !default.depends.iter().any(|right| names_equal(right, wanted)));
    let (reading, says) = match foreign {
        Some(foreign) => (text(foreign.as_str()), format!("{name} waits for the service {foreign}, which does not exist, so it never starts")),
        None => (Reading::Absent, format!("every service that {name} waits for exists, or belongs there")),
    };
    subject.put("service.dependency.missing", fact(reading, says, "SYSTEM", "DependOnService"));
    let remaining: Vec<String> = list.iter().filter(|wanted| exists(wanted) || default.depends.iter().any(|right| names_equal(right, wanted))).cloned().collect();
    subject.put("service.dependency.rest", fact(Reading::Known(Value::Number(remaining.len() as u64)), format!("{name} keeps {} dependencies", remaining.len()), "SYSTEM", "DependOnService"));
    subject.put("service.dependency.remaining", fact(Reading::Known(Value::List(remaining)), format!("The other dependencies of {name} exist"), "SYSTEM", "DependOnService"));
}
