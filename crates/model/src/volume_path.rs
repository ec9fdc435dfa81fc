//! Paths inside a Windows volume, without a drive letter.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An absolute path on the Windows volume, as components; never contains `.`, `..`, a drive letter or a stream name.
///
/// Written in journals as `\Windows\System32`, shown to people as `C:\Windows\System32`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct VolumePath(Vec<String>);

impl VolumePath {
    /// Parses `\Windows\x`, `Windows/x` or `C:\Windows\x` (the letter is dropped: the caller decided that it is this volume).
    ///
    /// # Errors
    /// A sentence when a component is `..`, holds a colon, a NUL or a character that Windows does not allow in names.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = match text.as_bytes() {
            [letter, b':', ..] if letter.is_ascii_alphabetic() => text.get(2..).unwrap_or_default(),
            _ => text,
        };
        let mut parts = Vec::new();
        for part in text.split(['\\', '/']) {
            match part {
                "" | "." => continue,
                ".." => return Err(format!("the path {text:?} leads out of its folder (..)")),
                _ if part.chars().any(|c| matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|') || (c as u32) < 32) => {
                    return Err(format!("the path {text:?} holds a character that Windows does not allow in names"));
                }
                _ => parts.push(part.to_owned()),
            }
        }
        Ok(VolumePath(parts))
    }

    /// The components from the root down.
    pub fn components(&self) -> &[String] {
        &self.0
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The folder that holds this; `None` for the root.
    pub fn parent(&self) -> Option<VolumePath> {
        let (_, rest) = self.0.split_last()?;
        Some(VolumePath(rest.to_vec()))
    }

    /// This path with one more component. The caller passes a single valid name.
    #[must_use]
    pub fn join(&self, name: &str) -> VolumePath {
        let mut parts = self.0.clone();
        parts.extend(name.split(['\\', '/']).filter(|part| !part.is_empty() && *part != "." && *part != "..").map(str::to_owned));
        VolumePath(parts)
    }

    /// The path as people know it, with the system drive's letter.
    pub fn with_drive(&self, drive: char) -> String {
        format!("{drive}:\\{}", self.0.join("\\"))
    }
}

impl fmt::Display for VolumePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\\{}", self.0.join("\\"))
    }
}

impl TryFrom<String> for VolumePath {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        VolumePath::parse(&text)
    }
}

impl From<VolumePath> for String {
    fn from(path: VolumePath) -> String {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::VolumePath;

    #[test]
    fn spellings_meet() {
        let wanted = "\\Windows\\System32\\wuaueng.dll";
        for text in ["C:\\Windows\\System32\\wuaueng.dll", "/Windows/System32/wuaueng.dll", "Windows\\.\\System32\\\\wuaueng.dll"] {
            assert_eq!(VolumePath::parse(text).map(|p| p.to_string()), Ok(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn escapes_are_refused() {
        for text in ["..\\x", "Windows\\..\\..\\etc", "Windows\\a:stream", "Windows\\a\0b"] {
            assert!(VolumePath::parse(text).is_err(), "{text}");
        }
    }
}
