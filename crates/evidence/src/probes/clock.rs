//! The clock, as far as this disk tells: time service, time zone, and whether its own times contradict each other. The clock of the
//! computer that looks at the disk is never asked.

use crate::civil::{self, days};
use crate::defaults;
use crate::logs::reporting_events;
use crate::probe::{fact, text};
use crate::time_zones::ZONES;
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject, Value, ZoneRules, registry_type};
use target::{EntryKind, KeyView, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "clock.managed",
        kind: FactKind::Text,
        meaning: "who else decides about the clock (a domain, a policy); absent when nobody",
    },
    FactDeclaration {
        name: "clock.other-client",
        kind: FactKind::Text,
        meaning: "another program that starts by itself and sets the clock; absent when none is known",
    },
    FactDeclaration { name: "clock.service.key", kind: FactKind::Text, meaning: "the registry key of the time service, existing or not" },
    FactDeclaration {
        name: "clock.service.state",
        kind: FactKind::Text,
        meaning: "Start of W32Time: right, disabled, missing, wrong-type, other (another start type that works) or no-service",
    },
    FactDeclaration { name: "clock.service.default", kind: FactKind::Number, meaning: "the right Start of W32Time for this Windows version" },
    FactDeclaration { name: "clock.parameters", kind: FactKind::Text, meaning: "the key W32Time\\Parameters" },
    FactDeclaration { name: "clock.ntp-client", kind: FactKind::Text, meaning: "the key W32Time\\TimeProviders\\NtpClient" },
    FactDeclaration { name: "clock.type", kind: FactKind::Text, meaning: "Parameters\\Type as stored: NTP, NT5DS, AllSync or NoSync" },
    FactDeclaration {
        name: "clock.type.state",
        kind: FactKind::Text,
        meaning: "servers (NTP or AllSync), domain (NT5DS), off (NoSync), missing or unknown",
    },
    FactDeclaration { name: "clock.server", kind: FactKind::Text, meaning: "Parameters\\NtpServer as stored" },
    FactDeclaration {
        name: "clock.server.state",
        kind: FactKind::Text,
        meaning: "usable (at least one name or address of another machine), empty, missing, itself or no-name",
    },
    FactDeclaration { name: "clock.client.state", kind: FactKind::Text, meaning: "NtpClient\\Enabled: on, off or missing" },
    FactDeclaration { name: "clock.zone", kind: FactKind::Text, meaning: "the time zone's name, TimeZoneKeyName" },
    FactDeclaration { name: "clock.zone.key", kind: FactKind::Text, meaning: "the key Control\\TimeZoneInformation" },
    FactDeclaration {
        name: "clock.zone.state",
        kind: FactKind::Text,
        meaning: "right; unknown-name (not among this Windows' zones); bias (only Bias does not belong to the zone); mixed (Bias and the dates of summer time belong to another zone); impossible (more than 14 hours from UTC, and no zone to compare with); no-name or unclear",
    },
    FactDeclaration { name: "clock.zone.bias", kind: FactKind::Text, meaning: "the difference from UTC that is set, for example UTC+1:00" },
    FactDeclaration { name: "clock.zone.bias-of-name", kind: FactKind::Number, meaning: "the Bias that belongs to the zone's name, as a DWORD" },
    FactDeclaration { name: "clock.zone.choice", kind: FactKind::List, meaning: "the names of all time zones that this Windows knows" },
    FactDeclaration {
        name: "clock.zone.chosen",
        kind: FactKind::Text,
        meaning: "the time zone that the person named (--time-zone); absent when none was named, and never inferred",
    },
    FactDeclaration {
        name: "clock.zone.as-chosen",
        kind: FactKind::Bool,
        meaning: "whether the machine has the time zone that the person named; absent when none was named",
    },
    FactDeclaration {
        name: "clock.hardware-in-utc",
        kind: FactKind::Bool,
        meaning: "yes when RealTimeIsUniversal is 1: the computer's own clock is kept in UTC; not delivered otherwise",
    },
    FactDeclaration { name: "clock.last-shutdown", kind: FactKind::Text, meaning: "when this Windows was last shut down, by its own clock, UTC" },
    FactDeclaration { name: "clock.last-shutdown.place", kind: FactKind::Text, meaning: "the registry value that holds the last shutdown" },
    FactDeclaration { name: "clock.built", kind: FactKind::Text, meaning: "the day on which Microsoft built this Windows, from the build's name" },
    FactDeclaration {
        name: "clock.files-built",
        kind: FactKind::Text,
        meaning: "the date of the second newest of four system files, which Microsoft's packages give them",
    },
    FactDeclaration {
        name: "clock.order",
        kind: FactKind::Text,
        meaning: "right; before-build (shut down before this Windows was built); before-files (shut down long before its system files were built) or unclear",
    },
    FactDeclaration {
        name: "clock.last-event",
        kind: FactKind::Text,
        meaning: "the local time of the last line of the update log; read only when the order is not right",
    },
    // These are not this probe's: no disk holds them. `clock_offset.rs` adds them when the clock of a running Windows was compared.
    FactDeclaration {
        name: "clock.offset",
        kind: FactKind::Text,
        meaning: "by how many seconds this computer's clock is ahead of the time, with a minus when it is behind; only when it was compared",
    },
    FactDeclaration {
        name: "clock.offset.state",
        kind: FactKind::Text,
        meaning: "right (at most five minutes off), ahead or behind; not delivered unless the clock was compared, which only a running Windows allows",
    },
    FactDeclaration {
        name: "clock.offset.words",
        kind: FactKind::Text,
        meaning: "the same for people, for example: 3 days behind",
    },
    FactDeclaration { name: "clock.offset.source", kind: FactKind::Text, meaning: "who told the time: time-servers or person" },
    FactDeclaration {
        name: "clock.read-at",
        kind: FactKind::Text,
        meaning: "what this computer's clock said when it was compared, seconds since 1970 UTC",
    },
    FactDeclaration { name: "clock.servers.asked", kind: FactKind::Number, meaning: "how many time servers were asked" },
    FactDeclaration { name: "clock.servers.agreeing", kind: FactKind::List, meaning: "the time servers that agree about the time" },
    FactDeclaration {
        name: "clock.servers.disagreeing",
        kind: FactKind::List,
        meaning: "the time servers that tell another time and were not believed; absent when there are none",
    },
    FactDeclaration {
        name: "clock.second-opinion",
        kind: FactKind::Text,
        meaning: "what the date of a plain HTTP answer says beside the time servers: agrees or differs; it never decides",
    },
];

