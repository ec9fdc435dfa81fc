//! Rules for lines of Windows Setup.

use super::look_up::{self, Named, State, path_in};
use crate::logs::{Entry, Level};
use model::{ErrorCode, codes_in};
use target::Target;

/// The driver by which Setup and DISM open images (inbox since Windows 7).
pub(crate) const WIMMOUNT: (&str, &str) = ("WIMMount", "System32\\drivers\\wimmount.sys");

/// Errors that stand in logs of upgrades that went well, or in all logs alike: device inventory, the compatibility report, and
/// properties of the client for dynamic updates.
const NOISE: [&str; 4] = ["failed to add user mode driver", "failed to set wu internal configuration property", "result = 0xc1800104", "appraiser: "];

/// True for an error line that says nothing about the cause.
pub(crate) fn is_noise(entry: &Entry) -> bool {
    let lower = entry.text.to_lowercase();
    NOISE.iter().any(|noise| lower.contains(noise)) || (lower.contains("appraiser") && lower.contains("gle=0x8007000d"))
}

/// What a line names, or `None`.
pub(crate) fn named(entry: &Entry) -> Option<Named> {
    let text = entry.text.as_str();
    let lower = text.to_lowercase();
    let code = first_code(text);
    let number = code.and_then(ErrorCode::win32);
    let some = |rule, kind, object: String| Some(Named { rule, kind, object, code });
    if lower.contains("linked profile root") {
        return some("profile-linked", "profile", path_in(text)?);
    }
    // Boot file servicing writes that it found no file as information; whether the file is there is looked at.
    if lower.contains("bfsvc") && (lower.contains("unable to open file") || lower.contains("validate boot manager checksum")) {
        // Files of the newer signature were never part of older versions.
        return some("boot-file", "file", path_in(text).filter(|path| !path.to_lowercase().contains("_ex"))?);
    }
    if entry.level != Level::Error || is_noise(entry) {
        return None;
    }
    if lower.contains("profile suffix mismatch") {
        return Some(Named { rule: "profile-mismatch", kind: "profile", object: String::new(), code: Some(ErrorCode(0x8007_07E7)) });
    }
    let wimmount = lower.contains("wimmount imagepath") || lower.contains("wimmount service") || lower.contains("wimmount driver");
    if wimmount || (lower.contains("failed to mount") && lower.contains("0xc1420121")) {
        return some("wimmount", "service", WIMMOUNT.0.to_owned());
    }
    // No room, no right and in use are faults of the place that it is unpacked to.
    if lower.contains("cannot extract file ") && lower.contains(" from ") && number.is_some_and(|number| ![5, 32, 112].contains(&number)) {
        let (_, from) = text.split_once(" from ")?;
        return some("media", "file", path_in(from)?);
    }
    if lower.contains("winre.wim") && matches!(number, Some(2 | 3)) {
        return some("winre-image", "file", path_in(text).unwrap_or_else(|| "%SystemRoot%\\System32\\Recovery\\Winre.wim".to_owned()));
    }
    if let Some(inf) = published_inf(&lower)
        && matches!(number, Some(2 | 3 | 0x490))
    {
        return some("driver-package", "inf", inf);
    }
    match number? {
        2 | 3 => some("path-missing", "file", path_in(text)?),
        5 if lower.contains("gathering") || lower.contains("applying") => some("migration-denied", "file", path_in(text)?),
        5 => some("path-denied", "file", path_in(text)?),
        1392 => some("path-damaged", "file", path_in(text)?),
        _ => None,
    }
}

/// What stands now where a line's object belongs.
pub(crate) fn state(target: &dyn Target, named: &Named) -> State {
    match named.kind {
        "service" => look_up::driver_service(target, WIMMOUNT.0, WIMMOUNT.1),
        "inf" => look_up::entry(target, &target.windows_folder().join("INF").join(&named.object)),
        _ => look_up::path(target, &named.object),
    }
}

/// A path with a drive letter that is the whole text.
pub(crate) fn path_of(text: &str) -> Option<String> {
    path_in(text).filter(|path| path.len() == text.len())
}

/// The code that a line gives: the first that is a failure, the thread's last error (`gle=`) only when there is none other;
/// `[0x00000003]` and `Error: 0x00000002` are Win32 numbers.
pub(crate) fn first_code(text: &str) -> Option<ErrorCode> {
    let (body, gle) = text.split_once("[gle=").unwrap_or((text, ""));
    let good = |code: &ErrorCode| code.0 >= 0x8000_0000 || (code.0 != 0 && code.0 <= 0x3FFF);
    let in_body = codes_in(body).into_iter().find(good).map(ErrorCode::normal);
    in_body.or_else(|| codes_in(gle).into_iter().find(good).map(ErrorCode::normal))
}

