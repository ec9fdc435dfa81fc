//! What says that updates wait for a restart: each flag by itself, with the time at which it was written.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, Value};
use target::{KeyView, Now, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "pending.key", kind: FactKind::Text, meaning: "the key RebootPending" },
    FactDeclaration { name: "pending.reboot-pending", kind: FactKind::Bool, meaning: "Component Based Servicing\\RebootPending exists" },
    FactDeclaration {
        name: "pending.before-shutdown",
        kind: FactKind::Bool,
        meaning: "RebootPending was last written before Windows was last shut down",
    },
    FactDeclaration { name: "pending.in-progress", kind: FactKind::Bool, meaning: "Component Based Servicing\\RebootInProgress exists" },
    FactDeclaration { name: "pending.packages", kind: FactKind::Number, meaning: "entries in Component Based Servicing\\PackagesPending" },
    FactDeclaration {
        name: "pending.package-states",
        kind: FactKind::Number,
        meaning: "packages whose CurrentState is 0x05, 0x60 or 0x65; read only when RebootPending exists or an update failed",
    },
    FactDeclaration {
        name: "pending.waiting-package",
        kind: FactKind::Text,
        meaning: "the first package whose CurrentState is 0x05 (removal waits) or 0x60 (installation waits); absent when there is none, read when pending.package-states is",
    },
    FactDeclaration {
        name: "pending.sessions",
        kind: FactKind::Number,
        meaning: "sessions in SessionsPending that are not complete (Complete is not 1)",
    },
    FactDeclaration { name: "pending.driver-operations", kind: FactKind::Number, meaning: "entries in Component Based Servicing\\DriverOperations" },
    FactDeclaration { name: "pending.xml", kind: FactKind::Bool, meaning: "WinSxS\\pending.xml exists" },
    FactDeclaration { name: "pending.setup-execute", kind: FactKind::Number, meaning: "programs in Session Manager\\SetupExecute" },
    FactDeclaration { name: "pending.restart-required", kind: FactKind::Bool, meaning: "WindowsUpdate\\Auto Update\\RebootRequired exists" },
    FactDeclaration {
        name: "pending.renames",
        kind: FactKind::Bool,
        meaning: "PendingFileRenameOperations exists (often of other programs; never a sign by itself)",
    },
    FactDeclaration {
        name: "pending.installer-start",
        kind: FactKind::Number,
        meaning: "the start type of TrustedInstaller; 2 while an update waits for a restart",
    },
];

const SERVICING: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing";
const REQUIRED: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired";
const SESSION_MANAGER: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager";
const SHUTDOWN: (&str, &str) = ("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Windows", "ShutdownTime");
const INSTALLER: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\TrustedInstaller";
/// Uninstall pending, install pending, partially installed (Microsoft's chart of servicing states, 2015-10-12).
const PENDING_STATES: [u32; 3] = [0x05, 0x60, 0x65];
const PARTIALLY_INSTALLED: u32 = 0x65;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut subject = Subject::new("pending", "restart");
    let flag = target.key(&format!("{SERVICING}\\RebootPending"));
    let flagged = flag.known().is_some();
    subject.put("pending.key", fact(flag.clone().map(|view| Value::Text(view.path)), "", "SOFTWARE", "key"));
    subject.put("pending.reboot-pending", exists(&flag, "RebootPending"));
    if let Reading::Known(view) = &flag {
        before_shutdown(target, view, &mut subject);
    }
    subject.put("pending.in-progress", exists(&target.key(&format!("{SERVICING}\\RebootInProgress")), "RebootInProgress"));
    subject.put("pending.packages", entries(target.key(&format!("{SERVICING}\\PackagesPending")), "PackagesPending"));
    subject.put("pending.driver-operations", entries(target.key(&format!("{SERVICING}\\DriverOperations")), "DriverOperations"));
    subject.put("pending.sessions", sessions(target));
    if flagged || facts.failures.iter().any(|failure| !failure.resolved) {
        package_states(target, &mut subject);
    }
    let xml = target.windows_folder().join("WinSxS").join("pending.xml");
    let shown = xml.with_drive(target.drive());
    let (there, says) = match target.entry(&xml) {
        Reading::Known(entry) => (Reading::Known(Value::Bool(true)), format!("{shown} is there, written on {}", unix_time(entry.modified))),
        Reading::Absent => (Reading::Known(Value::Bool(false)), format!("There is no {shown}")),
        Reading::NotCollected => (Reading::NotCollected, format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    };
    subject.put("pending.xml", fact(there, says, &shown, "entry"));
    let execute = target.value(SESSION_MANAGER, "SetupExecute");
    let (count, says) = match execute.known().map(RegistryData::as_list) {
        Some(Some(list)) => (
            Reading::Known(Value::Number(list.len() as u64)),
            if list.is_empty() { "SetupExecute is empty".to_owned() } else { format!("SetupExecute runs {}", list.join(", ")) },
        ),
        Some(None) => (Reading::Unreadable("SetupExecute is no list".into()), "SetupExecute is no list".to_owned()),
        None if execute.is_absent() => (Reading::Known(Value::Number(0)), "There is no SetupExecute".to_owned()),
        None => (Reading::NotCollected, String::new()),
    };
    subject.put("pending.setup-execute", fact(count, says, "SYSTEM", "SetupExecute"));
    subject.put("pending.restart-required", exists(&target.key(REQUIRED), "Auto Update\\RebootRequired"));
    let renames = target.value(SESSION_MANAGER, "PendingFileRenameOperations").known().is_some();
    let says = format!("PendingFileRenameOperations {}", if renames { "is there" } else { "does not exist" });
    subject.put("pending.renames", fact(Reading::Known(Value::Bool(renames)), says, "SYSTEM", "PendingFileRenameOperations"));
    let start = target.value(INSTALLER, "Start").and_then(|data| data.as_dword().into());
    let says = start.known().map_or_else(String::new, |start| format!("TrustedInstaller: Start is {start}"));
    subject.put("pending.installer-start", fact(start.map(|start| Value::Number(start.into())), says, "SYSTEM", "Start"));
    facts.subjects.push(subject);
}

