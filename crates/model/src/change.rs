//! The only ways in which hresolve changes a machine, each with what was there before.

use crate::VolumePath;
use serde::{Deserialize, Serialize};

/// Registry value types by number, as `winnt.h` names them.
pub mod registry_type {
    /// `REG_SZ`
    pub const SZ: u32 = 1;
    /// `REG_EXPAND_SZ`
    pub const EXPAND_SZ: u32 = 2;
    /// `REG_BINARY`
    pub const BINARY: u32 = 3;
    /// `REG_DWORD`
    pub const DWORD: u32 = 4;
    /// `REG_MULTI_SZ`
    pub const MULTI_SZ: u32 = 7;
    /// `REG_QWORD`
    pub const QWORD: u32 = 11;

    /// The name people know, for example `REG_DWORD`.
    pub fn name(number: u32) -> String {
        match number {
            0 => "REG_NONE".into(),
            SZ => "REG_SZ".into(),
            EXPAND_SZ => "REG_EXPAND_SZ".into(),
            BINARY => "REG_BINARY".into(),
            DWORD => "REG_DWORD".into(),
            5 => "REG_DWORD_BIG_ENDIAN".into(),
            6 => "REG_LINK".into(),
            MULTI_SZ => "REG_MULTI_SZ".into(),
            QWORD => "REG_QWORD".into(),
            other => format!("type {other}"),
        }
    }
}

/// The type and bytes of a registry value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RegistryData {
    /// The type's number.
    #[serde(rename = "type")]
    pub kind: u32,
    /// The bytes as the hive holds them, in hexadecimal when stored.
    #[serde(with = "hex_bytes")]
    #[schemars(with = "String")]
    pub data: Vec<u8>,
}

impl RegistryData {
    /// A `REG_DWORD`.
    pub fn dword(value: u32) -> Self {
        RegistryData { kind: registry_type::DWORD, data: value.to_le_bytes().to_vec() }
    }

    /// A string type (`REG_SZ` or `REG_EXPAND_SZ`): UTF-16LE with its terminating NUL.
    pub fn text(kind: u32, text: &str) -> Self {
        RegistryData { kind, data: text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect() }
    }

    /// A `REG_MULTI_SZ`.
    pub fn list<S: AsRef<str>>(items: &[S]) -> Self {
        let mut units: Vec<u16> = Vec::new();
        for item in items {
            units.extend(item.as_ref().encode_utf16());
            units.push(0);
        }
        units.push(0);
        RegistryData { kind: registry_type::MULTI_SZ, data: units.into_iter().flat_map(u16::to_le_bytes).collect() }
    }

    fn units(&self) -> Vec<u16> {
        self.data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    /// The number of a `REG_DWORD` of four bytes.
    pub fn as_dword(&self) -> Option<u32> {
        let bytes: [u8; 4] = self.data.as_slice().try_into().ok()?;
        (self.kind == registry_type::DWORD).then(|| u32::from_le_bytes(bytes))
    }

    /// The text of a string type up to the first NUL.
    pub fn as_text(&self) -> Option<String> {
        if !matches!(self.kind, registry_type::SZ | registry_type::EXPAND_SZ) {
            return None;
        }
        let units = self.units();
        let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
        Some(String::from_utf16_lossy(units.get(..end)?))
    }

    /// The items of a `REG_MULTI_SZ`, up to the empty string that ends it.
    pub fn as_list(&self) -> Option<Vec<String>> {
        if self.kind != registry_type::MULTI_SZ {
            return None;
        }
        let mut items = Vec::new();
        for part in self.units().split(|unit| *unit == 0) {
            if part.is_empty() {
                break;
            }
            items.push(String::from_utf16_lossy(part));
        }
        Some(items)
    }

    /// The value as people write it: `4`, `%SystemRoot%\x`, `a, b`, or the bytes.
    pub fn show(&self) -> String {
        if let Some(number) = self.as_dword() {
            return number.to_string();
        }
        if let Some(text) = self.as_text() {
            return format!("{text:?}").replace("\\\\", "\\");
        }
        if let Some(items) = self.as_list() {
            return items.join(", ");
        }
        let shown: Vec<String> = self.data.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{} ({} bytes: {}{})", registry_type::name(self.kind), self.data.len(), shown.join(" "), if self.data.len() > 16 { " …" } else { "" })
    }
}

/// A registry key with everything below it, as a hive stores it: what is needed to make it again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeyTree {
    /// The self-relative security descriptor, in hexadecimal when stored; `None` when it is not known: a key made from this gets that
    /// of the key above it.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hex_option")]
    #[schemars(with = "Option<String>")]
    pub security: Option<Vec<u8>>,
    /// Values in stored order; the default value has an empty name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, RegistryData)>,
    /// Keys below, by name, in stored order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subkeys: Vec<(String, KeyTree)>,
}

