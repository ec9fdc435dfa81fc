//! The machine texts as the build script packed them; unpacked once, when the first is asked for.

use flate2::read::DeflateDecoder;
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

/// One folder of `machines/`; each text as its place in all texts together.
pub(super) struct Embedded {
    /// The folder's name.
    pub(super) name: &'static str,
    expected: Range<usize>,
    /// Empty when there is none.
    files: Range<usize>,
    /// Hive name and text of each `.reg` file, sorted by name.
    hives: &'static [(&'static str, Range<usize>)],
}

impl Embedded {
    /// `expected.md`.
    pub(super) fn expected(&self) -> &'static str {
        text(&self.expected)
    }

    /// `files.txt`, empty when there is none.
    pub(super) fn files(&self) -> &'static str {
        text(&self.files)
    }

    /// Hive name and text of each `.reg` file, sorted by name.
    pub(super) fn hives(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.hives.iter().map(|(name, place)| (*name, text(place)))
    }
}

include!(concat!(env!("OUT_DIR"), "/machines.rs"));

/// The machine of that name.
pub(super) fn find(name: &str) -> Option<&'static Embedded> {
    ALL.iter().find(|machine| machine.name == name)
}

fn text(place: &Range<usize>) -> &'static str {
    all_texts().get(place.clone()).unwrap_or_default()
}

/// All texts, unpacked at the first call; a program that builds no machine never does it. The build script packed them, so they
/// unpack: a test reads every one.
fn all_texts() -> &'static str {
    static TEXTS: OnceLock<String> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let mut text = String::with_capacity(LENGTH);
        match DeflateDecoder::new(PACKED).read_to_string(&mut text) {
            Ok(_) => text,
            Err(_) => String::new(),
        }
    })
}
