//! Event logs made from text, as Windows writes them: chunks with checksums, tables of names and templates, records in binary XML.
//!
//! One event a line: `TIME | PROVIDER | NUMBER | name=text | …`. `=text` is a field without a name, `<Element>` puts the fields behind it
//! into that element of `UserData`. Every record carries its own template. Layout: MS-EVEN6 2.2.12, libevtx documentation.

use super::ese::put;

const CHUNK: usize = 1 << 16;
const CHUNK_HEADER: usize = 512;
const FILE_HEADER: usize = 4096;
/// Seconds between 1601 and 1970.
const TO_1601: u64 = 11_644_473_600;

struct Event<'a> {
    /// 100 ns steps since 1601.
    time: u64,
    provider: &'a str,
    id: u16,
    element: Option<&'a str>,
    fields: Vec<(&'a str, &'a str)>,
}

/// The log of these lines. The channel is the file's name.
pub(super) fn file(name: &str, lines: &[&str]) -> Result<Vec<u8>, String> {
    let channel = name.trim_end_matches(".evtx").replace("%4", "/");
    let mut chunks: Vec<Chunk> = Vec::new();
    for (line, number) in lines.iter().zip(1_u64..) {
        let event = event(line)?;
        let fits = chunks.last_mut().is_some_and(|chunk| chunk.add(number, &event, &channel));
        if !fits {
            let mut chunk = Chunk::new(number);
            if !chunk.add(number, &event, &channel) {
                return Err(format!("the event {line:?} is longer than a chunk"));
            }
            chunks.push(chunk);
        }
    }
    let mut out = vec![0; FILE_HEADER];
    let count = u16::try_from(chunks.len()).map_err(|_| "too many events".to_string())?;
    put(&mut out, 0, b"ElfFile\0");
    put(&mut out, 16, &u64::from(count.saturating_sub(1)).to_le_bytes());
    put(&mut out, 24, &(lines.len() as u64).saturating_add(1).to_le_bytes());
    put(&mut out, 32, &[128, 0, 0, 0, 1, 0, 3, 0, 0, 0x10]);
    put(&mut out, 42, &count.to_le_bytes());
    let sum = crc32([out.get(..120).unwrap_or_default()]);
    put(&mut out, 124, &sum.to_le_bytes());
    chunks.into_iter().for_each(|chunk| out.extend(chunk.finish()));
    Ok(out)
}

fn event(line: &str) -> Result<Event<'_>, String> {
    let mut parts = line.split(" | ").map(str::trim);
    let mut next = |what: &str| parts.next().filter(|part| !part.is_empty()).ok_or_else(|| format!("the {what} is missing in {line:?}"));
    let (time, provider, id) = (next("time")?, next("provider")?, next("number")?);
    let id = id.parse().map_err(|_| format!("{id:?} is not an event number"))?;
    let (day, clock) = time.trim_end_matches('Z').split_once('T').ok_or_else(|| format!("{time:?} is not a time such as 2026-01-02T03:04:05Z"))?;
    let clock: Vec<u64> =
        clock.split(':').map(|part| part.parse().map_err(|_| format!("{clock:?} is not a time of day"))).collect::<Result<_, _>>()?;
    let [hour @ 0..=23, minute @ 0..=59, second @ 0..=59] = clock.as_slice() else { return Err(format!("{time:?} is not a time")) };
    let unix = super::files_text::date(day)?.saturating_add(hour * 3600 + minute * 60 + second);
    let mut event = Event { time: unix.saturating_add(TO_1601).saturating_mul(10_000_000), provider, id, element: None, fields: Vec::new() };
    for part in parts {
        match part.strip_prefix('<').and_then(|part| part.strip_suffix('>')) {
            Some(element) => event.element = Some(element),
            None => event.fields.push(part.split_once('=').ok_or_else(|| format!("{part:?} is not NAME=TEXT"))?),
        }
    }
    Ok(event)
}

/// A chunk that is being filled; offsets count from its begin.
struct Chunk {
    bytes: Vec<u8>,
    first: u64,
    last: u64,
    last_at: usize,
    names: Vec<(String, u32)>,
}

/// A value of a template: its type and bytes.
type Data = (u8, Vec<u8>);

impl Chunk {
    fn new(first: u64) -> Chunk {
        Chunk { bytes: vec![0; CHUNK_HEADER], first, last: first, last_at: 0, names: Vec::new() }
    }

    /// Adds a record; false, and nothing added, when there is no room.
    fn add(&mut self, number: u64, event: &Event<'_>, channel: &str) -> bool {
        let (at, names, header) = (self.bytes.len(), self.names.len(), self.bytes.get(..CHUNK_HEADER).unwrap_or_default().to_vec());
        self.record(number, event, channel);
        if self.bytes.len() > CHUNK {
            self.bytes.truncate(at);
            self.names.truncate(names);
            put(&mut self.bytes, 0, &header);
            return false;
        }
        (self.last, self.last_at) = (number, at);
        true
    }

