//! The object that a line named, and its state on the target itself.

use crate::probe::{fact, text};
use model::{ErrorCode, Reading, Subject, Value, VolumePath};
use target::{EntryKind, Expanded, Target, names_equal};

/// What one line of a log names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// The rule that recognised it; guides ask for it.
    pub(crate) rule: &'static str,
    /// `file`, `folder`, `service`, `inf`, `driver-package`, `profile` …; guides ask for it.
    pub(crate) kind: &'static str,
    /// Path, service or INF as the line spells it.
    pub(crate) object: String,
    /// The code in the line, in the form by which codes are compared.
    pub(crate) code: Option<ErrorCode>,
}

/// A state word and a sentence. The words: `absent`, `wrong`, `present`, `not-collected`, `unreadable`, `unclear`.
pub(crate) type State = (&'static str, String);

/// Where the line stands that names something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// The log with drive, or the registry file.
    pub(crate) source: String,
    /// `line 12`, or the value.
    pub(crate) at: String,
    /// The line's text; empty when no log says it.
    pub(crate) text: String,
    /// The phase of the operation; empty when it is not known.
    pub(crate) phase: String,
    /// When the line was written, local time; empty when it has none or no log says it.
    pub(crate) when: String,
}

/// The full names of the facts about a named object; each kind of subject has its own.
pub(crate) struct Names {
    pub(crate) subject: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) code: &'static str,
    pub(crate) object: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) state: &'static str,
    pub(crate) log: &'static str,
    pub(crate) phase: &'static str,
    pub(crate) line_text: &'static str,
}

/// Declares the facts about named objects of one kind of subject, and more of the probe's own.
macro_rules! error_facts {
    ($kind:literal, $rules:literal $(, $name:literal: $value:ident = $meaning:literal)* $(,)?) => {
        /// What this probe delivers.
        pub(super) const FACTS: &[model::FactDeclaration] = &[
            model::FactDeclaration { name: concat!($kind, ".rule"), kind: model::FactKind::Text, meaning: $rules },
            model::FactDeclaration { name: concat!($kind, ".code"), kind: model::FactKind::Text, meaning: "the code in the line, as 0x80070002; absent when there is none" },
            model::FactDeclaration { name: concat!($kind, ".object"), kind: model::FactKind::Text, meaning: "what the line names: a path, a service, an INF, a registry key" },
            model::FactDeclaration { name: concat!($kind, ".kind"), kind: model::FactKind::Text, meaning: "file, folder, service, inf, driver-package, device or profile; of an upgrade also program, requirement, state, setting, partition or crash" },
            model::FactDeclaration { name: concat!($kind, ".state"), kind: model::FactKind::Text, meaning: "what stands there now: absent, wrong, present, not-collected, unreadable or unclear" },
            model::FactDeclaration { name: concat!($kind, ".log"), kind: model::FactKind::Text, meaning: "the log that names it; absent when only the state of the machine shows it" },
            model::FactDeclaration { name: concat!($kind, ".phase"), kind: model::FactKind::Text, meaning: "the phase of the operation, as far as the log tells" },
            model::FactDeclaration { name: concat!($kind, ".line-text"), kind: model::FactKind::Text, meaning: "the line" },
            $(model::FactDeclaration { name: concat!($kind, ".", $name), kind: model::FactKind::$value, meaning: $meaning },)*
        ];
        const NAMES: crate::named::look_up::Names = crate::named::look_up::Names {
            subject: $kind,
            rule: concat!($kind, ".rule"),
            code: concat!($kind, ".code"),
            object: concat!($kind, ".object"),
            kind: concat!($kind, ".kind"),
            state: concat!($kind, ".state"),
            log: concat!($kind, ".log"),
            phase: concat!($kind, ".phase"),
            line_text: concat!($kind, ".line-text"),
        };
    };
}
pub(crate) use error_facts;

