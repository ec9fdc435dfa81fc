//! What text logs and the registry tell about what happened: updates in the client's history and in the servicing logs, drivers and
//! devices, installations and upgrades of Windows itself.

use super::{History, Moment, What, When, of_filetime};
use crate::civil::{self, Zone};
use crate::failures::kb;
use crate::logs::setupapi::{Exit, Section};
use crate::logs::{cbs, reporting_events, setupapi};
use crate::servicing_errors::Operations;
use model::{Reading, RegistryData, VolumePath};
use target::{EntryKind, Target};

const SETUP: &str = "HKLM\\SYSTEM\\Setup";
const VERSION: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";

pub(super) fn read(target: &dyn Target, zone: &Zone, history: &mut History) {
    client(target, zone, history);
    servicing(target, history);
    drivers(target, history);
    upgrades(target, zone, history);
    shutdown(target, zone, history);
}

/// The update client's history. Its lines name their zone, so that they fit the event logs even where the machine's own is not known.
fn client(target: &dyn Target, zone: &Zone, history: &mut History) {
    let path = target.windows_folder().join("SoftwareDistribution\\ReportingEvents.log");
    let Reading::Known(mut input) = target.open(&path) else { return };
    let source = path.with_drive(target.drive());
    for event in reporting_events::parse(&mut *input).0 {
        let local = || civil::parse(&event.local).map(When::Local);
        let Some(when) = event.unix.map(|unix| When::of_utc(zone, unix)).or_else(local) else { continue };
        history.seen(when, &source);
        let title = if event.text.is_empty() { event.update } else { event.text };
        // Numbers: catalogue 13.6. The text is a whole sentence that names the update.
        let what = match event.id {
            183 | 203 => What::UpdateInstalled(title.clone()),
            222 | 225 if event.code == 0 => What::UpdateRemoved(title.clone()),
            _ => continue,
        };
        history.moments.push(Moment { when, what, says: title, source: source.clone(), at: format!("line {}", event.line) });
    }
}

/// Updates whose servicing ended well, from the servicing logs that are not packed.
fn servicing(target: &dyn Target, history: &mut History) {
    let folder = target.windows_folder().join("Logs\\CBS");
    let names = target.list(&folder).into_known().unwrap_or_default();
    let is_log = |name: &str| name == "cbs.log" || (name.starts_with("cbspersist_") && name.ends_with(".log"));
    for path in names.iter().filter(|name| is_log(&name.to_ascii_lowercase())).map(|name| folder.join(name)) {
        let Reading::Known(mut input) = target.open(&path) else { continue };
        let source = path.with_drive(target.drive());
        let mut operations = Operations::new();
        // What was read before an error stays right; that a log cannot be read to its end is said by its probe.
        let _ = cbs::scan(&mut *input, &mut |entry| {
            if let Some(local) = entry.local.as_deref().and_then(civil::parse) {
                history.seen(When::Local(local), &source);
            }
            operations.take(0, &entry);
        });
        for result in operations.finish().1.into_iter().filter(|result| result.code.0 & 0x8000_0000 == 0) {
            let Some(local) = result.local.as_deref().and_then(civil::parse) else { continue };
            // Parts of an update are packages of their own; the update is told by its number.
            let Some(title) = result.kb.as_deref().and_then(kb).or_else(|| kb(&result.package)) else { continue };
            let says = format!("Servicing ended well for {title} ({})", result.package);
            let what = What::UpdateInstalled(title);
            history.moments.push(Moment { when: When::Local(local), what, says, source: source.clone(), at: format!("line {}", result.line) });
        }
    }
}

fn drivers(target: &dyn Target, history: &mut History) {
    let path = target.windows_folder().join("INF\\setupapi.dev.log");
    let Reading::Known(mut input) = target.open(&path) else { return };
    let source = path.with_drive(target.drive());
    for section in setupapi::parse(&mut *input).0 {
        let Some(local) = section.start.as_deref().and_then(civil::parse) else { continue };
        history.seen(When::Local(local), &source);
        if let Some(says) = driver(&section) {
            let at = format!("line {}", section.line);
            history.moments.push(Moment { when: When::Local(local), what: What::Driver, says, source: source.clone(), at });
        }
    }
}

