//! The binary XML of a record: who wrote it, which event it is, and its fields.
//!
//! A record is an instance of a template: the template is an XML tree with places for values, the record holds the values. Where
//! provider and event number stand is found once for each template of a chunk ([`Shape`]), so that a record nobody wants costs two
//! look-ups. A value can be XML again, with a template of its own. Offsets count from the chunk's begin. Layout: MS-EVEN6 2.2.12, libevtx documentation.

use super::value::{self, Data, byte, half, utf16, word};
use std::collections::HashMap;
use std::rc::Rc;

/// Where something stands: in the template itself or among the record's values.
#[derive(Debug, Clone)]
enum Place {
    Here(String),
    Value(usize),
}

/// Where a template says provider, event number, level, time, record number and computer, and where the rest begins.
#[derive(Debug)]
struct Shape {
    provider: Place,
    id: Place,
    level: Option<Place>,
    time: Option<Place>,
    record: Option<Place>,
    computer: Option<Place>,
    /// The first token behind `System`.
    rest: usize,
}

/// A record whose provider and event number can be told.
#[derive(Debug)]
pub(super) struct Head {
    shape: Rc<Shape>,
    /// The table of values; nothing when the record has no template.
    table: Option<Table>,
    end: usize,
}

/// A table of values: for each its size and type, then all of them.
#[derive(Debug, Clone, Copy)]
struct Table {
    at: usize,
    count: usize,
}

/// A name: where its letters stand.
type Name = Data;

/// One field: its name, or none, and its text.
pub(super) type Field = (Option<String>, String);

/// One chunk, with what was found in it.
pub(super) struct Chunk<'a> {
    bytes: &'a [u8],
    shapes: HashMap<usize, Option<Rc<Shape>>>,
}

/// XML in XML in XML … is a damaged or made-up record.
const DEEPEST: usize = 8;
/// A record has at most 64 KiB; one with more parts walks in circles.
const MOST_TOKENS: usize = 16_384;

