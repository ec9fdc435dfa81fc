//! Message tables of Windows programs (resource type 11): bytes in, messages out.
//!
//! Layout: `MESSAGE_RESOURCE_DATA`, `MESSAGE_RESOURCE_BLOCK`, `MESSAGE_RESOURCE_ENTRY` in `winnt.h`. A damaged table costs what it
//! damages and is named; it never panics, and the work is bounded by the length of the file, whatever its numbers claim.

use object::pe::{ImageNtHeaders32, ImageNtHeaders64, RT_MESSAGETABLE};
use object::read::pe::{ImageNtHeaders, PeFile, ResourceDirectoryTable};
use object::{FileKind, LittleEndian};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The number as it stands in the table: a Win32 number, an HRESULT, an NTSTATUS, a stop code.
    pub(crate) id: u32,
    /// The language of the resource (a Windows language number, 0x0409 is en-US).
    pub(crate) language: u16,
    /// The text as `as_shown` gives it.
    pub(crate) text: String,
}

/// What a file gave.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// In the order of the file.
    pub(crate) found: Vec<Message>,
    /// Sentences about what could not be read.
    pub(crate) problems: Vec<String>,
}

/// Every message of the file whose number is wanted. A program without a message table has none, which is no problem.
pub(crate) fn messages(file: &[u8], wanted: &dyn Fn(u32) -> bool) -> Messages {
    // Structures that do not overlap cannot be longer than the file; twice that allows for shared ones and ends everything else.
    let mut reader = Reader { file, wanted, budget: file.len().saturating_mul(2), out: Messages::default() };
    let read = match FileKind::parse(file) {
        Ok(FileKind::Pe32) => reader.program::<ImageNtHeaders32>(),
        Ok(FileKind::Pe64) => reader.program::<ImageNtHeaders64>(),
        _ => Err("it is not a Windows program or library".to_owned()),
    };
    if let Err(problem) = read {
        reader.out.problems.push(problem);
    }
    reader.out
}

struct Reader<'a> {
    file: &'a [u8],
    wanted: &'a dyn Fn(u32) -> bool,
    budget: usize,
    out: Messages,
}

impl Reader<'_> {
    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        self.budget = self.budget.checked_sub(bytes).ok_or("its resources overlap, as no compiler makes them")?;
        Ok(())
    }

    /// Walks type, name and language, the three levels of a resource directory.
    fn program<Pe: ImageNtHeaders>(&mut self) -> Result<(), String> {
        let damaged = |error: object::read::Error| format!("its resources are damaged ({error})");
        let file = PeFile::<Pe>::parse(self.file).map_err(|error| format!("it is damaged ({error})"))?;
        let sections = file.section_table();
        let Some(resources) = file.data_directories().resource_directory(self.file, &sections).map_err(damaged)? else { return Ok(()) };
        let types: ResourceDirectoryTable = resources.root().map_err(damaged)?;
        for kind in types.entries.iter().filter(|entry| entry.name_or_id().id() == Some(RT_MESSAGETABLE)) {
            let Some(names) = kind.data(resources).map_err(damaged)?.table() else { continue };
            for name in names.entries {
                self.spend(8)?;
                let Some(languages) = name.data(resources).map_err(damaged)?.table() else { continue };
                for language in languages.entries {
                    self.spend(8)?;
                    let Some(data) = language.data(resources).map_err(damaged)?.data() else { continue };
                    let (at, size) = (data.offset_to_data.get(LittleEndian), data.size.get(LittleEndian));
                    let bytes = sections.pe_data_at(self.file, at).and_then(|bytes| bytes.get(..usize::try_from(size).ok()?));
                    let id = language.name_or_id().id().unwrap_or_default();
                    let read = match bytes {
                        Some(bytes) => self.table(bytes, id),
                        None => Err("it lies outside the file".to_owned()),
                    };
                    if let Err(why) = read {
                        self.out.problems.push(format!("its message table for {} is damaged: {why}", language_name(id)));
                    }
                }
            }
        }
        Ok(())
    }

    /// One table: a count of blocks, then for each its first and last number and where its entries begin.
    fn table(&mut self, table: &[u8], language: u16) -> Result<(), String> {
        let blocks = read_u32(table, 0).ok_or("it is empty")?;
        let mut at = 4;
        for _ in 0..blocks {
            self.spend(12)?;
            let block = (read_u32(table, at), read_u32(table, at + 4), read_u32(table, at + 8));
            let (Some(low), Some(high), Some(offset)) = block else { return Err("it ends in its list of blocks".into()) };
            at += 12;
            let read = self.block(table, low, high, offset, language);
            if let Err(why) = read {
                self.out.problems.push(format!("the messages 0x{low:08X} to 0x{high:08X} for {} are damaged: {why}", language_name(language)));
            }
        }
        Ok(())
    }

    /// The entries of one block: length with these two fields, encoding, text.
    fn block(&mut self, table: &[u8], low: u32, high: u32, offset: u32, language: u16) -> Result<(), String> {
        let mut at = usize::try_from(offset).map_err(|error| error.to_string())?;
        for id in low..=high {
            let ends = || format!("the table ends before 0x{id:08X}");
            let head = table.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(ends)?;
            let [a, b, c, d] = *head;
            let (length, flags) = (usize::from(u16::from_le_bytes([a, b])), u16::from_le_bytes([c, d]));
            if length < 4 {
                return Err(format!("0x{id:08X} has a length of {length}"));
            }
            self.spend(length)?;
            let text = table.get(at + 4..at.saturating_add(length)).ok_or_else(ends)?;
            if (self.wanted)(id) {
                let text = decode(text, flags).ok_or_else(|| format!("0x{id:08X} is in an unknown encoding ({flags})"))?;
                self.out.found.push(Message { id, language, text: as_shown(&text) });
            }
            at += length;
        }
        Ok(())
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// 0 is the code page of the machine that wrote it, which the file does not name: what is not ASCII shows as U+FFFD.
fn decode(text: &[u8], flags: u16) -> Option<String> {
    match flags {
        0 => Some(text.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER }).collect()),
        1 => {
            let units = text.chunks_exact(2).filter_map(|pair| pair.first_chunk().copied().map(u16::from_le_bytes));
            Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        2 => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    }
}