/// What a section did, when it did something: a device that was only looked at or unplugged changed nothing.
fn driver(section: &Section) -> Option<String> {
    if !matches!(section.exit, Some(Exit::Success | Exit::RestartNeeded)) || section.subject.is_empty() {
        return None;
    }
    let operation = section.operation.to_ascii_lowercase();
    let wanted = ["device install", "import driver", "setupcopyoeminf", "uninstall", "delete driver", "update driver"];
    let changes = wanted.iter().any(|words| operation.contains(words)) && !operation.starts_with("delete device");
    let inf = section.inf.as_ref().filter(|inf| !section.subject.to_lowercase().ends_with(inf.as_str())).map(|inf| format!(" ({inf})"));
    changes.then(|| format!("{}: {}{}", section.operation, section.subject, inf.unwrap_or_default()))
}

/// When Windows was installed, and the upgrades that it remembers: each leaves a key with values of the Windows before it.
fn upgrades(target: &dyn Target, zone: &Zone, history: &mut History) {
    let mut tell = |unix: i64, says: String, source: &str, at: String| {
        history.moments.push(Moment { when: When::of_utc(zone, unix), what: What::Upgrade, says, source: source.to_owned(), at });
    };
    let installed = target.value(VERSION, "InstallDate").into_known().as_ref().and_then(RegistryData::as_dword);
    if let Some(installed) = installed.filter(|date| *date != 0) {
        tell(installed.into(), "This Windows was installed or upgraded".to_owned(), "SOFTWARE", "CurrentVersion\\InstallDate".to_owned());
    }
    let names = target.key(SETUP).into_known().map(|view| view.subkeys).unwrap_or_default();
    for name in names.iter().filter(|name| name.starts_with("Source OS")) {
        let Reading::Known(view) = target.key(&format!("{SETUP}\\{name}")) else { continue };
        let build = view.value("CurrentBuild").and_then(RegistryData::as_text).unwrap_or_default();
        if let (Some(unix), false) = (of_filetime(view.last_written), build.is_empty()) {
            tell(unix, format!("Windows was upgraded from build {build}"), "SYSTEM", format!("Setup\\{name}, last written"));
        }
    }
}

/// The last shutdown is often the newest thing that a machine knows.
fn shutdown(target: &dyn Target, zone: &Zone, history: &mut History) {
    let value = target.value("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Windows", "ShutdownTime").into_known();
    let ticks = value.and_then(|data| <[u8; 8]>::try_from(data.data.get(..8)?).ok()).map(u64::from_le_bytes);
    if let Some(unix) = ticks.and_then(of_filetime) {
        history.seen(When::of_utc(zone, unix), "SYSTEM, Control\\Windows\\ShutdownTime");
    }
}

/// The registry key or the file at a place that a finding names, and when it was last written.
pub(crate) fn written(target: &dyn Target, zone: &Zone, place: &str) -> Option<Moment> {
    let moment = |unix: i64, what: What, source: &str, kind: &str| Moment {
        when: When::of_utc(zone, unix),
        what,
        says: format!("The {kind} {place} was last written"),
        source: source.to_owned(),
        at: format!("time of the {kind}"),
    };
    if let Some(inside) = place.strip_prefix("HKLM\\") {
        let view = target.key(place).into_known()?;
        let hive = inside.split('\\').next().unwrap_or_default();
        return Some(moment(of_filetime(view.last_written)?, What::Registry, hive, "registry key"));
    }
    let path = place.strip_prefix(target.drive()).and_then(|rest| rest.strip_prefix(':')).and_then(|rest| VolumePath::parse(rest).ok())?;
    // The time of a folder changes with anything in it and would say nothing.
    let entry = target.entry(&path).into_known().filter(|entry| entry.modified > 0 && entry.kind == EntryKind::File)?;
    Some(moment(entry.modified, What::File, place, "file"))
}
