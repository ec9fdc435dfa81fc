//! Parser of `files.txt`: one directive a line, each about one file or folder of the machine.
//!
//! The language is described in `machines/README.md`. Paths use `/` and are relative to the volume's root.

use super::error::LineFault;
use super::ese::{Damage, Database, State};
use super::{ese, ese_log, evtx, pe};

/// What a directive does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileAction {
    /// Make a folder and those above it.
    Folder { path: String },
    /// Make a file with this content.
    File { path: String, bytes: Vec<u8> },
    /// Make a catalog that lists the content of these files.
    Catalog { path: String, of: Vec<String> },
    /// Make a symbolic link.
    Link { path: String, target: String },
    /// Give an existing file another name.
    HardLink { path: String, other: String },
    /// Set the read-only attribute.
    ReadOnly { path: String },
    /// Give a file or folder a date, in seconds since 1970.
    Date { path: String, unix: u64 },
    /// Move a file or folder.
    Rename { from: String, to: String },
    /// Remove a file or a folder with all below it.
    Delete { path: String },
}

/// Parses a text into actions with their line numbers.
pub(super) fn parse(text: &str) -> Result<Vec<(usize, FileAction)>, LineFault> {
    let mut actions = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let number = index.saturating_add(1);
        let fault = |why: String| LineFault { line: number, why };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with(' ') {
            return Err(fault("an indented line must follow `text`, `utf16` or `evtx`".to_string()));
        }
        let (word, rest) = line.split_once(' ').ok_or_else(|| fault("a path is missing".to_string()))?;
        let action = match word {
            "evtx" => {
                let mut events = Vec::new();
                while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with("    ")) {
                    events.push(next.trim());
                }
                path(rest).and_then(|path| Ok(FileAction::File { bytes: evtx::file(file_name(&path), &events)?, path }))
            }
            "text" | "utf16" => {
                let mut content = String::new();
                let mut blank = 0_usize;
                while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with("    ") || next.is_empty()) {
                    match next.strip_prefix("    ") {
                        // An empty line belongs to the content only when more content follows.
                        None => blank = blank.saturating_add(1),
                        Some(next) => {
                            content.push_str(&"\r\n".repeat(blank));
                            blank = 0;
                            content.push_str(next);
                            content.push_str("\r\n");
                        }
                    }
                }
                let bytes = if word == "text" { content.into_bytes() } else { utf16(&content) };
                path(rest).map(|path| FileAction::File { path, bytes })
            }
            _ => directive(word, rest),
        };
        actions.push((number, action.map_err(fault)?));
    }
    Ok(actions)
}

fn directive(word: &str, rest: &str) -> Result<FileAction, String> {
    match word {
        "dir" => Ok(FileAction::Folder { path: path(rest)? }),
        "empty" => Ok(FileAction::File { path: path(rest)?, bytes: Vec::new() }),
        "readonly" => Ok(FileAction::ReadOnly { path: path(rest)? }),
        "date" => {
            let (name, day) = rest.rsplit_once(' ').ok_or_else(|| "the date is missing".to_string())?;
            Ok(FileAction::Date { path: path(name)?, unix: date(day)? })
        }
        "delete" => Ok(FileAction::Delete { path: path(rest)? }),
        "cat" => {
            let (name, files) =
                rest.split_once(" = ").ok_or_else(|| "\"=\" is missing between the catalog and the files that it lists".to_string())?;
            let of = files.split(", ").map(path).collect::<Result<Vec<_>, _>>()?;
            Ok(FileAction::Catalog { path: path(name)?, of })
        }
        "link" => pair(rest, " -> ").map(|(path, target)| FileAction::Link { path, target }),
        "hardlink" => pair(rest, " = ").map(|(path, other)| FileAction::HardLink { path, other }),
        "rename" => pair(rest, " -> ").map(|(from, to)| FileAction::Rename { from, to }),
        "pe" => {
            let (name, version) = rest.rsplit_once(' ').ok_or_else(|| "the version is missing".to_string())?;
            let path = path(name)?;
            let bytes = pe::file(file_name(&path), version)?;
            Ok(FileAction::File { path, bytes })
        }
        "ese" => {
            let (name, options) = options(rest);
            Ok(FileAction::File { path: path(name)?, bytes: ese::file(&database(&options)?) })
        }
        "eselog" | "esechk" => {
            let (name, options) = options(rest);
            let generation = match options.as_slice() {
                [("gen", number)] => number.parse().map_err(|_| format!("{number:?} is not a generation number"))?,
                _ => return Err("exactly gen=NUMBER is expected after the path".to_string()),
            };
            let bytes = if word == "eselog" { ese_log::log(generation) } else { ese_log::checkpoint(generation) };
            Ok(FileAction::File { path: path(name)?, bytes })
        }
        _ => Err(format!("the directive {word:?} is not known")),
    }
}

