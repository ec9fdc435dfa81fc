//! Lists of subkeys: kinds, sizes, order.

use hive::{CleanHive, MinorVersion, ProblemKind};

use crate::raw::{self, clean, edited, empty, field, key, node, signature, u16_at, u32_at};

fn with_subkeys(version: MinorVersion, count: usize) -> CleanHive {
    edited(&empty(version), |edit| {
        for index in 0..count {
            // In no order at all.
            edit.create_key(&format!(r"Many\Key {}", (index * 7919) % count));
        }
    })
}

fn list(hive: &CleanHive) -> (String, usize) {
    let list = node(hive, "Many", 28);
    (signature(hive, list), usize::from(u16_at(hive.bytes(), field(list, 2))))
}

#[test]
fn leaves_are_split_as_windows_does() {
    assert_eq!(list(&with_subkeys(MinorVersion::V5, 3)), ("lh".into(), 3));
    assert_eq!(list(&with_subkeys(MinorVersion::V5, 1012)), ("lh".into(), 1012));
    assert_eq!(list(&with_subkeys(MinorVersion::V5, 1013)), ("ri".into(), 2));
    assert_eq!(list(&with_subkeys(MinorVersion::V3, 500)), ("lf".into(), 500));
    assert_eq!(list(&with_subkeys(MinorVersion::V3, 501)), ("li".into(), 501));
    let hive = with_subkeys(MinorVersion::V3, 2500);
    assert_eq!(list(&hive), ("ri".into(), 4));
    let leaf = u32_at(hive.bytes(), field(node(&hive, "Many", 28), 4));
    assert_eq!(signature(&hive, leaf), "li");
    for count in [1012, 1013, 2500] {
        for version in [MinorVersion::V3, MinorVersion::V5] {
            let hive = with_subkeys(version, count);
            let many = hive.hive().open("many").unwrap().unwrap();
            assert_eq!(many.subkeys().count(), count);
            assert!((0..count).all(|index| many.subkey(&format!("KEY {index}")).unwrap().is_some()));
            assert!(many.subkey("Key").unwrap().is_none());
        }
    }
}

#[test]
fn a_split_list_shrinks_again() {
    let hive = with_subkeys(MinorVersion::V5, 1100);
    let hive = edited(&hive, |edit| {
        for index in 0..1099 {
            edit.delete_key(&format!(r"Many\kEY {index}"));
        }
    });
    assert_eq!(list(&hive), ("lh".into(), 1));
    let hive = edited(&hive, |edit| {
        edit.delete_key(r"Many\Key 1099");
    });
    assert_eq!((node(&hive, "Many", 20), node(&hive, "Many", 28)), (0, u32::MAX));
}

#[test]
fn names_are_sorted_by_windows_upcase_of_units() {
    // Sorted: the underscore after the capitals, the micro sign and ß unchanged, ÿ as Ÿ (U+0178), astral before U+E000.
    let sorted = ["A", "a_", "b", "_", "µ", "ß", "Ä", "é", "ŷ", "ÿ", "Ω", "ы", "\u{10400}", "\u{e000}", "ｚ"];
    let mut expected: Vec<&str> = sorted.to_vec();
    let upcased = |name: &str| name.encode_utf16().map(hive::upcase).collect::<Vec<u16>>();
    expected.sort_by_key(|name| upcased(name));
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        for name in sorted.iter().rev() {
            edit.create_key(name);
        }
    });
    let names: Vec<String> = hive.hive().root().unwrap().subkeys().map(|key| key.unwrap().name()).collect();
    assert_eq!(names, expected);
    let at = |name: &str| names.iter().position(|other| other == name).unwrap();
    assert!(at("b") < at("_") && at("ŷ") < at("ÿ") && at("\u{10400}") < at("\u{e000}") && at("µ") < at("Ä"));
    assert!(hive.hive().open("Ÿ").unwrap().is_some());
    assert!(hive.hive().open("Μ").unwrap().is_none(), "the micro sign is not a Greek mu");
}

#[test]
fn an_unsorted_list_is_sorted_when_written() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        for name in ["AA", "AB", "AC"] {
            edit.create_key(&format!(r"P\{name}"));
        }
    });
    let mut bytes = hive.bytes().to_vec();
    let first = key(&hive, r"P\AA");
    bytes[field(first, 76)..field(first, 78)].copy_from_slice(b"AZ");
    let list = node(&hive, "P", 28);
    let hash = hive::name_hash("AZ".encode_utf16());
    bytes[field(list, 8)..field(list, 12)].copy_from_slice(&hash.to_le_bytes());
    let hive = clean(bytes);
    assert!(hive.hive().check().iter().any(|problem| matches!(problem.kind, ProblemKind::NotSorted { .. })));
    let hive = edited(&hive, |edit| {
        edit.create_key(r"P\AD");
    });
    let names: Vec<String> = hive.hive().open("P").unwrap().unwrap().subkeys().map(|key| key.unwrap().name()).collect();
    assert_eq!(names, ["AB", "AC", "AD", "AZ"]);
}

#[test]
fn subkeys_made_and_deleted_in_one_edit_leave_nothing() {
    let before = with_subkeys(MinorVersion::V5, 20);
    let after = edited(&before, |edit| {
        edit.create_key(r"Many\New\Deep\Deeper").set_value(r"Many\New\Deep", "v", 3, &[1; 40_000]);
        edit.delete_key(r"Many\New").create_key(r"Many\New").delete_key(r"many\NEW");
    });
    assert_eq!(hive::diff(&before.hive(), &after.hive()), []);
    assert_eq!(raw::node(&after, "Many", 20), 20);
}
