//! The machine texts as the build script embedded them.

/// One folder of `machines/`.
pub(super) struct Embedded {
    /// The folder's name.
    pub(super) name: &'static str,
    /// `expected.md`.
    pub(super) expected: &'static str,
    /// `files.txt`, empty when there is none.
    pub(super) files: &'static str,
    /// Hive name and text of each `.reg` file, sorted by name.
    pub(super) hives: &'static [(&'static str, &'static str)],
}

include!(concat!(env!("OUT_DIR"), "/machines.rs"));

/// The machine of that name.
pub(super) fn find(name: &str) -> Option<&'static Embedded> {
    ALL.iter().find(|machine| machine.name == name)
}