const W32TIME: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time";
const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";
const ZONE: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation";
const CONTROL: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Windows";
const OTHER_CLIENTS: &str = include_str!("../../../../knowledge/defaults/time-clients.tsv");
/// Files that every update of Windows itself brings along.
const FILES: [&str; 4] = ["ntoskrnl.exe", "ntdll.dll", "kernel32.dll", "wuaueng.dll"];
const DAY: i64 = 86_400;
/// A build's name holds the day in Redmond; two days are more than any time zone.
const BUILD_SLACK: i64 = 2 * DAY;
/// An update's files are built days before they arrive, and a restart follows; a month is far beyond that.
const FILE_SLACK: i64 = 30 * DAY;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut subject = Subject::new("clock", "clock");
    if let Reading::Unreadable(why) = target.key(SERVICES) {
        facts.not_checked.push(NotChecked { what: "time service and time zone".into(), why, blocking: false });
        return;
    }
    managed(target, &mut subject);
    other_client(target, &mut subject);
    service(target, &mut subject);
    settings(target, &mut subject);
    zone(target, &mut subject);
    order(target, &mut subject);
    facts.subjects.push(subject);
}

/// A key that is absent counts as one without values; what could not be read stays so.
fn values(target: &dyn Target, key: &str) -> Reading<Option<KeyView>> {
    match target.key(key) {
        Reading::Known(view) => Reading::Known(Some(view)),
        Reading::Absent => Reading::Known(None),
        Reading::NotCollected => Reading::NotCollected,
        Reading::Unreadable(why) => Reading::Unreadable(why),
    }
}

