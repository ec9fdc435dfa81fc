//! What makes Windows Setup refuse or break off an upgrade and is told elsewhere than in its error lines: the reports of the scan before it,
//! what SetupDiag found, the crash in the log of going back, the device at which the new Windows stopped, and states of this Windows in
//! which no upgrade is possible.

use crate::civil::{self, Zone};
use crate::logs::compat_report::{self, Objection};
use crate::logs::setup_diag::SetupDiag;
use crate::logs::{Entry, setupapi};
use crate::named::look_up::{self, Named, Place, State};
use crate::named::setup;
use crate::probe::read_log;
use crate::setup_state::Standing;
use model::{Facts, Failure, Reading, RegistryData, VolumePath};
use target::Target;

/// A larger report is not read. Reports of the appraiser can have tens of megabytes.
const LARGEST: u64 = 128 << 20;
const SCANS: &str = "\\$WINDOWS.~BT\\Sources\\Panther";
const ROLLBACK_DEVICES: &str = "\\$WINDOWS.~BT\\Sources\\Rollback\\setupapi\\setupapi.dev.log";
const CONTROL: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control";
const UNINSTALL: [&str; 2] =
    ["HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall", "HKLM\\SOFTWARE\\WOW6432Node\\Microsoft\\Windows\\CurrentVersion\\Uninstall"];
/// Reports whose names are at most so many seconds older than the newest one are of the same scan.
const ONE_SCAN: i64 = 600;
/// Rules of SetupDiag about states in which no upgrade is possible (windows-itpro-docs, "SetupDiag", rules).
const STATES: [&str; 8] = [
    "BitLockerHardblock",
    "VHDHardblock",
    "PortableWorkspaceHardblock",
    "AuditModeHardblock",
    "SafeModeHardblock",
    "InsufficientSystemPartitionDiskSpaceHardblock",
    "HardblockMismatchedLanguage",
    "HardblockFlightSigning",
];

fn standing(rule: &'static str, kind: &'static str, object: &str, state: State, place: Place) -> Standing {
    Standing { named: Named { rule, kind, object: object.to_owned(), code: None }, state, key: None, place }
}

/// True for what happened after this Windows was installed or upgraded last. What has no time may have.
fn is_new(local: &str, installed: Option<&str>) -> bool {
    local.is_empty() || installed.is_none_or(|installed| local > installed)
}

/// What the newest scan before an upgrade objects to. A scan from before this Windows came was made up for by its coming.
pub(crate) fn scan(target: &dyn Target, installed: Option<&str>, failed: bool) -> Vec<Standing> {
    let folders = [VolumePath::parse(SCANS).ok(), Some(target.windows_folder().join("Panther"))];
    let mut reports: Vec<(String, VolumePath)> = Vec::new();
    let mut files: Vec<(VolumePath, u64, Objection)> = Vec::new();
    for folder in folders.into_iter().flatten() {
        for name in target.list(&folder).into_known().unwrap_or_default() {
            let (path, lower) = (folder.join(&name), name.to_lowercase());
            if lower == "scanresult.xml" || (lower.starts_with("compatdata") && lower.ends_with(".xml")) {
                reports.push((stamp(&name).unwrap_or_else(|| written(target, &path)), path));
            } else if lower.ends_with("_appraiser_humanreadable.xml")
                && let Reading::Known(bytes) = target.read(&path, LARGEST)
            {
                files.extend(compat_report::appraiser(&bytes).into_iter().map(|(line, file)| (path.clone(), line, file)));
            }
        }
    }
    reports.retain(|(time, _)| is_new(time, installed));
    let newest = reports.iter().map(|(time, _)| time.clone()).max();
    let newest_seconds = newest.as_deref().and_then(civil::parse);
    reports.retain(|(time, _)| match (civil::parse(time), newest_seconds) {
        (Some(time), Some(newest)) => newest - time <= ONE_SCAN,
        _ => newest.as_ref() == Some(time),
    });
    // The appraiser's report has no date of its own.
    if reports.is_empty() && !failed {
        return Vec::new();
    }
    let mut found: Vec<(Place, Objection)> = Vec::new();
    for (time, path) in &reports {
        let Reading::Known(bytes) = target.read(path, LARGEST) else { continue };
        found
            .extend(compat_report::compat_data(&bytes).into_iter().map(|(line, objection)| (place(target, path, line, &objection, time), objection)));
    }
    // The program of a file that is named exactly needs no second mention.
    let is_named = |name: &str| files.iter().any(|(_, _, file)| matches!(file, Objection::File(_, Some(program)) if alike(program, name)));
    found.retain(|(_, objection)| !matches!(objection, Objection::Program(name) if is_named(name)));
    let time = newest.unwrap_or_default();
    found.extend(files.into_iter().map(|(path, line, file)| (place(target, &path, line, &file, &time), file)));
    // Drivers that are not taken along stand in many reports; they are the reason only when there is no other.
    let other = found.iter().any(|(_, objection)| !matches!(objection, Objection::Driver(_)));
    found.retain(|(_, objection)| !other || !matches!(objection, Objection::Driver(_)));
    found.into_iter().map(|(place, objection)| objected(target, &objection, place)).collect()
}

