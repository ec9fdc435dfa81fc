//! What is never done, whatever a guide says, and what guides never say: the safety rules of the cause catalogue, one test each.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use model::Level;
use session::{Expectation, lab};
use std::collections::BTreeSet;
use std::path::Path;

/// Rows of the catalogue that nobody has verified again (K), alone or for a part.
const NOT_VERIFIED: [&str; 39] = [
    "NF-07", "NF-09", "NF-10", "NF-12", "NF-15", "NF-18", "NF-35", "NF-40", "NF-46", "NF-48", "NF-50", "NF-51", "NF-53", "NF-54", "NF-60", "NF-62",
    "NF-67", "CS-02", "CS-08", "CS-12", "CS-13", "CS-17", "CS-18", "SV-07", "SV-09", "SV-12", "SV-13", "MS-03", "MS-04", "MS-05", "MS-06", "SP-01",
    "SP-03", "SP-04", "SP-05", "NW-03", "NW-08", "NW-09", "NW-10",
];

#[test]
fn what_is_not_verified_is_never_done_without_asking() {
    for guide in diagnosis::embedded() {
        let unverified = guide.catalogue.is_empty() || guide.catalogue.iter().any(|row| NOT_VERIFIED.contains(&row.as_str()));
        if unverified {
            for step in &guide.steps {
                assert_ne!(step.spec.level, Level::Auto, "{}: {}", guide.id, step.spec.action);
            }
        }
    }
}

/// What reset scripts and some official pages say and this project never does: (words, why).
const NEVER: [(&str, &str); 7] = [
    ("/resetbase", "updates could not be uninstalled any more"),
    ("regsvr32", "registering libraries anew is of no use since Windows 8"),
    ("netsh winsock reset", "it breaks VPN and antivirus without a proof"),
    ("sc sdset", "strings from the internet replace the right security of services"),
    ("sc.exe sdset", "strings from the internet replace the right security of services"),
    ("ren catroot ", "Windows does not make CatRoot again (KB822798)"),
    ("system32\\catroot.old", "Windows does not make CatRoot again (KB822798)"),
];

#[test]
fn guides_never_say_what_harms() {
    for guide in diagnosis::embedded() {
        let text = guide.body.to_lowercase();
        for (words, why) in NEVER {
            assert!(!text.contains(words), "{}: {words}: {why}", guide.id);
        }
        for line in text.lines().filter(|line| line.contains("takeown")) {
            assert!(line.contains("do not do so in `c:\\windows`"), "{}: owners of system files are never changed: {line}", guide.id);
        }
        // Saying what not to do is good advice.
        for line in text.lines().filter(|line| line.contains("icacls") && !line.contains("do not") && !line.contains("never")) {
            assert!(!line.contains("winsxs") && !line.contains("/reset"), "{}: {line}", guide.id);
        }
        for line in text.lines().filter(|line| line.contains("pending.xml")) {
            assert!(!line.contains("del ") && !line.contains("erase "), "{}: {line}", guide.id);
        }
    }
}

#[test]
fn no_step_touches_what_is_never_written() {
    // Settings are filled with facts when they are used; what they are before says enough about literal paths.
    for guide in diagnosis::embedded() {
        for step in &guide.steps {
            let settings: String = step.spec.settings.values().map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n");
            for never in ["hklm\\components", "hklm\\drivers", "hklm\\sam", "hklm\\security", "hklm\\bcd", "system32\\catroot\\", "config\\txr"] {
                let shown = matches!(step.spec.action.as_str(), "by-hand" | "in-windows");
                assert!(shown || !settings.contains(never), "{}: {settings}", guide.id);
            }
        }
    }
}

