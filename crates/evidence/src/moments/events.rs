//! What event logs tell about what happened: starts of Windows, the clock, services, updates, programs, drives, restore points.
//!
//! Sources: cause catalogue section 14; Microsoft, "Event Logging (Windows Installer)" for the order of MsiInstaller's fields;
//! published samples of Kernel-General 1 and System Restore 8194. Texts of fields are shown as they stand, in that Windows' language.

use super::{History, Moment, What, When};
use crate::civil::{self, Zone};
use crate::defaults;
use crate::events::wanted::{self, ALONE, APPLICATION, CLIENT, INSTALLER, KERNEL, RESTORE, SERVICES, SERVICING, SETUP, SYSTEM, UPDATE_CLIENT};
use crate::events::{Event, kept};
use model::{ErrorCode, Reading, RegistryData};
use target::Target;

/// Windows itself changes the start type of these back and forth.
const FLIPPED: [&str; 2] = ["BITS", "TrustedInstaller"];
/// Setting the clock back by less is daily life.
const CORRECTION: i64 = 300;
/// A clock that was set forward by less was asleep, or its virtual computer was stopped for a while.
const ASLEEP: i64 = 86_400;
/// The same, where the event does not say why the clock was set (Windows 7).
const LONG_ASLEEP: i64 = 30 * 86_400;
/// The names under which Defender loads a driver anew for every update of its definitions begin so.
const DEFENDER: &str = "MpKsl";

pub(super) fn read(target: &dyn Target, zone: &Zone, history: &mut History) {
    for file in [SYSTEM, UPDATE_CLIENT, SETUP, APPLICATION] {
        let source = kept::path(target, file).with_drive(target.drive());
        let why = match kept::log_of(target, file, &wanted::happened_in(file)) {
            Reading::Known(log) => {
                if let Some(newest) = log.newest {
                    history.seen(When::of_utc(zone, newest), &source);
                }
                if let Some(oldest) = log.oldest {
                    history.begins.push((source.clone(), When::of_utc(zone, oldest)));
                }
                history.moments.extend(log.events.iter().filter_map(|event| moment(target, zone, event, &source)));
                if log.not_covered.is_empty() {
                    continue;
                }
                format!("the program that collected it did not keep: {}", log.not_covered.join("; "))
            }
            Reading::Absent => "it does not exist".to_owned(),
            Reading::NotCollected => "it is not part of what was given".to_owned(),
            Reading::Unreadable(why) => why,
        };
        history.missing.push(format!("{source}: {why}"));
    }
}

fn moment(target: &dyn Target, zone: &Zone, event: &Event, source: &str) -> Option<Moment> {
    let (what, says) = match (event.provider, event.id) {
        (KERNEL, 12) | ("EventLog", 6005) => (What::Boot, "Windows started".to_owned()),
        (KERNEL, 1) => (What::ClockSet, clock(zone, event)?),
        ("EventLog", 6008) => (What::NotShutDown, NOT_SHUT_DOWN.to_owned()),
        ("Microsoft-Windows-Kernel-Power", 41) => (What::NotShutDown, crash(event)),
        (SERVICES, 7040) => start_type(target, event)?,
        (SERVICES, 7045) => {
            let name = event.field("ServiceName").filter(|name| !name.starts_with(DEFENDER))?;
            (What::NewService, format!("The service or driver {name} was added ({})", event.field("ImagePath").unwrap_or("without a file")))
        }
        (CLIENT | SERVICING | ALONE, _) => update(event)?,
        (INSTALLER, _) => (What::Program, program(event)?),
        (RESTORE, _) => (What::RestorePoint, format!("A restore point was made: {}", event.field("1").or(event.field("0"))?)),
        _ => drive(event)?,
    };
    Some(Moment { when: When::of_utc(zone, event.unix), what, says, source: source.to_owned(), at: format!("record {}", event.record) })
}

const NOT_SHUT_DOWN: &str = "Windows started after a stop without a shutdown";

/// After a sleep the clock is taken from the computer's own (reason 2); that is no jump when it goes forward.
fn clock(zone: &Zone, event: &Event) -> Option<String> {
    let seconds = |name: &str| event.field(name).and_then(|text| civil::parse(text.get(..19)?));
    let (old, new) = (seconds("OldTime")?, seconds("NewTime")?);
    let forward = match event.field("Reason") {
        Some("2") => false,
        Some(_) => new - old >= ASLEEP,
        None => new - old >= LONG_ASLEEP,
    };
    let shown = |unix: i64| format!("{}{}", zone.local(unix).replace('T', " "), if zone.is_known() { "" } else { " UTC" });
    (forward || old - new >= CORRECTION).then(|| format!("The clock was set from {} to {}", shown(old), shown(new)))
}

