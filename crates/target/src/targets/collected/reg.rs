//! Registry keys as text: what regedit writes, with two readable spellings (`expand:"…"`, `multi:"a","b"`) that practice machines use, too.
//!
//! The line by which regedit recognises its files is left out on purpose: opening evidence must never change the reader's own registry.

use crate::lab::reg_text::{self, RegAction};
use model::{RegistryData, registry_type};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HEAD: &str = "; Evidence from another computer, for reading only. Do not import it.\n";

/// The name of the text in which a key stands; the key's path begins with `HKLM\` or `HKU\`.
pub(super) fn file_of(key: &str) -> Option<String> {
    let hive = key.split('\\').nth(1)?;
    Some(format!("registry/{}.reg", if hive.eq_ignore_ascii_case(".DEFAULT") { "DEFAULT" } else { hive }))
}

/// What stands before the paths in a text of that name.
fn root_of(file: &str) -> Option<String> {
    let hive = file.strip_prefix("registry/")?.strip_suffix(".reg")?;
    Some(match hive {
        "DEFAULT" => "HKU\\.DEFAULT".into(),
        _ if hive.starts_with("S-1-") => format!("HKU\\{hive}"),
        _ => format!("HKLM\\{hive}"),
    })
}

/// Adds a key with its values; UTF-16 comes later. What no line can hold is given back.
pub(super) fn add(text: &mut String, key: &str, values: &[(String, RegistryData)]) -> Result<(), String> {
    if text.is_empty() {
        text.push_str(HEAD);
    }
    if !is_plain(key) || values.iter().any(|(name, _)| !is_plain(name)) {
        return Err(format!("{key} has a name that no line of text can hold"));
    }
    let long = key.replacen("HKLM\\", "HKEY_LOCAL_MACHINE\\", 1).replacen("HKU\\", "HKEY_USERS\\", 1);
    let _ = writeln!(text, "\n[{long}]");
    for (name, data) in values {
        let name = if name.is_empty() { "@".to_owned() } else { quoted(name) };
        let _ = writeln!(text, "{name}={}", shown(data));
    }
    Ok(())
}

/// The values of every key in a text, by the key's path.
///
/// # Errors
/// The line that is not understood.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Vec<(String, RegistryData)>>, String> {
    let Some(root) = root_of(file) else { return Ok(BTreeMap::new()) };
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|two| u16::from_le_bytes(*two)).collect();
    let actions = reg_text::parse(&String::from_utf16_lossy(&units)).map_err(|fault| format!("{file}, line {}: {}", fault.line, fault.why))?;
    let whole = |path: &str| if path.is_empty() { root.clone() } else { format!("{root}\\{path}") };
    let mut keys: BTreeMap<String, Vec<(String, RegistryData)>> = BTreeMap::new();
    for (_, action) in actions {
        match action {
            RegAction::Key { path } => {
                keys.entry(whole(&path)).or_default();
            }
            RegAction::Value { path, name, kind, data } => keys.entry(whole(&path)).or_default().push((name, RegistryData { kind, data })),
            RegAction::DeleteKey { .. } | RegAction::DeleteValue { .. } => {
                return Err(format!("{file} takes something away, which no evidence does"));
            }
        }
    }
    Ok(keys)
}

/// A text as regedit stores it: UTF-16 with its mark, lines ended as in Windows.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.replace('\n', "\r\n").encode_utf16().collect::<Vec<u16>>()).flat_map(u16::to_le_bytes).collect()
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c == '\u{fffd}')
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Readable where that gives the same bytes again, otherwise in hexadecimal.
fn shown(data: &RegistryData) -> String {
    if let Some(number) = data.as_dword() {
        return format!("dword:{number:08x}");
    }
    if let Some(text) = data.as_text()
        && is_plain(&text)
        && RegistryData::text(data.kind, &text) == *data
    {
        return if data.kind == registry_type::SZ { quoted(&text) } else { format!("expand:{}", quoted(&text)) };
    }
    if let Some(list) = data.as_list()
        && list.iter().all(|item| is_plain(item))
        && RegistryData::list(&list) == *data
    {
        return format!("multi:{}", list.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(","));
    }
    let bytes: Vec<String> = data.data.iter().map(|byte| format!("{byte:02x}")).collect();
    if data.kind == registry_type::BINARY { format!("hex:{}", bytes.join(",")) } else { format!("hex({:x}):{}", data.kind, bytes.join(",")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_as_it_was() {
        let odd = |kind: u32, data: &[u8]| RegistryData { kind, data: data.to_vec() };
        let values: Vec<(String, RegistryData)> = [
            RegistryData::dword(7),
            odd(4, &[1, 2]),
            RegistryData::text(1, "C:\\a \"b\" \\"),
            RegistryData::text(1, ""),
            RegistryData::text(2, "%SystemRoot%\\ü "),
            RegistryData::text(1, "two\r\nlines"),
            odd(1, &[65, 0, 0, 0, 66, 0, 0, 0]),
            odd(1, &[65]),
            odd(1, &[]),
            RegistryData::list(&["a", "b\\"]),
            RegistryData::list::<&str>(&[]),
            odd(7, &[65, 0]),
            odd(3, &[1, 2, 255]),
            odd(0, &[]),
            odd(11, &[1; 8]),
            odd(0x20000, &[9]),
        ]
        .into_iter()
        .enumerate()
        .map(|(at, data)| (if at == 0 { String::new() } else { format!("v\"\\{at}") }, data))
        .collect();
        for key in ["HKLM\\SYSTEM\\ControlSet001\\a]b", "HKU\\.DEFAULT", "HKU\\S-1-5-21-1-1-1-1001\\x"] {
            let (mut text, file) = (String::new(), file_of(key).unwrap());
            add(&mut text, key, &values).unwrap();
            let keys = read(&file, &utf16(&text)).unwrap();
            assert_eq!(keys.get(key), Some(&values), "{key}\n{text}");
        }
        assert!(add(&mut String::new(), "HKLM\\SYSTEM\\a\nb", &[]).is_err());
    }
}