fn managed(target: &dyn Target, subject: &mut Subject) {
    let value = |key: &str, name: &str| target.value(key, name).into_known();
    let tcpip = format!("{SERVICES}\\Tcpip\\Parameters");
    let domain = ["NV Domain", "Domain"].iter().find_map(|name| value(&tcpip, name)?.as_text().filter(|domain| !domain.is_empty()));
    // Only members of a domain start Netlogon by themselves.
    let member = value(&format!("{SERVICES}\\Netlogon"), "Start").and_then(|start| start.as_dword()) == Some(2);
    let (reading, says) = match values(target, "HKLM\\SOFTWARE\\Policies\\Microsoft\\W32Time") {
        Reading::Known(Some(_)) => (text("policy"), "Policies\\Microsoft\\W32Time exists: a policy decides about the time service".into()),
        Reading::Known(None) => match domain {
            Some(domain) => (text(format!("domain {domain}")), format!("The machine belongs to the domain {domain}, whose servers give the time")),
            None if member => (text("domain"), "Netlogon starts automatically, as on members of a domain, whose servers give the time".into()),
            None => (Reading::Absent, "neither a domain nor a policy decides about the clock".into()),
        },
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
        _ => (Reading::NotCollected, String::new()),
    };
    subject.put("clock.managed", fact(reading, says, "SYSTEM and SOFTWARE", "Tcpip\\Parameters, Netlogon, policies"));
}

fn other_client(target: &dyn Target, subject: &mut Subject) {
    let rows = OTHER_CLIENTS.lines().filter(|line| !line.starts_with('#')).skip(1);
    let found = rows.filter_map(|row| row.split_once('\t')).find(|(service, _)| {
        let start = target.value(&format!("{SERVICES}\\{service}"), "Start").into_known().and_then(|start| start.as_dword());
        start.is_some_and(|start| start <= 2)
    });
    let (reading, says) = match found {
        Some((service, rest)) => {
            let program = rest.split('\t').next().unwrap_or_default();
            (text(program), format!("The service {service} of {program} sets the clock here"))
        }
        None => (Reading::Absent, "no other program that sets the clock is known here".into()),
    };
    subject.put("clock.other-client", fact(reading, says, "SYSTEM", "Services"));
}