impl<'a> Chunk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Chunk { bytes, shapes: HashMap::new() }
    }

    /// The head of the record whose binary XML begins at `from`; nothing when it cannot be understood.
    pub(super) fn head(&mut self, from: usize, end: usize) -> Option<Head> {
        let Some((definition, table)) = self.instance(from) else {
            // A record without a template says everything itself.
            return Some(Head { shape: Rc::new(self.shape(from, false)?), table: None, end });
        };
        let known = self.shapes.get(&definition).cloned();
        let shape = match known {
            Some(shape) => shape,
            None => {
                let shape = self.shape(definition.checked_add(24)?, true).map(Rc::new);
                self.shapes.insert(definition, shape.clone());
                shape
            }
        }?;
        Some(Head { shape, table: Some(table), end })
    }

    /// The event number.
    pub(super) fn id(&self, head: &Head) -> Option<u16> {
        match (&head.shape.id, head.table) {
            (Place::Here(text), _) => text.trim().parse().ok(),
            (Place::Value(index), Some(table)) => self.value(table, *index).filter(|data| data.kind == 6).and_then(|data| half(self.bytes, data.at)),
            _ => None,
        }
    }

    /// Whether a provider of that name wrote it.
    pub(super) fn is_by(&self, head: &Head, provider: &str) -> bool {
        match (&head.shape.provider, head.table) {
            (Place::Here(name), _) => name.eq_ignore_ascii_case(provider),
            (Place::Value(index), Some(table)) => self.value(table, *index).is_some_and(|data| data.is_text(self.bytes, provider)),
            _ => false,
        }
    }

    /// The level: 2 is an error. Nothing when the record does not say it.
    pub(super) fn level(&self, head: &Head) -> Option<u8> {
        self.text(head, head.shape.level.as_ref()?)?.trim().parse().ok()
    }

    /// When it was written, seconds since 1970 UTC, as the Event Viewer shows it.
    pub(super) fn unix(&self, head: &Head) -> Option<i64> {
        let Place::Value(index) = head.shape.time.as_ref()? else { return None };
        self.value(head.table?, *index).filter(|data| data.kind == value::FILE_TIME).and_then(|data| value::unix(self.bytes, data.at))
    }

    /// Its record number, as the Event Viewer shows it.
    pub(super) fn record(&self, head: &Head) -> Option<u64> {
        self.text(head, head.shape.record.as_ref()?)?.trim().parse().ok()
    }

    /// The computer's name at that time.
    pub(super) fn computer(&self, head: &Head) -> Option<String> {
        self.text(head, head.shape.computer.as_ref()?)
    }

    fn text(&self, head: &Head, place: &Place) -> Option<String> {
        match place {
            Place::Here(text) => Some(text.clone()),
            Place::Value(index) => value::text(self.bytes, self.value(head.table?, *index)?),
        }
    }

    /// The fields below `EventData` or `UserData`, in their order. The text of a field that `wanted` does not name stays empty.
    pub(super) fn fields(&self, head: &Head, wanted: &dyn Fn(&str) -> bool) -> Option<Vec<Field>> {
        let values = match head.table {
            Some(table) => self.values(table)?,
            None => Vec::new(),
        };
        let mut walk = Walk { fields: Vec::new(), open: vec![Open::default()], left: MOST_TOKENS, wanted };
        self.walk(&mut walk, head.shape.rest, head.end, head.table.map(|_| values.as_slice()), 0)?;
        Some(walk.fields)
    }

    /// The template and the values of an instance that begins at `at`, with or without a fragment's header before it.
    fn instance(&self, at: usize) -> Option<(usize, Table)> {
        let at = if byte(self.bytes, at)? == 0x0f { at + 4 } else { at };
        if byte(self.bytes, at)? != 0x0c {
            return None;
        }
        let definition = word(self.bytes, at + 6)? as usize;
        let mut table = at + 10;
        // The first record that uses a template holds it, before its values.
        if definition == table {
            table = table.checked_add(24)?.checked_add(word(self.bytes, definition + 20)? as usize)?;
        }
        Some((definition, Table { at: table + 4, count: word(self.bytes, table)? as usize }))
    }

    fn value(&self, table: Table, index: usize) -> Option<Data> {
        let sizes = (0..index).map(|before| half(self.bytes, table.at + 4 * before).map(usize::from)).sum::<Option<usize>>()?;
        let entry = (index < table.count).then_some(table.at + 4 * index)?;
        let at = table.at.checked_add(table.count.checked_mul(4)?)?.checked_add(sizes)?;
        Some(Data { kind: byte(self.bytes, entry + 2)?, at, size: half(self.bytes, entry)?.into() })
    }

    fn values(&self, table: Table) -> Option<Vec<Data>> {
        let mut at = table.at.checked_add(table.count.checked_mul(4)?)?;
        self.bytes.get(..at)?;
        let mut values = Vec::with_capacity(table.count);
        for entry in (table.at..).step_by(4).take(table.count) {
            let size = half(self.bytes, entry)?.into();
            values.push(Data { kind: byte(self.bytes, entry + 2)?, at, size });
            at += size;
        }
        self.bytes.get(..at).map(|_| values)
    }

    /// A name, by reference; where it is used first, it stands right there.
    fn name(&self, at: &mut usize) -> Option<Name> {
        let offset = word(self.bytes, *at)? as usize;
        *at += 4;
        let size = 2 * usize::from(half(self.bytes, offset.checked_add(6)?)?);
        if offset == *at {
            *at += 10 + size;
        }
        Some(Data { kind: value::TEXT, at: offset + 8, size })
    }

    fn is(&self, name: Option<Name>, text: &str) -> bool {
        name.is_some_and(|name| name.is_text(self.bytes, text))
    }

    /// Walks over `System` from the begin of an event's XML.
    fn shape(&self, at: usize, in_template: bool) -> Option<Shape> {
        let mut at = at;
        let mut path: Vec<Name> = Vec::new();
        let mut attribute = None;
        let (mut provider, mut id, mut level, mut time, mut record, mut computer) = (None, None, None, None, None, None);
        for _ in 0..MOST_TOKENS {
            let found = match self.token(&mut at, in_template)? {
                Token::Open(name) => {
                    path.push(name);
                    attribute = None;
                    continue;
                }
                Token::Close => {
                    attribute = None;
                    continue;
                }
                Token::End => {
                    let ended = path.pop()?;
                    attribute = None;
                    if path.len() == 1 && self.is(Some(ended), "System") {
                        return Some(Shape { provider: provider?, id: id?, level, time, record, computer, rest: at });
                    }
                    continue;
                }
                Token::Attribute(name) => {
                    attribute = Some(name);
                    continue;
                }
                Token::Text(text) => Place::Here(text),
                Token::Value(index) => Place::Value(index),
                Token::Fragment => continue,
                Token::Instance | Token::Stop => return None,
            };
            let [_, system, inner] = path.as_slice() else { continue };
            if !self.is(Some(*system), "System") {
                continue;
            }
            if attribute.is_none() && self.is(Some(*inner), "EventID") {
                id = Some(found);
            } else if self.is(attribute, "Name") && self.is(Some(*inner), "Provider") {
                provider = Some(found);
            } else if attribute.is_none() && self.is(Some(*inner), "Level") {
                level = Some(found);
            } else if self.is(attribute, "SystemTime") && self.is(Some(*inner), "TimeCreated") {
                time = Some(found);
            } else if attribute.is_none() && self.is(Some(*inner), "EventRecordID") {
                record = Some(found);
            } else if attribute.is_none() && self.is(Some(*inner), "Computer") {
                computer = Some(found);
            }
        }
        None
    }

    /// Walks over XML and collects the texts of elements without elements in them. `values` are those of the template that is walked;
    /// nothing outside of templates.
    fn walk(&self, walk: &mut Walk<'_>, at: usize, end: usize, values: Option<&[Data]>, depth: usize) -> Option<()> {
        let mut at = at;
        let outer = walk.open.len();
        while values.is_some() || at < end {
            walk.left = walk.left.checked_sub(1)?;
            match self.token(&mut at, values.is_some())? {
                Token::Open(name) => {
                    if let Some(parent) = walk.open.last_mut() {
                        parent.has_elements = true;
                    }
                    walk.open.push(Open { name: Some(name), ..Open::default() });
                }
                Token::Close => walk.top()?.part = Part::Text,
                Token::End => {
                    // The end of what was open before this walk began, `Event`, is the end of the walk.
                    if walk.open.len() <= outer {
                        return Some(());
                    }
                    let ended = walk.open.pop()?;
                    walk.end(ended, self.bytes);
                }
                Token::Attribute(name) => walk.top()?.part = if self.is(Some(name), "Name") { Part::Name } else { Part::Other },
                Token::Text(text) => walk.top()?.add(text),
                Token::Value(index) => {
                    let Some(data) = values?.get(index).copied() else { continue };
                    match data.kind {
                        value::XML if depth >= DEEPEST => return None,
                        value::XML => self.inner(walk, data.at, data.at + data.size, depth + 1)?,
                        value::TEXTS if walk.top()?.part == Part::Text => walk.top()?.items = value::texts(self.bytes, data)?,
                        _ if !walk.is_wanted(self.bytes)? => {}
                        _ => {
                            let text = value::text(self.bytes, data)?;
                            walk.top()?.add(text);
                        }
                    }
                }
                Token::Fragment => {}
                Token::Instance => self.inner(walk, at - 1, end, depth + 1)?,
                Token::Stop => return Some(()),
            }
            if walk.open.len() < outer {
                return None;
            }
        }
        Some(())
    }

    /// XML that is a value: an instance of another template, or elements.
    fn inner(&self, walk: &mut Walk<'_>, at: usize, end: usize, depth: usize) -> Option<()> {
        if at == end {
            return Some(());
        }
        if depth > DEEPEST {
            return None;
        }
        match self.instance(at) {
            Some((definition, table)) => {
                let values = self.values(table)?;
                self.walk(walk, definition.checked_add(24)?, end, Some(&values), depth)
            }
            None => self.walk(walk, at, end, None, depth),
        }
    }

    fn token(&self, at: &mut usize, in_template: bool) -> Option<Token> {
        let token = byte(self.bytes, *at)?;
        *at += 1;
        Some(match token & 0x3f {
            0x00 => Token::Stop,
            0x01 => {
                // In a template, the value on which the element depends stands before its size.
                *at += if in_template { 6 } else { 4 };
                let name = self.name(at)?;
                if token & 0x40 != 0 {
                    *at += 4;
                }
                Token::Open(name)
            }
            0x02 => Token::Close,
            0x03 | 0x04 => Token::End,
            0x05 if byte(self.bytes, *at)? == 1 => {
                *at += 1;
                Token::Text(self.counted(at)?)
            }
            0x06 => Token::Attribute(self.name(at)?),
            0x07 => Token::Text(self.counted(at)?),
            0x08 => {
                let unit = half(self.bytes, *at)?;
                *at += 2;
                Token::Text(char::from_u32(unit.into())?.to_string())
            }
            0x09 => Token::Text(match value::text(self.bytes, self.name(at)?)?.as_str() {
                "lt" => "<".into(),
                "gt" => ">".into(),
                "amp" => "&".into(),
                "quot" => "\"".into(),
                "apos" => "'".into(),
                other => format!("&{other};"),
            }),
            0x0c => Token::Instance,
            0x0d | 0x0e => {
                let index = half(self.bytes, *at)?.into();
                *at += 3;
                Token::Value(index)
            }
            0x0f => {
                *at += 3;
                Token::Fragment
            }
            _ => return None,
        })
    }

    fn counted(&self, at: &mut usize) -> Option<String> {
        let length = usize::from(half(self.bytes, *at)?);
        let text = utf16(self.bytes, *at + 2, length)?;
        *at += 2 + 2 * length;
        Some(text)
    }
}

