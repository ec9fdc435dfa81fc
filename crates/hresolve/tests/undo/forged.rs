//! Journals are untrusted: what is damaged or forged in one is refused, and nothing that a journal may not name is read, moved or written.

use super::{CONFIG, THREE, all, fix, machine_only, run, run_folder, second_undo_changes_nothing, system, undo};
use crate::common::{HRESOLVE, Machine, hivex_export};
use crate::real::{assert_same, bounded, changed};
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

fn journal(machine: &Machine, run: &str) -> PathBuf {
    run_folder(machine, run).join("journal.jsonl")
}

/// Refused with a sentence on standard error; not one byte or time changed anywhere.
#[track_caller]
fn refused(machine: &Machine, what: &str, says: &str) {
    let before = all(machine);
    let ran = run(machine, &["undo"]);
    assert!(matches!(ran.exit, 5 | 6), "{what}: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
    assert!(ran.stdout.is_empty() && ran.stderr.contains(says) && !ran.stderr.contains("panicked"), "{what}\n{}{}", ran.stdout, ran.stderr);
    let ran = run(machine, &["undo", "--json"]);
    assert!(matches!(ran.exit, 5 | 6) && ran.json()["error"].is_string(), "{what}\n{}", ran.stdout);
    assert_same(&before, &all(machine));
}

#[test]
fn a_journal_damaged_in_the_middle_is_refused() {
    let machine = Machine::build(THREE);
    let run_name = fix(&machine, &[]);
    let path = journal(&machine, &run_name);
    let good = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    for number in 0..lines.len() - 1 {
        let with = |line: &str| {
            let mut all: Vec<&str> = lines.clone();
            all[number] = line;
            all.join("\n") + "\n"
        };
        let middle = lines[number].len() / 2;
        let mut flipped = lines[number].as_bytes().to_vec();
        flipped[middle] ^= 1;
        let without: String = lines.iter().enumerate().filter(|(index, _)| *index != number).map(|(_, line)| format!("{line}\n")).collect();
        let twice: String = lines.iter().enumerate().flat_map(|(index, line)| vec![format!("{line}\n"); 1 + usize::from(index == number)]).collect();
        let cases = [
            ("a flipped bit", with(&String::from_utf8_lossy(&flipped))),
            ("half a line", with(&lines[number][..middle])),
            ("an empty line", with("")),
            ("a missing line", without),
            ("a line twice", twice),
        ];
        for (what, text) in cases {
            std::fs::write(&path, text).unwrap();
            refused(&machine, &format!("{what} at {}", number + 1), "journal");
        }
    }
    // It can be listed all the same, and used again when it is whole.
    assert_eq!(run(&machine, &["runs", "--json"]).exit, 0);
    std::fs::write(&path, &good).unwrap();
    undo(&machine, &[], 0, "undone");
}

#[test]
fn a_torn_last_line_is_no_damage() {
    for keep in [0.0, 0.01, 0.5, 0.99] {
        let machine = Machine::build(THREE);
        let before = machine_only(&machine);
        let run_name = fix(&machine, &[]);
        let path = journal(&machine, &run_name);
        let good = std::fs::read(&path).unwrap();
        let last = good[..good.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        let length = last + ((good.len() - last) as f64 * keep) as usize;
        std::fs::write(&path, &good[..length]).unwrap();
        undo(&machine, &[], 0, "undone");
        assert_same(&before, &machine_only(&machine));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "the torn line was cut off\n{text}");
        second_undo_changes_nothing(&machine, &run_name);
    }
}

/// What a forger makes of the text of an event.
type Forge<'f> = &'f dyn Fn(&str) -> String;

/// Writes a journal anew, every event passed through `forge`, with right lengths and checksums.
fn forge(machine: &Machine, run: &str, forge: Forge<'_>) {
    let path = journal(machine, run);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    for (number, line) in text.lines().enumerate() {
        let at = line.find(r#""e":"#).unwrap() + 4;
        let event = forge(&line[at..line.len() - 1]);
        let sum = target::sha256(event.as_bytes());
        out.push_str(&format!("{{\"n\":{},\"len\":{},\"sum\":\"{}\",\"e\":{event}}}\n", number + 1, event.len(), &sum[..16]));
    }
    assert!(out != text || forge("\u{0}") == "\u{0}", "nothing was forged");
    std::fs::write(path, out).unwrap();
}

#[test]
fn rewriting_a_journal_is_done_right_here() {
    let machine = Machine::build(THREE);
    let run_name = fix(&machine, &[]);
    let text = std::fs::read(journal(&machine, &run_name)).unwrap();
    forge(&machine, &run_name, &|event| event.to_owned());
    assert_eq!(text, std::fs::read(journal(&machine, &run_name)).unwrap());
}

#[test]
fn forged_paths_out_of_the_volume_are_refused() {
    for path in [r"\\..\\..\\..\\escape", r"\\Windows\\..\\..\\escape", r"/../../escape", r"\\Windows\\System32\\catroot2:stream", r"..\\escape"] {
        for name in ["from", "to"] {
            let machine = Machine::build(THREE);
            let run_name = fix(&machine, &["--only", "catalog-database-damaged"]);
            forge(&machine, &run_name, &|event| replace_field(event, name, path));
            refused(&machine, &format!("{name} = {path}"), "journal");
        }
    }
}

/// Gives a text field of an event another value.
fn replace_field(event: &str, name: &str, value: &str) -> String {
    let start = format!("\"{name}\":\"");
    match event.find(&start) {
        Some(at) if event.contains("\"changes\"") => {
            let from = at + start.len();
            let end = from + event[from..].find('"').unwrap();
            format!("{}{value}{}", &event[..from], &event[end..])
        }
        _ => event.to_owned(),
    }
}

/// Whatever a forged journal says about other hives: they are not opened, not written, and the answer is no success.
#[test]
fn forged_hive_names_are_refused() {
    let forgeries: [(&str, Forge<'_>); 5] = [
        ("a value in SAM", &|event| event.replace(r"HKLM\\SYSTEM\\ControlSet001\\Services\\BITS", r"HKLM\\SAM\\SAM\\Domains")),
        ("a value in SECURITY", &|event| event.replace(r"HKLM\\SYSTEM\\ControlSet001\\Services\\BITS", r"HKLM\\SECURITY\\Policy")),
        ("a value of a user", &|event| event.replace(r"HKLM\\SYSTEM\\ControlSet001\\Services\\BITS", r"HKCU\\Software")),
        ("SAM as the saved hive", &|event| event.replace(r#""hive":"SYSTEM""#, r#""hive":"SAM""#)),
        ("a path as the saved hive", &|event| event.replace(r#""hive":"SYSTEM""#, r#""hive":"..\\..\\SYSTEM""#)),
    ];
    for (what, change) in forgeries {
        let machine = Machine::build(THREE);
        let run_name = fix(&machine, &["--only", "update-service-dependency-missing"]);
        forge(&machine, &run_name, change);
        let before = machine_only(&machine);
        let ran = run(&machine, &["undo", "--json"]);
        assert!(matches!(ran.exit, 5 | 6), "{what}: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
        let mut different = changed(&before, &machine_only(&machine));
        // What the journal rightly says about SYSTEM may go back.
        different.retain(|path| path != &Path::new(CONFIG).join("SYSTEM"));
        assert_eq!(different, Vec::<PathBuf>::new(), "{what}");
    }
}

/// A forged rename must not move the hives that are never written, nor Windows' own folders.
#[test]
fn forged_renames_of_what_is_never_touched() {
    for victim in [
        r"\\Windows\\System32\\config\\SAM",
        r"\\Windows\\System32\\config\\SYSTEM",
        r"\\Windows\\System32\\config",
        r"\\Windows\\System32",
        r"\\Windows",
    ] {
        let machine = Machine::build(THREE);
        let run_name = fix(&machine, &["--only", "catalog-database-damaged"]);
        forge(&machine, &run_name, &|event| replace_field(&replace_field(event, "to", victim), "from", &format!("{victim}.taken")));
        let before = machine_only(&machine);
        let ran = run(&machine, &["undo", "--json"]);
        assert!(matches!(ran.exit, 5 | 6), "{victim}: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
        assert_same(&before, &machine_only(&machine));
    }
}

/// A file is taken away only where files of ours may be, whatever a journal says and whatever copy lies beside it.
#[test]
fn forged_files_of_ours_are_not_taken_from_where_none_may_be() {
    for victim in ["Windows/System32/config/SAM", "Windows/System32/config/SYSTEM", "Users/anna/letter.txt", "letter.txt"] {
        let machine = Machine::build("store-file-loses-its-name-10");
        let run_name = fix(&machine, &[]);
        let path = machine.path().join(victim);
        if !path.exists() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "precious").unwrap();
        }
        let content = std::fs::read(&path).unwrap();
        let hash = target::sha256(&content);
        std::fs::write(run_folder(&machine, &run_name).join("new").join(&hash), &content).unwrap();
        let forged = format!("\\\\{}", victim.replace('/', "\\\\"));
        forge(&machine, &run_name, &|event| replace_field(&replace_field(event, "path", &forged), "sha256", &hash));
        let ran = run(&machine, &["undo", "--json"]);
        assert!(matches!(ran.exit, 5 | 6), "{victim}: exit {}\n{}{}", ran.exit, ran.stdout, ran.stderr);
        assert_eq!(std::fs::read(&path).unwrap(), content, "{victim}");
    }
}

/// Undo clears away temporary files of its own; a forged name must not make it delete what was set aside.
#[test]
fn forged_temporary_files_are_not_deleted() {
    let machine = Machine::build(THREE);
    let run_name = fix(&machine, &[]);
    let victims = ["Windows/SoftwareDistribution/Download.hresolve-1234", "Windows/System32/config/SAM.hresolve-saved", "Users/anna.hresolve-x"];
    for victim in victims {
        std::fs::write(machine.path().join(victim), "precious").unwrap();
        let forged = format!("\\\\{}", victim.replace('/', "\\\\"));
        forge(&machine, &run_name, &|event| {
            let start = "\"temporary\":\"";
            let Some(at) = event.find(start).map(|at| at + start.len()) else { return event.to_owned() };
            let end = at + event[at..].find('"').unwrap();
            format!("{}{forged}{}", &event[..at], &event[end..])
        });
        run(&machine, &["undo"]);
        assert!(machine.path().join(victim).exists(), "{victim} was deleted");
    }
}

/// The saved copy of the hive is not what was saved: it is not written over the hive, and the person is told.
#[test]
fn a_damaged_copy_is_not_restored() {
    for damage in ["flipped", "empty", "gone", "link"] {
        let machine = Machine::build(THREE);
        let text = hivex_export(&system(&machine));
        let run_name = fix(&machine, &["--only", "update-service-dependency-missing"]);
        let copy = run_folder(&machine, &run_name).join("before/SYSTEM");
        let mut bytes = std::fs::read(&copy).unwrap();
        bytes[9000] ^= 1;
        std::fs::remove_file(&copy).unwrap();
        match damage {
            "flipped" => std::fs::write(&copy, bytes).unwrap(),
            "empty" => std::fs::write(&copy, "").unwrap(),
            "link" => symlink(machine.path().join(CONFIG).join("SOFTWARE"), &copy).unwrap(),
            _ => {}
        }
        let ran = run(&machine, &["undo", "--json"]);
        assert!(matches!(ran.exit, 5 | 6), "{damage}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("SYSTEM"), "{}", ran.stdout);
        // Object by object it may still go back; then it is as before in the eyes of another reader.
        let now = hivex_export(&system(&machine));
        let fixed = bounded(Command::new(HRESOLVE).args(["diagnose", "--json"]).arg(machine.path())).json();
        let still_repaired = !fixed["findings"].to_string().contains("update-service-dependency-missing");
        assert!(still_repaired || now == text, "{damage}: neither as before nor repaired");
    }
}
