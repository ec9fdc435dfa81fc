//! Turns the tables of `knowledge/codes` into sorted arrays: names that were generated, names and meanings that we wrote.
//!
//! A bad line ends the build with its file and number: a table that is half read would be a silent hole.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a build script reads files and talks to cargo")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

/// One line of a table with the place it came from.
struct Line {
    place: String,
    cells: Vec<String>,
}

/// The lines of one file below its header row; comments are left out.
fn lines(path: &Path, header: &[&str]) -> Result<Vec<Line>, Failure> {
    let text = std::fs::read_to_string(path)?;
    let mut found = Vec::new();
    let mut seen_header = false;
    for (number, line) in (1..).zip(text.lines()) {
        let place = format!("{}:{number}", path.display());
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let cells: Vec<String> = line.split('\t').map(|cell| cell.trim().to_owned()).collect();
        if !seen_header {
            if cells != header {
                return Err(format!("{place}: the header row must be {}", header.join(" ")).into());
            }
            seen_header = true;
            continue;
        }
        if cells.len() != header.len() {
            return Err(format!("{place}: {} columns, expected {}", cells.len(), header.len()).into());
        }
        found.push(Line { place, cells });
    }
    Ok(found)
}

fn tables(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "tsv"));
    found.sort();
    Ok(found)
}

fn number(place: &str, text: &str) -> Result<u32, Failure> {
    let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u32::from_str_radix(hex, 16));
    parsed.map_err(|_| format!("{place}: {text:?} is no number").into())
}

/// Texts that occur often, kept once.
#[derive(Default)]
struct Pool {
    list: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Pool {
    fn place(&mut self, text: &str) -> usize {
        *self.known.entry(text.to_owned()).or_insert_with(|| {
            self.list.push(text.to_owned());
            self.list.len() - 1
        })
    }

    fn write(&self, out: &mut String, name: &str) -> Result<(), Failure> {
        writeln!(out, "pub(crate) static {name}: &[&str] = &{:?};", self.list)?;
        Ok(())
    }
}

/// Several names of one value, the likeliest first: those of the parts that people meet with an update, then the names of the
/// central headers, then those that a part gave to a number of everybody.
fn weight(name: &str, family: &str, header: &str) -> u8 {
    const MET: [&str; 12] = [
        "activation",
        "app-deployment",
        "bits",
        "camera",
        "delivery-optimization",
        "dism",
        "installer",
        "media-foundation",
        "servicing",
        "setupapi",
        "upgrade",
        "windows-update",
    ];
    match (family, header) {
        _ if MET.contains(&family) => 0,
        ("win32", _) if !name.starts_with("ERROR_") => 2,
        ("win32" | "ntstatus" | "bug-check", _) => 1,
        (_, "winerror.h" | "ntstatus.h") => 2,
        ("dotnet" | "mail" | "imaging" | "directx", _) => 4,
        _ => 3,
    }
}

fn main() -> Result<(), Failure> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../knowledge/codes").canonicalize()?;
    let kinds: Vec<&str> = include_str!("src/kinds.txt").lines().collect();
    println!("cargo:rerun-if-changed=src/kinds.txt");
    let kind = |line: &Line, cell: usize| -> Result<usize, Failure> {
        let text = line.cells.get(cell).map_or("", String::as_str);
        kinds.iter().position(|known| *known == text).ok_or_else(|| format!("{}: {text:?} is no kind of code", line.place).into())
    };
    let cell = |line: &Line, at: usize| line.cells.get(at).cloned().unwrap_or_default();