enum Token {
    Open(Name),
    /// The end of an element's attributes.
    Close,
    End,
    Attribute(Name),
    Text(String),
    Value(usize),
    Instance,
    Fragment,
    Stop,
}

/// What the next text belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The element.
    #[default]
    Text,
    /// Its attribute `Name`.
    Name,
    /// Another attribute.
    Other,
}

/// An element whose end was not seen yet.
#[derive(Default)]
struct Open {
    name: Option<Name>,
    part: Part,
    /// The attribute `Name`.
    called: String,
    text: String,
    items: Vec<String>,
    has_elements: bool,
}

impl Open {
    fn add(&mut self, text: String) {
        let into = match self.part {
            Part::Text => &mut self.text,
            Part::Name => &mut self.called,
            Part::Other => return,
        };
        if into.is_empty() {
            *into = text;
        } else {
            into.push_str(&text);
        }
    }

    /// The field's name; nothing for a `Data` that is not called anything.
    fn field(self, chunk: &[u8]) -> (Option<String>, String, Vec<String>) {
        let own = || self.name.filter(|name| !name.is_text(chunk, "Data")).and_then(|name| value::text(chunk, name));
        (if self.called.is_empty() { own() } else { Some(self.called) }, self.text, self.items)
    }
}

struct Walk<'w> {
    fields: Vec<Field>,
    open: Vec<Open>,
    wanted: &'w dyn Fn(&str) -> bool,
    /// How many more tokens may be walked over.
    left: usize,
}

impl Walk<'_> {
    fn top(&mut self) -> Option<&mut Open> {
        self.open.last_mut()
    }

    /// Whether the text of what is open is of use: a field without a name may be, an attribute is.
    fn is_wanted(&self, chunk: &[u8]) -> Option<bool> {
        let open = self.open.last()?;
        if open.part != Part::Text {
            return Some(true);
        }
        if open.called.is_empty() {
            return Some(open.name?.is_text(chunk, "Data") || value::text(chunk, open.name?).is_some_and(|name| (self.wanted)(&name)));
        }
        Some((self.wanted)(&open.called))
    }

    fn end(&mut self, ended: Open, chunk: &[u8]) {
        // `EventData` itself may be empty.
        if ended.has_elements || self.open.len() < 2 {
            return;
        }
        let (name, text, items) = ended.field(chunk);
        if items.is_empty() {
            self.fields.push((name, text));
        } else {
            self.fields.extend(items.into_iter().map(|item| (name.clone(), item)));
        }
    }
}