/// A practice machine with one more difference on top.
fn with(name: &str, hive: &str, registry: &str) -> tempfile::TempDir {
    let mut layers = vec![lab::texts(name).unwrap()];
    let mut base = lab::machines().iter().find(|machine| machine.name == name).unwrap().base;
    while let Some(below) = base {
        layers.insert(0, lab::texts(below).unwrap());
        base = lab::machines().iter().find(|machine| machine.name == below).unwrap().base;
    }
    let text = format!("Windows Registry Editor Version 5.00\n\n{registry}");
    layers.push(lab::MachineTexts { name: "one more".into(), files: String::new(), hives: vec![(hive.into(), text)] });
    let folder = tempfile::tempdir().unwrap();
    let first = layers.remove(0);
    lab::build_from(&first, &layers, folder.path()).unwrap();
    folder
}

/// Ways in which a machine shows that somebody else decides about it: hive, registry text.
const MANAGED: [(&str, &str); 4] = [
    (
        "SYSTEM",
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Tcpip\\Parameters]\n\"NV Domain\"=\"corp.example\"\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Netlogon]\n\"Start\"=dword:00000002\n",
    ),
    (
        "SYSTEM",
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\CcmExec]\n\"Start\"=dword:00000002\n\"Type\"=dword:00000010\n\"ImagePath\"=\"C:\\\\Windows\\\\CCM\\\\CcmExec.exe\"\n",
    ),
    ("SYSTEM", "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\CloudDomainJoin\\JoinInfo\\A1B2C3D4]\n\"TenantId\"=\"0\"\n"),
    ("SOFTWARE", "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Enrollments\\5F2C5E1B-52D1-4E5B-8F55-3C1B9B5B6F0E]\n\"ProviderID\"=\"MS DM Server\"\n"),
];

fn done(folder: &Path) -> (i32, Vec<String>) {
    let ran = common::run(&["fix", "--yes", "--json", &folder.display().to_string()]);
    let json = ran.json();
    let steps = json["steps"].as_array().cloned().unwrap_or_default();
    let of = |step: &serde_json::Value| format!("{} {}", step["action"], step["says"]);
    (ran.exit, steps.iter().filter(|step| step["state"] == "done").map(of).collect())
}

#[test]
fn policies_of_a_managed_machine_are_only_advice() {
    let policy = |machine: &Expectation| {
        machine.expect.iter().any(|expected| expected.object.to_lowercase().contains("\\policies\\microsoft\\windows\\windowsupdate"))
    };
    let machines: Vec<Expectation> =
        lab::machines().iter().map(|machine| Expectation::parse(lab::expected(machine.name).unwrap()).unwrap()).collect();
    let names: BTreeSet<&str> = machines.iter().filter(|machine| machine.sick && policy(machine)).map(|machine| machine.machine.as_str()).collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        for (hive, registry) in MANAGED {
            let folder = with(name, hive, registry);
            let (_, done) = done(folder.path());
            let touched: Vec<&String> = done.iter().filter(|step| step.to_lowercase().contains("policies")).collect();
            assert!(touched.is_empty(), "{name} with {registry}: {touched:?}");
        }
    }
}

#[test]
fn the_installer_stays_automatic_while_an_update_waits() {
    const INSTALLER: &str = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\TrustedInstaller]\n\"Start\"=dword:0000000";
    // Automatic is right then, and disabled becomes automatic, not manual.
    for (start, wanted) in [("2", None), ("4", Some("\\Start to 2"))] {
        let folder = with("healthy-restart-pending-10", "SYSTEM", &format!("{INSTALLER}{start}\n"));
        let (exit, done) = done(folder.path());
        match wanted {
            None => assert!(exit == 0 && done.is_empty(), "{start}: {exit} {done:?}"),
            // Refused while the list of waiting work is there, otherwise exactly this.
            Some(wanted) => assert!(exit == 5 || done.iter().all(|step| step.contains(wanted)), "{start}: {exit} {done:?}"),
        }
    }
}

#[test]
fn only_the_control_set_of_the_next_start_is_written() {
    let other = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002]\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services]\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet002\\Services\\BITS]\n\"Start\"=dword:00000004\n";
    let folder = with("cryptsvc-off-11", "SYSTEM", other);
    let (exit, done) = done(folder.path());
    assert_eq!(exit, 0, "{done:?}");
    assert!(done.iter().all(|step| step.contains("ControlSet001")), "{done:?}");
}
