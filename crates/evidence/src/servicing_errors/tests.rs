#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "test")]

use super::{Named, Operations, PackageResult, succeeded, supersedes};
use crate::logs::{cbs, checksur, text_tests};

fn read(text: &[u8]) -> (Vec<Named>, Vec<PackageResult>) {
    let mut operations = Operations::new();
    let mut input = text;
    cbs::scan(&mut input, &mut |entry| operations.take(0, &entry)).unwrap();
    operations.finish()
}

fn named(text: &str) -> Vec<(&'static str, String)> {
    read(text.as_bytes()).0.into_iter().map(|named| (named.rule, named.object)).collect()
}

const SESSION: &str = "2024-01-15 08:00:00, Info                  CBS    Exec: Processing started.  Client: WindowsUpdateAgent, Session: 31_1, Package: Package_for_KB5000001~31bf3856ad364e35~amd64~~10.0.1.3, Identifier: KB5000001\n";
const LOST: &str = "2024-01-15 08:00:01, Info                  CBS    Failed to find file: amd64_a_31bf3856ad364e35_10.0.1.1_none_0123456789abcdef\\a.dll [HRESULT = 0x80070002 - ERROR_FILE_NOT_FOUND]\n";
const BAD_END: &str = "2024-01-15 08:00:09, Info                  CBS    Exec: Processing complete.  Session: 31_1, Package: Package_for_KB5000001~31bf3856ad364e35~amd64~~10.0.1.3 [HRESULT = 0x80070002 - ERROR_FILE_NOT_FOUND]\n";

fn good_end() -> String {
    BAD_END.replace("0x80070002 - ERROR_FILE_NOT_FOUND", "0x00000000 - S_OK")
}

#[test]
fn the_first_error_of_a_failed_session_counts_and_echoes_do_not() {
    let echo = "2024-01-15 08:00:02, Info                  CBS    INSTALL index: 1, phase: 1, result 2, inf: a.inf\n";
    let (found, results) = read([SESSION, LOST, echo, BAD_END].concat().as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, found[0].line, found[0].code.map(|c| c.0)), ("payload-missing", 2, Some(0x8007_0002)));
    assert_eq!(found[0].package.as_deref(), Some("Package_for_KB5000001~31bf3856ad364e35~amd64~~10.0.1.3"));
    assert_eq!((results.len(), results[0].kb.as_deref()), (1, Some("KB5000001")));
}

#[test]
fn a_session_that_ends_well_names_nothing() {
    assert_eq!(named(&[SESSION, LOST, &good_end()].concat()), []);
}

#[test]
fn a_later_success_of_the_package_or_a_newer_one_settles_it() {
    let later = [SESSION, &good_end()].concat();
    assert_eq!(named(&[SESSION, LOST, BAD_END, &later].concat()), []);
    assert_eq!(named(&[SESSION, LOST, BAD_END, &later.replace("10.0.1.3", "10.0.1.12")].concat()), []);
    assert_eq!(named(&[SESSION, LOST, BAD_END, &later.replace("10.0.1.3", "10.0.1.2")].concat()).len(), 1);
    assert_eq!(named(&[SESSION, LOST, BAD_END, &later.replace("KB5000001", "KB5000009")].concat()).len(), 1);
}