fn crash(event: &Event) -> String {
    match event.field("BugcheckCode").and_then(|code| code.parse::<u32>().ok()).filter(|code| *code != 0) {
        Some(code) => format!("Windows started after it had stopped with a blue screen (0x{code:X})"),
        None => NOT_SHUT_DOWN.to_owned(),
    }
}

fn start_type(target: &dyn Target, event: &Event) -> Option<(What, String)> {
    // The key's name where the event has it; else the name that people see.
    let service = event.field("param4").or(event.field("param1"))?;
    let disabled = || {
        let value = target.value(&format!("HKLM\\SYSTEM\\CurrentControlSet\\Services\\{service}"), "Start");
        value.into_known().as_ref().and_then(RegistryData::as_dword) == Some(4)
    };
    if FLIPPED.iter().any(|flipped| flipped.eq_ignore_ascii_case(service)) && !disabled() {
        return None;
    }
    let matters = defaults::services(target.windows()).iter().any(|row| row.service.eq_ignore_ascii_case(service) && row.role != "related");
    let (before, after) = (event.field("param2")?.to_owned(), event.field("param3")?.to_owned());
    let says = format!("The start type of the service {service} was changed from \"{before}\" to \"{after}\"");
    Some((What::StartType { service: service.to_owned(), before, after, matters }, says))
}

fn update(event: &Event) -> Option<(What, String)> {
    let title = ["updateTitle", "UpdateTitle", "PackageIdentifier", "updateGuid"].into_iter().find_map(|name| event.field(name))?.to_owned();
    let by = event.field("Client").map(|client| format!(" by {client}")).unwrap_or_default();
    let waits = if event.provider == SERVICING && event.id == 4 { "; it waits for a restart" } else { "" };
    let state = event.field("IntendedPackageState").unwrap_or_default();
    let (what, says): (fn(String) -> What, String) = match (event.provider, event.id) {
        (CLIENT, 43) => (What::UpdateBegun, format!("The installation of {title} began; how it ended is not told")),
        (CLIENT, 44) => (What::UpdateBegun, format!("The download of {title} began; how it ended is not told")),
        (CLIENT, 23) => (What::UpdateRemoved, format!("{title} was removed")),
        // The state that was wanted, as a word or as 5000 and the number of the state (catalogue 13.3).
        (SERVICING, _) if ["Absent", "5000"].contains(&state) => (What::UpdateRemoved, format!("{title} was removed{by}{waits}")),
        (SERVICING, _) if !["Installed", "5112"].contains(&state) => return None,
        _ => (What::UpdateInstalled, format!("{title} was installed{by}{waits}")),
    };
    Some((what(title), says))
}

/// Fields: name, version, language; then a product's result, or a patch's name and its result.
fn program(event: &Event) -> Option<String> {
    let field = |name: &str| event.field(name).filter(|text| *text != "(NULL)");
    let name = [field("0"), field("1")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let patch = matches!(event.id, 1036 | 1037);
    let name = if patch { format!("{} of {name}", field("3")?) } else { name };
    let result: u32 = field(if patch { "4" } else { "3" })?.parse().ok()?;
    let done = if matches!(event.id, 1033 | 1036) { "installed" } else { "removed" };
    match result {
        // 3010 and 1641: done, a restart is needed (winerror.h).
        0 | 3010 | 1641 => Some(format!("{name} was {done} by Windows Installer")),
        // The person cancelled.
        1602 => None,
        code => Some(format!("{name} could not be {done} by Windows Installer: {}", ErrorCode(code).normal())),
    }
}

fn drive(event: &Event) -> Option<(What, String)> {
    let named = ["DeviceName", "DriveName", "Device", "0", "1", "2"];
    let device = named.into_iter().filter_map(|name| event.field(name)).find(|text| text.starts_with("\\Device\\") || text.ends_with(':'))?;
    let says = match (event.provider, event.id) {
        ("disk", 7 | 154) => "a bad block",
        ("disk", 52) => "it forecasts its own failure",
        ("disk", 51) => "an error while paging",
        ("disk", 11 | 153) | ("storahci" | "stornvme", _) => "a request was repeated or not answered",
        // 98 is written at every start too: action 0 says that the volume is healthy.
        (_, 98) if event.field("CorruptionActionState").is_none_or(|state| state == "0") => return None,
        _ => "the structure of the file system is damaged",
    };
    Some((What::Drive(format!("{device} {}", event.id)), format!("{device}: {says} ({} {})", event.provider, event.id)))
}
