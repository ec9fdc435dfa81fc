//! `collect`: the bundle shows what the machine shows, holds nothing that names anybody, and is the only file that is written.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read files and start the binary"
)]

mod common;

use common::Machine;
use serde_json::Value;
use session::{Bundle, Session, lab};
use std::path::Path;

/// What is compared: the verdict, and each finding's cause, confidence and object.
fn shown(json: &Value, rename: &dyn Fn(&str) -> String) -> (String, Vec<[String; 3]>) {
    let text = |value: &Value| rename(value.as_str().unwrap_or_default());
    let findings = json["findings"].as_array().unwrap();
    (text(&json["verdict"]), findings.iter().map(|one| ["cause", "confidence", "object"].map(|name| text(&one[name]))).collect())
}

/// What failed, with the log and the place in it, and what is said about event logs that could not be read.
fn told(json: &Value, rename: &dyn Fn(&str) -> String) -> Value {
    let about_events = |one: &&Value| one["what"].as_str().is_some_and(|what| what.starts_with("event log "));
    let not_checked: Vec<&Value> = json["not_checked"].as_array().unwrap().iter().filter(about_events).collect();
    let at: Vec<[&Value; 2]> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["evidence"].as_array().unwrap())
        .filter(|one| one["source"].as_str().is_some_and(|source| source.ends_with(".evtx")))
        .map(|one| [&one["source"], &one["at"]])
        .collect();
    let all = serde_json::json!({ "failures": json["failures"], "not_checked": not_checked, "at": at });
    serde_json::from_str(&rename(&all.to_string())).unwrap()
}

/// The stand-ins of the names on practice machines.
fn renamed(text: &str) -> String {
    text.replace("S-1-5-21-1004336348-1177238915-682003330", "S-1-5-21-1-1-1")
        .replace("Users\\\\anna", "Users\\\\user1")
        .replace("Users\\anna", "Users\\user1")
        .replace("Users\\carla", "Users\\user2")
}

#[test]
fn a_bundle_of_every_machine_shows_what_the_machine_shows() {
    let scratch = tempfile::tempdir().unwrap();
    let mut findings = 0;
    for machine in lab::machines() {
        let built = Machine::build(machine.name);
        let before = common::fingerprint(built.path());
        let file = scratch.path().join(format!("{}.zip", machine.name));
        let file = file.to_str().unwrap();
        let collected = built.run(&["collect", "-o", file, "--json"]);
        assert_eq!(collected.exit, 0, "{}\n{}{}", machine.name, collected.stdout, collected.stderr);
        assert_eq!(before, common::fingerprint(built.path()), "collect changed {}", machine.name);
        let (here, there) = (built.run(&["diagnose", "--json"]), common::run(&["diagnose", "--json", file]));
        let wanted = shown(&here.json(), &renamed);
        assert_eq!(shown(&there.json(), &str::to_owned), wanted, "{}\n{}", machine.name, there.stdout);
        assert_eq!(told(&there.json(), &str::to_owned), told(&here.json(), &renamed), "{}", machine.name);
        assert_eq!(here.exit, there.exit, "{}", machine.name);
        assert_eq!(there.json()["target"]["kind"], "bundle");
        findings += wanted.1.len();
    }
    assert!(findings >= 60, "only {findings} findings were compared");
}

#[test]
fn a_full_bundle_keeps_every_word() {
    let scratch = tempfile::tempdir().unwrap();
    for name in ["documents-on-lost-drive-10", "three-faults-10", "update-cache-lost"] {
        let built = Machine::build(name);
        let file = scratch.path().join(name);
        let file = file.to_str().unwrap();
        assert_eq!(built.run(&["collect", "--full", "-o", file]).exit, 0);
        let (here, there) = (built.run(&["diagnose", "--json"]).json(), common::run(&["diagnose", "--json", file]).json());
        assert_eq!(shown(&there, &str::to_owned), shown(&here, &str::to_owned), "{name}");
        let bundle = collect(built.path(), true);
        let names: Vec<&String> = bundle.parts.keys().collect();
        assert!(names.iter().any(|name| name.ends_with("config/SYSTEM")), "{names:?}");
        assert!(!names.iter().any(|name| ["/SAM", "/SECURITY", "NTUSER.DAT"].iter().any(|never| name.ends_with(never))), "{names:?}");
    }
}