    fn record(&mut self, number: u64, event: &Event<'_>, channel: &str) {
        let at = self.bytes.len();
        self.bytes.extend([0x2a, 0x2a, 0, 0, 0, 0, 0, 0]);
        self.bytes.extend(number.to_le_bytes());
        self.bytes.extend(event.time.to_le_bytes());
        // A fragment, and in it an instance of the template that follows.
        self.bytes.extend([0x0f, 1, 1, 0, 0x0c, 1]);
        let id = u32::try_from(number).unwrap_or(u32::MAX).wrapping_mul(0x9E37_79B1);
        self.word(id);
        let definition = self.bytes.len().saturating_add(4);
        self.word(u32::try_from(definition).unwrap_or(0));
        self.template(id);
        let values = self.xml(number, event, channel);
        let size = self.bytes.len().saturating_sub(definition.saturating_add(24));
        put(&mut self.bytes, definition.saturating_add(20), &u32::try_from(size).unwrap_or(0).to_le_bytes());
        self.word(u32::try_from(values.len()).unwrap_or(0));
        for (kind, data) in &values {
            self.half(data.len());
            self.bytes.extend([*kind, 0]);
        }
        values.into_iter().for_each(|(_, data)| self.bytes.extend(data));
        self.bytes.push(0);
        while self.bytes.len() % 8 != 4 {
            self.bytes.push(0);
        }
        let size = u32::try_from(self.bytes.len().saturating_add(4).saturating_sub(at)).unwrap_or(0);
        self.word(size);
        put(&mut self.bytes, at.saturating_add(4), &size.to_le_bytes());
    }

    /// A template's head: the one before in its bucket, its GUID, which begins with its number, and its size, put in later.
    fn template(&mut self, id: u32) {
        let bucket = 384_usize.saturating_add((id as usize % 32) * 4);
        self.link(bucket);
        self.word(id);
        self.bytes.extend(*b"hresolve-lab");
        self.word(0);
    }

    /// Puts the place of what comes next into a table of the header, and the one that stood there here.
    fn link(&mut self, bucket: usize) {
        let here = u32::try_from(self.bytes.len()).unwrap_or(0);
        let before = self.bytes.get(bucket..bucket.saturating_add(4)).unwrap_or_default().to_vec();
        put(&mut self.bytes, bucket, &here.to_le_bytes());
        self.bytes.extend(before);
    }

    fn xml(&mut self, number: u64, event: &Event<'_>, channel: &str) -> Vec<Data> {
        let mut values: Vec<Data> =
            vec![(6, event.id.to_le_bytes().to_vec()), (0x11, event.time.to_le_bytes().to_vec()), (0x0a, number.to_le_bytes().to_vec())];
        self.bytes.extend([0x0f, 1, 1, 0]);
        let root = self.open("Event", Some(("xmlns", Ok("http://schemas.microsoft.com/win/2004/08/events/event"))));
        let system = self.open("System", None);
        self.empty("Provider", ("Name", Ok(event.provider)));
        self.leaf("EventID", None, Err((0, 6)));
        self.empty("TimeCreated", ("SystemTime", Err((1, 0x11))));
        self.leaf("EventRecordID", None, Err((2, 0x0a)));
        self.leaf("Channel", None, Ok(channel));
        self.leaf("Computer", None, Ok("lab"));
        self.close(system);
        let data = self.open(if event.element.is_some() { "UserData" } else { "EventData" }, None);
        let inner = event.element.map(|element| self.open(element, None));
        for (name, text) in &event.fields {
            let value = Err((u16::try_from(values.len()).unwrap_or(u16::MAX), 1));
            values.push((1, units(text)));
            match (inner, *name) {
                (Some(_), name) => self.leaf(name, None, value),
                (None, "") => self.leaf("Data", None, value),
                (None, "Binary") => {
                    // The service's name as the service control manager writes it: UTF-16 in a field of bytes.
                    if let Some(last) = values.last_mut() {
                        *last = (0x0e, [units(text), vec![0, 0]].concat());
                    }
                    self.leaf("Binary", None, value.map_err(|(index, _)| (index, 0x0e)));
                }
                (None, name) => self.leaf("Data", Some(name), value),
            }
        }
        inner.into_iter().for_each(|inner| self.close(inner));
        self.close(data);
        self.close(root);
        self.bytes.push(0);
        values
    }

