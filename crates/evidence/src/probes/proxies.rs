//! Proxies that this Windows is told to use: for services, for the system's own account, and for each person. No proxy is asked; only a log
//! can tell that one failed.

use crate::here;
use crate::logs::web_requests::{self, host};
use crate::logs::{windows_update, winhttp_settings};
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, RegistryData, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "proxy.scope", kind: FactKind::Text, meaning: "who uses it: services, system-account, everybody or person" },
    FactDeclaration { name: "proxy.key", kind: FactKind::Text, meaning: "the registry key that names it" },
    FactDeclaration { name: "proxy.name", kind: FactKind::Text, meaning: "the value that names it: WinHttpSettings, ProxyServer or AutoConfigURL" },
    FactDeclaration { name: "proxy.address", kind: FactKind::Text, meaning: "the proxy, or the address of the script that names proxies" },
    FactDeclaration {
        name: "proxy.place",
        kind: FactKind::Text,
        meaning: "itself (it is to be a program on this computer; which one, and whether it is still there, cannot be told), elsewhere or unclear",
    },
    FactDeclaration {
        name: "proxy.failed",
        kind: FactKind::Text,
        meaning: "the code, as 0x80072EFD, with which the last failed request in WindowsUpdate.log failed, when it was made through this proxy; absent when it was not",
    },
];

const SETTINGS: &str = "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings";
const PROFILES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
const LARGEST: u64 = 256 << 20;

/// One setting.
struct Setting {
    scope: &'static str,
    key: String,
    name: &'static str,
    address: String,
    source: String,
    whose: String,
}

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut settings: Vec<Setting> = Vec::new();
    services(target, &mut settings);
    let per_user = target.value("HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\CurrentVersion\\Internet Settings", "ProxySettingsPerUser");
    if per_user.into_known().and_then(|data| data.as_dword()) == Some(0) {
        named(target, &format!("HKLM\\{}", SETTINGS.to_owned().replacen("Software", "SOFTWARE", 1)), "everybody", "SOFTWARE", "everybody", &mut settings);
    }
    named(target, &format!("HKU\\.DEFAULT\\{SETTINGS}"), "system-account", "DEFAULT", "the system's own account", &mut settings);
    people(target, &mut settings, facts);
    if settings.is_empty() {
        return;
    }
    let failed = last_failed(target);
    facts.subjects.extend(settings.iter().map(|setting| subject(target, setting, failed.as_ref())));
}

fn services(target: &dyn Target, settings: &mut Vec<Setting>) {
    let key = format!("HKLM\\{}\\Connections", SETTINGS.replacen("Software", "SOFTWARE", 1));
    let Reading::Known(view) = target.key(&key) else { return };
    let Some(address) = view.value("WinHttpSettings").and_then(|data| winhttp_settings::proxy(&data.data)) else { return };
    settings.push(Setting { scope: "services", key: view.path, name: "WinHttpSettings", address, source: "SOFTWARE".into(), whose: "services".into() });
}

/// What the settings of the Internet Explorer name, which are those of Windows: a proxy that is switched on, or a script.
fn named(target: &dyn Target, key: &str, scope: &'static str, source: &str, whose: &str, settings: &mut Vec<Setting>) {
    let Reading::Known(view) = target.key(key) else { return };
    let on = view.value("ProxyEnable").and_then(RegistryData::as_dword) == Some(1);
    for (name, used) in [("ProxyServer", on), ("AutoConfigURL", true)] {
        let address = view.value(name).and_then(RegistryData::as_text).map(|address| address.trim().to_owned()).unwrap_or_default();
        if used && !address.is_empty() {
            settings.push(Setting { scope, key: view.path.clone(), name, address, source: source.into(), whose: whose.into() });
        }
    }
}

fn people(target: &dyn Target, settings: &mut Vec<Setting>, facts: &mut Facts) {
    let Reading::Known(profiles) = target.key(PROFILES) else { return };
    for user in profiles.subkeys.iter().filter(|user| user.starts_with("S-1-5-21-") || user.starts_with("S-1-12-1-")) {
        let path = target.value(&format!("{PROFILES}\\{user}"), "ProfileImagePath").into_known().and_then(|data| data.as_text());
        let Some(path) = path else { continue };
        let name = path.rsplit('\\').next().unwrap_or(&path).to_owned();
        let key = format!("HKU\\{user}\\{SETTINGS}");
        if let Reading::Unreadable(why) = target.key(&key) {
            facts.not_checked.push(NotChecked { what: format!("which proxy {name} uses"), why, blocking: false });
        }
        named(target, &key, "person", &format!("{path}\\NTUSER.DAT"), &name, settings);
    }
}

