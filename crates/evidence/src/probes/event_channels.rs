//! Event logs in which Windows Update says what it did: whether they are switched on.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "event-channel.name", kind: FactKind::Text, meaning: "the event log's name, for example Microsoft-Windows-WindowsUpdateClient/Operational" },
    FactDeclaration { name: "event-channel.key", kind: FactKind::Text, meaning: "its registry key below WINEVT\\Channels" },
    FactDeclaration { name: "event-channel.state", kind: FactKind::Text, meaning: "on, off (Enabled is 0), missing (no value Enabled) or wrong-type" },
];

const CHANNELS: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WINEVT\\Channels";
/// Switched on in every Windows as it comes. Analytic and debug channels are off, as they should be, and are not looked at.
const NAMES: [&str; 1] = ["Microsoft-Windows-WindowsUpdateClient/Operational"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for name in NAMES {
        let Reading::Known(view) = target.key(&format!("{CHANNELS}\\{name}")) else { continue };
        let state = match view.value("Enabled").map(RegistryData::as_dword) {
            None => "missing",
            Some(Some(0)) => "off",
            Some(Some(_)) => "on",
            Some(None) => "wrong-type",
        };
        let says = match state {
            "off" => format!("The event log {name} is switched off (Enabled is 0)"),
            "on" => format!("The event log {name} is switched on"),
            _ => format!("Whether the event log {name} is switched on is not said (Enabled)"),
        };
        let mut subject = Subject::new("event-channel", name);
        subject.put("event-channel.name", fact(text(name), name, "SOFTWARE", "key"));
        subject.put("event-channel.key", fact(text(&view.path), &view.path, "SOFTWARE", "key"));
        subject.put("event-channel.state", fact(text(state), says, "SOFTWARE", "Enabled"));
        facts.subjects.push(subject);
    }
}