fn service(target: &dyn Target, subject: &mut Subject) {
    let accepted: Vec<u32> = defaults::services(target.windows())
        .into_iter()
        .find(|row| row.service == "W32Time")
        .map_or_else(Vec::new, |row| row.start.iter().map(|(start, _)| *start).collect());
    let Some(right) = accepted.first().copied() else { return };
    let (path, state, says) = match target.key(W32TIME) {
        Reading::Known(view) => {
            let (state, says) = match view.value("Start") {
                None => ("missing", "The time service W32Time has no Start value, so Windows ignores it".to_owned()),
                Some(data) => match data.as_dword() {
                    Some(4) => ("disabled", format!("W32Time: Start is 4 (disabled); right is {right}")),
                    Some(start) if accepted.contains(&start) => ("right", format!("W32Time: Start is {start}")),
                    Some(start @ 0..=3) => ("other", format!("W32Time: Start is {start}; usual is {right}")),
                    _ => ("wrong-type", format!("The Start value of W32Time is {}, which is not a start type; right is {right}", data.show())),
                },
            };
            (view.path, text(state), says)
        }
        Reading::Absent => (W32TIME.to_owned(), text("no-service"), "There is no service W32Time".into()),
        Reading::NotCollected => (W32TIME.to_owned(), Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (W32TIME.to_owned(), Reading::Unreadable(why.clone()), why),
    };
    subject.put("clock.service.key", fact(text(&path), &path, "SYSTEM", "key"));
    subject.put("clock.service.state", fact(state, says, "SYSTEM", "Services\\W32Time\\Start"));
    subject.put(
        "clock.service.default",
        fact(
            Reading::Known(Value::Number(right.into())),
            format!("The right Start of W32Time is {right}"),
            "knowledge/defaults/services.tsv",
            "W32Time",
        ),
    );
}

fn settings(target: &dyn Target, subject: &mut Subject) {
    for (name, below) in [("clock.parameters", "Parameters"), ("clock.ntp-client", "TimeProviders\\NtpClient")] {
        if let Reading::Known(view) = target.key(&format!("{W32TIME}\\{below}")) {
            subject.put(name, fact(text(&view.path), &view.path, "SYSTEM", "key"));
        }
    }
    if let Reading::Known(view) = target.key(&format!("{W32TIME}\\Parameters")) {
        let kind = view.value("Type");
        let (state, says) = match kind.map(RegistryData::as_text) {
            None => ("missing", "Parameters has no value Type, so it is not said where the time comes from".to_owned()),
            Some(Some(kind)) if ["NTP", "AllSync"].iter().any(|right| right.eq_ignore_ascii_case(&kind)) => {
                ("servers", format!("Type is {kind}: the time comes from the servers in NtpServer"))
            }
            Some(Some(kind)) if kind.eq_ignore_ascii_case("NT5DS") => ("domain", "Type is NT5DS: the time comes from the domain".to_owned()),
            Some(Some(kind)) if kind.eq_ignore_ascii_case("NoSync") => ("off", "Type is NoSync: the clock is never set by a time server".to_owned()),
            Some(_) => ("unknown", format!("Type is {}, which the time service does not know", kind.map_or_else(String::new, RegistryData::show))),
        };
        put_text(subject, "clock.type", kind, &says, "Parameters\\Type");
        subject.put("clock.type.state", fact(text(state), says, "SYSTEM", "Parameters\\Type"));
        let server = view.value("NtpServer");
        let (state, says) = match server.map(RegistryData::as_text) {
            None => ("missing", "Parameters has no value NtpServer, so there is no server to ask".to_owned()),
            Some(Some(list)) => (servers(&list), format!("NtpServer is {list:?}")),
            Some(None) => {
                ("no-name", format!("NtpServer is {} instead of text", server.map_or_else(String::new, |data| registry_type::name(data.kind))))
            }
        };
        put_text(subject, "clock.server", server, &says, "Parameters\\NtpServer");
        subject.put("clock.server.state", fact(text(state), says, "SYSTEM", "Parameters\\NtpServer"));
    }
    if let Reading::Known(view) = target.key(&format!("{W32TIME}\\TimeProviders\\NtpClient")) {
        let (state, says) = match view.value("Enabled").and_then(RegistryData::as_dword) {
            Some(0) => ("off", "NtpClient\\Enabled is 0: the time service asks no server"),
            Some(_) => ("on", "NtpClient is enabled"),
            None => ("missing", "NtpClient has no value Enabled"),
        };
        subject.put("clock.client.state", fact(text(state), says, "SYSTEM", "NtpClient\\Enabled"));
    }
}

fn put_text(subject: &mut Subject, name: &'static str, data: Option<&RegistryData>, says: &str, at: &str) {
    let reading = data.map_or(Reading::Absent, |data| text(data.as_text().unwrap_or_else(|| data.show())));
    subject.put(name, fact(reading, says, "SYSTEM", at));
}

/// What a list of servers, separated by spaces, each `name[,flags]`, amounts to. Whether a server answers cannot be told here, so
/// every name that is well formed and not this machine itself is fine.
fn servers(list: &str) -> &'static str {
    let names: Vec<&str> = list.split_whitespace().map(|peer| peer.split(',').next().unwrap_or_default()).collect();
    let itself = |name: &&str| ["localhost", "::1", "0.0.0.0"].iter().any(|own| own.eq_ignore_ascii_case(name)) || name.starts_with("127.");
    let well_formed = |name: &&str| {
        name.chars().any(char::is_alphanumeric) && name.chars().all(|c| c.is_alphanumeric() || "-._:[]%".contains(c)) && !name.starts_with("0x")
    };
    let good: Vec<&str> = names.iter().copied().filter(well_formed).collect();
    match (names.is_empty(), good.is_empty()) {
        (true, _) => "empty",
        (_, true) => "no-name",
        _ if good.iter().all(itself) => "itself",
        _ => "usable",
    }
}

