//! Rules of the Windows firewall, made on this computer, that keep the update services from connecting to anywhere. Rules by policy and the
//! hardening rules that Windows brings along are kept elsewhere and are not looked at.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject, Value};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "firewall-rule.key", kind: FactKind::Text, meaning: "the key FirewallRules" },
    FactDeclaration { name: "firewall-rule.value", kind: FactKind::Text, meaning: "the value's name: a GUID or the rule's id; only active rules that block update services to the outside are told about" },
    FactDeclaration { name: "firewall-rule.title", kind: FactKind::Text, meaning: "the rule's name as people see it" },
    FactDeclaration { name: "firewall-rule.service", kind: FactKind::Text, meaning: "the service that it blocks; svchost when it blocks every service" },
    FactDeclaration { name: "firewall-rule.reach", kind: FactKind::Text, meaning: "everything, or part (only some addresses, ports, networks or programs)" },
    FactDeclaration { name: "firewall-rule.in-force", kind: FactKind::Bool, meaning: "the firewall is on for at least one kind of network" },
    FactDeclaration { name: "firewall-rule.off", kind: FactKind::Text, meaning: "the rule as it is stored, switched off" },
];

const POLICY: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy";
const PROFILES: [&str; 3] = ["DomainProfile", "StandardProfile", "PublicProfile"];
/// Services that search for updates and fetch them.
const SERVICES: [&str; 4] = ["wuauserv", "BITS", "DoSvc", "UsoSvc"];
/// Parts of a rule that name no limit.
const NO_LIMIT: [&str; 9] = ["Action", "Active", "Dir", "App", "Svc", "Name", "Desc", "EmbedCtxt", "Protocol"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(view) = target.key(&format!("{POLICY}\\FirewallRules")) else { return };
    for (name, data) in &view.values {
        let Some(stored) = data.as_text() else { continue };
        let Some(rule) = Rule::parse(&stored) else { continue };
        let in_force = in_force(target);
        let mut subject = Subject::new("firewall-rule", format!("{}\\{name}", view.path));
        let mut put = |fact_name, reading, says: String| subject.put(fact_name, fact(reading, says, "SYSTEM", name));
        put("firewall-rule.key", text(&view.path), view.path.clone());
        put("firewall-rule.value", text(name), name.clone());
        put("firewall-rule.title", text(&rule.title), format!("The rule is called {:?}", rule.title));
        put("firewall-rule.service", text(&rule.service), format!("The firewall rule {:?} blocks {} to the outside", rule.title, rule.service));
        let (word, says) = if rule.limits.is_empty() {
            ("everything", "It blocks every address and port".to_owned())
        } else {
            ("part", format!("It blocks only {}", rule.limits.join(", ")))
        };
        put("firewall-rule.reach", text(word), says);
        let says = match in_force.known() {
            Some(true) => "The Windows firewall is on for at least one kind of network".to_owned(),
            Some(false) => "The Windows firewall is off for every kind of network".into(),
            None => "Whether the Windows firewall is on could not be told".into(),
        };
        put("firewall-rule.in-force", in_force.map(Value::Bool), says);
        put("firewall-rule.off", text(rule.off), format!("The rule is stored as {stored}"));
        facts.subjects.push(subject);
    }
}

/// A network kind whose `EnableFirewall` is absent has the firewall on.
fn in_force(target: &dyn Target) -> Reading<bool> {
    let mut on = false;
    for profile in PROFILES {
        match target.value(&format!("{POLICY}\\{profile}"), "EnableFirewall") {
            Reading::Known(data) => on |= data.as_dword() != Some(0),
            Reading::Absent => on = true,
            Reading::NotCollected => return Reading::NotCollected,
            Reading::Unreadable(why) => return Reading::Unreadable(why),
        }
    }
    // The rules are those of a service.
    let start = target.value("HKLM\\SYSTEM\\CurrentControlSet\\Services\\MpsSvc", "Start").map(|data| data.as_dword());
    start.map(|start| on && start != Some(4))
}

/// An active rule that blocks an update service to the outside.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    title: String,
    service: String,
    limits: Vec<String>,
    off: String,
}

