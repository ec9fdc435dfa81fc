//! `explain --target`: what a Windows itself says about a code, from libraries made here and laid into a practice machine.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "tests write files and fail by panicking")]

mod common;
#[path = "../../evidence/src/message_tables/tests/library.rs"]
mod library;

use common::{Machine, Ran, run};
use library::{library, table};
use serde_json::{Value, json};

fn put(machine: &Machine, path: &str, bytes: &[u8]) {
    let path = machine.path().join("Windows").join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A library with one message in one language.
fn says(language: u16, id: u32, text: &str) -> Vec<u8> {
    library(&[(language, table(&[(id, &[text])]))])
}

fn explain(machine: &Machine, words: &[&str]) -> Ran {
    let mut all = vec!["explain", "--target", machine.path().to_str().unwrap()];
    all.extend(words);
    run(&all)
}

/// `windows_says` of the first code, and file to answer of `windows_looked`.
fn answers(machine: &Machine, code: &str) -> (Value, Vec<(String, String)>) {
    let ran = explain(machine, &[code, "--json"]);
    let answer = ran.json();
    let read: codes::ExplanationJson = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), answer, "the answer is what its schema describes");
    let text = |looked: &Value, name: &str| looked[name].as_str().unwrap().to_owned();
    let looked = answer["codes"][0]["windows_looked"].as_array().unwrap().iter();
    (answer["codes"][0]["windows_says"].clone(), looked.map(|looked| (text(looked, "file"), text(looked, "found"))).collect())
}

fn found<'a>(looked: &'a [(String, String)], file: &str) -> Option<&'a str> {
    looked.iter().find(|(there, _)| there.ends_with(file)).map(|(_, found)| found.as_str())
}

/// Two languages in `.mui` files, as every Windows since Vista has them, and the library itself without messages.
fn two_languages() -> Machine {
    let machine = Machine::build("healthy-10-22h2");
    let english = table(&[(2, &["The system cannot find it.\r\n", "No path %1!s!.%0\r\n"])]);
    let german = table(&[(2, &["Es ist nicht da,%nund%r\u{fc}berhaupt.\r\n"])]);
    put(&machine, "System32/en-US/kernel32.dll.mui", &library(&[(0x409, english.clone())]));
    put(&machine, "System32/de-DE/kernel32.dll.mui", &library(&[(0x407, german)]));
    // The same words in a second file stand once.
    put(&machine, "System32/en-US/KernelBase.dll.mui", &library(&[(0x409, english)]));
    machine
}

#[test]
fn each_language_of_the_windows_is_heard_once() {
    let machine = two_languages();
    let before = machine.fingerprint();
    let (said, looked) = answers(&machine, "0x80070002");
    assert_eq!(
        said,
        json!([
            { "file": "C:\\Windows\\System32\\de-DE\\kernel32.dll.mui", "language": "de-DE", "text": "Es ist nicht da,\nund\nüberhaupt." },
            { "file": "C:\\Windows\\System32\\en-US\\kernel32.dll.mui", "language": "en-US", "text": "The system cannot find it." },
        ])
    );
    assert_eq!(found(&looked, "en-US\\KernelBase.dll.mui"), Some("text"));
    for spelling in ["2", "ERROR_FILE_NOT_FOUND", "-2147024894"] {
        assert_eq!(answers(&machine, spelling).0, said, "{spelling}");
    }
    assert_eq!(answers(&machine, "3").0[0]["text"], "No path %1!s!.");
    let text = explain(&machine, &["0x80070002"]);
    assert_eq!(text.exit, 0);
    for wanted in
        ["de-DE, C:\\Windows\\System32\\de-DE\\kernel32.dll.mui", "    Es ist nicht da,\n    und\n    überhaupt.\n", "The system cannot find it."]
    {
        assert!(text.stdout.contains(wanted), "{}", text.stdout);
    }
    assert_eq!(before, machine.fingerprint());
}

