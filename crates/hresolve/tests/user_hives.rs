//! People's own registry hives are read with care: what cannot be read is said, is never "nothing there", and no byte is written.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::Machine;

fn says(machine: &Machine) -> (usize, String) {
    let before = common::fingerprint(machine.path());
    let json = machine.run(&["diagnose", "--json"]).json();
    assert_eq!(before, common::fingerprint(machine.path()), "reading changed something");
    (json["findings"].as_array().unwrap().len(), json["not_checked"].to_string())
}

#[test]
fn a_hive_that_cannot_be_read_is_named_and_nothing_is_concluded() {
    let machine = Machine::build("documents-on-lost-drive-10");
    let hive = machine.path().join("Users/anna/NTUSER.DAT");
    assert_eq!(says(&machine).0, 1);
    let whole = std::fs::read(&hive).unwrap();
    let mut dirty = whole.clone();
    dirty[4] = dirty[4].wrapping_add(1);
    for bytes in [Vec::new(), b"no hive".to_vec(), whole[..whole.len() / 2].to_vec(), dirty] {
        std::fs::write(&hive, &bytes).unwrap();
        let (findings, not_checked) = says(&machine);
        assert!(findings == 0 && not_checked.contains("where the folders of anna lie"), "{} bytes: {not_checked}", bytes.len());
    }
    std::fs::remove_file(&hive).unwrap();
    assert_eq!(says(&machine).0, 0, "a person who never signed in has no hive");
}
