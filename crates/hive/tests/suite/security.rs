//! Security records: shared, counted, linked, freed.

use hive::{Error, MinorVersion};

use crate::raw::{clean, edited, empty, field, node, refused, u32_at};

fn users(hive: &hive::CleanHive, record: u32) -> u32 {
    u32_at(hive.bytes(), field(record, 12))
}

#[test]
fn a_new_key_shares_its_parents_record_and_counts() {
    let hive = empty(MinorVersion::V5);
    let hive = edited(&hive, |edit| {
        edit.create_key(r"A\B\C").create_key("D");
    });
    let record = node(&hive, "", 44);
    assert_eq!([r"A", r"A\B", r"A\B\C", "D"].map(|path| node(&hive, path, 44)), [record; 4]);
    assert_eq!(users(&hive, record), 5);
    let hive = edited(&hive, |edit| {
        edit.delete_key(r"A\B");
    });
    assert_eq!(users(&hive, record), 3);
}

#[test]
fn a_record_is_made_shared_and_freed() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        edit.create_key(r"A\B").create_key("C");
    });
    let first = node(&hive, "", 44);
    let mut other = hive.hive().root().unwrap().security().unwrap().unwrap().to_vec();
    other[40] ^= 1;
    let hive = edited(&hive, |edit| {
        edit.set_security("A", &other).set_security("C", &other).create_key(r"A\D");
    });
    let second = node(&hive, "A", 44);
    assert_ne!(first, second);
    assert_eq!((node(&hive, "C", 44), node(&hive, r"A\B", 44), node(&hive, r"A\D", 44)), (second, first, second));
    assert_eq!((users(&hive, first), users(&hive, second)), (2, 3));
    assert_eq!((u32_at(hive.bytes(), field(first, 4)), u32_at(hive.bytes(), field(first, 8))), (second, second));

    let hive = edited(&hive, |edit| {
        edit.delete_key("C").delete_key(r"A\D");
    });
    assert_eq!(users(&hive, second), 1);
    let hive = edited(&hive, |edit| {
        edit.delete_key("A");
    });
    assert_eq!(users(&hive, first), 1);
    assert_eq!((u32_at(hive.bytes(), field(first, 4)), u32_at(hive.bytes(), field(first, 8))), (first, first));
}

#[test]
fn odd_counts_are_tolerated_but_never_trusted_to_free() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        edit.create_key("A").create_key("B");
    });
    let record = node(&hive, "", 44);
    let with_count = |count: u32| {
        let mut bytes = hive.bytes().to_vec();
        bytes[field(record, 12)..field(record, 16)].copy_from_slice(&count.to_le_bytes());
        clean(bytes)
    };
    let high = with_count(9);
    let mut edit = high.edit();
    edit.delete_key("A");
    assert_eq!(users(&edit.commit(1).unwrap().hive, record), 8);
    let low = refused(&with_count(1), |edit| {
        edit.delete_key("A");
    });
    assert!(matches!(low, Error::Damaged { .. }), "{low}");
}

#[test]
fn a_descriptor_must_be_self_relative() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        edit.create_key("A");
    });
    for bad in [&[][..], &[1; 30], &[1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let error = refused(&hive, |edit| {
            edit.set_security("A", bad);
        });
        assert!(matches!(error, Error::BadSecurity { .. }), "{error}");
    }
}