fn place(target: &dyn Target, path: &VolumePath, line: u64, objection: &Objection, time: &str) -> Place {
    let text = match objection {
        Objection::Program(name) => format!("the program {name} stops the upgrade"),
        Objection::Requirement(kind, says) if says.is_empty() => format!("{kind} does not suffice"),
        Objection::Requirement(kind, says) => format!("{kind}: {says}"),
        Objection::Driver(inf) => format!("the driver {inf} cannot be taken along"),
        Objection::File(file, Some(program)) => format!("{file} ({program}) stops the upgrade"),
        Objection::File(file, None) => format!("{file} stops the upgrade"),
    };
    Place {
        source: path.with_drive(target.drive()),
        at: format!("line {line}"),
        text,
        phase: "scan before the upgrade".into(),
        when: time.to_owned(),
    }
}

fn objected(target: &dyn Target, objection: &Objection, place: Place) -> Standing {
    match objection {
        Objection::Program(name) => standing("compat-program", "program", name, program(target, name), place),
        Objection::File(file, _) => standing("compat-program", "file", file, look_up::path(target, file), place),
        Objection::Driver(inf) => standing("compat-driver", "inf", inf, published(target, inf), place),
        Objection::Requirement(kind, _) => {
            let state = ("unclear", "what the computer is made of now is not seen on its drive".to_owned());
            standing("compat-requirement", "requirement", kind, state, place)
        }
    }
}

fn published(target: &dyn Target, inf: &str) -> State {
    look_up::entry(target, &target.windows_folder().join("INF").join(inf))
}

/// The time in a name such as `CompatData_2026_03_01_10_06_11_4_00d30005.xml`.
fn stamp(name: &str) -> Option<String> {
    let numbers: Vec<i64> =
        name.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()).map_while(|digits| digits.parse().ok()).collect();
    let [year, month, day, hour, minute, second, ..] = numbers.as_slice() else { return None };
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    civil::parse(&text).map(|_| text)
}

/// When a file was written, local time.
fn written(target: &dyn Target, path: &VolumePath) -> String {
    target.entry(path).into_known().map(|entry| Zone::of(target).local(entry.modified)).unwrap_or_default()
}

/// Whether a program is in the list of installed programs, under this name or a longer or shorter form of it.
fn program(target: &dyn Target, name: &str) -> State {
    let mut read = false;
    for key in UNINSTALL {
        let Reading::Known(list) = target.key(key) else { continue };
        read = true;
        for entry in &list.subkeys {
            let shown = target.value(&format!("{key}\\{entry}"), "DisplayName").into_known().and_then(|data| data.as_text());
            if let Some(shown) = shown.filter(|shown| alike(shown, name)) {
                return ("present", format!("{shown} is in the list of installed programs"));
            }
        }
    }
    if read {
        ("unclear", format!("no installed program is called {name}; it may be installed under another name, or be a remnant"))
    } else {
        ("not-collected", "the list of installed programs is not part of what was given".to_owned())
    }
}

