//! The machine as a whole: what reset scripts left behind, who manages it, whether a restart is pending.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject, Value};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "machine.reset-leftovers", kind: FactKind::List, meaning: "folders that reset scripts leave: SoftwareDistribution.old, catroot2.bak …; absent when there are none" },
    FactDeclaration { name: "machine.managed", kind: FactKind::Text, meaning: "by whom the machine is managed (an update server by policy, domain, Configuration Manager, Entra ID, MDM); absent when by nobody" },
    FactDeclaration { name: "machine.windows-folder", kind: FactKind::Text, meaning: "the Windows folder, for example C:\\Windows" },
    FactDeclaration { name: "machine.restart-pending", kind: FactKind::Bool, meaning: "Component Based Servicing\\RebootPending exists" },
];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut subject = Subject::new("machine", "machine");
    let windows = target.windows_folder();
    let shown = windows.with_drive(target.drive());
    subject.put("machine.windows-folder", fact(text(&shown), format!("Windows lies in {shown}"), "SOFTWARE", "SystemRoot"));
    let (reading, says) = leftovers(target);
    subject.put("machine.reset-leftovers", fact(reading, says, windows.with_drive(target.drive()), "folder names"));
    let (reading, says) = managed(target);
    subject.put("machine.managed", fact(reading, says, "SOFTWARE", "policies and enrolments"));
    let pending = match target.key("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending") {
        Reading::Known(_) => Reading::Known(Value::Bool(true)),
        Reading::Absent => Reading::Known(Value::Bool(false)),
        Reading::NotCollected => Reading::NotCollected,
        Reading::Unreadable(why) => Reading::Unreadable(why),
    };
    subject.put("machine.restart-pending", fact(pending, "Component Based Servicing\\RebootPending says whether updates wait for a restart", "SOFTWARE", "RebootPending"));
    facts.subjects.push(subject);
}

/// `SoftwareDistribution.old`, `catroot2.bak` … beside the real ones; what hresolve itself set aside is not meant.
fn leftovers(target: &dyn Target) -> (Reading<Value>, String) {
    let windows = target.windows_folder();
    let mut found = Vec::new();
    for (folder, stem) in [(windows.clone(), "SoftwareDistribution"), (windows.join("System32"), "catroot2")] {
        match target.list(&folder) {
            Reading::Known(names) => found.extend(names.iter().filter(|name| is_leftover(name, stem)).map(|name| folder.join(name).with_drive(target.drive()))),
            Reading::Absent => {}
            Reading::NotCollected => return (Reading::NotCollected, String::new()),
            Reading::Unreadable(why) => return (Reading::Unreadable(why.clone()), why),
        }
    }
    if found.is_empty() {
        return (Reading::Absent, "no folder that a reset script leaves behind".into());
    }
    let says = format!("A reset script was here: it left {}", found.join(" and "));
    (Reading::Known(Value::List(found)), says)
}

fn is_leftover(name: &str, stem: &str) -> bool {
    let rest = match name.get(..stem.len()) {
        Some(start) if start.eq_ignore_ascii_case(stem) => name.get(stem.len()..).unwrap_or_default().to_ascii_lowercase(),
        _ => return false,
    };
    !rest.contains("hresolve") && (rest.starts_with(".old") || rest.starts_with(".bak") || rest.starts_with("_old") || rest.starts_with("_bak") || rest == "old" || rest == "bak")
}

const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";

fn managed(target: &dyn Target) -> (Reading<Value>, String) {
    let value = |key: &str, name: &str| target.value(key, name).into_known();
    let policy = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";
    if value(&format!("{policy}\\AU"), "UseWUServer").and_then(|data| data.as_dword()) == Some(1)
        && let Some(server) = value(policy, "WUServer").and_then(|data| data.as_text())
    {
        return (text(format!("update server {server}")), format!("Updates come from the server {server}, set by policy"));
    }
    let tcpip = format!("{SERVICES}\\Tcpip\\Parameters");
    let domain = ["NV Domain", "Domain"].iter().find_map(|name| value(&tcpip, name)?.as_text().filter(|domain| !domain.is_empty()));
    // A name suffix alone may have been typed at home; only members of a domain start Netlogon by themselves or keep its policies.
    let member = value(&format!("{SERVICES}\\Netlogon"), "Start").and_then(|start| start.as_dword()) == Some(2)
        || target.key("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Group Policy\\DataStore\\Machine").known().is_some();
    if let Some(domain) = domain.filter(|_| member) {
        return (text(format!("domain {domain}")), format!("The machine belongs to the domain {domain}"));
    }
    if target.key(&format!("{SERVICES}\\CcmExec")).known().is_some() {
        return (text("Configuration Manager"), "The client of Configuration Manager (CcmExec) is installed".into());
    }
    let joined = target.key("HKLM\\SYSTEM\\CurrentControlSet\\Control\\CloudDomainJoin\\JoinInfo").into_known();
    if joined.is_some_and(|view| !view.subkeys.is_empty()) {
        return (text("Entra ID"), "The machine is joined to an organisation's directory (Entra ID)".into());
    }
    let enrolled = target.key("HKLM\\SOFTWARE\\Microsoft\\Enrollments").into_known().is_some_and(|view| {
        view.subkeys.iter().any(|name| {
            value(&format!("HKLM\\SOFTWARE\\Microsoft\\Enrollments\\{name}"), "ProviderID").and_then(|data| data.as_text()).is_some_and(|id| id.eq_ignore_ascii_case("MS DM Server"))
        })
    });
    if enrolled {
        return (text("device management (MDM)"), "The machine is enrolled in device management (MDM)".into());
    }
    (Reading::Absent, "no sign that the machine is managed".into())
}
