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
        meaning: "no-access (nobody may search for updates), no-server (a server is to be asked, but none is named), not-by-itself (no automatic updates), past-delivery (Delivery Optimization is \
                  bypassed), ended-release (held on a release of Windows that gets no updates any more) or no-installer (the Windows Installer refuses all work)",
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
    delivery(target, facts);
    installer(target, facts);
    if let Some(release) = pinned(target) {
        let says = format!("by policy this Windows stays with the release {release}, which gets no updates any more");
        put(target, facts, "", "TargetReleaseVersion", "ended-release", &says);
    }
}

const RELEASES: &str = include_str!("../../../../knowledge/defaults/ended-releases.tsv");

/// The release that the policy holds this Windows on, when its time is over: `Windows 10 21H1`.
fn pinned(target: &dyn Target) -> Option<String> {
    let value = |key: &str, name: &str| target.value(key, name).into_known().and_then(|data| data.as_text());
    let version = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    let release = value(POLICY, "TargetReleaseVersionInfo")?;
    // Without a product the policy means the one that is installed.
    let installed = if target.windows().build >= 22000 { "Windows 11" } else { "Windows 10" };
    let product = value(POLICY, "ProductVersion").filter(|product| !product.trim().is_empty()).unwrap_or_else(|| installed.into());
    let edition = value(version, "EditionID")?;
    ended(product.trim(), release.trim(), &edition).then(|| format!("{} {}", product.trim(), release.trim()))
}

/// Whether the table says so. Editions with longer service (LTSC, IoT, Server) have no column, so nothing is said about them.
fn ended(product: &str, release: &str, edition: &str) -> bool {
    let column = match edition {
        _ if ["Core", "Professional"].iter().any(|home| edition.starts_with(home)) => 2,
        "Enterprise" | "EnterpriseN" | "Education" | "EducationN" | "ServerRdsh" => 3,
        _ => return false,
    };
    RELEASES.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).any(|row| {
        let same = |at: usize, word: &str| row.get(at).is_some_and(|cell| cell.eq_ignore_ascii_case(word));
        same(0, product) && same(1, release) && row.get(column).is_some_and(|day| !day.trim().is_empty() && *day != "-")
    })
}

const DELIVERY: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\DeliveryOptimization";
/// `DownloadMode_Bypass` of deliveryoptimization.h. The other modes fetch from Microsoft's servers too, and are a choice.
const BYPASS: u32 = 100;

fn delivery(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(view) = target.key(DELIVERY) else { return };
    if view.value("DODownloadMode").and_then(RegistryData::as_dword) == Some(BYPASS) {
        let says = format!("DODownloadMode is {BYPASS}: downloads go past Delivery Optimization");
        facts.subjects.push(subject(&view.path, "DODownloadMode", BYPASS, "past-delivery", &says));
    }
}

const INSTALLER: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\Installer";
/// Nobody may install, repair or remove by the Windows Installer. 0 is the normal state, 1 lets those who install for everybody.
const NEVER: u32 = 2;

fn installer(target: &dyn Target, facts: &mut Facts) {
    let Reading::Known(view) = target.key(INSTALLER) else { return };
    if view.value("DisableMSI").and_then(RegistryData::as_dword) == Some(NEVER) {
        let says = format!("DisableMSI is {NEVER}: by policy the Windows Installer refuses all work, for everybody");
        facts.subjects.push(subject(&view.path, "DisableMSI", NEVER, "no-installer", &says));
    }
}

fn put(target: &dyn Target, facts: &mut Facts, below: &str, name: &'static str, effect: &'static str, says: &str) {
    let Reading::Known(view) = target.key(&format!("{POLICY}{below}")) else { return };
    if view.value(name).and_then(RegistryData::as_dword) != Some(1) {
        return;
    }
    facts.subjects.push(subject(&view.path, name, 1, effect, &format!("{name} is 1: {says}")));
}

fn subject(key: &str, name: &'static str, data: u32, effect: &'static str, says: &str) -> Subject {
    let mut subject = Subject::new("policy", format!("{key}\\{name}"));
    subject.put("policy.key", fact(text(key), key, "SOFTWARE", "key"));
    subject.put("policy.name", fact(text(name), name, "SOFTWARE", name));
    subject.put("policy.data", fact(text(data.to_string()), format!("{name} is {data}"), "SOFTWARE", name));
    subject.put("policy.effect", fact(text(effect), says, "SOFTWARE", name));
    subject
}

#[cfg(test)]
mod tests {
    use super::ended;

    #[test]
    fn only_what_the_table_says_is_over() {
        for (product, release, edition, over) in [
            ("Windows 10", "21H1", "Professional", true),
            ("Windows 10", "2004", "CoreSingleLanguage", true),
            ("windows 10", "21h2", "Enterprise", true),
            ("Windows 11", "21H2", "Core", true),
            ("Windows 11", "23H2", "Core", true),
            ("Windows 11", "23H2", "Enterprise", false),
            ("Windows 10", "22H2", "Professional", false),
            ("Windows 10", "1809", "EnterpriseS", false),
            ("Windows 10", "21H2", "IoTEnterpriseS", false),
            ("Windows 10", "21H2", "ServerStandard", false),
            ("Windows 11", "24H2", "Professional", false),
            ("Windows 12", "21H2", "Professional", false),
            ("Windows 10", "", "Professional", false),
        ] {
            assert_eq!(ended(product, release, edition), over, "{product} {release} {edition}");
        }
    }
}