/// `oem12.inf` in a text in lower case.
pub(crate) fn published_inf(lower: &str) -> Option<String> {
    lower.match_indices("oem").find_map(|(at, _)| {
        let rest = lower.get(at + 3..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let alone = !at.checked_sub(1).and_then(|before| lower.as_bytes().get(before)).is_some_and(u8::is_ascii_alphanumeric);
        (alone && (1..=5).contains(&digits) && rest.get(digits..)?.starts_with(".inf"))
            .then(|| lower.get(at..at + 3 + digits + 4).map(str::to_owned))?
    })
}

#[cfg(test)]
mod tests {
    use super::{first_code, named};
    use crate::logs::{Entry, Level};
    use model::ErrorCode;

    fn rule(level: Level, text: &str) -> Option<(&'static str, String)> {
        let entry = Entry { line: 1, local: None, level, component: "SP".into(), text: text.into() };
        named(&entry).map(|named| (named.rule, named.object))
    }

    #[test]
    fn each_rule_has_its_line() {
        for (text, name, object) in [
            ("Failed to get WimMount ImagePath, 0x80070002[gle=0x00000002]", "wimmount", "WIMMount"),
            ("Failed to mount the image C:\\$WINDOWS.~BT\\Sources\\SafeOS\\winre.wim. Error 0xC1420121[gle=0xc1420121]", "wimmount", "WIMMount"),
            ("User profile suffix mismatch, upgrade cannot continue.[gle=0x00000012]", "profile-mismatch", ""),
            ("Cannot copy C:\\Windows\\System32\\Recovery\\Winre.wim: 0x80070002", "winre-image", "C:\\Windows\\System32\\Recovery\\Winre.wim"),
            (
                "BFSVC: Unable to open file C:\\Windows\\boot\\EFI\\bootmgfw.efi for read because the file or path does not exist",
                "boot-file",
                "C:\\Windows\\boot\\EFI\\bootmgfw.efi",
            ),
            (
                "CExtractFilesFromWIM::DoExecute: Cannot extract file \\Windows\\System32\\Recovery\\winre.wim from D:\\Sources\\Install.esd. Error 0x80070003",
                "media",
                "D:\\Sources\\Install.esd",
            ),
            (
                "BFSVC Error: Failed to validate boot manager checksum (C:\\Windows\\boot\\EFI\\bootmgfw.efi)! Error code = 0xc1",
                "boot-file",
                "C:\\Windows\\boot\\EFI\\bootmgfw.efi",
            ),
            (
                "Error WRITE, 0x00000005 while gathering/applying object: File, C:\\Program Files (x86)\\Tool\\a [b]. Will return 0[gle=0x00000005]",
                "migration-denied",
                "C:\\Program Files (x86)\\Tool\\a",
            ),
            ("Failed to import driver oem12.inf. Error: 0x80070003", "driver-package", "oem12.inf"),
            (
                "Error 1392 while gathering object C:\\ProgramData\\Microsoft\\Crypto\\RSA\\x [0x00000570]",
                "path-damaged",
                "C:\\ProgramData\\Microsoft\\Crypto\\RSA\\x",
            ),
        ] {
            let found = rule(Level::Error, text);
            assert_eq!(found.as_ref().map(|found| found.0), Some(name), "{text}");
            assert_eq!(found.map(|found| found.1).as_deref(), Some(object), "{text}");
        }
        let linked = rule(Level::Info, "Detected profile with linked profile root: C:\\Users\\X => \\??\\Volume{1}\\X");
        assert_eq!(linked, Some(("profile-linked", "C:\\Users\\X".into())));
    }

    #[test]
    fn noise_and_information_name_nothing() {
        assert_eq!(rule(Level::Error, "CONX: Failed to add user mode driver C:\\Windows\\x.sys 0x80070002"), None);
        assert_eq!(rule(Level::Info, "Failed to get WimMount ImagePath, 0x80070002"), None);
        assert_eq!(rule(Level::Error, "Operation failed: Install drivers. Error: 0x80070003[gle=0x00000003]"), None);
    }

    #[test]
    fn the_code_of_a_line_is_not_its_last_error() {
        assert_eq!(first_code("Error: 0x80070003[gle=0x000000b7]"), Some(ErrorCode(0x8007_0003)));
        assert_eq!(first_code("x [0x00000003] y"), Some(ErrorCode(0x8007_0003)));
        assert_eq!(first_code("x[gle=0x00000005]"), Some(ErrorCode(0x8007_0005)));
        assert_eq!(first_code("address 0x00007ffc and 0x00000000"), None);
    }
}
