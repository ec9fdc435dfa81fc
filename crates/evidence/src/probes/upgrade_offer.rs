//! Whether a feature update failed, and what the old advice about `AllowOSUpgrade` asks about: the value, the policies, the languages.

use crate::logs::reporting_events::{self, Event};
use crate::probe::{fact, text};
use model::{ErrorCode, FactDeclaration, FactKind, Facts, Reading, RegistryData, Subject, Value};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "upgrade-offer.allow",
        kind: FactKind::Number,
        meaning: "OSUpgrade\\AllowOSUpgrade; absent when there is no such value, which is usual",
    },
    FactDeclaration {
        name: "upgrade-offer.failed",
        kind: FactKind::Text,
        meaning: "the code with which the newest feature update failed; absent when none failed lately or one succeeded since",
    },
    FactDeclaration { name: "upgrade-offer.title", kind: FactKind::Text, meaning: "the text of that failure" },
    FactDeclaration {
        name: "upgrade-offer.policy",
        kind: FactKind::Text,
        meaning: "a policy that holds feature updates back; absent when there is none",
    },
    FactDeclaration {
        name: "upgrade-offer.install-language",
        kind: FactKind::Text,
        meaning: "the language in which Windows was installed, as a number such as 0409 (English, United States)",
    },
    FactDeclaration {
        name: "upgrade-offer.system-language",
        kind: FactKind::Text,
        meaning: "the language of the system's own settings, as a number",
    },
    FactDeclaration {
        name: "upgrade-offer.display-languages",
        kind: FactKind::List,
        meaning: "the display languages that are installed, such as en-US",
    },
    FactDeclaration { name: "upgrade-offer.english", kind: FactKind::Bool, meaning: "Windows was installed in English (United States)" },
];

const OFFER: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\OSUpgrade";
const POLICY: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";
const LANGUAGE: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\Language";
const ENGLISH: &str = "0409";
const GOOD: [u32; 5] = [183, 190, 191, 197, 203];
const BAD: [u32; 5] = [161, 182, 195, 198, 204];
/// Whoever has not met a failure for two months before the log ends has given that feature update up.
const STILL_WANTED: i64 = 60 * 86_400;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let mut subject = Subject::new("upgrade-offer", "AllowOSUpgrade");
    let allow = match target.key(OFFER) {
        Reading::Known(view) => view.value("AllowOSUpgrade").map_or(Reading::Absent, |data| match data.as_dword() {
            Some(number) => Reading::Known(Value::Number(number.into())),
            None => Reading::Unreadable(format!("AllowOSUpgrade is {} instead of a number", data.show())),
        }),
        Reading::Absent => Reading::Absent,
        Reading::NotCollected => Reading::NotCollected,
        Reading::Unreadable(why) => Reading::Unreadable(why),
    };
    let says = match &allow {
        Reading::Known(number) => format!("AllowOSUpgrade is {number}"),
        _ => "There is no value AllowOSUpgrade, as on most computers".into(),
    };
    subject.put("upgrade-offer.allow", fact(allow, says, "SOFTWARE", "OSUpgrade\\AllowOSUpgrade"));
    let (reading, says) = policy(target);
    subject.put("upgrade-offer.policy", fact(reading, says, "SOFTWARE", "Policies\\Microsoft\\Windows\\WindowsUpdate"));
    languages(target, &mut subject);
    failed(target, &mut subject);
    facts.subjects.push(subject);
}