/// The same name, or one that is the other with more words behind it (a version).
fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim().to_lowercase(), other.trim().to_lowercase());
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short == long || (short.len() >= 5 && long.strip_prefix(short.as_str()).is_some_and(|rest| rest.starts_with([' ', '(', ','])))
}

/// What SetupDiag says of an upgrade since this Windows came: a state in which none is possible, or the program or driver that it names.
pub(crate) fn diagnosed(target: &dyn Target, results: &[(SetupDiag, String, String)], installed: Option<&str>) -> Vec<Standing> {
    let mut found: Vec<Standing> = Vec::new();
    for (result, source, at) in results {
        let local = result.local.clone().unwrap_or_default();
        if !is_new(&local, installed) {
            continue;
        }
        let text = format!("SetupDiag, rule {}: {}", result.rule, result.says);
        let place = Place { source: source.clone(), at: at.clone(), text, phase: result.rule.clone(), when: local };
        let rule = result.rule.as_str();
        if STATES.contains(&rule) {
            found.push(standing("setup-refused", "state", rule, state_of(target, rule), place));
        } else if rule.starts_with("CompatBlockedApplication")
            && let Some(name) = &result.program
        {
            found.push(standing("compat-program", "program", name, program(target, name), place));
        } else if ["HardblockDeviceOrDriver", "DriverMigrationFailure", "UnknownDriverMigrationFailure"].contains(&rule)
            && let Some(inf) = setup::published_inf(&result.details.to_lowercase())
        {
            found.push(standing("compat-driver", "inf", &inf, published(target, &inf), place));
        }
    }
    found
}

/// Whether the state that a rule is about can be seen.
fn state_of(target: &dyn Target, rule: &str) -> State {
    if rule == "AuditModeHardblock" {
        let state = target.value("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Setup\\State", "ImageState");
        return match state.into_known().and_then(|data| data.as_text()) {
            Some(state) if state.to_uppercase().ends_with("RESEAL_TO_AUDIT") => {
                ("wrong", format!("ImageState is {state}: this Windows starts in audit mode"))
            }
            Some(state) => ("present", format!("ImageState is {state}: this Windows does not start in audit mode")),
            None => ("not-collected", "ImageState could not be read".to_owned()),
        };
    }
    ("unclear", "in which state Windows was then is not kept on the drive".to_owned())
}

/// The mark of a portable Windows (Windows To Go).
pub(crate) fn portable(target: &dyn Target) -> Option<Standing> {
    let view = target.key(CONTROL).into_known()?;
    let value = view.value("PortableOperatingSystem").and_then(RegistryData::as_dword)?;
    let state = match value {
        0 => ("present", "PortableOperatingSystem is 0".to_owned()),
        other => ("wrong", format!("PortableOperatingSystem is {other}: Windows takes itself for a portable one (Windows To Go)")),
    };
    let place = Place { source: "SYSTEM".into(), at: "PortableOperatingSystem".into(), ..Place::default() };
    let mut one = standing("portable-windows", "setting", &format!("{}\\PortableOperatingSystem", view.path), state, place);
    one.key = Some(view.path);
    Some(one)
}

/// Whether the firmware starts from another drive than the one on which Windows lies, when an upgrade failed as it does where there are
/// two system partitions (Microsoft, "Windows upgrade resolution procedures").
pub(crate) fn system_partitions(target: &dyn Target, failures: &[Failure]) -> Option<Standing> {
    let codes = ["0x80070002", "0x80073BC3", "0x80073B92"];
    let failure =
        open(failures).find(|failure| failure.phase.starts_with("0x20009") && codes.iter().any(|code| failure.code.eq_ignore_ascii_case(code)))?;
    let place = place_of(failure, format!("{} at {}", failure.code, failure.phase));
    let value = |name: &str| target.value(CONTROL, name).into_known().and_then(|data| data.as_text()).filter(|text| !text.is_empty());
    let (Some(windows), Some(firmware)) = (value("SystemBootDevice"), value("FirmwareBootDevice")) else {
        let state = ("not-collected", "from which drive the computer starts could not be read".to_owned());
        return Some(standing("system-partition", "partition", "the system partition", state, place));
    };
    let state = match (drive_number(&windows), drive_number(&firmware)) {
        (Some(one), Some(other)) if one != other => {
            ("wrong", format!("Windows lies on drive {one} ({windows}), and the computer starts from drive {other} ({firmware})"))
        }
        _ => (
            "unclear",
            format!(
                "Windows ({windows}) and the system partition ({firmware}) are on one drive; whether another drive has a second one is not seen here"
            ),
        ),
    };
    Some(standing("system-partition", "partition", &firmware, state, place))
}