#[test]
fn what_fails_at_startup_is_blamed_on_the_package_reported_later() {
    let text = "2024-01-15 08:00:00, Info                  CBS    Starting TrustedInstaller initialization.\n\
        2024-01-15 08:00:01, Info                  CBS        INSTALL index: 7, phase: 2, result 0, inf: fine.inf\n\
        2024-01-15 08:00:01, Info                  CBS        INSTALL index: 8, phase: 2, result 3, inf: lost.inf\n\
        2024-01-15 08:00:01, Info                  CBS    Doqe: Recording result: 0x80070003, for Inf: lost.inf\n\
        2024-01-15 08:00:02, Info                  CBS    Doqe: Failed installing driver updates [HRESULT = 0x80070003 - ERROR_PATH_NOT_FOUND]\n\
        2024-01-15 08:00:02, Info                  CBS    Startup: Rolling back KTM, because drivers failed.\n\
        2024-01-15 08:02:00, Info                  CBS    Starting TrustedInstaller initialization.\n\
        2024-01-15 08:02:09, Info                  CBS    WER: Generating failure report for package: Package_for_RollupFix~31bf3856ad364e35~amd64~~19041.1.1.5, status: 0x80070003, failure source: DOQ, start state: Staged, target state: Installed, client id: WindowsUpdateAgent\n";
    let (found, results) = read(text.as_bytes());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].rule, found[0].object.as_str(), found[0].phase, found[0].code.map(|c| c.0)),
        ("driver-package", "lost.inf", "startup", Some(0x8007_0003))
    );
    assert!(found[0].package.as_deref().unwrap().contains("RollupFix"));
    assert_eq!((results.len(), results[0].code.0), (1, 0x8007_0003));
}

#[test]
fn the_newest_report_of_the_store_counts_and_mended_files_do_not() {
    let report = |lines: &str| {
        format!(
            "2024-01-15 08:00:00, Info                  CBS    \n=====\nChecking System Update Readiness.\n\n{lines}\nSummary:\nOperation: Detect only\nOperation result: 0x0\n2024-01-15 08:00:00, Info                  CBS    Exec: Processing complete, session(Corruption Detecting): 31_2 [HRESULT = 0x00000000 - S_OK]\n"
        )
    };
    let one = report("(p)\tCSI Payload Corrupt\t\t\t(n)\t\t\tamd64_a_0123456789abcdef\\a.dll\n(p)\tCSI Manifest Corrupt\t\t(w)\t(Fixed)\tamd64_b");
    assert_eq!(named(&one), [("payload-missing", "amd64_a_0123456789abcdef\\a.dll".to_owned())]);
    assert_eq!(named(&(one + &report(""))), []);
}

#[test]
fn benign_noise_names_nothing_and_fails_nothing() {
    let text = "2024-01-15 08:00:00, Info                  CBS    Failed to get next element [HRESULT = 0x800f080d - CBS_E_MANIFEST_INVALID_ITEM]\n\
        2024-01-15 08:00:00, Warning               CBS    Unrecognized packageExtended attribute.\n\
        2024-01-15 08:00:00, Info                  CBS    Expecting attribute name [HRESULT = 0x800f080d - CBS_E_MANIFEST_INVALID_ITEM]\n\
        2024-01-15 08:00:00, Info                  CBS    Failed to internally open package. [HRESULT = 0x800f0805 - CBS_E_INVALID_PACKAGE]\n\
        2024-01-15 08:00:00, Error                 CSI    00000009 (F) Duplicate ownership for directory\n\
        2024-01-15 08:00:00, Info                  CBS    SQM: Failed to start standard sample upload. [HRESULT = 0x80004005 - E_FAIL]\n\
        2024-01-15 08:00:00, Info                  CBS    The store corruption status report is incomplete. [HRESULT = 0x80070002 - ERROR_FILE_NOT_FOUND]\n";
    assert_eq!(read(text.as_bytes()), (vec![], vec![]));
}

#[test]
fn spoilt_logs_end() {
    let own = [
        SESSION,
        LOST,
        BAD_END,
        "2024-01-15 08:00:00, Info CBS x\n=====\nChecking System Update Readiness.\n(p)\tCSI Payload Corrupt\t(n)\tamd64_a\\a.dll\n",
    ]
    .concat();
    let names = ["01-cbs-0x80070490-driver-operations-pending", "02-cbs-0x80070490-servicing-stack", "03-cbs-0x80070002-clr-optimization-service"];
    let more = ["04-cbs-0x80070002-winsxs-payload-missing", "05-cbs-0x800f0922-task-scheduler-installer"];
    let names: Vec<String> = names.iter().chain(&more).map(|name| format!("msdocs-cases/{name}.log")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["cmtraceopen/cbs"]).collect();
    text_tests::spoil("CBS.log", &text_tests::seeds(&own, &names), |bytes| {
        let (named, results) = read(bytes);
        assert!(named.len() + results.len() < 100);
    });
}

