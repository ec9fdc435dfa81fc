//! Parser of `.reg` texts: what regedit writes, and two readable spellings, `expand:"…"` and `multi:"a","b"`.
//!
//! It knows nothing of hives: paths come out relative to the hive's root.

use super::error::LineFault;

/// One change to a hive, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RegAction {
    /// A key that must exist.
    Key { path: String },
    /// A key to delete with all below it.
    DeleteKey { path: String },
    /// A value to set; `kind` is the registry's type number.
    Value { path: String, name: String, kind: u32, data: Vec<u8> },
    /// A value to delete.
    DeleteValue { path: String, name: String },
}

/// Registry type numbers used here.
const SZ: u32 = 1;
const EXPAND_SZ: u32 = 2;
const BINARY: u32 = 3;
const DWORD: u32 = 4;
const MULTI_SZ: u32 = 7;

/// Parses a text into actions with their line numbers.
pub(crate) fn parse(text: &str) -> Result<Vec<(usize, RegAction)>, LineFault> {
    let mut actions = Vec::new();
    let mut key: Option<String> = None;
    for (line, text) in joined_lines(text) {
        let fault = |why: String| LineFault { line, why };
        let text = text.trim();
        if text.is_empty() || text.starts_with(';') || text.starts_with("Windows Registry Editor") {
            continue;
        }
        if let Some(name) = text.strip_prefix('[') {
            let name = name.strip_suffix(']').ok_or_else(|| fault("a key's line must end with ]".to_string()))?;
            match name.strip_prefix('-') {
                Some(name) => {
                    actions.push((line, RegAction::DeleteKey { path: below_root(name).map_err(fault)? }));
                    key = None;
                }
                None => {
                    let path = below_root(name).map_err(fault)?;
                    actions.push((line, RegAction::Key { path: path.clone() }));
                    key = Some(path);
                }
            }
            continue;
        }
        let path = key.clone().ok_or_else(|| fault("a value must stand below a key".to_string()))?;
        let (name, data) = name_and_data(text).map_err(fault)?;
        if data == "-" {
            actions.push((line, RegAction::DeleteValue { path, name }));
        } else {
            let (kind, data) = value(data).map_err(fault)?;
            actions.push((line, RegAction::Value { path, name, kind, data }));
        }
    }
    Ok(actions)
}

/// Lines with their numbers; a line that ends with `\` in hex data goes on in the next one.
fn joined_lines(text: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}');
        // Only hex data is continued; a quoted path may end with a backslash before its quotation mark, never after.
        let (body, goes_on) = match line.trim_end().strip_suffix('\\') {
            Some(body) => (body, true),
            None => (line, false),
        };
        match out.last_mut() {
            Some((_, before)) if open => before.push_str(body.trim()),
            _ => out.push((index.saturating_add(1), body.to_string())),
        }
        open = goes_on;
    }
    out
}

/// The path below the hive's root: two components for `HKEY_LOCAL_MACHINE\SYSTEM` and `HKEY_USERS\.DEFAULT`.
fn below_root(name: &str) -> Result<String, String> {
    let mut parts = name.splitn(3, '\\');
    match (parts.next(), parts.next()) {
        (Some("HKEY_LOCAL_MACHINE" | "HKEY_USERS"), Some(hive)) if !hive.is_empty() => Ok(parts.next().unwrap_or("").to_string()),
        _ => Err(format!("the key {name} is below neither HKEY_LOCAL_MACHINE nor HKEY_USERS")),
    }
}

/// Splits `"name"=data` or `@=data`.
fn name_and_data(text: &str) -> Result<(String, &str), String> {
    if let Some(data) = text.strip_prefix("@=") {
        return Ok((String::new(), data));
    }
    let (name, rest) = quoted(text)?;
    let data = rest.strip_prefix('=').ok_or_else(|| "= is missing after the value's name".to_string())?;
    Ok((name, data))
}

/// Reads one quoted string with `\\` and `\"`; gives it and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let rest = text.strip_prefix('"').ok_or_else(|| format!("a quotation mark was expected at {text:?}"))?;
    let mut out = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next() {
            Some('"') => return Ok((out, chars.as_str())),
            Some('\\') => out.extend(chars.next()),
            Some(other) => out.push(other),
            None => return Err("the closing quotation mark is missing".to_string()),
        }
    }
}

