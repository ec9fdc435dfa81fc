//! The update server that a policy names, and by whom the computer is managed besides. No server is asked.

use crate::here;
use crate::logs::web_requests::host;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, Value};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "update-server.key", kind: FactKind::Text, meaning: "the policy's registry key; only a server that is to be used (UseWUServer is 1) is told about" },
    FactDeclaration { name: "update-server.automatic-key", kind: FactKind::Text, meaning: "the key AU below it, which holds UseWUServer" },
    FactDeclaration { name: "update-server.address", kind: FactKind::Text, meaning: "the server as the policy names it, WUServer" },
    FactDeclaration {
        name: "update-server.state",
        kind: FactKind::Text,
        meaning: "named (another computer, whether it answers cannot be told), itself (this computer, and it has no update server of its own), own (this computer has one) or no-host (what is named \
                  is no server's address)",
    },
    FactDeclaration {
        name: "update-server.organisation",
        kind: FactKind::Text,
        meaning: "who manages this computer, told without its update policies: a domain, device management, an organisation's account or Configuration Manager; absent when nobody does",
    },
    FactDeclaration { name: "update-server.client-key", kind: FactKind::Text, meaning: "the key that holds the number by which the server knows this computer (SusClientId)" },
    FactDeclaration { name: "update-server.client", kind: FactKind::Bool, meaning: "whether there is such a number" },
];

const POLICY: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";
const CLIENT: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(view) = target.key(POLICY) else { return };
    let Reading::Known(automatic) = target.key(&format!("{POLICY}\\AU")) else { return };
    let used = automatic.value("UseWUServer").and_then(RegistryData::as_dword) == Some(1);
    let Some(address) = view.value("WUServer").and_then(RegistryData::as_text).filter(|address| used && !address.trim().is_empty()) else { return };
    let mut subject = Subject::new("update-server", format!("{}\\WUServer", view.path));
    let mut put = |name, reading, says: String, at: &str| subject.put(name, fact(reading, says, "SOFTWARE", at));
    put("update-server.key", text(&view.path), view.path.clone(), "key");
    put("update-server.automatic-key", text(&automatic.path), automatic.path.clone(), "key");
    put("update-server.address", text(&address), format!("By policy updates come from the server {address}"), "WUServer");
    let (state, says) = state(target, &address);
    put("update-server.state", text(state), says, "WUServer");
    let organisation = here::organisation(target);
    let says = match organisation.known() {
        Some(who) => format!("This computer is managed by {who}"),
        None => "Nothing but this policy says that anybody manages this computer".into(),
    };
    put("update-server.organisation", organisation.map(Value::Text), says, "Tcpip\\Parameters, Netlogon, Enrollments, CloudDomainJoin");
    let client = target.key(CLIENT);
    let path = client.known().map_or(CLIENT.to_owned(), |view| view.path.clone());
    put("update-server.client-key", text(&path), path.clone(), "key");
    let reading = client.map(|view| Value::Bool(view.value("SusClientId").is_some()));
    put("update-server.client", reading, "SusClientId is the number by which an update server knows this computer".into(), "SusClientId");
    facts.subjects.push(subject);
}

fn state(target: &dyn Target, address: &str) -> (&'static str, String) {
    let Some(host) = host(address) else {
        return ("no-host", format!("WUServer is {address:?}, which is no address of a server"));
    };
    if !here::is_this_computer(target, &host) {
        return ("named", format!("WUServer names {host}; whether it answers cannot be told from here"));
    }
    match target.key("HKLM\\SYSTEM\\CurrentControlSet\\Services\\WsusService") {
        Reading::Absent => ("itself", format!("WUServer names {host}, which is this computer, and there is no update server (WSUS) on it")),
        _ => ("own", format!("WUServer names {host}, which is this computer")),
    }
}
