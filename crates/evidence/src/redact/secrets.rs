//! Which words of a machine name its people and itself, and where they stand in its registry and folders.

use super::{Redactor, Secret, lower};
use std::collections::BTreeSet;
use target::{Answers, Target};

const PROFILES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
const VERSION: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
const LOGON: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon";
const LOGON_UI: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Authentication\\LogonUI";
const TCP: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";

/// Values that hold one such word: key, value, kind.
const PLACES: [(&str, &str, &str); 20] = [
    (LOGON, "DefaultUserName", "user"),
    (LOGON, "LastUsedUsername", "user"),
    (LOGON_UI, "LastLoggedOnUser", "user"),
    (LOGON_UI, "LastLoggedOnSAMUser", "user"),
    (LOGON_UI, "LastLoggedOnDisplayName", "user"),
    (VERSION, "RegisteredOwner", "user"),
    (VERSION, "RegisteredOrganization", "domain"),
    ("HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName", "ComputerName", "computer"),
    ("HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ActiveComputerName", "ComputerName", "computer"),
    (TCP, "Hostname", "computer"),
    (TCP, "NV Hostname", "computer"),
    (TCP, "Domain", "domain"),
    (TCP, "NV Domain", "domain"),
    (TCP, "DhcpDomain", "domain"),
    (LOGON, "DefaultDomainName", "domain"),
    (LOGON, "CachePrimaryDomain", "domain"),
    (VERSION, "ProductId", "id"),
    ("HKLM\\SOFTWARE\\Microsoft\\Cryptography", "MachineGuid", "id"),
    ("HKLM\\SOFTWARE\\Microsoft\\SQMClient", "MachineId", "id"),
    ("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate", "SusClientId", "id"),
];

/// Names of values whose whole data is about a person or one computer, wherever they stand, and the kind of their stand-in.
const PRIVATE: [(&str, &str); 24] = [
    ("registeredowner", "user"),
    ("registeredorganization", "domain"),
    // The same two as the Windows Installer notes them for each program.
    ("regowner", "user"),
    ("regcompany", "domain"),
    ("defaultusername", "user"),
    ("lastusedusername", "user"),
    ("lastloggedonuser", "user"),
    ("lastloggedonsamuser", "user"),
    ("lastloggedondisplayname", "user"),
    ("lastloggedonusersid", "user"),
    ("computername", "computer"),
    ("hostname", "computer"),
    ("nv hostname", "computer"),
    ("productid", "id"),
    ("digitalproductid", "id"),
    ("digitalproductid4", "id"),
    ("machineguid", "id"),
    ("machineid", "id"),
    ("susclientid", "id"),
    ("susclientidvalidation", "id"),
    ("hwid", "id"),
    ("serialnumber", "id"),
    ("systemserialnumber", "id"),
    ("backupproductkeydefault", "id"),
];

/// Folders of users and words that are on every computer and name nobody.
const GENERAL: [&str; 26] = [
    "public",
    "default",
    "default user",
    "all users",
    "default.migrated",
    "defaultuser0",
    "defaultaccount",
    "administrator",
    "guest",
    "wdagutilityaccount",
    "system",
    "systemprofile",
    "localservice",
    "networkservice",
    "local service",
    "network service",
    "nt authority",
    "workgroup",
    "arbeitsgruppe",
    "mshome",
    "local",
    "localdomain",
    "localhost",
    "windows user",
    "user",
    "users",
];

/// Names nobody: on every computer, or nothing at all.
pub(super) fn is_general(word: &str) -> bool {
    let word = word.trim().to_lowercase();
    word.is_empty() || GENERAL.contains(&word.as_str())
}

/// The kind of stand-in for all of a value's data, when its name says that it is about a person or one computer.
pub(super) fn private_value(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    PRIVATE.iter().find(|(private, _)| *private == name).map(|(_, kind)| *kind)
}

