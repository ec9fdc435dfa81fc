//! Upgrades that failed, from the logs of Windows Setup, and what their error lines name, looked up on the machine. Two faults
//! that stop upgrades are also seen without a log: profiles whose folder is gone, and a `SetupConfig.ini` that names nothing.

use crate::civil::Zone;
use crate::logs::setup_attempts::{self, Attempt, End, extend_words};
use crate::logs::setup_diag::{self, SetupDiag};
use crate::named::look_up::{self, Named, Place, error_facts, newest, subject};
use crate::named::setup;
use crate::probe::{fact, read_log, text};
use crate::service_file;
use crate::setup_blocks;
use crate::setup_state::{self, Standing};
use model::{Facts, Failure, Reading, Value, VolumePath};
use target::{Expanded, Target};

error_facts!(
    "setup-error",
    "which rule recognised it: wimmount, profile-mismatch, profile-linked, profile-folder, profile-backup, setup-config, unattend-file, winre-image, boot-file, driver-package, path-missing, \
     path-denied, path-damaged, migration-denied, profile-shared, compat-program, compat-driver, compat-requirement, media, setup-refused, portable-windows, system-partition, new-boot-manager, \
     upgrade-remains, setup-crash or device-without-end",
    "key": Text = "the registry key that names the object (profile-folder, profile-backup, unattend-file)",
    "file": Text = "for wimmount: present or absent, the driver's file",
    "upgrade-failed": Bool = "an upgrade failed and none succeeded since",
    "twin": Text = "for boot-file, when the file is missing: its copy in the component store",
    "extend": Text = "the extend code of the failed attempt, as 0x20007; absent when the log does not tell",
);

/// SetupDiag writes some kilobytes.
const LARGEST: u64 = 16 << 20;
/// So many named objects of one machine are enough.
const MOST_NAMED: usize = 24;
/// Folders with logs of upgrades; in each, `setupact.log` counts, or `setuperr.log` when that is not there.
const UPGRADES: [&str; 3] = ["\\$WINDOWS.~BT\\Sources\\Panther", "\\$WINDOWS.~BT\\Sources\\Rollback", "\\$Windows.~WS\\Sources\\Panther"];
/// The same, below the Windows folder. In `Panther` lie the logs by which this Windows itself was installed: what failed then
/// did not stop it.
const INSIDE: [(&str, bool); 4] = [("Logs\\MoSetup", false), ("Panther", true), ("Panther\\UnattendGC", true), ("Panther\\NewOs\\Panther", true)];
const FILES: [&str; 4] = ["setupact.log", "setuperr.log", "BlueBox.log", "UpdateAgent.log"];
/// The person stopped it.
const TRANSIENT: [u32; 2] = [0x8007_04C7, 0x8007_04D3];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let installed = installed_at(target);
    let mut failures: Vec<Failure> = Vec::new();
    let mut named: Vec<(Named, Place, Option<u32>)> = Vec::new();
    let mut crashes: Vec<Standing> = Vec::new();
    let outside = UPGRADES.iter().filter_map(|folder| Some((VolumePath::parse(folder).ok()?, false)));
    let inside = INSIDE.iter().map(|(folder, own)| (target.windows_folder().join(folder), *own));
    for (folder, own) in outside.chain(inside) {
        let mut whole = false;
        for name in FILES {
            // The error log repeats the error lines of the other one.
            if whole && name == "setuperr.log" {
                continue;
            }
            let path = folder.join(name);
            let source = path.with_drive(target.drive());
            let mut attempts = Vec::new();
            read_log(target, &path, "log of Windows Setup", facts, &mut |input| {
                whole |= name == "setupact.log";
                let (found, problems) = setup_attempts::parse(input);
                attempts = found;
                problems
            });
            if !own {
                crashes.extend(attempts.iter().filter_map(|attempt| setup_blocks::crash(target, &attempt.lines, &source, installed.as_deref())));
            }
            for attempt in attempts {
                if let Some(end) = &attempt.end {
                    let mut failure = failure(&attempt, end, &source, installed.as_deref());
                    failure.resolved |= own;
                    let open = !failure.resolved && !failure.transient;
                    if open {
                        collect(&attempt, end, &source, &mut named);
                    }
                    add(&mut failures, failure);
                }
            }
        }
    }
    let results = setup_diag_results(target);
    setup_diag_failures(&results, installed.as_deref(), &mut failures);
    let refusals = setup_blocks::diagnosed(target, &results, installed.as_deref());
    let failed = !refusals.is_empty() || failures.iter().any(|failure| !failure.resolved && !failure.transient);
    // Error lines of a log name what was missing then; each is looked up now.
    for (what, place, extend) in named.into_iter().take(MOST_NAMED) {
        let standing = Standing { named: what.clone(), state: setup::state(target, &what), key: None, place };
        let standings = if what.rule == "profile-mismatch" { setup_state::profiles(target) } else { vec![standing.clone()] };
        for mut one in standings {
            if one.place.text.is_empty() {
                one.place = standing.place.clone();
            }
            put(target, facts, &one, failed, extend);
        }
    }
    // Operations 4 and 5 of an upgrade put the recovery environment in its place.
    let at_recovery = |failure: &&Failure| {
        let operation = failure.phase.get(..7).and_then(|word| u32::from_str_radix(word.trim_start_matches("0x"), 16).ok()).map(|extend| extend & 0xFFFF);
        !failure.resolved && !failure.transient && matches!(operation, Some(4 | 5))
    };
    let recovery = failures.iter().find(at_recovery).and_then(|failure| {
        let mut standing = setup_state::recovery(target)?;
        standing.place.when.clone_from(&failure.last);
        Some(standing)
    });
    let seen = setup_state::profiles(target).into_iter().chain(setup_state::setup_config(target)).chain(setup_state::image_driver(target)).chain(recovery);
    let told = setup_blocks::scan(target, installed.as_deref(), failed).into_iter().chain(refusals).chain(crashes);
    let states = [
        setup_blocks::hung_device(target, installed.as_deref(), facts),
        setup_blocks::portable(target),
        setup_blocks::system_partitions(target, &failures),
        setup_blocks::boot_manager(target, &failures),
        setup_blocks::remains(target),
    ];
    for standing in seen.chain(told).chain(states.into_iter().flatten()) {
        put(target, facts, &standing, failed, None);
    }
    facts.failures.extend(failures);
}

