//! Embeds the texts of `machines/` so that an installed program can build every practice machine anywhere.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, reason = "a build script reads files and talks to cargo")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let machines =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("CARGO_MANIFEST_DIR is not set"))?).join("../../machines");
    println!("cargo:rerun-if-changed={}", machines.display());
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?).join("machines.rs");
    let mut text = String::from("/// Every machine, sorted by name.\npub(super) static ALL: &[Embedded] = &[\n");
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
                let _ = write!(hives, "({hive:?}, {}), ", include(&path)?);
            }
        }
        let files = if files.is_file() { include(&files)? } else { "\"\"".to_string() };
        let _ = writeln!(text, "    Embedded {{ name: {name:?}, expected: {}, files: {files}, hives: &[{hives}] }},", include(&expected)?);
    }
    text.push_str("];\n");
    fs::write(out, text)
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

/// The expression that embeds a file; its absolute path makes cargo rebuild when it changes.
fn include(path: &Path) -> io::Result<String> {
    println!("cargo:rerun-if-changed={}", path.display());
    Ok(format!("include_str!({:?})", fs::canonicalize(path)?))
}
