//! A diagnosis that somebody kept or sent becomes a page to read.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::Machine;

/// The diagnosis of a machine whose cause cannot be proved, in a file.
fn kept(folder: &std::path::Path) -> (String, serde_json::Value) {
    let machine = Machine::build("drive-full-10");
    let ran = machine.run(&["diagnose", "--json"]);
    let file = folder.join("diagnosis.json");
    std::fs::write(&file, &ran.stdout).unwrap();
    (file.display().to_string(), ran.json())
}

fn report(words: &[&str]) -> common::Ran {
    common::run(&[&["report"], words].concat())
}

#[test]
fn a_kept_diagnosis_becomes_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let (file, json) = kept(folder.path());
    let check = json["next_check"]["says"].as_str().unwrap();
    assert!(check.contains("dir C:\\Windows"), "{check}");
    let at = |name: &str| folder.path().join(name).display().to_string();
    for name in ["page.md", "page.html", "again.json"] {
        let ran = report(&[&file, "-o", &at(name)]);
        assert_eq!(ran.exit, 0, "{name}: {}", ran.stderr);
    }
    let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
    for name in ["page.md", "page.html"] {
        for words in ["What to look at next", "was full", "0x80070070"] {
            assert!(read(name).contains(words), "{name}: {words}\n{}", read(name));
        }
    }
    assert!(read("page.html").starts_with("<!"), "{}", read("page.html"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&read("again.json")).unwrap(), json);
    assert_eq!(report(&[&file, "--json"]).json(), json);
}

#[test]
fn what_powershell_redirects_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let (file, json) = kept(folder.path());
    let text = std::fs::read_to_string(&file).unwrap();
    let wide: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(&file, wide).unwrap();
    assert_eq!(report(&[&file, "--json"]).json(), json);
    std::fs::write(&file, format!("\u{feff}{text}")).unwrap();
    assert_eq!(report(&[&file, "--json"]).json(), json);
}

#[test]
fn what_is_no_diagnosis_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.json");
    let name = file.display().to_string();
    for text in ["", "{}", "no json", "[1]", "{\"schema\": \"hresolve/run/1\"}"] {
        std::fs::write(&file, text).unwrap();
        let ran = report(&[&name]);
        assert_eq!(ran.exit, 2, "{text:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("is not what `hresolve diagnose --json` writes"), "{text:?}: {}", ran.stderr);
    }
}