fn collect(folder: &Path, full: bool) -> Bundle {
    let scratch = tempfile::tempdir().unwrap();
    Session::open(folder.to_str().unwrap(), scratch.path(), None).unwrap().collect(full)
}

/// A machine of a person, a computer and a domain of that name, with logs that name them in many ways.
fn machine_of(user: &str, computer: &str, domain: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sid = "S-1-5-21-3141592653-2718281828-1618033988-1104";
    let software = format!(
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion]\n\"RegisteredOwner\"=\"{user}\"\n\"ProductId\"=\"00330-80000-12345-AA123\"\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\{sid}]\n\"ProfileImagePath\"=expand:\"C:\\\\Users\\\\{user}\"\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon]\n\"DefaultUserName\"=\"{user}\"\n\
         [HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography]\n\"MachineGuid\"=\"0badcafe-1234-4321-8888-aabbccddeeff\"\n"
    );
    let system = format!(
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\ComputerName\\ComputerName]\n\"ComputerName\"=\"{computer}\"\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager\\Environment]\n\"OneDrive\"=expand:\"C:\\\\Users\\\\{user}\\\\OneDrive\"\n\
         \"ProductId\"=\"00330-80000-12345-AA123\"\n\"BackupPassword\"=\"Tr0ubadour&3\"\n\
         \"Licence\"=\"of 00330-80000-12345-AA123 and 0badcafe-1234-4321-8888-aabbccddeeff\"\n\
         [HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\Tcpip\\Parameters]\n\"Domain\"=\"{domain}\"\n"
    );
    let difference =
        lab::MachineTexts { name: "of somebody".into(), files: String::new(), hives: vec![("SOFTWARE".into(), software), ("SYSTEM".into(), system)] };
    lab::build_from(&lab::texts("healthy-10-22h2").unwrap(), &[difference], folder.path()).unwrap();
    let windows = folder.path().join("Windows");
    let line = format!(
        "C:\\Users\\{user}\\Downloads C:\\\\Users\\\\{user} file:///C:/Users/{}/x {computer}\\{user} {}@{domain} {sid} 192.168.178.33 fe80::aaaa:bbbb:cccc:1 \
         00-15-5D-AB-CD-EF \\\\{computer}.{domain}\\share 10.0.19041.3570\n",
        user.replace(' ', "%20"),
        user.replace(' ', ".")
    );
    std::fs::create_dir_all(windows.join("Logs/CBS")).unwrap();
    std::fs::write(windows.join("Logs/CBS/CBS.log"), &line).unwrap();
    std::fs::create_dir_all(windows.join("Panther")).unwrap();
    let wide: Vec<u8> = format!("\u{feff}{line}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(windows.join("Panther/setupact.log"), wide).unwrap();
    std::fs::create_dir_all(folder.path().join("Users").join(user)).unwrap();
    folder
}