/// The number in `multi(0)disk(0)rdisk(1)partition(2)`.
fn drive_number(device: &str) -> Option<u32> {
    device.split_once("rdisk(")?.1.split(')').next()?.parse().ok()
}

/// The boot manager that is signed with the certificate of 2023, when an upgrade to a version failed whose media did not have it.
pub(crate) fn boot_manager(target: &dyn Target, failures: &[Failure]) -> Option<Standing> {
    let old_media = |failure: &&Failure| ["10.0.22621.", "10.0.22631."].iter().any(|version| failure.subject.contains(version));
    let codes = ["0x80092003", "0x800700C1"];
    let failure = open(failures).filter(old_media).find(|failure| codes.iter().any(|code| failure.code.eq_ignore_ascii_case(code)))?;
    let view = target.key(&format!("{CONTROL}\\SecureBoot\\Servicing")).into_known()?;
    let value = view.value("WindowsUEFICA2023Capable").and_then(RegistryData::as_dword)?;
    let place = place_of(failure, format!("{} of {}", failure.code, failure.subject));
    let state = match value {
        2 => ("wrong", "the computer starts by the boot manager that is signed with the certificate of 2023".to_owned()),
        other => ("present", format!("WindowsUEFICA2023Capable is {other}: the computer does not start by the boot manager of 2023")),
    };
    Some(standing("new-boot-manager", "setting", &format!("{}\\WindowsUEFICA2023Capable", view.path), state, place))
}

/// Where a failed upgrade is told of, with what of it is shown.
fn place_of(failure: &Failure, text: String) -> Place {
    Place { source: failure.source.clone(), at: failure.at.clone(), text, phase: failure.phase.clone(), when: failure.last.clone() }
}

fn open(failures: &[Failure]) -> impl Iterator<Item = &Failure> {
    failures.iter().filter(|failure| failure.operation == "feature-update" && !failure.resolved && !failure.transient)
}

/// The folder in which Setup works, which is cleared away when an upgrade has ended well or ill.
pub(crate) fn remains(target: &dyn Target) -> Option<Standing> {
    ["\\$WINDOWS.~BT", "\\$Windows.~WS"].iter().find_map(|folder| {
        let path = VolumePath::parse(folder).ok()?;
        let state = look_up::entry(target, &path);
        let shown = path.with_drive(target.drive());
        let place = Place { source: shown.clone(), at: "entry".into(), ..Place::default() };
        (state.0 == "present").then(|| standing("upgrade-remains", "folder", &shown, state, place))
    })
}

/// The crash that a log of going back tells of: `Crash 0x0000007E detected`, and `Module name : …` in the next line.
pub(crate) fn crash(target: &dyn Target, lines: &[Entry], source: &str, installed: Option<&str>) -> Option<Standing> {
    let (at, line) = lines.iter().enumerate().rev().find(|(_, line)| stop_code(&line.text).is_some())?;
    let local = line.local.clone().unwrap_or_default();
    let code = stop_code(&line.text).filter(|_| is_new(&local, installed))?;
    let module = lines.get(at + 1).and_then(|next| module_name(&next.text));
    let text = match module {
        Some(module) => format!("{}; module name: {module}", line.text),
        None => format!("{}; no module is named", line.text),
    };
    let place = Place { source: source.to_owned(), at: format!("line {}", line.line), text, phase: String::new(), when: local };
    Some(match module {
        Some(module) => {
            let state = match setup::path_of(module) {
                Some(path) => look_up::path(target, &path),
                None => look_up::entry(target, &target.windows_folder().join("System32\\drivers").join(module)),
            };
            standing("setup-crash", "file", module, state, place)
        }
        None => standing("setup-crash", "crash", &format!("stop {code}"), ("unclear", "the log does not say where it crashed".to_owned()), place),
    })
}