/// Difference from UTC and the dates of summer time, as `TimeZoneInformation` and a zone's `TZI` hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rules {
    bias: i32,
    dates: Vec<u8>,
}

impl Rules {
    fn from_tzi(data: &RegistryData) -> Option<Rules> {
        let rules = ZoneRules::from_tzi(data)?;
        Some(Rules { bias: rules.bias, dates: [rules.standard_start, rules.daylight_start].concat() })
    }

    fn from_machine(view: &KeyView) -> Option<Rules> {
        let bias = view.value("Bias")?.as_dword()?.cast_signed();
        let date = |name: &str| view.value(name).filter(|data| data.data.len() == 16).map(|data| data.data.clone());
        let dates = [date("StandardStart")?, date("DaylightStart")?].concat();
        Some(Rules { bias, dates })
    }
}

fn zone(target: &dyn Target, subject: &mut Subject) {
    let Reading::Known(view) = target.key(ZONE) else { return };
    subject.put("clock.zone.key", fact(text(&view.path), &view.path, "SYSTEM", "key"));
    if view.value("RealTimeIsUniversal").and_then(RegistryData::as_dword) == Some(1) {
        let says = "The computer's own clock is kept in UTC (RealTimeIsUniversal is 1), as other systems on it may want it";
        subject.put("clock.hardware-in-utc", fact(Reading::Known(Value::Bool(true)), says, "SYSTEM", "RealTimeIsUniversal"));
    }
    let name = view.value("TimeZoneKeyName").and_then(RegistryData::as_text).unwrap_or_default();
    let bias = view.value("Bias").and_then(RegistryData::as_dword).map(u32::cast_signed);
    let shown = bias.map_or_else(|| "no Bias".to_owned(), ZoneRules::from_utc);
    if let Some(bias) = bias {
        subject.put("clock.zone.bias", fact(text(ZoneRules::from_utc(bias)), format!("The clock is set to {}", ZoneRules::from_utc(bias)), "SYSTEM", "Bias"));
    }
    if !name.is_empty() {
        subject.put("clock.zone", fact(text(&name), format!("The time zone is {name}"), "SYSTEM", "TimeZoneKeyName"));
    }
    let known = target.key(ZONES).known().map(|zones| zones.subkeys.clone()).unwrap_or_default();
    let allowed = laws(target, &name);
    let (state, says) = if known.is_empty() {
        match bias {
            Some(bias) if bias.unsigned_abs() > 14 * 60 => ("impossible", format!("Bias says {shown}, which exists nowhere")),
            _ => ("unclear", "The list of time zones is not there, so the zone cannot be compared".to_owned()),
        }
    } else if name.is_empty() {
        ("no-name", format!("TimeZoneKeyName is empty; Bias says {shown}"))
    } else if !known.iter().any(|zone| target::names_equal(zone, &name)) {
        ("unknown-name", format!("The time zone is called {name:?}, which is none of the {} zones that this Windows knows", known.len()))
    } else {
        against(&allowed, Rules::from_machine(&view), bias, &name, &shown)
    };
    if let ("bias", Some(right)) = (state, allowed.first()) {
        let says = format!("{name} is {}", ZoneRules::from_utc(right.bias));
        subject
            .put("clock.zone.bias-of-name", fact(Reading::Known(Value::Number(right.bias.cast_unsigned().into())), says, "SOFTWARE", "Time Zones"));
    }
    subject.put("clock.zone.state", fact(text(state), says, "SYSTEM", "TimeZoneKeyName and Bias"));
    subject.put("clock.zone.choice", fact(Reading::Known(Value::List(known)), "This Windows has a list of time zones", "SOFTWARE", "Time Zones"));
    let open = "only you can say which time zone is meant: add --time-zone ID (--time-zone list shows the zones that this Windows knows)";
    subject.put("clock.zone.chosen", fact(Reading::Absent, open, "SOFTWARE", "Time Zones"));
    subject.put("clock.zone.as-chosen", fact(Reading::Absent, "", "SYSTEM", "TimeZoneKeyName"));
}