impl Rule {
    /// `v2.10|Action=Block|Active=TRUE|Dir=Out|App=…|Svc=wuauserv|Name=…|` ([MS-GPFAS] 2.2.2). A part that may stand several times
    /// (addresses, ports, networks) is a limit.
    fn parse(stored: &str) -> Option<Rule> {
        let parts: Vec<(&str, &str)> = stored.split('|').filter_map(|part| part.split_once('=')).collect();
        let part = |name: &str| parts.iter().find(|(there, _)| there.eq_ignore_ascii_case(name)).map(|(_, word)| word.trim());
        let is = |name: &str, word: &str| part(name).is_some_and(|there| there.eq_ignore_ascii_case(word));
        if !(is("Action", "Block") && is("Active", "TRUE") && is("Dir", "Out")) {
            return None;
        }
        let app = part("App").map(|app| app.rsplit('\\').next().unwrap_or(app).to_ascii_lowercase());
        let svchost = app.as_deref().is_none_or(|app| app == "svchost.exe");
        let service = match part("Svc") {
            Some(service) => SERVICES.iter().find(|known| known.eq_ignore_ascii_case(service)).map(|known| (*known).to_owned())?,
            None if app.as_deref() == Some("svchost.exe") => "svchost".to_owned(),
            None => return None,
        };
        if !svchost {
            return None;
        }
        let other = |(name, _): &&(&str, &str)| !NO_LIMIT.iter().any(|known| known.eq_ignore_ascii_case(name));
        let mut limits: Vec<String> = parts.iter().filter(other).map(|(name, word)| format!("{name}={word}")).collect();
        // 6 is TCP, by which updates come.
        limits.extend(part("Protocol").filter(|number| *number != "6").map(|number| format!("Protocol={number}")));
        let off = stored.split('|').map(|part| if part.eq_ignore_ascii_case("Active=TRUE") { "Active=FALSE" } else { part });
        let title = part("Name").unwrap_or_default().to_owned();
        Some(Rule { title, service, limits, off: off.collect::<Vec<_>>().join("|") })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::Rule;

    #[test]
    fn active_rules_that_block_update_services_outwards() {
        let rule = Rule::parse("v2.30|Action=Block|Active=TRUE|Dir=Out|App=%SystemRoot%\\system32\\svchost.exe|Svc=wuauserv|Name=No updates|").unwrap();
        assert_eq!((rule.title.as_str(), rule.service.as_str(), rule.limits.len()), ("No updates", "wuauserv", 0));
        assert_eq!(rule.off, "v2.30|Action=Block|Active=FALSE|Dir=Out|App=%SystemRoot%\\system32\\svchost.exe|Svc=wuauserv|Name=No updates|");
        let every = Rule::parse("v2.30|Action=Block|Active=TRUE|Dir=Out|App=C:\\Windows\\System32\\svchost.exe|Name=x|").unwrap();
        assert_eq!((every.service.as_str(), every.limits.len()), ("svchost", 0));
        let some = Rule::parse("v2.30|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=25|RA4=192.0.2.1|Svc=BITS|Name=x|").unwrap();
        assert_eq!(some.limits, ["RPort=25", "RA4=192.0.2.1"]);
    }

    #[test]
    fn other_rules_are_none() {
        for stored in [
            "v2.30|Action=Block|Active=FALSE|Dir=Out|Svc=wuauserv|Name=off|",
            "v2.30|Action=Block|Active=TRUE|Dir=In|Svc=wuauserv|Name=in|",
            "v2.30|Action=Allow|Active=TRUE|Dir=Out|Svc=wuauserv|Name=allowed|",
            "v2.30|Action=Block|Active=TRUE|Dir=Out|App=C:\\Program Files\\x\\x.exe|Name=another program|",
            "v2.30|Action=Block|Active=TRUE|Dir=Out|App=%SystemRoot%\\system32\\svchost.exe|Svc=DiagTrack|Name=telemetry|",
            "v2.30|Action=Block|Active=TRUE|Dir=Out|Name=everything|",
            "||||=|=",
            "",
        ] {
            assert_eq!(Rule::parse(stored), None, "{stored}");
        }
    }
}