/// The subject for a named object; its name is the rule and the object.
pub(crate) fn subject(names: &Names, named: &Named, state: &State, place: &Place) -> Subject {
    let mut subject = Subject::new(names.subject, format!("{} {}", named.rule, named.object));
    subject.when.clone_from(&place.when);
    let known = |what: &str| if what.is_empty() { Reading::<Value>::Absent } else { text(what) };
    let says = if place.text.is_empty() { String::new() } else { format!("The log says: {}", place.text) };
    let mut put = |name: &'static str, reading: Reading<Value>, says: &str| subject.put(name, fact(reading, says, &place.source, &place.at));
    put(names.rule, text(named.rule), &says);
    put(names.code, named.code.map_or(Reading::Absent, |code| text(code.to_string())), "");
    put(names.object, text(&named.object), &named.object);
    put(names.kind, text(named.kind), "");
    put(names.log, if place.text.is_empty() { Reading::Absent } else { text(&place.source) }, &says);
    put(names.phase, known(&place.phase), "");
    put(names.line_text, known(&place.text), &says);
    let (word, what) = state;
    let source = match named.object.as_str() {
        object if named.kind == "service" || object.starts_with("HKLM\\SYSTEM\\") => "SYSTEM",
        object if object.starts_with("HKLM\\SOFTWARE\\") => "SOFTWARE",
        object => object,
    };
    subject.put(names.state, fact(text(*word), what, source, "state now"));
    subject
}

/// What one more entry about the same object means for when it was named last: an entry without a time may be the newest, and what
/// the state of the machine shows has no time at all.
pub(crate) fn newest(there: &mut String, new: &str) {
    if new.is_empty() {
        there.clear();
    } else if !there.is_empty() && new > there.as_str() {
        new.clone_into(there);
    }
}

/// What stands at a path that a log names. Where Setup works for itself (its own folders, the small Windows on drive X:)
/// nothing can be said afterwards.
pub(crate) fn path(target: &dyn Target, text: &str) -> State {
    let lower = text.to_lowercase();
    if ["$windows.~", "\\driverstore\\temp\\", "x:\\", "\\winsxs\\temp\\", "\\appdata\\local\\temp\\", "\\windows\\temp\\"]
        .iter()
        .any(|own| lower.contains(own))
    {
        return ("unclear", format!("{text} is a place that is emptied afterwards, so what was there cannot be told"));
    }
    match target.expand(text) {
        Expanded::Here(path) => entry(target, &path),
        Expanded::Elsewhere(letter, _) => ("unclear", format!("{text} lies on drive {letter}:, which is not looked at here")),
        Expanded::Unknown(why) => ("unclear", why),
    }
}

/// What stands at a path of this volume.
pub(crate) fn entry(target: &dyn Target, path: &VolumePath) -> State {
    let shown = path.with_drive(target.drive());
    match target.entry(path) {
        Reading::Known(entry) => match entry.kind {
            EntryKind::File if entry.size == 0 => ("wrong", format!("{shown} is empty")),
            EntryKind::Link(to) => ("wrong", format!("{shown} is a link to {to}")),
            _ => ("present", format!("{shown} is there")),
        },
        Reading::Absent => ("absent", format!("{shown} does not exist")),
        Reading::NotCollected => ("not-collected", format!("{shown} is not part of what was given")),
        Reading::Unreadable(why) => ("unreadable", why),
    }
}