/// Adds what the person said about the time zone; nothing else may.
pub(crate) fn choose_zone(facts: &mut Facts, zone: &str) {
    let Some(subject) = facts.subjects.iter_mut().find(|subject| subject.kind == "clock") else { return };
    let is = |subject: &Subject, name: &str, wanted: &str| {
        subject.get(name).and_then(|fact| fact.reading.known()).is_some_and(|value| target::names_equal(&value.to_string(), wanted))
    };
    let same = is(subject, "clock.zone", zone) && is(subject, "clock.zone.state", "right");
    subject.put("clock.zone.chosen", fact(text(zone), format!("You named the time zone {zone}"), "--time-zone", zone));
    let says = if same { format!("The time zone is {zone}, as you named it") } else { format!("You named the time zone {zone}, which is not set") };
    subject.put("clock.zone.as-chosen", fact(Reading::Known(Value::Bool(same)), says, "SYSTEM", "TimeZoneKeyName"));
}

/// The rules of a zone: today's first, then those of single years, because laws change and a computer keeps last year's for a while.
fn laws(target: &dyn Target, name: &str) -> Vec<Rules> {
    let key = format!("{ZONES}\\{name}");
    if name.is_empty() || name.contains('\\') {
        return Vec::new();
    }
    let today = target.value(&key, "TZI").into_known().as_ref().and_then(Rules::from_tzi);
    let years = target.key(&format!("{key}\\Dynamic DST")).into_known().map(|view| view.values).unwrap_or_default();
    today.into_iter().chain(years.iter().filter_map(|(_, data)| Rules::from_tzi(data))).collect()
}

fn against(allowed: &[Rules], machine: Option<Rules>, bias: Option<i32>, name: &str, shown: &str) -> (&'static str, String) {
    let Some(today) = allowed.first() else { return ("unclear", format!("The rules of {name} cannot be read")) };
    match (bias, machine) {
        (Some(bias), _) if allowed.iter().any(|law| law.bias == bias) => ("right", format!("The time zone is {name}, {shown}")),
        (_, Some(machine)) if machine.dates == today.dates => {
            ("bias", format!("The time zone is {name}, which is {}, but Bias says {shown}", ZoneRules::from_utc(today.bias)))
        }
        (None, _) => ("mixed", format!("The time zone is {name}, but there is no Bias")),
        _ => (
            "mixed",
            format!("The time zone is called {name}, which is {}, but the rest belongs to another zone: Bias says {shown}", ZoneRules::from_utc(today.bias)),
        ),
    }
}