/// Every part of a bundle as text, by name: the bytes as they are, and as UTF-16 at both places.
fn texts(bundle: &Bundle) -> Vec<(String, String)> {
    let wide = |bytes: &[u8]| -> String {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    bundle
        .parts
        .iter()
        .map(|(name, bytes)| {
            let all = format!("{name}\n{}\n{}\n{}", String::from_utf8_lossy(bytes), wide(bytes), wide(bytes.get(1..).unwrap_or_default()));
            (name.clone(), all.to_lowercase())
        })
        .collect()
}

#[test]
fn nothing_that_names_anybody_is_left() {
    for (user, computer, domain) in
        [("Zacharias Quux", "DESKTOP-QX7", "quuxcorp.example"), ("jürgen", "PC", "heim.example"), ("zq", "zqpc9", "zq.example")]
    {
        let folder = machine_of(user, computer, domain);
        let bundle = collect(folder.path(), false);
        let sid = "3141592653-2718281828";
        let mut secrets: Vec<String> =
            ["00330-80000-12345", "tr0ubadour", "0badcafe-1234", "192.168.178.33", "fe80::aaaa", "00-15-5d-ab", sid].map(str::to_owned).to_vec();
        // Very short words are parts of others: they are looked for where they name somebody.
        if user.len() > 2 {
            secrets.extend(user.to_lowercase().split(' ').map(str::to_owned));
            secrets.push(domain.to_owned());
        } else {
            secrets.extend(["\\", "\\\\", "/"].map(|separator| format!("users{separator}{user}")));
        }
        if computer.len() > 2 {
            secrets.push(computer.to_lowercase());
        }
        secrets.push(folder.path().to_str().unwrap().to_lowercase());
        for (name, text) in texts(&bundle) {
            for secret in &secrets {
                assert!(!text.contains(secret), "{secret:?} is in {name} of {user}");
            }
        }
        let log = String::from_utf8(bundle.parts["Windows/Logs/CBS/CBS.log"].clone()).unwrap();
        // The first is the anna of the practice machine.
        assert!(log.starts_with("C:\\Users\\user2\\Downloads C:\\\\Users\\\\user2 file:///C:/Users/user2/x"), "{log}");
        assert!(log.contains("10.0.19041.3570") && log.contains("S-1-5-21-1-1-1-1104"), "{log}");
        for kind in ["user", "sid", "address", "mac", "mail", "id"] {
            assert!(bundle.index.redactions.get(kind).is_some_and(|count| *count > 0), "{kind}: {:?}", bundle.index.redactions);
        }
        // The full bundle has all of it, but for the password.
        let full: String =
            texts(&collect(folder.path(), true)).into_iter().filter(|(name, _)| !name.contains("config/")).map(|(_, text)| text).collect();
        assert!(full.contains(sid) && full.contains(&user.to_lowercase()) && !full.contains("tr0ubadour"));
    }
}

/// The texts of events in a bundle.
fn events(bundle: &Bundle) -> Vec<(&str, String)> {
    let texts = bundle.parts.iter().filter(|(name, _)| name.ends_with(".ndjson"));
    texts.map(|(name, bytes)| (name.as_str(), String::from_utf8(bytes.clone()).unwrap())).collect()
}

fn hexadecimal(bytes: impl Iterator<Item = u8>) -> String {
    bytes.map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn event_logs_are_kept_as_text_that_names_nobody() {
    let (user, computer, domain) = ("Zacharias Quux", "DESKTOP-QX7", "quuxcorp.example");
    let folder = machine_of(user, computer, domain);
    let wide = |text: &str| hexadecimal(text.encode_utf16().flat_map(u16::to_le_bytes));
    let sid = "S-1-5-21-3141592653-2718281828-1618033988-1104";
    let number = hexadecimal([1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0].into_iter().chain(0x1122_3344_5566_u64.to_le_bytes()).chain([7; 8]));
    let texts = format!(
        "evtx Windows/System32/winevt/Logs/System.evtx\n    \
         2026-01-02T03:04:05Z | Service Control Manager | 7031 | param1=Updates of {user} | param2=1 | Binary=wuauserv\n    \
         2026-01-02T03:04:06Z | Service Control Manager | 7000 | param1=x | param2=%%2 | Binary=agent of {user}\n    \
         2026-01-02T03:04:07Z | Service Control Manager | 7038 | param1=wuauserv | param2={computer}\\{user} | param3=%%1330 | param4={number}\n    \
         2026-01-02T03:04:08Z | Microsoft-Windows-WindowsUpdateClient | 20 | errorCode=0x80070002 | updateTitle=KB5034441 for {computer}.{domain} at 192.168.178.33 of {sid}, 00330-80000-12345-AA123\n    \
         2026-01-02T03:04:09Z | Some Other Provider | 20 | errorCode=0x80070005 | updateTitle=of {user}\n\
         evtx Windows/System32/winevt/Logs/Setup.evtx\n    \
         2026-01-02T03:04:10Z | Microsoft-Windows-WUSA | 3 | UpdateTitle= | ErrorCode=2147942402 | CommandLine=\"C:\\Users\\{user}\\Downloads\\x.msu\" /quiet\n"
    );
    let difference = lab::MachineTexts { name: "with events".into(), files: texts, hives: Vec::new() };
    let logs = tempfile::tempdir().unwrap();
    lab::build_from(&lab::texts("healthy-10-22h2").unwrap(), &[difference], logs.path()).unwrap();
    let place = Path::new("Windows/System32/winevt/Logs");
    std::fs::create_dir_all(folder.path().join(place)).unwrap();
    for name in ["System.evtx", "Setup.evtx"] {
        std::fs::copy(logs.path().join(place).join(name), folder.path().join(place).join(name)).unwrap();
    }
    let bundle = collect(folder.path(), false);
    assert!(!bundle.parts.iter().any(|(name, bytes)| name.ends_with(".evtx") || bytes.starts_with(b"ElfFile")), "a raw log is in it");
    for name in ["System.evtx", "Setup.evtx"] {
        assert!(
            bundle.index.left_out.iter().any(|one| one.what.ends_with(name) && one.why.contains("--full")),
            "{name}: {:?}",
            bundle.index.left_out
        );
    }
    let texts = events(&bundle);
    let names: Vec<&str> = texts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Windows/System32/winevt/Logs/Setup.ndjson", "Windows/System32/winevt/Logs/System.ndjson"]);
    for (name, text) in &texts {
        let lower = text.to_lowercase();
        for secret in ["zacharias", "quux", "desktop-qx7", "192.168", "3141592653", "00330-80000", "\"lab\"", "some other provider"] {
            assert!(!lower.contains(secret), "{secret} is in {name}\n{text}");
        }
        for secret in ["Zacharias", "quux", "Quux"] {
            let hidden = [wide(secret), hexadecimal(secret.bytes())];
            assert!(!hidden.iter().any(|hidden| text.contains(hidden)), "{secret} is in the digits of {name}\n{text}");
        }
        assert!(!text.contains(&number) && text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{text}");
    }
    let system: Vec<Value> = texts[1].1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((system[0]["records"].as_u64(), system[0]["channel"].as_str(), system.len()), (Some(5), Some("System"), 5));
    assert!(
        system[0]["covers"].as_array().unwrap().iter().any(|row| row["provider"] == "disk" && row["ids"].as_array().unwrap().contains(&7.into()))
    );
    let last = &system[4];
    assert_eq!(
        (last["record"].as_u64(), last["time"].as_str(), last["fields"]["errorCode"].as_str()),
        (Some(4), Some("2026-01-02T03:04:08Z"), Some("0x80070002"))
    );
    assert_eq!(system[1]["fields"]["Binary"].as_str(), Some(wide("wuauserv\0").as_str()), "the name of a service of Windows stays");
    // The bundle shows what the machine shows, and so does a bundle of the bundle.
    let session = |path: &Path| Session::open(path.to_str().unwrap(), path.parent().unwrap(), None).unwrap().diagnose(None).diagnosis;
    let (scratch, here) = (tempfile::tempdir().unwrap(), session(folder.path()));
    assert_eq!(here.failures.len(), 2, "{:?}", here.failures);
    let file = scratch.path().join("one.zip");
    std::fs::write(&file, bundle.zip().unwrap()).unwrap();
    let again = Session::open(file.to_str().unwrap(), scratch.path(), None).unwrap().collect(false);
    let second = scratch.path().join("two.zip");
    std::fs::write(&second, again.zip().unwrap()).unwrap();
    for path in [&file, &second] {
        let there = session(path);
        let shown = |one: &[model::Failure]| -> Vec<[String; 4]> {
            one.iter().map(|one| [one.code.clone(), one.at.clone(), one.last.clone(), one.source.clone()]).collect()
        };
        assert_eq!(shown(&there.failures), shown(&here.failures), "{}", path.display());
    }
    // With --full the logs are there as they are.
    let full = collect(folder.path(), true);
    assert!(full.parts.contains_key("Windows/System32/winevt/Logs/System.evtx") && events(&full).is_empty());
}

/// Logs of real machines, whose computers had other names before.
#[test]
fn real_event_logs_are_kept_as_text_with_what_they_show() {
    let data = std::env::var_os("HRESOLVE_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), std::path::PathBuf::from)
        .join("evtx");
    for (place, wanted) in [("museum-win11", 3), ("museum-win10-apt", 0), ("evtx-rs", 2)] {
        let Ok(names) = std::fs::read_dir(data.join(place)) else { return common::skip(&format!("no published event logs at {place}")) };
        let built = Machine::build("healthy-10-22h2");
        let folder = built.path().join("Windows/System32/winevt/Logs");
        std::fs::create_dir_all(&folder).unwrap();
        let mut computers = std::collections::BTreeSet::new();
        for log in names.flatten().filter(|one| one.path().extension().is_some_and(|ending| ending == "evtx")) {
            let bytes = std::fs::read(log.path()).unwrap();
            let name = log.file_name().to_str().unwrap().replace("system.evtx", "System.evtx");
            let rows = evidence::events::wanted::of_file(evidence::events::wanted::SYSTEM);
            computers.extend(evidence::events::read(&bytes, &rows).events.into_iter().map(|event| event.computer.to_lowercase()));
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        computers.remove("");
        assert!(!computers.is_empty(), "no event of {place} names its computer");
        let bundle = collect(built.path(), false);
        assert!(!bundle.parts.iter().any(|(name, bytes)| name.ends_with(".evtx") || bytes.starts_with(b"ElfFile")));
        let texts = events(&bundle);
        assert!(!texts.is_empty(), "{place}");
        for (name, text) in texts {
            let lower = text.to_lowercase();
            assert!(!computers.iter().any(|computer| lower.contains(computer.as_str())), "one of {computers:?} is in {name}");
            let sids = lower.match_indices("s-1-5-21-").map(|(at, start)| lower[at + start.len()..].split('-').next().unwrap().len());
            assert!(sids.max().unwrap_or(0) < 4, "an account number is in {name}");
        }
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("one.zip");
        std::fs::write(&file, bundle.zip().unwrap()).unwrap();
        let (here, there) = (built.run(&["diagnose", "--json"]), common::run(&["diagnose", "--json", file.to_str().unwrap()]));
        assert_eq!(told(&there.json(), &str::to_owned), told(&here.json(), &renamed), "{place}");
        assert_eq!(shown(&there.json(), &str::to_owned), shown(&here.json(), &renamed), "{place}");
        assert_eq!(here.json()["failures"].as_array().unwrap().len(), wanted, "{place}");
    }
}

#[test]
fn a_user_named_as_a_part_of_windows_hides_nothing() {
    for user in ["update", "System32", "wuauserv", "netsvcs", "k", "Windows", "services", "Start"] {
        let folder = machine_of(user, "DESKTOP-QX7", "quuxcorp.example");
        let windows = folder.path().join("Windows");
        std::fs::rename(windows.join("System32/wuaueng.dll"), windows.join("System32/wuaueng.dll.old")).unwrap();
        let (scratch, target) = (tempfile::tempdir().unwrap(), folder.path().to_str().unwrap());
        let file = scratch.path().join("bundle.zip");
        let file = file.to_str().unwrap();
        assert_eq!(common::run(&["collect", "-o", file, target]).exit, 0);
        let (here, there) = (common::run(&["diagnose", "--json", target]).json(), common::run(&["diagnose", "--json", file]).json());
        assert_eq!(shown(&there, &str::to_owned), shown(&here, &str::to_owned), "{user}");
        assert!(!here["findings"].as_array().unwrap().is_empty(), "{user}");
        for (name, text) in texts(&collect(folder.path(), false)) {
            for separator in ["\\", "\\\\", "/"] {
                let whole = format!("users{separator}{}", user.to_lowercase());
                assert!(!text.split(&whole).skip(1).any(|rest| !rest.starts_with(char::is_alphanumeric)), "{user} is in {name}");
            }
        }
    }
}

#[test]
fn only_the_named_file_is_written_and_none_is_overwritten() {
    let built = Machine::build("three-faults-10");
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("evidence.zip");
    let words = ["collect", "-o", file.to_str().unwrap(), "--json"];
    let first = built.run(&words);
    let answer = first.json();
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!((first.exit, answer["schema"].as_str(), answer["size"].as_u64()), (0, Some("hresolve/collected/1"), Some(bytes.len() as u64)));
    assert_eq!(answer["redacted"], true);
    std::fs::write(&file, "mine").unwrap();
    let again = built.run(&words);
    assert_eq!(again.exit, 5, "{}", again.stdout);
    assert_eq!(std::fs::read(&file).unwrap(), b"mine", "it was overwritten");
    assert_eq!(built.run(&[&words[..], &["--yes"]].concat()).exit, 0);
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "the same machine gives the same bytes");
    let names: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["evidence.zip"], "something else was written");
    let nowhere = scratch.path().join("no such folder/x.zip");
    assert_eq!(built.run(&["collect", "-o", nowhere.to_str().unwrap()]).exit, 2);
    assert_eq!(built.run(&["collect", "0x80070002", "-o", nowhere.to_str().unwrap()]).exit, 2);
    let text = built.run(&["collect", "--yes", "-o", file.to_str().unwrap()]).stdout;
    for part in ["collect.json", "Replaced:", "Never in it: passwords", "SAM and SECURITY", "before you send it"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_bundle_is_not_repaired() {
    let built = Machine::build("three-faults-10");
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("evidence.zip");
    let file = file.to_str().unwrap();
    assert_eq!(built.run(&["collect", "-o", file]).exit, 0);
    let bytes = std::fs::read(file).unwrap();
    let fix = common::run(&["fix", "--yes", "--json", file]);
    assert_eq!((fix.exit, fix.json()["why_not"][0]["reason"].as_str()), (5, Some("bundle")), "{}", fix.stdout);
    assert_eq!(common::run(&["undo", file]).exit, 2);
    assert_eq!(std::fs::read(file).unwrap(), bytes);
    // Evidence of evidence is the same evidence.
    let second = scratch.path().join("second.zip");
    assert_eq!(common::run(&["collect", "-o", second.to_str().unwrap(), file]).exit, 0);
    let (one, two) = (common::run(&["diagnose", "--json", file]).json(), common::run(&["diagnose", "--json", second.to_str().unwrap()]).json());
    assert_eq!(shown(&one, &str::to_owned), shown(&two, &str::to_owned));
}

#[test]
fn a_damaged_bundle_is_refused_or_shows_no_more_than_it_holds() {
    let built = Machine::build("three-faults-10");
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("evidence.zip");
    let path = file.to_str().unwrap();
    assert_eq!(built.run(&["collect", "-o", path]).exit, 0);
    let bytes = std::fs::read(&file).unwrap();
    for part in [0, 1, 2, 3, 5, 8, 9] {
        std::fs::write(&file, &bytes[..bytes.len() * part / 10]).unwrap();
        assert_eq!(common::run(&["diagnose", path]).exit, 3, "cut at {part} tenths");
    }
    for place in (0..40).map(|number| number * bytes.len() / 40) {
        let mut other = bytes.clone();
        other[place] ^= 0x55;
        std::fs::write(&file, other).unwrap();
        let ran = common::run(&["diagnose", path]);
        assert!(matches!(ran.exit, 1 | 3), "{place}: {} {}", ran.exit, ran.stderr);
    }
}
