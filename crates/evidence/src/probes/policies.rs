//! Policies that keep Windows Update from working or from starting by itself.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "policy.key", kind: FactKind::Text, meaning: "the policy's registry key" },
    FactDeclaration { name: "policy.name", kind: FactKind::Text, meaning: "the value's name" },
    FactDeclaration { name: "policy.data", kind: FactKind::Text, meaning: "the value's data" },
    FactDeclaration {
        name: "policy.effect",
        kind: FactKind::Text,
        meaning: "no-access (nobody may search for updates), no-server (a server is to be asked, but none is named) or not-by-itself (no automatic updates)",
    },
];

const POLICY: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";
/// Below POLICY: key, value, effect, what it does. Each is meant when its data is 1.
const VALUES: [(&str, &str, &str, &str); 4] = [
    ("\\AU", "NoAutoUpdate", "not-by-itself", "no update is searched for automatically"),
    ("", "DisableWindowsUpdateAccess", "no-access", "nobody may search for updates"),
    ("", "SetDisableUXWUAccess", "no-access", "nobody may search for updates in Settings"),
    ("", "DoNotConnectToWindowsUpdateInternetLocations", "no-access", "Microsoft's servers are not asked"),
];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for (below, name, effect, does) in VALUES {
        put(target, facts, below, name, effect, &format!("by the policy {name} {does}"));
    }
    let server = target.value(POLICY, "WUServer");
    let named = server.known().and_then(RegistryData::as_text).is_some_and(|server| !server.trim().is_empty());
    if !named && !matches!(server, Reading::Unreadable(_)) {
        put(target, facts, "\\AU", "UseWUServer", "no-server", "by the policy UseWUServer a server of the organisation is asked, but none is named");
    }
}

fn put(target: &dyn Target, facts: &mut Facts, below: &str, name: &'static str, effect: &'static str, says: &str) {
    let Reading::Known(view) = target.key(&format!("{POLICY}{below}")) else { return };
    if view.value(name).and_then(RegistryData::as_dword) != Some(1) {
        return;
    }
    let mut subject = Subject::new("policy", format!("{}\\{name}", view.path));
    subject.put("policy.key", fact(text(&view.path), &view.path, "SOFTWARE", "key"));
    subject.put("policy.name", fact(text(name), name, "SOFTWARE", name));
    subject.put("policy.data", fact(text("1"), format!("{name} is 1"), "SOFTWARE", name));
    subject.put("policy.effect", fact(text(effect), format!("{name} is 1: {says}"), "SOFTWARE", name));
    facts.subjects.push(subject);
}
