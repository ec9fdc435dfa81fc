//! Settings that keep Windows from making secure connections of the kind that update servers ask for: TLS 1.2, its cipher suites, and the
//! list of trusted certificates. Only the side of the client is looked at; what this computer offers as a server is its own business.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, Value};
use target::{KeyView, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "tls-setting.key", kind: FactKind::Text, meaning: "the registry key of the setting" },
    FactDeclaration { name: "tls-setting.name", kind: FactKind::Text, meaning: "the value's name" },
    FactDeclaration {
        name: "tls-setting.kind",
        kind: FactKind::Text,
        meaning: "off (TLS 1.2 is switched off for clients), off-by-default (programs have to ask for it), not-among-defaults (DefaultSecureProtocols of Windows 7 and 8 is set without it), \
                  suites (a policy allows only cipher suites with RC4, DES or no encryption) or no-root-updates (a policy keeps Windows from fetching trusted certificates)",
    },
    FactDeclaration { name: "tls-setting.right", kind: FactKind::Number, meaning: "the right data of the value, a DWORD; absent where the value is removed instead" },
    FactDeclaration { name: "tls-setting.newer", kind: FactKind::Bool, meaning: "Windows may use TLS 1.3 instead (from Windows 11 on, when it is not switched off)" },
    FactDeclaration {
        name: "tls-setting.event",
        kind: FactKind::Text,
        meaning: "the newest error of Schannel in the last thirty days of the system log; absent when there is none",
    },
];

const PROTOCOLS: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols";
const WINHTTP: [&str; 2] = [
    "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp",
    "HKLM\\SOFTWARE\\Wow6432Node\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp",
];
const SUITES: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002";
const ROOTS: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\SystemCertificates\\AuthRoot";
/// TLS 1.2 in `DefaultSecureProtocols` (KB3140245).
const TLS_1_2: u32 = 0x800;
/// Windows 8.1 and later do not need `DefaultSecureProtocols`.
const BLUE: u32 = 9600;
/// From here on TLS 1.3 is there and on.
const TLS_1_3_SINCE: u32 = 20348;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut found: Vec<Subject> = Vec::new();
    client(target, &mut found);
    if target.windows().build < BLUE {
        for key in WINHTTP {
            defaults(target, key, &mut found);
        }
    }
    suites(target, &mut found);
    roots(target, &mut found);
    let event = event(facts);
    for subject in &mut found {
        let (reading, says, source, at) = event.clone().unwrap_or((Reading::Absent, "no error of Schannel".into(), "System".into(), "events".into()));
        subject.put("tls-setting.event", fact(reading, says, source, at));
        let newer = newer(target);
        let says = if newer { "This Windows may use TLS 1.3 instead" } else { "This Windows has no newer TLS than 1.2" };
        subject.put("tls-setting.newer", fact(Reading::Known(Value::Bool(newer)), says, "SYSTEM", "build and TLS 1.3\\Client"));
    }
    facts.subjects.extend(found);
}

fn number(view: &KeyView, name: &str) -> Option<u32> {
    view.value(name).and_then(RegistryData::as_dword)
}

/// `Enabled` is off at 0 and on at any other number; `DisabledByDefault` the other way round. What is no DWORD is not judged.
fn client(target: &dyn Target, found: &mut Vec<Subject>) {
    let Reading::Known(view) = target.key(&format!("{PROTOCOLS}\\TLS 1.2\\Client")) else { return };
    if number(&view, "Enabled") == Some(0) {
        let says = "Enabled is 0 in TLS 1.2\\Client: Windows does not use TLS 1.2 when it connects to a server";
        found.push(subject(&view.path, "SYSTEM", "Enabled", "off", Some(1), says));
    }
    if let Some(data) = number(&view, "DisabledByDefault").filter(|data| *data != 0) {
        let says = format!("DisabledByDefault is {data} in TLS 1.2\\Client: only programs that ask for TLS 1.2 get it");
        found.push(subject(&view.path, "SYSTEM", "DisabledByDefault", "off-by-default", Some(0), says));
    }
}