impl KeyTree {
    /// How many keys it is, itself included.
    pub fn keys(&self) -> usize {
        1 + self.subkeys.iter().map(|(_, below)| below.keys()).sum::<usize>()
    }

    /// How many values it holds, those of the keys below included.
    pub fn all_values(&self) -> usize {
        self.values.len() + self.subkeys.iter().map(|(_, below)| below.all_values()).sum::<usize>()
    }

    fn show(&self) -> String {
        format!("a key with {} and {}", counted(self.all_values(), "value"), counted(self.keys() - 1, "key"))
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Where the content of a file that is put in its place comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileOrigin {
    /// A file of the same volume, which stays where it is.
    Volume(VolumePath),
    /// A file of what the person named with `--source`, by its name in there.
    Source(String),
}

/// One reversible change of one object. Actions are made of these, the journal stores these, undo reverses these.
///
/// Keys are full paths with the control set's number (`HKLM\SYSTEM\ControlSet001\…`), never `CurrentControlSet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A registry value gets new data; `old` is `None` when there was no such value.
    SetValue {
        /// Full path of an existing key.
        key: String,
        /// The value's name.
        name: String,
        /// What was there.
        old: Option<RegistryData>,
        /// What is there afterwards.
        new: RegistryData,
    },
    /// A registry value is removed.
    DeleteValue {
        /// Full path of the key.
        key: String,
        /// The value's name.
        name: String,
        /// What was there.
        old: RegistryData,
    },
    /// An empty registry key is made below an existing one. Taken back only while it holds nothing that is not ours.
    CreateKey {
        /// Full path of the new key.
        key: String,
    },
    /// A registry key is removed with everything below it.
    RemoveKey {
        /// Full path of the key.
        key: String,
        /// What was there.
        tree: KeyTree,
    },
    /// A registry key is made with everything below it; there is no such key before. Taken back only while it holds nothing else.
    PutKey {
        /// Full path of the new key; the one above it exists.
        key: String,
        /// What is there afterwards.
        tree: KeyTree,
    },
    /// A file, folder or link gets another name on the same volume. Nothing is copied, nothing is lost.
    Rename {
        /// The name before.
        from: VolumePath,
        /// The name after; nothing stands there before.
        to: VolumePath,
        /// By what the thing is recognised under either name: the sha256 of a file, the target of a link. A folder is
        /// recognised by its name alone, because Windows goes on working in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
    },
    /// An empty folder is made; nothing stands there before.
    CreateFolder {
        /// Its path.
        path: VolumePath,
    },
    /// A second name (hard link) is given to an existing file; nothing stands at `path` before.
    HardLink {
        /// The existing file.
        existing: VolumePath,
        /// The new name.
        path: VolumePath,
        /// sha256 of the content, to recognise it later.
        sha256: String,
    },
    /// A missing file is put in its place with content from elsewhere; nothing stands at `path` before. The run keeps a copy of the
    /// content, so that taking the file away again loses nothing.
    PutFile {
        /// The new file.
        path: VolumePath,
        /// sha256 of the content.
        sha256: String,
        /// Where the content comes from.
        from: FileOrigin,
    },
    /// The clock of a running Windows is set. A clock goes on, so neither state comes back as it was: taken back, the same difference
    /// is applied the other way.
    SetClock {
        /// What the clock said, seconds since 1970 UTC.
        from: i64,
        /// What it says afterwards.
        to: i64,
        /// For how many milliseconds this Windows had been running then, by a counter that does not go with the clock: by it the change
        /// is recognised later.
        running: u64,
    },
}

/// What an object of a change looks like now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// As before the change.
    Old,
    /// As after the change.
    New,
    /// Neither; the text says what is there.
    Other(String),
}