fn order(target: &dyn Target, subject: &mut Subject) {
    let Reading::Known(view) = target.key(CONTROL) else { return };
    let Some(shutdown) = view.value("ShutdownTime").and_then(filetime) else { return };
    let place = format!("{}\\ShutdownTime", view.path);
    subject.put("clock.last-shutdown.place", fact(text(&place), &place, "SYSTEM", "value"));
    let says = format!("By its own clock, this Windows was last shut down on {}", iso(shutdown));
    subject.put("clock.last-shutdown", fact(text(iso(shutdown)), says, "SYSTEM", "ShutdownTime"));
    // The name of the build that wrote the shutdown stands beside it from Windows 10 on; before, it is the one of the installed system.
    let beside = view.value("ShutdownStopTimePerfCounterBuildLab").and_then(RegistryData::as_text);
    let installed = || target.value("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "BuildLabEx").into_known().and_then(|lab| lab.as_text());
    let lab = beside.or_else(installed).unwrap_or_default();
    let built = build_day(&lab);
    if let Some(built) = built {
        let day = iso(built).chars().take(10).collect::<String>();
        subject.put("clock.built", fact(text(&day), format!("Microsoft built this Windows on {day} ({lab})"), "SOFTWARE", "BuildLabEx"));
    }
    let system = target.windows_folder().join("System32");
    let file = |name: &&str| target.entry(&system.join(name)).into_known().filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.modified);
    let files: Vec<i64> = FILES.iter().filter_map(file).collect();
    let second = second_newest(files);
    if let Some(second) = second {
        subject.put(
            "clock.files-built",
            fact(
                text(iso(second)),
                format!("Of the system files, at least two are from {} or later", iso(second)),
                system.with_drive(target.drive()),
                "dates of files",
            ),
        );
    }
    let state = compare(shutdown, built, second);
    let says = match state {
        "before-build" => format!("The last shutdown, {}, lies before the day on which this Windows was built: the clock was behind", iso(shutdown)),
        "before-files" => format!("The last shutdown, {}, lies long before the dates of the system files: the clock was behind", iso(shutdown)),
        "right" => "The last shutdown lies after the day on which this Windows was built".into(),
        _ => "There is nothing to compare the last shutdown with".into(),
    };
    subject.put("clock.order", fact(text(state), says, "SYSTEM", "ShutdownTime"));
    if state.starts_with("before") {
        last_event(target, subject);
    }
}

/// Shows what the clock said when the update client last wrote.
fn last_event(target: &dyn Target, subject: &mut Subject) {
    let path = target.windows_folder().join("SoftwareDistribution").join("ReportingEvents.log");
    let Reading::Known(mut input) = target.open(&path) else { return };
    let (events, _) = reporting_events::parse(&mut *input);
    let Some(last) = events.last() else { return };
    let says = format!("The last line of the update log is from {}", last.local);
    subject.put("clock.last-event", fact(text(&last.local), says, path.with_drive(target.drive()), format!("line {}", last.line)));
}

/// Seconds since 1970 of a `FILETIME` of eight bytes.
fn filetime(data: &RegistryData) -> Option<i64> {
    let ticks: [u8; 8] = data.data.as_slice().try_into().ok()?;
    let seconds = i64::try_from(u64::from_le_bytes(ticks) / 10_000_000).ok()? - 11_644_473_600;
    // A cleared value is no time; the year 9999 is beyond what Windows can show.
    (-11_644_473_600 < seconds && seconds < 253_402_300_800).then_some(seconds)
}

/// Seconds since 1970 of the day in a build's name, such as `19041.1.amd64fre.vb_release.191206-1406`.
fn build_day(lab: &str) -> Option<i64> {
    let (day, _) = lab.rsplit('.').next()?.split_once('-')?;
    if day.len() != 6 || !day.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize| day.get(from..from + 2)?.parse::<i64>().ok();
    let (year, month, day) = (2000 + number(0)?, number(2)?, number(4)?);
    // Windows 7 was built in 2009; anything before is not a day.
    ((2009..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)).then(|| days(year, month, day) * DAY)
}

/// One file alone may have been put there by somebody, with a date of their own.
fn second_newest(mut files: Vec<i64>) -> Option<i64> {
    files.sort_unstable_by(|one, other| other.cmp(one));
    files.get(1).copied()
}

/// What the last shutdown proves. A shutdown long ago proves nothing by itself: after a power cut, or with Fast Startup, it stays.
fn compare(shutdown: i64, built: Option<i64>, files: Option<i64>) -> &'static str {
    match (built, files) {
        (Some(built), _) if shutdown < built - BUILD_SLACK => "before-build",
        (_, Some(files)) if shutdown < files - FILE_SLACK => "before-files",
        (None, None) => "unclear",
        _ => "right",
    }
}