/// The proxies, code and place of the last request that failed; the proxies are empty when the connection was direct.
fn last_failed(target: &dyn Target) -> Option<(Vec<String>, String, String, String)> {
    let path = target.windows_folder().join("WindowsUpdate.log");
    let bytes = target.read(&path, LARGEST).into_known()?;
    let mut last = None;
    windows_update::each(&mut &bytes[..], &mut |entry| {
        if let Some(request) = web_requests::failed(&entry)
            && let Some(proxy) = &request.proxy
        {
            last = Some((hosts(proxy), request.code.to_string(), format!("line {}", entry.line)));
        }
    });
    last.map(|(hosts, code, at)| (hosts, code, path.with_drive(target.drive()), at))
}

/// The hosts of `name:8080` or `http=name:8080;https=other:8080`, with their ports.
fn hosts(list: &str) -> Vec<String> {
    let parts = list.split([';', ' ']).map(|part| part.split_once('=').map_or(part, |(_, rest)| rest).trim());
    let plain = |part: &str| part.split_once("://").map_or(part, |(_, rest)| rest).trim_end_matches('/').to_ascii_lowercase();
    parts.filter(|part| !part.is_empty()).map(plain).collect()
}

fn subject(target: &dyn Target, setting: &Setting, failed: Option<&(Vec<String>, String, String, String)>) -> Subject {
    let mut subject = Subject::new("proxy", format!("{}\\{}", setting.key, setting.name));
    let put = |subject: &mut Subject, name, reading, says: String| subject.put(name, fact(reading, says, &setting.source, setting.name));
    put(&mut subject, "proxy.scope", text(setting.scope), format!("The proxy is for {}", setting.whose));
    put(&mut subject, "proxy.key", text(&setting.key), setting.key.clone());
    put(&mut subject, "proxy.name", text(setting.name), setting.name.into());
    put(&mut subject, "proxy.address", text(&setting.address), format!("{} of {} is {}", setting.name, setting.whose, setting.address));
    let listed = hosts(&setting.address);
    let names: Vec<String> = listed.iter().filter_map(|listed| host(listed)).collect();
    let itself = !names.is_empty() && names.iter().all(|name| here::is_this_computer(target, name));
    let (place, says) = match (names.is_empty(), itself) {
        (true, _) => ("unclear", format!("{} names no host", setting.address)),
        (_, true) => ("itself", format!("{} of {} is {}: a program on this computer is to pass the connections on", setting.name, setting.whose, setting.address)),
        _ => ("elsewhere", format!("{} of {} is {}: another computer is to pass the connections on", setting.name, setting.whose, setting.address)),
    };
    put(&mut subject, "proxy.place", text(place), says);
    let matching = failed.filter(|(proxies, ..)| proxies.iter().any(|proxy| listed.contains(proxy)));
    match matching {
        Some((_, code, log, at)) => {
            let says = format!("The last request that failed was made through {}, and failed with {code}", setting.address);
            subject.put("proxy.failed", fact(text(code), says, log, at));
        }
        None => put(&mut subject, "proxy.failed", Reading::Absent, "No log tells of a request that failed through this proxy".into()),
    }
    subject
}

#[cfg(test)]
mod tests {
    use super::hosts;

    #[test]
    fn lists_of_proxies() {
        assert_eq!(hosts("Test:80 "), ["test:80"]);
        assert_eq!(hosts("http=127.0.0.1:8118;https=127.0.0.1:8118"), ["127.0.0.1:8118", "127.0.0.1:8118"]);
        assert_eq!(hosts("http://proxy.example.com:3128/"), ["proxy.example.com:3128"]);
        assert_eq!(hosts("socks=[::1]:9050"), ["[::1]:9050"]);
        assert!(hosts(" ; ").is_empty());
    }
}
