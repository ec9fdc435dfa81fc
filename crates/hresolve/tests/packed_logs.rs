//! Servicing logs that Windows has packed, and the log of DISM: what only they tell is found by the program, with the place, and
//! what ended well since is not.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make files and start the binary")]

mod common;

use common::Machine;
use serde_json::Value;
use std::path::PathBuf;

/// A cabinet with one stored file.
fn cabinet(name: &str, content: &[u8]) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
    let file = [&word(content.len())[..], &word(0), &[0, 0, 0x22, 0x58, 0, 0, 0x20, 0], name.as_bytes(), &[0]].concat();
    let blocks: Vec<u8> = content.chunks(32768).flat_map(|part| [&[0; 4], &short(part.len())[..], &short(part.len()), part].concat()).collect();
    let blocks_at = 44 + file.len();
    let count = content.len().div_ceil(32768);
    let header =
        [b"MSCF\0\0\0\0", &word(blocks_at + blocks.len())[..], &[0; 4], &word(44), &[0, 0, 0, 0, 3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]].concat();
    [header, word(blocks_at).to_vec(), short(count).to_vec(), vec![0, 0], file, blocks].concat()
}

const PACKED: &str = "CbsPersist_20250612100541";
const GOOD: &str = "2025-06-26 10:02:14, Info                  CBS    Exec: Processing started.  Client: WindowsUpdateAgent, Session: 1_2, Package: Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.4484.1.5, Identifier: KB5060829\r\n\
    2025-06-26 10:05:40, Info                  CBS    Exec: Processing complete.  Session: 1_2, Package: Package_for_RollupFix~31bf3856ad364e35~amd64~~26100.4484.1.5, Identifier: KB5060829 [HRESULT = 0x00000000 - S_OK]\r\n";

/// A machine whose log of a failed update was set aside and packed.
fn machine() -> (Machine, PathBuf) {
    let machine = Machine::build("store-file-deleted-11");
    let folder = machine.path().join("Windows/Logs/CBS");
    let log = std::fs::read(folder.join("CBS.log")).unwrap();
    std::fs::remove_file(folder.join("CBS.log")).unwrap();
    std::fs::write(folder.join(format!("{PACKED}.cab")), cabinet(&format!("{PACKED}.log"), &log)).unwrap();
    (machine, folder)
}

fn first(json: &Value) -> (&str, Vec<(String, String)>) {
    let finding = &json["findings"][0];
    let places = finding["evidence"].as_array().into_iter().flatten();
    let places = places.map(|one| (one["source"].as_str().unwrap().to_owned(), one["at"].as_str().unwrap().to_owned())).collect();
    (finding["cause"].as_str().unwrap_or_default(), places)
}

#[test]
fn what_only_a_packed_log_tells_is_found_with_its_place() {
    let (machine, folder) = machine();
    let ran = machine.run(&["diagnose", "--json"]);
    let json = ran.json();
    let (cause, places) = first(&json);
    assert_eq!((ran.exit, cause), (1, "component-file-missing"), "{json:#}");
    let wanted = (format!("C:\\Windows\\Logs\\CBS\\{PACKED}.cab"), format!("line 5 of {PACKED}.log"));
    assert!(places.contains(&wanted), "{places:?}");
    assert_eq!((&json["failures"][0]["code"], &json["failures"][0]["resolved"]), (&Value::from("0x80070002"), &Value::from(false)));
    // Collected, it says the same.
    let bundle = machine.path().join("evidence.zip");
    assert_eq!(machine.run(&["collect", "-o", bundle.to_str().unwrap()]).exit, 0);
    let again = common::run(&["diagnose", "--json", bundle.to_str().unwrap()]).json();
    assert_eq!(first(&again), first(&json));
    // Sent as a folder of logs, the file in the store is not there to be looked at.
    let sent = common::run(&["diagnose", "--json", folder.to_str().unwrap()]).json();
    assert_eq!((first(&sent).0, sent["findings"][0]["confidence"].as_str()), ("component-file-missing", Some("likely")), "{sent:#}");
}

#[test]
fn what_succeeded_later_counts_and_an_older_log_is_older_whatever_its_form() {
    let (machine, folder) = machine();
    std::fs::write(folder.join("CBS.log"), GOOD).unwrap();
    let json = machine.run(&["diagnose", "--json"]).json();
    assert_eq!((&json["findings"], &json["failures"][0]["resolved"]), (&Value::Array(Vec::new()), &Value::from(true)), "{json:#}");
    // The success is in a log that was set aside after the packed one.
    std::fs::rename(folder.join("CBS.log"), folder.join("CbsPersist_20250620110000.log")).unwrap();
    let json = machine.run(&["diagnose", "--json"]).json();
    assert_eq!(json["failures"][0]["resolved"], true, "{json:#}");
    // And before it: then the failure is the newer one.
    std::fs::rename(folder.join("CbsPersist_20250620110000.log"), folder.join("CbsPersist_20250601110000.log")).unwrap();
    let text = std::fs::read_to_string(folder.join("CbsPersist_20250601110000.log")).unwrap();
    std::fs::write(folder.join("CbsPersist_20250601110000.log"), text.replace("26100.4484.1.5", "26100.4349.1.12")).unwrap();
    let json = machine.run(&["diagnose", "--json"]).json();
    assert_eq!((first(&json).0, &json["failures"][0]["resolved"]), ("component-file-missing", &Value::from(false)), "{json:#}");
}