fn put(target: &dyn Target, facts: &mut Facts, standing: &Standing, failed: bool, extend: Option<u32>) {
    let mut subject = subject(&NAMES, &standing.named, &standing.state, &standing.place);
    if let Some(there) = facts.subjects.iter_mut().find(|there| there.kind == subject.kind && there.name.eq_ignore_ascii_case(&subject.name)) {
        newest(&mut there.when, &subject.when);
        return;
    }
    let source = &standing.place.source;
    subject.put("setup-error.key", fact(standing.key.as_ref().map_or(Reading::Absent, text), standing.key.clone().unwrap_or_default(), source, "key"));
    if standing.named.rule == "wimmount" {
        let (word, says) = look_up::entry(target, &target.windows_folder().join(setup::WIMMOUNT.1));
        subject.put("setup-error.file", fact(text(word), says, source, "entry"));
    }
    if standing.named.rule == "boot-file" {
        let twin = boot_twin(target, &standing.named.object);
        let (reading, says) = match twin {
            Some(twin) if standing.state.0 == "absent" => (text(&twin), format!("The component store has it: {twin}")),
            _ => (Reading::Absent, String::new()),
        };
        subject.put("setup-error.twin", fact(reading, says, source, "component store"));
    }
    let says = if failed { "An upgrade of Windows failed, and none succeeded since" } else { "No failed upgrade is recorded that was not made up for" };
    subject.put("setup-error.upgrade-failed", fact(Reading::Known(Value::Bool(failed)), says, source, "result"));
    let words = extend.map_or(Reading::Absent, |extend| text(format!("0x{extend:05X}")));
    subject.put("setup-error.extend", fact(words, "", source, "result"));
    facts.subjects.push(subject);
}

/// The newest copy of a boot file in the component store.
fn boot_twin(target: &dyn Target, object: &str) -> Option<String> {
    let Expanded::Here(path) = target.expand(object) else { return None };
    service_file::twins(target, &path).first().map(|twin| twin.with_drive(target.drive()))
}

/// What the error lines of a failed attempt name, first mention only.
fn collect(attempt: &Attempt, end: &End, source: &str, named: &mut Vec<(Named, Place, Option<u32>)>) {
    for line in &attempt.lines {
        let Some(what) = setup::named(line) else { continue };
        if !named.iter().any(|(known, ..)| known.rule == what.rule && known.object.eq_ignore_ascii_case(&what.object)) {
            let place = Place { source: source.into(), at: format!("line {}", line.line), text: line.text.clone(), phase: end.extend.map(extend_words).unwrap_or_default(), when: line.local.clone().or_else(|| end.local.clone()).unwrap_or_default() };
            named.push((what, place, end.extend));
        }
    }
}