/// The text as `FormatMessage` gives it (Microsoft, "FormatMessage function", Remarks): `%0` ends it, `%n` breaks the line, `%r` returns
/// the carriage, `%b` and `% ` are a space, `%t` a tab, and `%` before another character vanishes. Inserts (`%1`, `%2!d!`) stay, as with
/// `FORMAT_MESSAGE_IGNORE_INSERTS`, because what belongs there is not known.
///
/// Three things are ours, since the text is shown and not stored: every line break is `\n`, white space at the end is dropped, and
/// control characters, which a terminal would obey, become U+FFFD.
fn as_shown(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\0' => break,
            '%' => match rest.next() {
                Some('0') => break,
                Some(digit @ '1'..='9') => out.extend(['%', digit]),
                Some('n' | 'r') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('b') => out.push(' '),
                Some(other) => out.push(shown(other)),
                None => out.push('%'),
            },
            '\r' => {
                let _ = rest.next_if_eq(&'\n');
                out.push('\n');
            }
            other => out.push(shown(other)),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn shown(character: char) -> char {
    match character {
        '\n' | '\t' => character,
        _ if character.is_control() => char::REPLACEMENT_CHARACTER,
        _ => character,
    }
}

/// The tag of a language number, as the folders of Windows are named; other numbers as they are ([MS-LCID]).
pub(crate) fn language_name(id: u16) -> String {
    LANGUAGES.iter().find(|(number, _)| *number == id).map_or_else(|| format!("language 0x{id:04X}"), |(_, tag)| (*tag).to_owned())
}

/// The languages that Windows itself speaks; below 0x100 without a region, as other people's Windows programs are built.
const LANGUAGES: [(u16, &str); 75] = [
    (0x0000, "neutral"),
    (0x0001, "ar"),
    (0x0002, "bg"),
    (0x0003, "ca"),
    (0x0004, "zh-Hans"),
    (0x0005, "cs"),
    (0x0006, "da"),
    (0x0007, "de"),
    (0x0008, "el"),
    (0x0009, "en"),
    (0x000A, "es"),
    (0x000B, "fi"),
    (0x000C, "fr"),
    (0x000D, "he"),
    (0x000E, "hu"),
    (0x0010, "it"),
    (0x0011, "ja"),
    (0x0012, "ko"),
    (0x0013, "nl"),
    (0x0014, "no"),
    (0x0015, "pl"),
    (0x0016, "pt"),
    (0x0018, "ro"),
    (0x0019, "ru"),
    (0x001A, "hr"),
    (0x001B, "sk"),
    (0x001D, "sv"),
    (0x001E, "th"),
    (0x001F, "tr"),
    (0x0022, "uk"),
    (0x0024, "sl"),
    (0x0025, "et"),
    (0x0026, "lv"),
    (0x0027, "lt"),
    (0x002A, "vi"),
    (0x0401, "ar-SA"),
    (0x0402, "bg-BG"),
    (0x0403, "ca-ES"),
    (0x0404, "zh-TW"),
    (0x0405, "cs-CZ"),
    (0x0406, "da-DK"),
    (0x0407, "de-DE"),
    (0x0408, "el-GR"),
    (0x0409, "en-US"),
    (0x040B, "fi-FI"),
    (0x040C, "fr-FR"),
    (0x040D, "he-IL"),
    (0x040E, "hu-HU"),
    (0x0410, "it-IT"),
    (0x0411, "ja-JP"),
    (0x0412, "ko-KR"),
    (0x0413, "nl-NL"),
    (0x0414, "nb-NO"),
    (0x0415, "pl-PL"),
    (0x0416, "pt-BR"),
    (0x0418, "ro-RO"),
    (0x0419, "ru-RU"),
    (0x041A, "hr-HR"),
    (0x041B, "sk-SK"),
    (0x041D, "sv-SE"),
    (0x041E, "th-TH"),
    (0x041F, "tr-TR"),
    (0x0422, "uk-UA"),
    (0x0424, "sl-SI"),
    (0x0425, "et-EE"),
    (0x0426, "lv-LV"),
    (0x0427, "lt-LT"),
    (0x042A, "vi-VN"),
    (0x0804, "zh-CN"),
    (0x0809, "en-GB"),
    (0x080A, "es-MX"),
    (0x0816, "pt-PT"),
    (0x0C04, "zh-HK"),
    (0x0C0A, "es-ES"),
    (0x0C0C, "fr-CA"),
];

#[cfg(test)]
mod tests;