    /// Begins an element; gives the place of its size.
    fn open(&mut self, name: &str, attribute: Option<(&str, Content<'_>)>) -> usize {
        let at = self.start(name, attribute);
        self.bytes.push(2);
        at
    }

    fn start(&mut self, name: &str, attribute: Option<(&str, Content<'_>)>) -> usize {
        self.bytes.extend([if attribute.is_some() { 0x41 } else { 1 }, 0xff, 0xff]);
        let at = self.bytes.len();
        self.word(0);
        self.name(name);
        if let Some((name, content)) = attribute {
            let list = self.bytes.len();
            self.word(0);
            self.bytes.push(6);
            self.name(name);
            self.content(content);
            self.size(list);
        }
        at
    }

    fn close(&mut self, at: usize) {
        self.bytes.push(4);
        self.size(at);
    }

    /// Puts the number of bytes behind a size into it.
    fn size(&mut self, at: usize) {
        let size = self.bytes.len().saturating_sub(at.saturating_add(4));
        put(&mut self.bytes, at, &u32::try_from(size).unwrap_or(0).to_le_bytes());
    }

    fn empty(&mut self, name: &str, attribute: (&str, Content<'_>)) {
        let at = self.start(name, Some(attribute));
        self.bytes.push(3);
        self.size(at);
    }

    fn leaf(&mut self, element: &str, name: Option<&str>, content: Content<'_>) {
        let at = self.open(element, name.map(|name| ("Name", Ok(name))));
        self.content(content);
        self.close(at);
    }

    fn content(&mut self, content: Content<'_>) {
        match content {
            Ok(text) => {
                self.bytes.extend([5, 1]);
                self.half(text.encode_utf16().count());
                self.bytes.extend(units(text));
            }
            Err((index, kind)) => {
                self.bytes.push(0x0d);
                self.bytes.extend(index.to_le_bytes());
                self.bytes.push(kind);
            }
        }
    }

    /// A name by its place; the first time in a chunk it stands here, and in the header's table.
    fn name(&mut self, name: &str) {
        if let Some((_, there)) = self.names.iter().find(|(known, _)| known == name) {
            return self.word(*there);
        }
        let here = u32::try_from(self.bytes.len().saturating_add(4)).unwrap_or(0);
        self.word(here);
        let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(unit.into()));
        let hash = u16::try_from(hash & 0xffff).unwrap_or(0);
        self.link(128_usize.saturating_add(usize::from(hash % 64) * 4));
        self.half(hash.into());
        self.half(name.encode_utf16().count());
        self.bytes.extend(units(name));
        self.bytes.extend([0, 0]);
        self.names.push((name.to_string(), here));
    }

    fn word(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn half(&mut self, number: usize) {
        self.bytes.extend(u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes());
    }

    /// Header and checksums, and the free space behind the records.
    fn finish(mut self) -> Vec<u8> {
        let free = self.bytes.len();
        let out = &mut self.bytes;
        put(out, 0, b"ElfChnk\0");
        for (at, number) in [(8, self.first), (16, self.last), (24, self.first), (32, self.last)] {
            put(out, at, &number.to_le_bytes());
        }
        put(out, 40, &[128, 0, 0, 0]);
        put(out, 44, &u32::try_from(self.last_at).unwrap_or(0).to_le_bytes());
        put(out, 48, &u32::try_from(free).unwrap_or(0).to_le_bytes());
        let records = crc32([out.get(CHUNK_HEADER..).unwrap_or_default()]);
        put(out, 52, &records.to_le_bytes());
        let header = crc32([out.get(..120).unwrap_or_default(), out.get(128..CHUNK_HEADER).unwrap_or_default()]);
        put(out, 124, &header.to_le_bytes());
        out.resize(CHUNK, 0);
        self.bytes
    }
}

/// Text that stands in the template, or the number and type of a value.
type Content<'a> = Result<&'a str, (u16, u8)>;

fn units(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The checksum of zip and Ethernet, over several parts.
fn crc32<const N: usize>(parts: [&[u8]; N]) -> u32 {
    let all = parts.iter().copied().flatten();
    !all.fold(!0_u32, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_its_definition() {
        assert_eq!(crc32([b"1234", b"56789"]), 0xCBF4_3926);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for line in [
            "",
            "x",
            "2026-01-02T03:04:05Z | disk",
            "2026-01-02T03:04:05Z | disk | x",
            "2026-01-02T25:04:05Z | disk | 7",
            "2026-01-02T03:04:05Z | disk | 7 | x",
        ] {
            assert!(file("System.evtx", &[line]).is_err(), "{line}");
        }
    }

    #[test]
    fn a_chunk_that_is_full_is_followed_by_another() {
        let line = format!("2026-01-02T03:04:05Z | disk | 7 | a={}", "x".repeat(10_000));
        let bytes = file("System.evtx", &[line.as_str(); 9]).unwrap();
        assert_eq!(bytes.len(), FILE_HEADER + 3 * CHUNK);
        assert!(file("System.evtx", &[&format!("{line}{line}{line}{line}")]).is_err());
    }
}