fn exists(reading: &Reading<KeyView>, name: &str) -> model::Fact {
    let (there, says) = match reading {
        Reading::Known(view) => (Reading::Known(Value::Bool(true)), format!("{name} exists, last written on {}", file_time(view.last_written))),
        Reading::Absent => (Reading::Known(Value::Bool(false)), format!("{name} does not exist")),
        Reading::NotCollected => (Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why.clone()),
    };
    fact(there, says, "SOFTWARE", name)
}

fn entries(reading: Reading<KeyView>, name: &str) -> model::Fact {
    let (count, says) = match reading {
        Reading::Known(view) => {
            let count = view.subkeys.len() + view.values.len();
            (Reading::Known(Value::Number(count as u64)), format!("{name} has {count} entries, last written on {}", file_time(view.last_written)))
        }
        Reading::Absent => (Reading::Known(Value::Number(0)), format!("{name} does not exist")),
        Reading::NotCollected => (Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    };
    fact(count, says, "SOFTWARE", name)
}

/// When the flag was set, beside when Windows was last shut down.
fn before_shutdown(target: &dyn Target, flag: &KeyView, subject: &mut Subject) {
    let shutdown = target.value(SHUTDOWN.0, SHUTDOWN.1).and_then(|data| {
        let bytes: Option<[u8; 8]> = data.data.as_slice().try_into().ok();
        bytes.map(u64::from_le_bytes).filter(|time| *time > 0).into()
    });
    let (reading, says) = match shutdown {
        Reading::Known(time) => {
            let order = if flag.last_written < time { "before" } else { "after" };
            let says = format!("RebootPending was set on {}, {order} the last shutdown on {}", file_time(flag.last_written), file_time(time));
            (Reading::Known(Value::Bool(flag.last_written < time)), says)
        }
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
        _ => (Reading::NotCollected, "when Windows was last shut down is not recorded".to_owned()),
    };
    subject.put("pending.before-shutdown", fact(reading, says, "SYSTEM", SHUTDOWN.1));
}

/// Sessions that are not complete. The key with complete sessions in it is on every Windows.
fn sessions(target: &dyn Target) -> model::Fact {
    let key = format!("{SERVICING}\\SessionsPending");
    let (count, says) = match target.key(&key) {
        Reading::Known(view) => {
            let complete =
                |name: &&String| target.value(&format!("{key}\\{name}"), "Complete").into_known().and_then(|data| data.as_dword()) == Some(1);
            let open: Vec<&String> = view.subkeys.iter().filter(|name| !complete(name)).collect();
            let exclusive = view.value("Exclusive").and_then(RegistryData::as_dword).is_some_and(|number| number != 0);
            let count = open.len() as u64 + u64::from(exclusive);
            (Reading::Known(Value::Number(count)), format!("{} of {} sessions in SessionsPending are not complete", count, view.subkeys.len()))
        }
        Reading::Absent => (Reading::Known(Value::Number(0)), "There is no SessionsPending".to_owned()),
        Reading::NotCollected => (Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    };
    fact(count, says, "SOFTWARE", "SessionsPending")
}

/// Packages that are half way. A machine has thousands of packages, so they are read only when it matters.
fn package_states(target: &dyn Target, subject: &mut Subject) {
    let key = format!("{SERVICING}\\Packages");
    let state = |name: &String| target.value(&format!("{key}\\{name}"), "CurrentState").into_known().and_then(|data| data.as_dword());
    let reading = target.key(&key).map(|view| {
        let half: Vec<(String, u32)> =
            view.subkeys.iter().filter_map(|name| Some((name.clone(), state(name)?))).filter(|(_, state)| PENDING_STATES.contains(state)).collect();
        (half, view.subkeys.len())
    });
    let (count, says) = match &reading {
        Reading::Known((half, all)) => {
            let says = match half.first() {
                Some((first, _)) => format!("{} of {all} packages wait to be installed or removed, the first is {first}", half.len()),
                None => format!("none of {all} packages waits to be installed or removed"),
            };
            (Reading::Known(Value::Number(half.len() as u64)), says)
        }
        Reading::Absent => (Reading::Known(Value::Number(0)), "There are no packages".to_owned()),
        Reading::NotCollected => (Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why.clone()),
    };
    subject.put("pending.package-states", fact(count, says, "SOFTWARE", "Packages"));
    let waits = reading.known().and_then(|(half, _)| half.iter().find(|(_, state)| *state != PARTIALLY_INSTALLED));
    let (package, says) = match (&reading, waits) {
        (Reading::Known(_) | Reading::Absent, None) => (Reading::Absent, "No package waits".to_owned()),
        (_, Some((name, state))) => (text(name), format!("CurrentState of {name} is {state:#x}: it waits to be {}", if *state == 5 { "removed" } else { "installed" })),
        _ => (Reading::NotCollected, String::new()),
    };
    subject.put("pending.waiting-package", fact(package, says, "SOFTWARE", "Packages"));
}

fn file_time(time: u64) -> String {
    let unix = (time / 10_000_000).saturating_sub(11_644_473_600);
    Now { unix, nanos: 0, unique: 0 }.iso()
}

fn unix_time(time: i64) -> String {
    Now { unix: u64::try_from(time).unwrap_or_default(), nanos: 0, unique: 0 }.iso()
}