/// Whether a driver's key is there, names that file, and the file exists. `image` is relative to the Windows folder.
pub(crate) fn driver_service(target: &dyn Target, name: &str, image: &str) -> State {
    let key = format!("HKLM\\SYSTEM\\CurrentControlSet\\Services\\{name}");
    let view = match target.key(&key) {
        Reading::Known(view) => view,
        Reading::Absent => return ("absent", format!("There is no key {key}, so Windows does not know the driver {name}")),
        Reading::NotCollected => return ("not-collected", format!("{key} is not part of what was given")),
        Reading::Unreadable(why) => return ("unreadable", why),
    };
    let right = target.windows_folder().join(image);
    let Some(data) = view.value("ImagePath").and_then(model::RegistryData::as_text) else {
        return ("wrong", format!("{name} has no ImagePath; {image} belongs there"));
    };
    // A driver's path without a drive is relative to the Windows folder.
    let spelled = if data.starts_with(['\\', '%']) || data.get(1..2) == Some(":") { data.clone() } else { format!("%SystemRoot%\\{data}") };
    match target.expand(&spelled) {
        Expanded::Here(path) if names_equal(&path.to_string(), &right.to_string()) => match entry(target, &right) {
            ("present", _) => ("present", format!("{name} has its key, which names {image}, and the file is there")),
            other => other,
        },
        _ => ("wrong", format!("ImagePath of {name} is {data} instead of {image}")),
    }
}

/// The first path with a drive letter in a text: up to a character that no path has, without what ends a sentence.
pub(crate) fn path_in(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let at = (0..bytes.len().saturating_sub(3)).find(|at| {
        bytes.get(*at).is_some_and(u8::is_ascii_alphabetic)
            && bytes.get(at + 1..at + 3) == Some(b":\\")
            && !at.checked_sub(1).and_then(|before| bytes.get(before)).is_some_and(u8::is_ascii_alphanumeric)
    })?;
    let rest = text.get(at..)?;
    let quoted = at.checked_sub(1).and_then(|before| bytes.get(before)).filter(|quote| matches!(quote, b'"' | b'\'')).copied();
    let end = match quoted {
        Some(quote) => rest.find(char::from(quote)),
        None => rest
            .char_indices()
            .skip(3)
            .find(|(at, c)| match c {
                // The one bracket that is often part of a path: `Program Files (x86)`.
                '(' => !rest.get(*at..at + 5).is_some_and(|word| word.eq_ignore_ascii_case("(x86)")),
                ')' => !at.checked_sub(4).and_then(|start| rest.get(start..=*at)).is_some_and(|word| word.eq_ignore_ascii_case("(x86)")),
                c => matches!(c, '"' | '\'' | '<' | '>' | '|' | '*' | '?' | '[' | ',' | ';' | ':' | '\n'),
            })
            .map(|(at, _)| at),
    }
    .unwrap_or(rest.len());
    let path = rest.get(..end)?;
    // Words after the path belong to the sentence: " for read because", " => ", ". Error".
    let path = if quoted.is_some() {
        path
    } else {
        [" for ", " => ", " -> ", " because ", " with ", " to ", " failed", " does ", " could ", " error", " Error", " is ", ". "]
            .iter()
            .fold(path, |path, stop| path.split(stop).next().unwrap_or(path))
    };
    let path = path.trim_end_matches([' ', '=', '-', '.', ']', '\\']);
    (path.len() > 3).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::path_in;

    #[test]
    fn paths_in_sentences() {
        for (text, path) in [
            ("Unable to open file C:\\Windows\\boot\\EFI\\bootmgfw.efi for read because the file", Some("C:\\Windows\\boot\\EFI\\bootmgfw.efi")),
            ("profile root: C:\\Users\\X Y => \\??\\Volume{1}", Some("C:\\Users\\X Y")),
            ("'C:\\a b\\c.sys' to 'D:\\x'", Some("C:\\a b\\c.sys")),
            ("C:\\x\\y.inf[gle=0x2]", Some("C:\\x\\y.inf")),
            ("checksum (C:\\Windows\\boot\\EFI\\bootmgfw.efi)! Error code = 0xc1", Some("C:\\Windows\\boot\\EFI\\bootmgfw.efi")),
            ("File, C:\\Program Files (x86)\\Tool\\a.db [x]", Some("C:\\Program Files (x86)\\Tool\\a.db")),
            ("C:\\a\\b.sys (2)", Some("C:\\a\\b.sys")),
            ("HTTP:\\\\x and no path", None),
            ("", None),
            ("C:\\", None),
        ] {
            assert_eq!(path_in(text).as_deref(), path, "{text}");
        }
    }
}
