//! Failures of updates from event logs: the update client, servicing, the stand-alone installer and the recovery environment's updater.

use super::Event;
use super::wanted::CLIENT;
use crate::civil::Zone;
use crate::failures::same_update;
use model::{ErrorCode, Failure};

/// Pass by themselves: an app in use, another installation running, the service stopping.
pub(crate) const PASSING: [u32; 3] = [0x8007_3D02, 0x8024_0016, 0x8024_001E];
/// Nothing was wrong with the machine when its connection came back: no name, no connection, no answer.
const NETWORK: [u32; 10] =
    [0x8007_2EE2, 0x8007_2EE7, 0x8007_2EFD, 0x8007_2EFE, 0x8024_402C, 0x8024_0438, 0x8024_401C, 0x8024_4022, 0x8024_401B, 0x8007_2F76];

/// What an event says about one update.
struct Told<'a> {
    event: &'a Event,
    phase: &'static str,
    /// The update's title, package or installer; empty for a search.
    title: String,
    guid: String,
    /// The code of a failure, nothing for a success.
    code: Option<u32>,
}

/// The failures that these events tell, one for each update, code, phase and log. `shown` gives a log's path.
pub(crate) fn failures(events: &[Event], zone: &Zone, shown: &dyn Fn(&str) -> String) -> Vec<Failure> {
    let told: Vec<Told<'_>> = events.iter().filter_map(tell).collect();
    let mut groups: Vec<Vec<&Told<'_>>> = Vec::new();
    for one in told.iter().filter(|one| one.code.is_some()) {
        let same = |there: &&mut Vec<&Told<'_>>| {
            there.first().is_some_and(|first| {
                first.event.channel == one.event.channel && first.phase == one.phase && first.code == one.code && about_the_same(first, one)
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.iter().filter_map(|group| failure(group, &told, zone, shown)).collect()
}

fn failure(group: &[&Told<'_>], told: &[Told<'_>], zone: &Zone, shown: &dyn Fn(&str) -> String) -> Option<Failure> {
    let (first, last) = (group.first()?, group.last()?);
    let code = last.code?;
    let later = |one: &&Told<'_>| one.code.is_none() && (one.event.unix, one.event.record) > (last.event.unix, 0) && one.event != last.event;
    let searched = told.iter().filter(later).any(|one| one.phase == "scan");
    Some(Failure {
        id: 0,
        operation: operation(last).into(),
        code: ErrorCode(code).to_string(),
        subject: if last.title.is_empty() { "search for updates".into() } else { last.title.clone() },
        phase: last.phase.into(),
        first: zone.local(first.event.unix),
        last: zone.local(last.event.unix),
        count: u32::try_from(group.len()).unwrap_or(u32::MAX),
        resolved: told.iter().filter(later).any(|one| succeeds(one, last)),
        transient: PASSING.contains(&code) || (searched && NETWORK.contains(&code)),
        source: format!("{}{}", shown(last.event.channel), zone.note()),
        at: format!("record {}", last.event.record),
    })
}

/// Whether a success is that of what failed before. An installed update was downloaded too.
fn succeeds(good: &Told<'_>, bad: &Told<'_>) -> bool {
    let phase = good.phase == bad.phase || (bad.phase == "download" && good.phase == "install");
    phase && (bad.phase == "scan" || about_the_same(good, bad))
}

fn about_the_same(one: &Told<'_>, other: &Told<'_>) -> bool {
    (!one.guid.is_empty() && one.guid.eq_ignore_ascii_case(&other.guid)) || same_update(&one.title, &other.title)
}

fn tell(event: &Event) -> Option<Told<'_>> {
    let client = event.provider == CLIENT;
    let (phase, failed) = match (event.provider, event.id) {
        _ if client => match event.id {
            19 => ("install", false),
            20 => ("install", true),
            23 => ("uninstall", false),
            24 => ("uninstall", true),
            25 => ("scan", true),
            26 => ("scan", false),
            31 => ("download", true),
            41 => ("download", false),
            _ => return None,
        },
        ("Microsoft-Windows-Servicing" | "Microsoft-Windows-WUSA", 2 | 4) => ("install", false),
        ("Microsoft-Windows-Servicing" | "Microsoft-Windows-WUSA", 3) | ("Microsoft-Windows-WinREAgent", 4502) => ("install", true),
        _ => return None,
    };
    let code = match event.field("errorCode").or_else(|| event.field("ErrorCode")).and_then(code) {
        // A failure without a code, or with one of success, is none that can be named.
        None | Some(0) if failed => return None,
        code => code.filter(|_| failed),
    };
    let field = |name: &str| event.field(name).map(str::to_owned);
    let installer = || event.field("CommandLine").map(|line| format!("wusa {line}"));
    let recovery = || (event.id == 4502).then(|| "update of the recovery environment (Windows RE)".to_owned());
    let title = field("updateTitle").or_else(|| field("UpdateTitle")).or_else(|| field("PackageIdentifier")).or_else(installer).or_else(recovery);
    let guid = field("updateGuid").unwrap_or_default();
    Some(Told { event, phase, title: title.or_else(|| Some(guid.clone())).unwrap_or_default(), guid, code })
}

/// A code as events write it: `0x80070002`, `2147942402`, `-2147024894`, `%%2`.
pub(crate) fn code(text: &str) -> Option<u32> {
    let text = text.trim().trim_start_matches("%%");
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned)),
    }
}

/// What was being done.
fn operation(told: &Told<'_>) -> &'static str {
    match told.phase {
        "scan" => "scan",
        "download" => "download",
        _ => kind_of(&told.title),
    }
}

/// What an update is, from the form of its title: Store apps begin with their twelve-letter product number, drivers end with a
/// version or a date behind two dashes, releases of Windows name a half-year and no KB.
pub(crate) fn kind_of(title: &str) -> &'static str {
    let number = title.split('-').next().unwrap_or_default();
    if title.contains('-')
        && number.len() == 12
        && number.starts_with('9')
        && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        return "app";
    }
    let parts: Vec<&str> = title.split(" - ").collect();
    let numbers = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit()) && text.contains(['.', '/']);
    let kb = crate::failures::kb(title).is_some();
    if !kb && parts.len() >= 3 && parts.last().is_some_and(|last| numbers(last)) {
        return "driver";
    }
    let half_year = title.as_bytes().windows(4).any(|four| matches!(four, [b'2', b'0'..=b'9', b'H', b'1' | b'2']));
    if !kb && half_year && title.contains("Windows 1") { "feature-update" } else { "update" }
}
