//! Embeds the texts of `machines/` so that an installed program can build every practice machine anywhere.
//!
//! The machines are alike, so all texts together deflate to a seventh; one by one they would not. They are therefore one packed text,
//! and a table that says where each begins and ends in it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, reason = "a build script reads files and talks to cargo")]

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(format!("{name} is not set")));
    let machines = variable("CARGO_MANIFEST_DIR")?.join("../../machines");
    println!("cargo:rerun-if-changed={}", machines.display());
    println!("cargo:rerun-if-changed=build.rs");
    let mut packed = Packed::default();
    let mut table = String::new();
    for (name, folder) in sorted(&machines)? {
        let expected = folder.join("expected.md");
        // A folder without expected.md is not finished yet and is left out.
        if !expected.is_file() {
            continue;
        }
        println!("cargo:rerun-if-changed={}", folder.display());
        let files = folder.join("files.txt");
        let mut hives = String::new();
        for (file, path) in sorted(&folder)? {
            if let Some(hive) = file.strip_suffix(".reg") {
                let _ = write!(hives, "({hive:?}, {}), ", packed.add(&path)?);
            }
        }
        let files = if files.is_file() { packed.add(&files)? } else { "0..0".to_string() };
        let _ = writeln!(table, "    Embedded {{ name: {name:?}, expected: {}, files: {files}, hives: &[{hives}] }},", packed.add(&expected)?);
    }
    let out = variable("OUT_DIR")?;
    let mut code = String::from("/// Every machine, sorted by name.\npub(super) static ALL: &[Embedded] = &[\n");
    let _ = writeln!(code, "{table}];\n/// Bytes of all texts together.\nconst LENGTH: usize = {};", packed.text.len());
    code.push_str("static PACKED: &[u8] = include_bytes!(concat!(env!(\"OUT_DIR\"), \"/machines.deflate\"));\n");
    fs::write(out.join("machines.deflate"), packed.deflated()?)?;
    fs::write(out.join("machines.rs"), code)
}

/// All texts, one after the other.
#[derive(Default)]
struct Packed {
    text: String,
}

impl Packed {
    /// Adds a file; the expression for where its text lies.
    fn add(&mut self, path: &Path) -> io::Result<String> {
        println!("cargo:rerun-if-changed={}", path.display());
        let from = self.text.len();
        self.text.push_str(&fs::read_to_string(path)?);
        Ok(format!("{from}..{}", self.text.len()))
    }

    fn deflated(&self) -> io::Result<Vec<u8>> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(self.text.as_bytes())?;
        encoder.finish()
    }
}

/// Names and paths of what a folder holds, sorted so that the same tree gives the same program.
fn sorted(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        all.push((entry.file_name().to_string_lossy().into_owned(), path));
    }
    all.retain(|(_, path)| !path.is_dir() || path.join("expected.md").is_file());
    all.sort();
    Ok(all)
}