fn policy(target: &dyn Target) -> (Reading<Value>, String) {
    match target.key(POLICY) {
        Reading::Known(view) => {
            let on = |name: &str| view.value(name).and_then(RegistryData::as_dword).is_some_and(|number| number != 0);
            match ["DisableOSUpgrade", "TargetReleaseVersion", "DeferFeatureUpdates", "DisableWindowsUpdateAccess"].iter().find(|name| on(name)) {
                Some(name) => (text(*name), format!("The policy {name} holds feature updates back")),
                None => (Reading::Absent, "no policy holds feature updates back".into()),
            }
        }
        Reading::Absent => (Reading::Absent, "no policy holds feature updates back".into()),
        Reading::NotCollected => (Reading::NotCollected, String::new()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    }
}

fn languages(target: &dyn Target, subject: &mut Subject) {
    let value = |name: &str| target.value(LANGUAGE, name).into_known().and_then(|data| data.as_text()).filter(|number| !number.is_empty());
    let words = |number: &str| if number == ENGLISH { "English (United States)".to_owned() } else { format!("language {number}") };
    if let Some(number) = value("InstallLanguage") {
        subject.put(
            "upgrade-offer.install-language",
            fact(text(&number), format!("Windows was installed in {}", words(&number)), "SYSTEM", "Nls\\Language\\InstallLanguage"),
        );
        let says = format!("Windows was {}installed in English (United States)", if number == ENGLISH { "" } else { "not " });
        subject.put("upgrade-offer.english", fact(Reading::Known(Value::Bool(number == ENGLISH)), says, "SYSTEM", "Nls\\Language\\InstallLanguage"));
    }
    if let Some(number) = value("Default") {
        subject.put(
            "upgrade-offer.system-language",
            fact(text(&number), format!("The system's own settings are in {}", words(&number)), "SYSTEM", "Nls\\Language\\Default"),
        );
    }
    if let Reading::Known(view) = target.key("HKLM\\SYSTEM\\CurrentControlSet\\Control\\MUI\\UILanguages") {
        let says = format!("Installed display languages: {}", view.subkeys.join(", "));
        subject.put("upgrade-offer.display-languages", fact(Reading::Known(Value::List(view.subkeys)), says, "SYSTEM", "MUI\\UILanguages"));
    }
}

fn failed(target: &dyn Target, subject: &mut Subject) {
    let path = target.windows_folder().join("SoftwareDistribution").join("ReportingEvents.log");
    let source = path.with_drive(target.drive());
    // What cannot be read is already named by the probe of updates.
    let Reading::Known(mut input) = target.open(&path) else { return };
    let (events, _) = reporting_events::parse(&mut *input);
    let Some(event) = newest_failure(&events) else {
        subject.put("upgrade-offer.failed", fact(Reading::Absent, "no feature update failed lately", source, "whole log"));
        return;
    };
    let (code, at) = (ErrorCode(event.code).to_string(), format!("line {}", event.line));
    subject.put("upgrade-offer.failed", fact(text(&code), format!("A feature update failed with {code} on {}", event.local), &source, &at));
    subject.put("upgrade-offer.title", fact(text(&event.text), event.text.clone(), source, at));
}

/// The newest failed feature update, unless one succeeded since or it is long ago.
fn newest_failure(events: &[Event]) -> Option<&Event> {
    // The code of Windows Setup tells even when the text does not; later events of the same update belong to it as well.
    let updates: Vec<&str> = events.iter().filter(|event| is_feature_update(event)).map(|event| event.update.as_str()).collect();
    let ours = |event: &&Event| updates.contains(&event.update.as_str());
    let failure = events.iter().filter(ours).rfind(|event| BAD.contains(&event.id) && event.code != 0)?;
    let resolved = events.iter().filter(ours).any(|event| event.line > failure.line && GOOD.contains(&event.id));
    let newest = events.iter().filter_map(|event| event.unix).max();
    let old = newest.zip(failure.unix).is_some_and(|(newest, then)| newest - then > STILL_WANTED);
    (!resolved && !old).then_some(failure)
}

/// In every language: a code of Windows Setup (0xC180…, 0xC190…), or a text that names Windows with a version and no KB number.
/// Monthly updates name the version too, but always with their KB number.
fn is_feature_update(event: &Event) -> bool {
    let setup = matches!(event.code >> 20, 0xC18 | 0xC19);
    let words: Vec<&str> = event.text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let windows = words.windows(2).any(|pair| matches!(pair, ["Windows", "10" | "11"]));
    let version = words.iter().any(|word| is_version(word));
    let numbered =
        words.iter().any(|word| word.strip_prefix("KB").is_some_and(|rest| rest.len() >= 6 && rest.bytes().all(|byte| byte.is_ascii_digit())));
    setup || (windows && version && !numbered)
}

/// `1511` to `2009`, `20H2` and later.
fn is_version(word: &str) -> bool {
    let bytes = word.as_bytes();
    match bytes {
        [a, b, b'H', b'1' | b'2'] => a.is_ascii_digit() && b.is_ascii_digit(),
        [b'1', b'5'..=b'9', b'0' | b'1', b'0'..=b'9'] | [b'2', b'0', b'0', b'0'..=b'9'] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, is_feature_update, newest_failure};

    fn event(line: usize, id: u32, code: u32, update: &str, text: &str) -> Event {
        Event { line, local: String::new(), unix: Some(line as i64 * 86_400), id, update: update.into(), code, text: text.into() }
    }

    #[test]
    fn feature_updates_in_any_language() {
        for (code, text, yes) in [
            (0x8007_0002, "Installation Failure: … error 0x80070002: Feature update to Windows 10, version 22H2.", true),
            (0x8007_0002, "Fehler bei der Installation: …: Funktionsupdate für Windows 10, Version 2004.", true),
            (0x8024_0020, "Installation Failure: … error 0x80240020: Windows 11, version 24H2.", true),
            (0xC190_0208, "", true),
            (0x8007_0002, "2023-10 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5031356)", false),
            (0x8007_0002, "Windows Malicious Software Removal Tool x64 - v5.118 (KB890830)", false),
            (0x8007_0002, "9NBLGGH4R32N-Microsoft.Windows.Photos", false),
            (0x8007_0002, "Northgate - System - 11.0.2009.4", false),
            (0, "", false),
        ] {
            assert_eq!(is_feature_update(&event(1, 182, code, "{A}", text)), yes, "{text}");
        }
    }

    #[test]
    fn what_succeeded_since_or_was_given_up_is_no_sign() {
        let text = "Feature update to Windows 10, version 22H2";
        let failed = event(1, 182, 0xC190_0101, "{A}", text);
        let line = |events: &[Event]| newest_failure(events).map(|event| event.line);
        assert_eq!(line(std::slice::from_ref(&failed)), Some(1));
        assert_eq!(line(&[failed.clone(), event(2, 190, 0, "{B}", "Windows 11, version 24H2")]), None);
        assert_eq!(line(&[failed.clone(), event(2, 183, 0, "{C}", "(KB5031356)")]), Some(1));
        assert_eq!(line(&[failed.clone(), event(62, 183, 0, "{C}", "(KB5031356)")]), None);
        assert_eq!(line(&[failed, event(3, 182, 0x8007_0002, "{A}", "")]), Some(3));
    }
}