fn defaults(target: &dyn Target, key: &str, found: &mut Vec<Subject>) {
    let Reading::Known(view) = target.key(key) else { return };
    let Some(data) = number(&view, "DefaultSecureProtocols").filter(|data| data & TLS_1_2 == 0) else { return };
    let says = format!("DefaultSecureProtocols is 0x{data:X}, in which TLS 1.2 (0x800) is missing");
    found.push(subject(&view.path, "SOFTWARE", "DefaultSecureProtocols", "not-among-defaults", Some(data | TLS_1_2), says));
}

/// The order of cipher suites by policy: names separated by commas.
fn suites(target: &dyn Target, found: &mut Vec<Subject>) {
    let Reading::Known(view) = target.key(SUITES) else { return };
    let Some(data) = view.value("Functions") else { return };
    let list = data.as_text().map(|text| text.split(',').map(|name| name.trim().to_owned()).collect()).or_else(|| data.as_list());
    let names: Vec<String> = list.unwrap_or_default().into_iter().filter(|name| !name.is_empty()).collect();
    if !names.is_empty() && names.iter().all(|name| refused(name)) {
        let says = format!("A policy allows only the cipher suites {}", names.join(", "));
        found.push(subject(&view.path, "SOFTWARE", "Functions", "suites", None, says));
    }
}

/// Suites that Microsoft's article about RC4 says are refused, and those that are weaker. Suites with AES are accepted.
fn refused(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["_RC4_", "_RC2_", "_DES_", "_DES40_", "_NULL_"].iter().any(|weak| name.contains(weak))
}

fn roots(target: &dyn Target, found: &mut Vec<Subject>) {
    let Reading::Known(view) = target.key(ROOTS) else { return };
    if number(&view, "DisableRootAutoUpdate") == Some(1) {
        let says = "DisableRootAutoUpdate is 1: Windows does not fetch certificates of authorities that it does not have yet";
        found.push(subject(&view.path, "SOFTWARE", "DisableRootAutoUpdate", "no-root-updates", None, says));
    }
}

fn newer(target: &dyn Target) -> bool {
    let off = target.value(&format!("{PROTOCOLS}\\TLS 1.3\\Client"), "Enabled").into_known().and_then(|data| data.as_dword()) == Some(0);
    target.windows().build >= TLS_1_3_SINCE && !off
}

type Told = (Reading<Value>, String, String, String);

/// What the events' probe read, which is run before this one. 36871: no credentials for a connection could be made; 36887: the server
/// ended the attempt.
fn event(facts: &Facts) -> Option<Told> {
    let is = |subject: &&Subject, name: &str, word: &str| {
        subject.get(name).and_then(|fact| fact.reading.known()).is_some_and(|value| value.to_string().eq_ignore_ascii_case(word))
    };
    let client = |subject: &&Subject| ["Schannel 36871", "Schannel 36887"].iter().any(|object| is(subject, "event-error.object", object));
    let subject = facts.of_kind("event-error").filter(client).find(|subject| is(subject, "event-error.recent", "yes"))?;
    let line = subject.get("event-error.line-text")?;
    Some((line.reading.clone(), line.says.clone(), line.source.clone(), line.at.clone()))
}

fn subject(key: &str, hive: &str, name: &'static str, kind: &'static str, right: Option<u32>, says: impl Into<String>) -> Subject {
    let mut subject = Subject::new("tls-setting", format!("{key}\\{name}"));
    subject.put("tls-setting.key", fact(text(key), key, hive, "key"));
    subject.put("tls-setting.name", fact(text(name), name, hive, name));
    subject.put("tls-setting.kind", fact(text(kind), says, hive, name));
    let reading = right.map_or(Reading::Absent, |right| Reading::Known(Value::Number(right.into())));
    let says = right.map_or_else(|| format!("Without a policy there is no {name}"), |right| format!("The right {name} is {right}"));
    subject.put("tls-setting.right", fact(reading, says, hive, name));
    subject
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn only_suites_without_aes_are_refused() {
        for (name, wanted) in [
            ("TLS_RSA_WITH_RC4_128_SHA", true),
            ("TLS_RSA_WITH_RC4_128_MD5", true),
            ("tls_rsa_with_null_sha256", true),
            ("TLS_RSA_WITH_DES_CBC_SHA", true),
            ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", false),
            ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", false),
            ("TLS_AES_128_GCM_SHA256", false),
        ] {
            assert_eq!(refused(name), wanted, "{name}");
        }
    }
}
