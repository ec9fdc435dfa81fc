//! The server that the update client could not reach, as `WindowsUpdate.log` names it, when that failure still stands. It is run when all
//! failures are known; why the server was not reached is told by other probes, or by nothing here.

use super::hosts_file;
use crate::civil::Zone;
use crate::logs::web_requests::{self, FailedRequest, host};
use crate::logs::windows_update;
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "connection.host", kind: FactKind::Text, meaning: "the server of the last failed request in WindowsUpdate.log, while a search or download still fails with that code" },
    FactDeclaration { name: "connection.address", kind: FactKind::Text, meaning: "the whole address that was asked for" },
    FactDeclaration { name: "connection.code", kind: FactKind::Text, meaning: "the code of that request, as 0x80072EE2" },
    FactDeclaration {
        name: "connection.settings",
        kind: FactKind::List,
        meaning: "settings that were found here and may explain it, by their kinds: hosts-file, firewall-rule, proxy, tls-setting, update-server; absent when there are none, not collected when the registry was not given",
    },
];

const WINDOWS: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";
/// Keys of the settings below; when one was written since, the log tells of another machine than this is now.
const SETTINGS: [&str; 8] = [
    "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\Client",
    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules",
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp",
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections",
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002",
    "HKU\\.DEFAULT\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings",
    "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate\\AU",
    WINDOWS,
];
const KINDS: [&str; 5] = ["hosts-file", "firewall-rule", "proxy", "tls-setting", "update-server"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let path = target.windows_folder().join("WindowsUpdate.log");
    let Some(mut input) = target.open(&path).into_known() else { return };
    let mut last: Option<(FailedRequest, u64, String)> = None;
    let mut direct = true;
    windows_update::each(&mut *input, &mut |entry| match web_requests::failed(&entry) {
        Some(FailedRequest { proxy: Some(proxy), .. }) => direct = proxy.is_empty(),
        Some(request) => last = Some((request, entry.line, entry.local.unwrap_or_default())),
        None => {}
    });
    let Some((FailedRequest { code, address: Some(address), .. }, line, local)) = last else { return };
    // Through a proxy the server itself was not asked for.
    if !direct || changed_since(target, &local) {
        return;
    }
    let (Some(name), code) = (host(&address), code.to_string()) else { return };
    let stands = facts.failures.iter().any(|failure| !failure.resolved && !failure.transient && failure.code.eq_ignore_ascii_case(&code));
    let unseen = ["HKLM\\SYSTEM", "HKLM\\SOFTWARE"].iter().any(|hive| matches!(target.key(hive), Reading::NotCollected));
    // Another server than Microsoft's is one that a policy names, and told by the probe of policies where they can be seen.
    if !stands || !(unseen || hosts_file::is_microsofts(&name)) {
        return;
    }
    let found: Vec<String> = KINDS.iter().filter(|kind| facts.of_kind(kind).next().is_some()).map(|kind| (*kind).to_owned()).collect();
    let (source, at) = (path.with_drive(target.drive()), format!("line {line}"));
    let mut subject = Subject::new("connection", &name);
    let mut put = |fact_name, reading, says: String| subject.put(fact_name, fact(reading, says, &source, &at));
    put("connection.host", text(&name), format!("The last request to {name} failed with {code}"));
    put("connection.address", text(&address), format!("What was asked for is {address}"));
    put("connection.code", text(&code), format!("The last request failed with {code}"));
    let (settings, says) = match found.is_empty() {
        true if unseen => (Reading::NotCollected, "The settings of that computer, which might explain it, are not part of what was given".into()),
        true => (Reading::Absent, "No setting that would explain it was found here".into()),
        false => (Reading::Known(model::Value::List(found.clone())), format!("Settings that may explain it: {}", found.join(", "))),
    };
    put("connection.settings", settings, says);
    facts.subjects.push(subject);
}

/// Whether a setting was written, or the hosts file changed or set aside, after this moment of the log's clock.
fn changed_since(target: &dyn Target, local: &str) -> bool {
    let zone = Zone::of(target);
    let after = |unix: i64| zone.local(unix).as_str() > local;
    let written = |key: &str| target.key(key).into_known().is_some_and(|view| after(unix(view.last_written)));
    SETTINGS.iter().any(|key| written(key)) || hosts_file::changed(target).is_some_and(after)
}

/// Seconds since 1970 of a Windows file time.
fn unix(time: u64) -> i64 {
    i64::try_from(time / 10_000_000).unwrap_or(i64::MAX).saturating_sub(11_644_473_600)
}