/// `0x0000007E` of a line that tells of a crash.
pub(crate) fn stop_code(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix("Crash ")?;
    let (code, after) = rest.split_once(' ')?;
    (code.starts_with("0x") && code.len() <= 18 && after.trim_start().starts_with("detected")).then_some(code)
}

/// The driver's file in `Module name           : x.sys`; `None` for other lines and for an empty name.
pub(crate) fn module_name(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix("Module name")?.trim_start().strip_prefix(':')?.trim();
    let name = rest.split(['[', ' ']).next().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-\\:$~".contains(c);
    (name.contains('.') && name.chars().all(fits)).then_some(name)
}

/// The device whose installation in the new Windows has no end, by the log that Setup kept when it went back.
pub(crate) fn hung_device(target: &dyn Target, installed: Option<&str>, facts: &mut Facts) -> Option<Standing> {
    let path = VolumePath::parse(ROLLBACK_DEVICES).ok()?;
    let mut sections = Vec::new();
    read_log(target, &path, "log of driver installation during the upgrade", facts, &mut |input| {
        let (found, problems) = setupapi::parse(input);
        sections = found;
        problems
    });
    let last = sections.last().filter(|last| last.exit.is_none() && last.end.is_none() && last.operation.starts_with("Device Install"))?;
    let local = last.start.clone().unwrap_or_default();
    if last.subject.is_empty() || !is_new(&local, installed) {
        return None;
    }
    let place = Place {
        source: path.with_drive(target.drive()),
        at: format!("line {}", last.line),
        text: format!("{} of {} has no end", last.operation, last.subject),
        phase: last.operation.clone(),
        when: local,
    };
    let state = match target.key(&format!("HKLM\\SYSTEM\\CurrentControlSet\\Enum\\{}", last.subject)) {
        Reading::Known(view) => {
            let name = ["FriendlyName", "DeviceDesc"].iter().find_map(|name| view.value(name)?.as_text());
            let name = name.map(|name| name.rsplit(';').next().unwrap_or_default().to_owned());
            ("present", format!("Windows knows this device{}", name.map(|name| format!(": {name}")).unwrap_or_default()))
        }
        Reading::Absent => ("absent", "Windows does not know this device (any more)".to_owned()),
        Reading::NotCollected => ("not-collected", "the list of devices is not part of what was given".to_owned()),
        Reading::Unreadable(why) => ("unreadable", why),
    };
    Some(standing("device-without-end", "device", &last.subject, state, place))
}

#[cfg(test)]
mod tests {
    use super::{alike, drive_number, module_name, stamp, stop_code};

    #[test]
    fn lines_of_a_crash() {
        assert_eq!(stop_code("Crash 0x0000007E detected"), Some("0x0000007E"));
        assert_eq!(stop_code("Crash detected"), None);
        assert_eq!(module_name("  Module name           : nvlddmkm.sys"), Some("nvlddmkm.sys"));
        assert_eq!(module_name("  Module name           : "), None);
        assert_eq!(module_name("Bugcheck parameter 1  : 0x1.0"), None);
    }

    #[test]
    fn times_in_names_and_numbers_of_drives() {
        assert_eq!(stamp("CompatData_2018_08_02_13_20_10_4_00d30005.xml").as_deref(), Some("2018-08-02T13:20:10"));
        assert_eq!(stamp("CompatData_2018_18_02_13_20_10.xml"), None);
        assert_eq!(stamp("CompatData.xml"), None);
        assert_eq!((drive_number("multi(0)disk(0)rdisk(1)partition(2)"), drive_number("x")), (Some(1), None));
    }

    #[test]
    fn names_of_programs_may_have_a_version_behind_them() {
        assert!(alike("Moving Wallpapers Pro 3.1", "moving wallpapers pro"));
        assert!(!alike("Wall", "Wallpaper Engine") && !alike("Moving", "Movingly done") && alike("A", "a"));
    }
}