#[test]
fn a_newer_servicing_stack_holds_the_older_ones() {
    let stack = |number: u32, version: &str| format!("Package_for_ServicingStack_{number}~31bf3856ad364e35~amd64~~{version}");
    assert!(supersedes(&stack(3390, "19041.3390.1.5"), &stack(3266, "19041.3266.1.5")));
    assert!(!supersedes(&stack(3266, "19041.3266.1.5"), &stack(3390, "19041.3390.1.5")));
    assert!(!supersedes("Package_for_KB5000009~31bf3856ad364e35~amd64~~10.0.1.3", "Package_for_KB5000001~31bf3856ad364e35~amd64~~10.0.1.3"));
}

#[test]
fn versions_are_numbers() {
    let (_, results) = read([SESSION, &good_end()].concat().as_bytes());
    assert!(succeeded(&results[0], "package_for_kb5000001~31bf3856ad364e35~amd64~~10.0.1.3"));
    assert!(!succeeded(&results[0], "Package_for_KB5000001~31bf3856ad364e35~amd64~~10.0.1.12"));
}

fn shared(name: &str) -> Option<Vec<u8>> {
    let data = std::env::var("HRESOLVE_SHARED_DATA")
        .map_or_else(|_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
    let found = std::fs::read(data.join("logs").join(name)).ok();
    if found.is_none() {
        println!("skipped: no shared data with published logs");
        assert!(std::env::var_os("HRESOLVE_REQUIRE_ORACLES").is_none(), "real data is required here");
    }
    found
}

#[test]
fn published_cases_name_their_documented_cause_first() {
    let cases = [
        ("01-cbs-0x80070490-driver-operations-pending", "driver-operations", "1", 0x8007_0490),
        ("02-cbs-0x80070490-servicing-stack", "driver-operations", "", 0x8007_0490),
        ("03-cbs-0x80070002-clr-optimization-service", "ngen-service", "clr_optimization_v4.0.30319_32", 0x8007_0002),
        (
            "04-cbs-0x80070002-winsxs-payload-missing",
            "payload-missing",
            "x86_microsoft-windows-directwrite_31bf3856ad364e35_7.1.7601.23545_none_229deeb1ba2a85d3DWrite.dll",
            0x8007_0002,
        ),
        ("05-cbs-0x800f0922-task-scheduler-installer", "scheduled-task", "Microsoft-OneCore-SecureBootEncodeUEFI-Task", 0x8007_0002),
    ];
    for (name, rule, object, code) in cases {
        let Some(bytes) = shared(&format!("msdocs-cases/{name}.log")) else { return };
        let (found, _) = read(&bytes);
        assert!(!found.is_empty(), "{name} names nothing");
        let first = &found[0];
        assert_eq!((first.rule, first.object.as_str(), first.code.map(|code| code.0)), (rule, object, Some(code)), "{name}");
        assert!(found.iter().all(|named| named.rule == rule), "{name}: {found:#?}");
    }
    let Some(bytes) = shared("msdocs-cases/06-checksur-mum-missing.log") else { return };
    let (damage, _) = checksur::parse(&mut bytes.as_slice()).unwrap();
    let found: Vec<Named> = damage.iter().filter_map(Named::of_readiness).collect();
    assert_eq!((found.len(), found[0].rule), (8, "package-manifest"));
    assert!(found[0].object.starts_with("Package_for_KB958690_sc_0~"));
    assert_eq!(found[7].rule, "component-manifest");
}

#[test]
fn published_logs_without_a_cause_name_nothing() {
    for name in ["cmtraceopen/cbs/clean/CBS.log", "cmtraceopen/cbs/mixed/CBS.log", "cmtraceopen/cbs/mixed_components/CBS.log"] {
        let Some(bytes) = shared(name) else { return };
        assert_eq!(read(&bytes), (vec![], vec![]), "{name}");
    }
}

/// Lines as published by Microsoft and others; their sources stand in `knowledge/errors/servicing.tsv`.
#[test]
fn published_lines_name_what_was_refused() {
    let hive = r"Failed to load the COMPONENTS hive from 'C:\Windows\System32\config\COMPONENTS' into registry key 'HKLM\COMPONENTS'. [HRESULT = ";
    let lines = [
        (format!("2024-05-13 22:31:56, Info                  CBS    {hive}0x800705aa - ERROR_NO_SYSTEM_RESOURCES]"), "registry-full", "", 0x8007_05AA),
        (
            format!("2024-05-13 22:31:56, Info                  CBS    {hive}0x800703f1 - ERROR_BADDB]"),
            "components-hive",
            r"C:\Windows\System32\config\COMPONENTS",
            0x8007_03F1,
        ),
        (
            "2024-03-22 12:32:10, Error                 CSI    00005fca@2024/3/22:11:32:10.512 (F) onecore\\base\\wcp\\componentstore\\com\\store.cpp(5260): Error NTSTATUS_FROM_WIN32(1009) originated in function Windows::COM::CComponentStore::MountSMISchemaHive expression: MountSMISchemaHive\n[gle=0x80004005]".to_owned(),
            "components-hive",
            "",
            0x8007_03F1,
        ),
        (
            "20xx-xx-24 05:13:10, Info CBS Registry value for Package_7762_for_KB5001347~31bf3856ad364e35~amd64~~10.0.1.4 is not a dword type. [HRESULT = 0x8007000d - ERROR_INVALID_DATA]".to_owned(),
            "package-value",
            "Package_7762_for_KB5001347~31bf3856ad364e35~amd64~~10.0.1.4",
            0x8007_000D,
        ),
        (
            r"20xx-xx-06 xx:51:15, Error CBS Failed to verify if catalog file \\?\C:\WINDOWS\Servicing\Packages\Package_1_for_KB4584642~31bf3856ad364e35~amd64~~10.0.1.0.cat is valid. [HRESULT = 0x8007000d - ERROR_INVALID_DATA]".to_owned(),
            "catalogue-refused",
            r"\\?\C:\WINDOWS\Servicing\Packages\Package_1_for_KB4584642~31bf3856ad364e35~amd64~~10.0.1.0.cat",
            0x8007_000D,
        ),
        ("20xx-xx-18 15:21:14, Info CBS INSTALL index: 194, phase: 2, result 13, inf: mshdc.inf".to_owned(), "driver-installation", "mshdc.inf", 0x8007_000D),
        (
            "Error                 CBS    Exec: Failed to commit CBS transaction. [HRESULT = 0x80071a91 - ERROR_RM_NOT_ACTIVE]".to_owned(),
            "file-transactions",
            "",
            0x8007_1A91,
        ),
        (
            "2026-01-08 10:00:00, Info                  CBS    Failed uninstalling driver updates [HRESULT = 0x800719e4 - ERROR_LOG_FULL]".to_owned(),
            "registry-transactions",
            "",
            0x8007_19E4,
        ),
        // Broken for reading by the person who published it.
        (
            "2025-03-30 04:37:07, Error\nCSI    00001676 (F) c0000279 [Error,Facility=(system),Code=633 (0x0279)] #3914314#\nfrom Windows::Rtl::SystemImplementation::DirectFileSystemProvider::SysCreateFile(\n    flags = (AllowFileNotFound), \n    oa = @0x75b79fbb28->OBJECT_ATTRIBUTES {\n        s:48; rd:NULL; \n        on:[89]'\\??\\C:\\ProgramData\\Microsoft\\Windows\\Start Menu\\Programs\\Administrative Tools\\desktop.ini';\n        a:0; sd:@0x1dd81dc34e0\n    },\n    iosb = @0x75b79fbb80, as = (null), fa = 0, s[gle=0xd0000279]".to_owned(),
            "path-redirected",
            r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs\Administrative Tools\desktop.ini",
            0xD000_0279,
        ),
    ];
    for (text, rule, object, code) in lines {
        let (found, _) = read(text.as_bytes());
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert_eq!((found[0].rule, found[0].object.as_str()), (rule, object), "{text}");
        assert!(rule == "path-redirected" || found[0].code.is_some_and(|found| found.0 == code), "{text}: {:?}", found[0].code);
    }
}

#[test]
fn what_is_refused_for_a_moment_is_history_when_the_session_ends_well() {
    let denied = r#"2024-01-15 08:00:01, Error                 CSI    00000e47 (F) STATUS_ACCESS_DENIED #13367681# from Windows::Rtl::SystemImplementation::DirectFileSystemProvider::SysCreateFile(flags = 0, oa = @0xa130e9e088->OBJECT_ATTRIBUTES {s:48; rd:NULL; on:[31]"\??\C:\Windows\System32\a.dll"; a:(OBJ_CASE_INSENSITIVE)}, disp = Invalid)"#;
    let denied = format!("{denied}\n");
    assert_eq!(named(&[SESSION, &denied, BAD_END].concat()), [("path-denied", r"C:\Windows\System32\a.dll".to_owned())]);
    assert_eq!(named(&[SESSION, &denied, &good_end()].concat()), []);
}

#[test]
fn lines_that_hand_a_code_on_are_echoes() {
    let full =
        |line: u32, text: &str| format!("2024-01-15 08:00:0{line}, Info                  CBS    {text} [HRESULT = 0x800719e4 - ERROR_LOG_FULL]\n");
    let end = BAD_END.replace("0x80070002 - ERROR_FILE_NOT_FOUND", "0x800719e4 - ERROR_LOG_FULL");
    let after = [full(9, "Failed to perform operation."), full(9, "Session: 31_1 finalized. Reboot required: no")].concat();
    let session = [SESSION, &full(1, "Failed uninstalling driver updates"), &full(2, "Failed to execute execution chain."), &end, &after].concat();
    let (found, _) = read(session.as_bytes());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].rule, found[0].line), ("registry-transactions", 2));
    assert!(found[0].package.is_some());
    // The same again on another day: the newest operation counts.
    let (found, _) = read([session.as_str(), &session].concat().as_bytes());
    assert_eq!((found.len(), found[0].line), (1, 8));
}

#[test]
fn an_installer_is_named_with_its_component() {
    let text = "2024-01-15 08:00:00, Info                  CBS    Starting TrustedInstaller initialization.\n\
        2024-01-15 08:00:01, Info                  CSI    00000029 Begin executing advanced installer phase 32 index 11 (sequence 41)\n    Old component: [l:0]\"\"\n    New component: [ml:344{172},l:342{171}]\"Microsoft-Windows-MultipathDeviceSpecificModule, Culture=neutral, Version=6.2.9200.16384\"\n    Installer name: [12]\"Root Devices\"\n\
        2024-01-15 08:00:02, Error      [0x018005] CSI    0000002b (F) Failed execution of queue item Installer: Root Devices ({3d07d150-2f3d-4184-9793-d0fd59b0c885}) with HRESULT 800f0207 [Error,Facility=(000f),Code=519 (0x0207)].  Failure will not be ignored\n";
    assert_eq!(named(text), [("installer", "Root Devices of Microsoft-Windows-MultipathDeviceSpecificModule".to_owned())]);
}