    // (value, kind, name) -> (family, header); the first table that names a code is its source.
    let mut named: BTreeMap<(u32, usize, String), (String, String)> = BTreeMap::new();
    let (mut facilities, mut meanings) = (BTreeMap::new(), BTreeMap::new());
    let mut files = tables(&root)?;
    files.extend(tables(&root.join("own"))?);
    for path in files {
        if path.ends_with("own/facilities.tsv") {
            for line in lines(&path, &["number", "name", "words"])? {
                facilities.insert(number(&line.place, &cell(&line, 0))?, (cell(&line, 1), cell(&line, 2)));
            }
            continue;
        }
        for line in lines(&path, &["value", "name", "kind", "family", "header"])? {
            let key = (number(&line.place, &cell(&line, 0))?, kind(&line, 2)?, cell(&line, 1));
            named.entry(key).or_insert((cell(&line, 3), cell(&line, 4)));
        }
    }
    for path in tables(&root.join("meanings"))? {
        for line in lines(&path, &["value", "kind", "stage", "meaning", "try"])? {
            let key = (number(&line.place, &cell(&line, 0))?, kind(&line, 1)?);
            if meanings.insert(key, (cell(&line, 2), cell(&line, 3), cell(&line, 4))).is_some() {
                return Err(format!("{}: this code has a meaning already", line.place).into());
            }
        }
    }

    let mut rows: Vec<_> = named.into_iter().collect();
    rows.sort_by_key(|((value, kind, name), (family, header))| (*value, *kind, weight(name, family, header)));
    let (mut families, mut headers, mut stages) = (Pool::default(), Pool::default(), Pool::default());
    let mut names = String::new();
    let mut out = String::new();
    writeln!(out, "pub(crate) static ROWS: &[Row] = &[")?;
    let mut starts: Vec<(u32, usize)> = Vec::new();
    for (at, ((value, kind, name), (family, header))) in rows.iter().enumerate() {
        if starts.last().is_none_or(|(last, _)| last != value) {
            starts.push((*value, at));
        }
        let (family, header) = (u8::try_from(families.place(family))?, u8::try_from(headers.place(header))?);
        writeln!(out, "Row({value},{},{},{kind},{family},{header}),", names.len(), u8::try_from(name.len())?)?;
        names.push_str(name);
    }
    writeln!(out, "];")?;

    // Open addressing over the distinct values, so that naming every code of a log costs one or two steps each.
    let size = (starts.len() * 3 / 2).next_power_of_two();
    let mut slots = vec![u16::MAX; size];
    for (value, at) in &starts {
        let mut slot = (value.wrapping_mul(0x9E37_79B1) >> 8) as usize & (size - 1);
        while slots[slot] != u16::MAX {
            slot = (slot + 1) & (size - 1);
        }
        slots[slot] = u16::try_from(*at)?;
    }
    writeln!(out, "pub(crate) static SLOTS: [u16; {size}] = {slots:?};")?;

    // The same advice goes with many codes; it is kept once.
    let (mut texts, mut places) = (String::new(), BTreeMap::<String, usize>::new());
    writeln!(out, "pub(crate) static MEANINGS: &[Said] = &[")?;
    for ((value, kind), (stage, meaning, advice)) in &meanings {
        let stage = u8::try_from(stages.place(stage))?;
        let mut place = |text: &String| {
            *places.entry(text.clone()).or_insert_with(|| {
                texts.push_str(text);
                texts.len() - text.len()
            })
        };
        let (says, try_first) = (place(meaning), place(advice));
        writeln!(out, "Said({value},{kind},{stage},{says},{},{try_first},{}),", u8::try_from(meaning.len())?, u8::try_from(advice.len())?)?;
    }
    writeln!(out, "];")?;
    writeln!(out, "pub(crate) static FACILITIES: &[(u16, &str, &str)] = &[")?;
    for (number, (name, words)) in &facilities {
        writeln!(out, "({number}, {name:?}, {words:?}),")?;
    }
    writeln!(out, "];")?;
    families.write(&mut out, "FAMILIES")?;
    headers.write(&mut out, "HEADERS")?;
    stages.write(&mut out, "STAGES")?;
    writeln!(out, "pub(crate) static NAMES: &str = {names:?};")?;
    writeln!(out, "pub(crate) static TEXTS: &str = {texts:?};")?;
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("table.rs"), out)?;
    Ok(())
}