/// Every word of this machine that is replaced.
pub(super) fn of(target: &dyn Target, answers: &Answers, numbers: &Redactor) -> Vec<Secret> {
    let mut words: Vec<(&'static str, String)> = Vec::new();
    let text = |key: &str, name: &str| target.value(key, name).into_known().and_then(|data| data.as_text());
    for profile in target.key(PROFILES).into_known().map(|view| view.subkeys).unwrap_or_default() {
        let is_person = profile.starts_with("S-1-5-21-") || profile.starts_with("S-1-12-1-");
        if let Some(path) = text(&format!("{PROFILES}\\{profile}"), "ProfileImagePath").filter(|_| is_person) {
            words.push(("user", path.trim_end_matches('\\').rsplit('\\').next().unwrap_or_default().to_owned()));
        }
    }
    for folder in ["\\Users", "\\Documents and Settings"] {
        let Ok(folder) = model::VolumePath::parse(folder) else { continue };
        let mut names = target.list(&folder).into_known().unwrap_or_default();
        names.sort();
        words.extend(names.into_iter().filter(|name| !name.to_lowercase().ends_with(".ini")).map(|name| ("user", name)));
    }
    for (key, name, kind) in PLACES {
        let Some(found) = text(key, name) else { continue };
        // DOMAIN\name
        match found.split_once('\\') {
            Some((domain, user)) if kind == "user" => words.extend([("domain", domain.trim_matches('.').to_owned()), ("user", user.to_owned())]),
            _ => words.push((kind, found)),
        }
    }
    let place = target.info().path;
    let vocabulary = vocabulary(answers);
    let mut secrets = Vec::new();
    let mut known = BTreeSet::new();
    for (kind, word) in words {
        for (kind, word) in with_parts(kind, &word) {
            let stand_in = format!("{kind}{}", numbers.number(kind, &word));
            let guarded = vocabulary.contains(&word.to_lowercase()) || word.chars().count() < 3;
            for (form, stand_in) in forms(&word, &stand_in) {
                if known.insert(form.to_lowercase()) {
                    secrets.push(Secret { word: form.chars().map(lower).collect(), stand_in, kind, guarded });
                }
            }
        }
    }
    if place.chars().count() > 2 {
        secrets.push(Secret { word: place.chars().map(lower).collect(), stand_in: "target".into(), kind: "place", guarded: false });
    }
    secrets
}

/// A name and the parts of it that are names, too: `anna.CONTOSO` (a profile's folder), `contoso.local`, `Anna Muster`.
fn with_parts(kind: &'static str, word: &str) -> Vec<(&'static str, String)> {
    let word = word.trim();
    let mut all = vec![word.to_owned()];
    match kind {
        "user" => {
            all.extend(word.split([' ', '.']).filter(|part| part.chars().count() >= 3 && part.chars().any(char::is_alphabetic)).map(str::to_owned))
        }
        "domain" => all.extend(word.split('.').next().map(str::to_owned)),
        _ => {}
    }
    all.into_iter().filter(|word| !is_general(word)).map(|word| (kind, word)).collect()
}

/// How a word is written: plainly, in an address, as a short name.
fn forms(word: &str, stand_in: &str) -> Vec<(String, String)> {
    let mut forms = vec![(word.to_owned(), stand_in.to_owned())];
    let encoded = |space: &str| -> String {
        word.chars()
            .map(|c| match c {
                ' ' => space.to_owned(),
                c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '~') => c.to_string(),
                c => c.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
            })
            .collect()
    };
    forms.extend([encoded("%20"), encoded("+")].into_iter().filter(|form| form != word).map(|form| (form, stand_in.to_owned())));
    let short: String = word.chars().filter(|c| !matches!(c, ' ' | '.')).take(6).collect();
    if word.chars().count() > 8 || word.contains([' ', '.']) {
        forms.extend((1..=4).map(|number| (format!("{short}~{number}"), format!("{}~{number}", stand_in.to_uppercase()))));
    }
    forms
}

/// Words that Windows itself uses on this machine: in the paths of its own files and keys, and in the tables of right values.
fn vocabulary(answers: &Answers) -> BTreeSet<String> {
    let mut words: BTreeSet<String> = BTreeSet::new();
    let mut add = |text: &str| {
        words.insert(text.to_lowercase());
        words.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase));
    };
    let windows = format!("{}\\", answers.windows_folder).to_lowercase();
    let files = answers.entries.iter().map(|(asked, _)| asked).filter(|asked| asked.to_lowercase().starts_with(&windows));
    let keys = answers.keys.iter().map(|(asked, _)| asked).filter(|asked| asked.starts_with("HKLM\\") && !asked.contains("\\ProfileList\\"));
    for path in files.chain(keys) {
        path.split('\\').filter(|part| !part.starts_with("S-1-")).for_each(&mut add);
    }
    crate::defaults::words().for_each(&mut add);
    ["users", "documents", "settings", "programdata", "program", "files", "common", "windows", "temp", "microsoft"].into_iter().for_each(&mut add);
    words
}