#[test]
fn each_family_is_heard_from_its_own_file() {
    let machine = Machine::build("healthy-10-22h2");
    for (code, id, file) in [
        ("0x80240007", 0x8024_0007, "System32/en-US/wuaueng.dll.mui"),
        ("0x800F0922", 0x800F_0922, "servicing/en-US/CbsMsg.dll.mui"),
        ("0xC0000034", 0xC000_0034, "System32/en-US/ntdll.dll.mui"),
        ("0xD0000034", 0xC000_0034, "System32/en-US/ntdll.dll.mui"),
        ("0x80072EE7", 12007, "System32/en-US/winhttp.dll.mui"),
        ("0x80041010", 0x8004_1010, "System32/wbem/en-US/wmiutils.dll.mui"),
        ("0x80200010", 0x8020_0010, "System32/qmgr.dll"),
        ("0xC00D36B4", 0xC00D_36B4, "System32/mferror.dll"),
        ("INACCESSIBLE_BOOT_DEVICE", 0x7B, "System32/en-US/ntoskrnl.exe.mui"),
    ] {
        put(&machine, file, &says(0x409, id, &format!("Words of {file}.\r\n")));
        let (said, _) = answers(&machine, code);
        let expected =
            json!([{ "file": format!("C:\\Windows\\{}", file.replace('/', "\\")), "language": "en-US", "text": format!("Words of {file}.") }]);
        assert_eq!(said, expected, "{code}");
    }
    // The kernel's own list does not answer for a Win32 error of the same number.
    assert_eq!(answers(&machine, "ERROR_INVALID_NAME").0, json!([]));
}

#[test]
fn what_hresolve_does_not_know_windows_may() {
    let machine = Machine::build("healthy-10-22h2");
    assert_eq!(explain(&machine, &["0x80247FFE"]).exit, 1);
    put(&machine, "System32/wuaueng.dll", &says(0x409, 0x8024_7FFE, "Only Windows knows.\r\n"));
    let ran = explain(&machine, &["0x80247FFE"]);
    assert_eq!((ran.exit, ran.stdout.contains("Only Windows knows.")), (0, true), "{}", ran.stdout);
}

#[test]
fn where_nothing_was_found_every_place_is_named() {
    let machine = Machine::build("healthy-10-22h2");
    let (said, looked) = answers(&machine, "0xC00D36B4");
    assert_eq!(said, json!([]));
    assert_eq!(found(&looked, "System32\\mferror.dll"), Some("absent"));
    assert_eq!(found(&looked, "System32\\kernel32.dll"), Some("no-text"));
    let text = explain(&machine, &["0xC00D36B4"]).stdout;
    assert!(text.contains("own words were not found") && text.contains("mferror.dll: is not there"), "{text}");
    // A copy without the files of Windows: absence means nothing there.
    for file in ["ntdll.dll", "kernel32.dll"] {
        let _ = std::fs::remove_file(machine.path().join("Windows/System32").join(file));
    }
    let (_, looked) = answers(&machine, "0xC00D36B4");
    assert_eq!(found(&looked, "System32\\mferror.dll"), Some("not-collected"));
    // No message table holds the words of a device's problem.
    assert_eq!(answers(&machine, "Code 39"), (json!([]), Vec::new()));
    assert!(explain(&machine, &["Code 39"]).stdout.contains("nothing was read"));
    // Not asked is not "nothing".
    let plain = run(&["explain", "0xC00D36B4", "--json"]).json();
    assert_eq!((&plain["codes"][0]["windows_says"], &plain["codes"][0]["windows_looked"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_heard() {
    let machine = two_languages();
    let path = machine.path().join("Windows/System32/de-DE/kernel32.dll.mui");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let ran = explain(&machine, &["2"]);
    assert_eq!(ran.exit, 0);
    assert!(ran.stdout.contains("The system cannot find it."), "{}", ran.stdout);
    assert!(ran.stdout.contains("de-DE\\kernel32.dll.mui: was not read in full: "), "{}", ran.stdout);
    let answer = explain(&machine, &["2", "--json"]).json();
    let looked = answer["codes"][0]["windows_looked"].as_array().unwrap();
    let damaged: Vec<&Value> = looked.iter().filter(|looked| looked["problems"] != json!([])).collect();
    assert!(damaged.len() == 1 && damaged[0]["file"].as_str().unwrap().ends_with("de-DE\\kernel32.dll.mui"), "{looked:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_a_silent_one() {
    let machine = two_languages();
    // A folder where a file belongs: there, but not readable as one.
    let path = machine.path().join("Windows/System32/wuaueng.dll");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let (said, looked) = answers(&machine, "0x80240007");
    assert_eq!((said, found(&looked, "System32\\wuaueng.dll")), (json!([]), Some("unreadable")));
    let text = explain(&machine, &["0x80240007"]).stdout;
    assert!(text.contains("wuaueng.dll: could not be read: "), "{text}");
}

#[test]
fn what_is_no_windows_is_said() {
    assert_eq!(run(&["explain", "2", "--target", "/nowhere"]).exit, 3);
    let machine = Machine::build("healthy-10-22h2");
    let refused = explain(&machine, &["-"]);
    assert_eq!(refused.exit, 2);
    assert!(refused.stderr.contains("--json"), "{}", refused.stderr);
}