impl Change {
    /// The registry key that this change touches, if it touches one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Change::SetValue { key, .. }
            | Change::DeleteValue { key, .. }
            | Change::CreateKey { key }
            | Change::RemoveKey { key, .. }
            | Change::PutKey { key, .. } => Some(key),
            Change::Rename { .. } | Change::CreateFolder { .. } | Change::HardLink { .. } | Change::PutFile { .. } | Change::SetClock { .. } => None,
        }
    }

    /// The object's name as people know it.
    pub fn object(&self, drive: char) -> String {
        match self {
            Change::SetValue { key, name, .. } | Change::DeleteValue { key, name, .. } => format!("{key}\\{name}"),
            Change::CreateKey { key } | Change::RemoveKey { key, .. } | Change::PutKey { key, .. } => key.clone(),
            Change::Rename { from, .. } => from.with_drive(drive),
            Change::CreateFolder { path } | Change::HardLink { path, .. } | Change::PutFile { path, .. } => path.with_drive(drive),
            Change::SetClock { .. } => "the clock of this computer".into(),
        }
    }

    /// What is there before, and what after, as people write it.
    pub fn before_after(&self, drive: char) -> (String, String) {
        match self {
            Change::SetValue { old, new, .. } => (old.as_ref().map_or("absent".into(), RegistryData::show), new.show()),
            Change::DeleteValue { old, .. } => (old.show(), "absent".into()),
            Change::CreateKey { .. } => ("absent".into(), "an empty key".into()),
            Change::RemoveKey { tree, .. } => (tree.show(), "absent".into()),
            Change::PutKey { tree, .. } => ("absent".into(), tree.show()),
            Change::Rename { from, to, .. } => (from.with_drive(drive), to.with_drive(drive)),
            Change::PutFile { from: FileOrigin::Volume(from), .. } => ("absent".into(), format!("a copy of {}", from.with_drive(drive))),
            Change::PutFile { from: FileOrigin::Source(name), .. } => ("absent".into(), format!("a copy of {name} from the source")),
            Change::CreateFolder { path } => ("absent".into(), format!("folder {}", path.with_drive(drive))),
            Change::HardLink { existing, .. } => ("absent".into(), format!("the same file as {}", existing.with_drive(drive))),
            Change::SetClock { from, to, .. } => (crate::utc(*from), crate::utc(*to)),
        }
    }
}

mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        out.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(input)?;
        if !text.is_ascii() || text.len() % 2 != 0 {
            return Err(D::Error::custom("registry data must be an even number of hexadecimal digits"));
        }
        text.as_bytes()
            .chunks_exact(2)
            .map(|pair| {
                std::str::from_utf8(pair)
                    .ok()
                    .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| D::Error::custom("not a hexadecimal digit"))
            })
            .collect()
    }
}

/// The same for bytes that may not be known.
mod hex_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Bytes(#[serde(with = "super::hex_bytes")] Vec<u8>);

    // serde hands over a reference to the field.
    #[allow(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, out: S) -> Result<S::Ok, S::Error> {
        bytes.clone().map(Bytes).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<Bytes>::deserialize(input)?.map(|bytes| bytes.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyTree, RegistryData};

    #[test]
    fn trees_round_trip() {
        let leaf = KeyTree { security: None, values: vec![(String::new(), RegistryData::dword(1))], subkeys: Vec::new() };
        let tree = KeyTree { security: Some(vec![1, 0, 255]), values: Vec::new(), subkeys: vec![("Below".into(), leaf)] };
        let text = serde_json::to_string(&tree).unwrap_or_default();
        assert!(text.contains("\"0100ff\""), "{text}");
        assert_eq!(serde_json::from_str::<KeyTree>(&text).ok(), Some(tree.clone()));
        assert_eq!((tree.keys(), tree.all_values()), (2, 1));
    }

    #[test]
    fn data_round_trips() {
        assert_eq!(RegistryData::dword(4).as_dword(), Some(4));
        assert_eq!(RegistryData::text(2, "%SystemRoot%\\é").as_text().as_deref(), Some("%SystemRoot%\\é"));
        assert_eq!(RegistryData::list(&["a", "b"]).as_list(), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(RegistryData::dword(4).as_text(), None);
    }
}