fn failure(attempt: &Attempt, end: &End, source: &str, installed: Option<&str>) -> Failure {
    let local = end.local.clone().unwrap_or_default();
    Failure {
        id: 0,
        operation: "feature-update".into(),
        code: end.code.to_string(),
        subject: attempt.version.as_ref().map_or("Windows Setup".into(), |version| format!("Windows {version}")),
        phase: end.extend.map_or("setup".into(), |extend| format!("0x{extend:05X}: {}", extend_words(extend))),
        first: local.clone(),
        last: local.clone(),
        count: 1,
        // Every upgrade that succeeds writes the date of installation anew.
        resolved: installed.is_some_and(|installed| !local.is_empty() && installed > local.as_str()),
        transient: TRANSIENT.contains(&end.code.0),
        source: source.into(),
        at: format!("line {}", end.line),
    }
}

/// The same failure stands in several logs.
fn add(failures: &mut Vec<Failure>, new: Failure) {
    let same = failures.iter_mut().find(|old| old.code == new.code && (old.subject == new.subject || new.subject == "Windows Setup" || old.subject == "Windows Setup"));
    let Some(old) = same else {
        failures.push(new);
        return;
    };
    let day = |time: &str| time.get(..10).unwrap_or_default().to_owned();
    if day(&old.last) != day(&new.last) && !new.last.is_empty() {
        old.count += 1;
    }
    if old.phase == "setup" {
        old.phase = new.phase;
    }
    if old.subject == "Windows Setup" {
        old.subject = new.subject;
    }
    old.resolved &= new.resolved;
    if !new.first.is_empty() {
        old.first = old.first.clone().min(new.first);
        old.last = old.last.clone().max(new.last);
    }
}

/// When this Windows was installed or upgraded last, in its own local time.
fn installed_at(target: &dyn Target) -> Option<String> {
    let date = target.value("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "InstallDate").into_known()?.as_dword()?;
    Some(Zone::of(target).local(date.into()))
}

/// What SetupDiag found, where no log of Setup tells of that failure any more.
fn setup_diag_failures(results: &[(SetupDiag, String, String)], installed: Option<&str>, failures: &mut Vec<Failure>) {
    for (result, source, at) in results {
        let Some(code) = result.code else { continue };
        let code = code.to_string();
        let local = result.local.clone().unwrap_or_default();
        if failures.iter().any(|failure| failure.code == code) {
            continue;
        }
        failures.push(Failure {
            id: 0,
            operation: "feature-update".into(),
            code,
            subject: result.version.as_ref().map_or("Windows Setup".into(), |version| format!("Windows {version}")),
            phase: match result.extend {
                Some(extend) => format!("0x{extend:05X}: {}", extend_words(extend)),
                None => result.rule.clone(),
            },
            first: local.clone(),
            last: local.clone(),
            count: 1,
            resolved: installed.is_some_and(|installed| !local.is_empty() && installed > local.as_str()),
            transient: false,
            source: source.clone(),
            at: at.clone(),
        });
    }
}

/// The newest result: the file, its older text form, or the copy in the registry. With its source and place.
fn setup_diag_results(target: &dyn Target) -> Vec<(SetupDiag, String, String)> {
    let mut found = Vec::new();
    for name in ["SetupDiagResults.xml", "SetupDiagResults.log"] {
        let path = target.windows_folder().join("Logs\\SetupDiag").join(name);
        if let Some(result) = target.read(&path, LARGEST).into_known().and_then(|bytes| setup_diag::parse(&bytes)) {
            found.push((result, path.with_drive(target.drive()), "result".to_owned()));
        }
    }
    for key in ["HKLM\\SYSTEM\\Setup\\SetupDiag\\Results", "HKLM\\SYSTEM\\Setup\\MoSetup\\Volatile\\SetupDiag"] {
        if let Reading::Known(view) = target.key(key) {
            let pairs: Vec<(String, String)> = view.values.iter().filter_map(|(name, data)| Some((name.clone(), data.as_text()?))).collect();
            if let Some(result) = setup_diag::from_pairs(&pairs) {
                found.push((result, "SYSTEM".to_owned(), view.path));
            }
        }
    }
    found
}
