//! Somebody else's `FormatMessage`, that of Wine, on Wine's own libraries and on the library of the tests: the same texts.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the test starts Wine and reads its libraries"
)]

use super::super::{Message, messages};
use super::library::{library, table};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows";
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// What Wine's `FormatMessage` says for each message of a library; `None` where it finds nothing.
fn asked(scratch: &Path, path: &Path, list: &[Message]) -> Vec<Option<String>> {
    let mut input = String::new();
    for message in list {
        // Wine as Windows leaves %% and its like unread when it is told to leave inserts.
        let inserts = message.text.split('%').skip(1).any(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        writeln!(input, "{} {} {}", message.language, message.id, u8::from(inserts)).unwrap();
    }
    std::fs::write(scratch.join("asked"), input).unwrap();
    let output = Command::new("wine")
        .arg(scratch.join("ask.exe"))
        .arg(format!("Z:{}", path.display().to_string().replace('/', "\\")))
        .env("WINEPREFIX", scratch.join("prefix"))
        .env("WINEDEBUG", "-all")
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
        .env_remove("DISPLAY")
        .stdin(std::fs::File::open(scratch.join("asked")).unwrap())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{path:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let hex = line.split_whitespace().nth(2).filter(|hex| *hex != "-")?;
            let units: Vec<u16> = (0..hex.len() / 4).map(|at| u16::from_str_radix(&hex[4 * at..4 * at + 4], 16).unwrap()).collect();
            Some(String::from_utf16_lossy(&units))
        })
        .collect()
}

/// Every library and program of Wine, which other compilers and linkers made than ours: none is taken for a damaged one.
#[test]
fn no_library_of_wine_is_taken_for_damaged() {
    let Ok(files) = std::fs::read_dir(LIBRARIES) else {
        println!("skipped: no Wine with 64-bit libraries");
        return;
    };
    let (mut libraries, mut texts) = (0, 0);
    for path in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|ending| ending == "dll" || ending == "exe")) {
        let read = messages(&std::fs::read(&path).unwrap(), &|_| true);
        assert_eq!(read.problems, [""; 0], "{path:?}");
        libraries += 1;
        texts += read.found.len();
    }
    println!("{texts} texts in {libraries} libraries and programs");
}

#[test]
fn wine_says_the_same() {
    let scratch = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/message_tables/tests/wine.c");
    let program = scratch.path().join("ask.exe");
    let compiled = Command::new(COMPILER).args(["-O1", "-o"]).arg(&program).arg(source).status();
    let wine = Command::new("wine").arg("--version").stdout(Stdio::null()).status();
    if !compiled.is_ok_and(|status| status.success()) || !wine.is_ok_and(|status| status.success()) || !Path::new(LIBRARIES).is_dir() {
        println!("skipped: Wine, its 64-bit libraries and {COMPILER} are not all here");
        return;
    }
    let own = scratch.path().join("own.dll");
    let escapes = ["%1!s! and %12.\r\n", "One%0two\r\n", "One%nTwo\r\nThree%rFour\r\n", "%%, %!, %., % ., %x.\r\n", "a%tb\r\n"];
    std::fs::write(&own, library(&[(0x409, table(&[(0x8024_0001, &escapes)]))])).unwrap();
    for (path, at_least) in [(own, 5), (Path::new(LIBRARIES).join("wininet.dll"), 200), (Path::new(LIBRARIES).join("kernelbase.dll"), 10_000)] {
        let read = messages(&std::fs::read(&path).unwrap(), &|_| true);
        assert_eq!(read.problems, [""; 0], "{path:?}");
        assert!(read.found.len() >= at_least, "{path:?}: {}", read.found.len());
        let answers = asked(scratch.path(), &path, &read.found);
        assert_eq!(answers.len(), read.found.len(), "{path:?}");
        for (message, answer) in read.found.iter().zip(answers) {
            let plain = answer.unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(message.text, plain.trim_end(), "{path:?}, {message:?}");
        }
        println!("{}: {} texts agree", path.display(), read.found.len());
    }
}