/// Midnight UTC of `YYYY-MM-DD`, in seconds since 1970.
pub(super) fn date(text: &str) -> Result<u64, String> {
    let fault = || format!("{text:?} is not a date such as 2023-11-15");
    let parts: Vec<u64> = text.split('-').map(|part| part.parse().map_err(|_| fault())).collect::<Result<_, _>>()?;
    let [year @ 1970..=9999, month @ 1..=12, day @ 1..=31] = parts.as_slice() else { return Err(fault()) };
    // Days since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms"); the years allowed keep every term positive.
    let year = if *month <= 2 { year - 1 } else { *year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Ok((year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468) * 86_400)
}

fn database(options: &[(&str, &str)]) -> Result<Database, String> {
    let mut out = Database { state: State::Clean, page: 4096, logs: None, damage: None };
    for (key, value) in options {
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("{text:?} is not a number"));
        match (*key, *value) {
            ("state", "clean") => out.state = State::Clean,
            ("state", "dirty") => out.state = State::Dirty,
            ("page", "4096" | "8192" | "16384" | "32768") => out.page = number(value)?,
            ("log", range) => {
                let (low, high) = range.split_once('-').ok_or_else(|| format!("{range:?} is not a range LOW-HIGH"))?;
                out.logs = Some((number(low)?, number(high)?));
            }
            ("damage", "header") => out.damage = Some(Damage::Header),
            ("damage", other) => {
                let page = other.strip_prefix("page:").ok_or_else(|| format!("the damage {other:?} is not known"))?;
                out.damage = Some(Damage::Page(number(page)?));
            }
            _ => return Err(format!("{key}={value} is not known for a database")),
        }
    }
    Ok(out)
}

/// Splits `PATH key=value key=value` from the right; a path may hold spaces.
fn options(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut path = text;
    let mut found = Vec::new();
    while let Some((before, last)) = path.rsplit_once(' ') {
        let Some(option) = last.split_once('=') else { break };
        found.push(option);
        path = before;
    }
    found.reverse();
    (path, found)
}

fn pair(text: &str, between: &str) -> Result<(String, String), String> {
    let (first, second) = text.split_once(between).ok_or_else(|| format!("{:?} is missing between two paths", between.trim()))?;
    // A link's target is free text, but every other second path is one of the machine's.
    if between == " -> " && second.starts_with('/') {
        return Ok((path(first)?, second.trim().to_string()));
    }
    Ok((path(first)?, path(second)?))
}

/// A path of the machine: relative, with `/`, without empty, `.` and `..` components.
fn path(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a path is missing".to_string());
    }
    if text.contains(['\\', ':']) || text.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(format!("{text:?} is not a path below the volume's root with / between its parts"));
    }
    Ok(text.to_string())
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// UTF-16LE with a byte order mark, as Windows writes its logs.
fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> FileAction {
        let mut all = parse(text).unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0).1
    }

    #[test]
    fn paths_with_spaces_and_both_separators() {
        assert_eq!(one("dir Program Files/A b"), FileAction::Folder { path: "Program Files/A b".into() });
        assert_eq!(one("hardlink a b = c d"), FileAction::HardLink { path: "a b".into(), other: "c d".into() });
        assert_eq!(one("rename a -> b/c"), FileAction::Rename { from: "a".into(), to: "b/c".into() });
        assert_eq!(one("link a -> /mnt/.NTFS-3G/D:/x"), FileAction::Link { path: "a".into(), target: "/mnt/.NTFS-3G/D:/x".into() });
    }

    #[test]
    fn text_keeps_inner_blank_lines_only() {
        let FileAction::File { bytes, .. } = one("text a\n    one\n\n      two\n\n") else { unreachable!() };
        assert_eq!(bytes, b"one\r\n\r\n  two\r\n");
        let FileAction::File { bytes, .. } = one("utf16 a\n    x\ty") else { unreachable!() };
        assert_eq!(bytes, [0xFF, 0xFE, b'x', 0, 9, 0, b'y', 0, 13, 0, 10, 0]);
    }

    #[test]
    fn faults_name_the_line() {
        for text in [
            "# ok\nnothing",
            "# ok\nfly away",
            "# ok\ndir ../x",
            "# ok\ndir C:\\x",
            "# ok\n    stray",
            "# ok\npe a.dll",
            "# ok\nese a state=odd",
            "# ok\nese a damage=page:x",
            "# ok\neselog a",
        ] {
            assert_eq!(parse(text).unwrap_err().line, 2, "{text}");
        }
    }
}