/// Type number and bytes of a value's data.
fn value(text: &str) -> Result<(u32, Vec<u8>), String> {
    if text.starts_with('"') {
        return Ok((SZ, encode(&only(quoted(text)?)?)));
    }
    let (kind, data) = text.split_once(':').ok_or_else(|| format!("{text:?} is not a value that is known here"))?;
    match kind {
        "expand" => Ok((EXPAND_SZ, encode(&only(quoted(data)?)?))),
        "multi" => Ok((MULTI_SZ, encode_list(data)?)),
        "dword" => {
            let number = u32::from_str_radix(data, 16).map_err(|_| format!("{data:?} is not a hexadecimal number of up to eight digits"))?;
            Ok((DWORD, number.to_le_bytes().to_vec()))
        }
        "hex" => Ok((BINARY, hex(data)?)),
        _ => {
            let number =
                kind.strip_prefix("hex(").and_then(|kind| kind.strip_suffix(')')).ok_or_else(|| format!("the type {kind:?} is not known"))?;
            let number = u32::from_str_radix(number, 16).map_err(|_| format!("{number:?} is not a type number"))?;
            Ok((number, hex(data)?))
        }
    }
}

fn only((text, rest): (String, &str)) -> Result<String, String> {
    if rest.is_empty() { Ok(text) } else { Err(format!("{rest:?} after the closing quotation mark is not understood")) }
}

/// UTF-16LE with a closing NUL, as Windows stores strings.
fn encode(text: &str) -> Vec<u8> {
    text.encode_utf16().chain(std::iter::once(0)).flat_map(u16::to_le_bytes).collect()
}

fn encode_list(mut text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    while !text.is_empty() {
        let (item, rest) = quoted(text)?;
        out.extend(encode(&item));
        text = match rest.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            Some(_) => return Err("an item is missing after the last comma".to_string()),
            None if rest.is_empty() => rest,
            None => return Err("a comma was expected between the items".to_string()),
        };
    }
    out.extend([0, 0]);
    Ok(out)
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    text.split(',').map(|byte| u8::from_str_radix(byte.trim(), 16).map_err(|_| format!("{byte:?} is not a byte in hexadecimal"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> RegAction {
        let all = parse(&format!("Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\A b]\n{text}\n")).unwrap();
        assert_eq!(all.len(), 2, "{all:?}");
        all.last().unwrap().1.clone()
    }

    fn data(text: &str) -> (u32, Vec<u8>) {
        match one(text) {
            RegAction::Value { path, name, kind, data } => {
                assert_eq!((path.as_str(), name.as_str()), ("A b", "n"));
                (kind, data)
            }
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn every_kind_of_value() {
        assert_eq!(data(r#""n"="a\\\"b""#), (1, encode("a\\\"b")));
        assert_eq!(data(r#""n"=expand:"%SystemRoot%\\x""#), (2, encode("%SystemRoot%\\x")));
        assert_eq!(data(r#""n"=multi:"a","b""#), (7, vec![97, 0, 0, 0, 98, 0, 0, 0, 0, 0]));
        assert_eq!(data(r#""n"=multi:"#), (7, vec![0, 0]));
        assert_eq!(data(r#""n"=dword:0000000a"#), (4, vec![10, 0, 0, 0]));
        assert_eq!(data("\"n\"=hex:01,\\\n  02,\\\n  ff"), (3, vec![1, 2, 255]));
        assert_eq!(data(r#""n"=hex(b):01,00,00,00,00,00,00,00"#), (11, vec![1, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(data(r#""n"=hex(0):"#), (0, vec![]));
    }

    #[test]
    fn deletions_and_the_default_value() {
        assert_eq!(one(r#""n"=-"#), RegAction::DeleteValue { path: "A b".into(), name: "n".into() });
        assert_eq!(one(r#"@="x""#), RegAction::Value { path: "A b".into(), name: String::new(), kind: 1, data: encode("x") });
        let all = parse("[-HKEY_USERS\\.DEFAULT\\K]\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\n").unwrap();
        let all: Vec<RegAction> = all.into_iter().map(|(_, action)| action).collect();
        assert_eq!(all, [RegAction::DeleteKey { path: "K".into() }, RegAction::Key { path: String::new() }]);
    }

    #[test]
    fn faults_name_the_line() {
        for (text, line) in [
            ("\"a\"=\"b\"", 1),
            ("\n[HKEY_CURRENT_USER\\X]", 2),
            ("[HKEY_LOCAL_MACHINE\\S]\n\"a\"=dword:xyz", 2),
            ("[HKEY_LOCAL_MACHINE\\S]\n\"a\"=hex:0g", 2),
            ("[HKEY_LOCAL_MACHINE\\S\n", 1),
            ("[HKEY_LOCAL_MACHINE\\S]\n\"a\"=\"b", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