/// `2015-01-01T00:00:00Z`.
fn iso(seconds: i64) -> String {
    civil::text(seconds) + "Z"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{DAY, FILE_SLACK, Rules, against, build_day, compare, days, filetime, iso, second_newest, servers};
    use model::{RegistryData, registry_type};

    #[test]
    fn a_server_is_wrong_only_when_no_name_is_left() {
        for (list, state) in [
            ("time.windows.com,0x9", "usable"),
            ("time.windows.com, 0x9", "usable"),
            ("zeit.moosbach.example,0x8 192.168.7.1", "usable"),
            ("localhost 192.168.7.1", "usable"),
            ("fe80::1,0x8", "usable"),
            ("uhr-büro", "usable"),
            ("", "empty"),
            ("   ", "empty"),
            ("localhost,0x9", "itself"),
            ("127.0.0.1 ::1", "itself"),
            (",0x9", "no-name"),
            ("0x9", "no-name"),
            ("http://time.windows.com", "no-name"),
        ] {
            assert_eq!(servers(list), state, "{list:?}");
        }
    }

    #[test]
    fn days_of_builds() {
        let day = |lab| build_day(lab).map(iso);
        assert_eq!(day("19041.1.amd64fre.vb_release.191206-1406").as_deref(), Some("2019-12-06T00:00:00Z"));
        assert_eq!(day("16299.rs3_release.170928-1534").as_deref(), Some("2017-09-28T00:00:00Z"));
        for none in ["", "7601", "a.b", "x.991301-1000", "x.191306-1406", "x.19120-1406", "x.+91206-1", "x.010101-0000"] {
            assert_eq!(build_day(none), None, "{none}");
        }
    }

    #[test]
    fn times_there_and_back() {
        for (year, month, day) in [(1601, 1, 2), (1969, 12, 31), (1970, 1, 1), (2000, 2, 29), (2024, 12, 31), (2100, 3, 1)] {
            assert_eq!(iso(days(year, month, day) * DAY), format!("{year:04}-{month:02}-{day:02}T00:00:00Z"));
        }
        let ticks = |ticks: u64| RegistryData { kind: registry_type::BINARY, data: ticks.to_le_bytes().to_vec() };
        assert_eq!(filetime(&ticks(116_444_736_000_000_000)), Some(0));
        assert_eq!(filetime(&ticks(0)), None);
        assert_eq!(filetime(&ticks(u64::MAX)), None);
        assert_eq!(filetime(&RegistryData { kind: registry_type::BINARY, data: vec![1; 7] }), None);
    }

    #[test]
    fn only_what_cannot_be_otherwise_is_out_of_order() {
        let built = Some(days(2019, 12, 6) * DAY);
        let october = days(2023, 10, 3) * DAY;
        let files = Some(october);
        assert_eq!(compare(days(2015, 1, 1) * DAY, built, files), "before-build");
        assert_eq!(compare(days(2021, 1, 1) * DAY, built, files), "before-files");
        assert_eq!(compare(october - FILE_SLACK, built, files), "right", "a machine that was not shut down for a month");
        assert_eq!(compare(days(2019, 12, 5) * DAY, built, None), "right", "the day of a build is Redmond's");
        assert_eq!(compare(days(2099, 1, 1) * DAY, built, files), "right", "a clock that is ahead leaves no proof");
        assert_eq!(compare(0, None, None), "unclear");
        assert_eq!(second_newest(vec![9]), None);
        assert_eq!(second_newest(vec![1, 9, 5]), Some(5));
    }

    #[test]
    fn a_zone_keeps_the_rules_of_one_of_its_years() {
        let rules = |bias: i32, date: u8| Rules { bias, dates: vec![date; 32] };
        let moscow = [rules(-180, 0), rules(-240, 0)];
        let state = |machine: Rules| against(&moscow, Some(machine.clone()), Some(machine.bias), "Russian Standard Time", "").0;
        assert_eq!(state(rules(-180, 0)), "right");
        assert_eq!(state(rules(-240, 0)), "right", "until 2014");
        assert_eq!(state(rules(300, 0)), "bias");
        assert_eq!(state(rules(300, 1)), "mixed");
        assert_eq!(against(&[], None, Some(0), "x", "").0, "unclear");
    }
}