#[test]
fn a_packed_log_that_is_damaged_is_said_not_to_be_read() {
    let (machine, folder) = machine();
    let file = folder.join(format!("{PACKED}.cab"));
    let bytes = std::fs::read(&file).unwrap();
    for bad in [bytes[..bytes.len() - 400].to_vec(), b"MSCF and no more".to_vec(), Vec::new()] {
        std::fs::write(&file, bad).unwrap();
        let json = machine.run(&["diagnose", "--json"]).json();
        let said = json["not_checked"].as_array().unwrap().iter().any(|one| one["what"].as_str().unwrap().contains(PACKED));
        assert!(said, "{json:#}");
    }
    // While Windows packs a log, the packed one is not complete; the log itself is read.
    std::fs::write(folder.join(format!("{PACKED}.log")), GOOD).unwrap();
    let json = machine.run(&["diagnose", "--json"]).json();
    assert!(!json["not_checked"].as_array().unwrap().iter().any(|one| one["what"].as_str().unwrap().contains(PACKED)), "{json:#}");
}

const DISM: &str = "2023-12-14 10:02:11, Info                  DISM   DISM.EXE: <----- Starting Dism.exe session ----->\r\n\
    2023-12-14 10:02:11, Info                  DISM   DISM.EXE: Executing command line: dism  /Online /Cleanup-Image /RestoreHealth\r\n\
    2023-12-14 10:02:12, Warning               DISM   DISM Provider Store: PID=4 TID=5 Failed to load the provider: C:\\x\\PEProvider.dll. - CDISMProviderStore::Internal_GetProvider(hr:0x8007007e)\r\n\
    2023-12-14 10:05:40, Error                 DISM   DISM Package Manager: PID=4 TID=5 Failed while processing command cleanup-image. - CPackageManagerCLIHandler::ExecuteCmdLine(hr:0x800f081f)\r\n\
    2023-12-14 10:05:40, Error                 DISM   DISM.EXE: DISM Package Manager processed the command line but failed. HRESULT=800F081F\r\n\
    2023-12-14 10:05:41, Info                  DISM   DISM.EXE: Image session has been closed. Reboot required=no.\r\n\
    2023-12-14 10:05:41, Info                  DISM   DISM.EXE: <----- Ending Dism.exe session ----->\r\n";

#[test]
fn a_repair_without_a_source_is_found_in_the_log_of_dism_alone() {
    let machine = Machine::build("repair-only-from-old-server-10");
    std::fs::remove_file(machine.path().join("Windows/Logs/CBS/CBS.log")).unwrap();
    let file = machine.path().join("Windows/Logs/DISM/dism.log");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let diagnose = |text: &str| {
        std::fs::write(&file, text).unwrap();
        machine.run(&["diagnose", "--json"]).json()
    };
    let json = diagnose(DISM);
    let (cause, places) = first(&json);
    assert_eq!(cause, "repair-source-out-of-reach", "{json:#}");
    assert!(places.contains(&("C:\\Windows\\Logs\\DISM\\dism.log".to_owned(), "line 4".to_owned())), "{places:?}");
    let failure = &json["failures"][0];
    assert_eq!(
        (failure["code"].as_str(), failure["phase"].as_str(), failure["count"].as_u64()),
        (Some("0x800F081F"), Some("repair"), Some(1)),
        "{json:#}"
    );
    // The same command ended well later.
    let good: String = DISM.lines().filter(|line| !line.contains(", Error")).map(|line| format!("{line}\r\n")).collect();
    let json = diagnose(&format!("{DISM}{good}"));
    assert_eq!((&json["findings"], &json["failures"][0]["resolved"]), (&Value::Array(Vec::new()), &Value::from(true)), "{json:#}");
    // Another image than this Windows, and providers that are not there.
    for quiet in [DISM.replace("/Online", "/Image:D:\\mount"), good] {
        let json = diagnose(&quiet);
        assert_eq!((json["findings"].as_array().unwrap().len(), json["failures"].as_array().unwrap().len()), (0, 0), "{json:#}");
    }
}
