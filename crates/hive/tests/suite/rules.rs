//! The rules of writing, one test each: what changes, and what must never change.

use hive::{CleanHive, Error, MinorVersion, Recovered, encode_sz, recover};

use crate::raw::{self, NOW, THEN, clean, edited, empty, field, key, node, refused, u32_at};

fn rich() -> CleanHive {
    edited(&empty(MinorVersion::V5), |edit| {
        edit.create_key(r"Select").create_key(r"ControlSet001\Services\Tcpip\Parameters");
        edit.set_value("Select", "Current", 4, &[1, 0, 0, 0]);
        edit.set_value(r"ControlSet001\Services\Tcpip", "ImagePath", 2, &encode_sz(r"system32\tcpip.sys"));
    })
}

#[test]
fn a_new_hive_is_sound() {
    for version in [MinorVersion::V3, MinorVersion::V4, MinorVersion::V5, MinorVersion::V6] {
        let hive = empty(version);
        assert_eq!(hive.hive().check(), []);
        assert_eq!(hive.hive().root().unwrap().flags(), 0x2c);
        assert_eq!(hive.hive().root().unwrap().security().unwrap().unwrap().len(), 124);
        assert_eq!(hive.hive().base_block().file_name, r"SystemRoot\System32\Config\TEST");
        assert_eq!(clean(hive.bytes().to_vec()), hive);
    }
}

#[test]
fn both_sequence_numbers_become_one_more_than_the_highest() {
    let mut bytes = rich().into_bytes();
    raw::set_sequence(&mut bytes, 40, 40);
    let done = edited(&clean(bytes.clone()), |edit| {
        edit.create_key("New");
    });
    let base = done.hive().base_block().clone();
    assert_eq!((base.primary_sequence, base.secondary_sequence, base.checksum_ok), (41, 41, true));
    assert_eq!(base.last_written, NOW);

    raw::set_sequence(&mut bytes, u32::MAX, u32::MAX);
    let error = refused(&clean(bytes), |edit| {
        edit.create_key("New");
    });
    assert_eq!(error, Error::SequenceExhausted { actual: u32::MAX });
}

#[test]
fn every_other_field_of_the_base_block_is_kept() {
    let mut bytes = rich().into_bytes();
    for (index, byte) in bytes[112..508].iter_mut().enumerate() {
        *byte = index as u8;
    }
    bytes[144..148].copy_from_slice(&1_u32.to_le_bytes());
    for byte in &mut bytes[512..4096] {
        *byte = 0x5a;
    }
    raw::reseal(&mut bytes);
    let hive = clean(bytes.clone());
    assert_eq!(hive.hive().base_block().flags, 1);
    let done = edited(&hive, |edit| {
        edit.create_key("New");
    });
    for at in (0..4).chain(20..508).chain(512..4096) {
        assert_eq!(done.bytes()[at], bytes[at], "byte {at:#x}");
    }
    assert_eq!(done.hive().base_block().flags, 1);
}

#[test]
fn new_bins_go_after_the_last_bin_and_not_after_slack() {
    let mut bytes = rich().into_bytes();
    let end = bytes.len();
    bytes.resize(end + 20_000, 0xaa);
    let hive = clean(bytes);
    let small = edited(&hive, |edit| {
        edit.set_value("", "Data", 3, &[7; 5000]);
    });
    let size = small.hive().base_block().bins_size as usize;
    assert!(size > end - 4096);
    assert_eq!(&small.bytes()[end..end + 4], b"hbin");
    assert_eq!(small.bytes().len(), hive.bytes().len(), "the slack is used before the file grows");
    assert!(small.bytes()[4096 + size..].iter().all(|&byte| byte == 0xaa), "what is left of the slack is kept");

    let large = edited(&hive, |edit| {
        edit.set_value("", "Data", 3, &[7; 60_000]);
    });
    assert_eq!(large.bytes().len(), 4096 + large.hive().base_block().bins_size as usize);
    assert_eq!(large.hive().root().unwrap().value("data").unwrap().unwrap().data().unwrap().len(), 60_000);
}

#[test]
fn nothing_to_do_changes_not_one_byte() {
    let hive = rich();
    let mut edit = hive.edit();
    edit.create_key(r"SELECT").create_key(r"controlset001\services");
    edit.set_value("select", "current", 4, &[1, 0, 0, 0]);
    edit.delete_key(r"Missing\Deeper").delete_value("Select", "Missing").delete_value("Missing", "Missing");
    let done = edit.commit(NOW).unwrap();
    assert!(!done.changed);
    assert_eq!(done.hive, hive);

    let change = |edit: &mut hive::Edit<'_>| {
        edit.create_key(r"A\B").set_value(r"A\B", "C", 1, &encode_sz("D")).delete_key("Select");
    };
    let once = edited(&hive, change);
    let mut again = once.edit();
    change(&mut again);
    assert!(!again.commit(NOW + 1).unwrap().changed, "twice equals once");
}

#[test]
fn only_touched_keys_get_the_time() {
    let hive = rich();
    let base = clean(hive.into_bytes());
    let mut edit = base.edit();
    edit.set_value(r"ControlSet001\Services\Tcpip", "Start", 4, &[0; 4]).create_key(r"Select\Sub");
    let done = edit.commit(NOW + 5).unwrap().hive;
    let time = |path: &str| done.hive().open(path).unwrap().unwrap().last_written();
    assert_eq!(time(r"ControlSet001\Services\Tcpip"), NOW + 5);
    assert_eq!(time(r"ControlSet001\Services"), NOW);
    assert_eq!(time(r"ControlSet001\Services\Tcpip\Parameters"), NOW);
    assert_eq!(time("Select"), NOW + 5, "a new subkey changes its parent");
    assert_eq!(time(r"Select\Sub"), NOW + 5);
    assert_eq!(time(""), NOW);
    assert_eq!(empty(MinorVersion::V5).hive().root().unwrap().last_written(), THEN);
}

#[test]
fn promised_lengths_grow_and_flags_beside_them_stay() {
    let mut bytes = rich().into_bytes();
    let services = key(&clean(bytes.clone()), r"ControlSet001\Services");
    bytes[field(services, 54)..field(services, 56)].copy_from_slice(&[0x21, 0x84]);
    let hive = clean(bytes);
    let done = edited(&hive, |edit| {
        edit.create_key(r"ControlSet001\Services\A rather long name");
        edit.set_value(r"ControlSet001\Services", "Ŷ value", 3, &[1; 77]);
        edit.set_value(r"ControlSet001\Services", "x", 3, &[1; 5]);
    });
    let services = r"ControlSet001\Services";
    assert_eq!(node(&done, services, 52), 0x8421_0024);
    assert_eq!(node(&done, services, 60), 2 * 7);
    assert_eq!(node(&done, services, 64), 77);
    let less = edited(&done, |edit| {
        edit.delete_value(services, "ŷ VALUE").delete_key(r"ControlSet001\Services\A rather long name");
    });
    assert_eq!((node(&less, services, 52), node(&less, services, 64)), (0x8421_0024, 77), "they do not shrink");
    let none = edited(&less, |edit| {
        edit.delete_value(services, "X").delete_key(r"ControlSet001\Services\Tcpip");
    });
    assert_eq!(node(&none, services, 52), 0x8421_0000, "but they end with the last one");
    assert_eq!((node(&none, services, 60), node(&none, services, 64)), (0, 0));
    assert_eq!((node(&none, services, 28), node(&none, services, 40)), (u32::MAX, u32::MAX));
}

#[test]
fn names_compress_to_latin1() {
    let done = edited(&empty(MinorVersion::V5), |edit| {
        edit.create_key("Füße").create_key("Ωmega").set_value("", "naïve", 4, &[0; 4]).set_value("", "ključ", 4, &[1; 4]);
    });
    let hive = done.hive();
    assert!(hive.open("füSSe").unwrap().is_none(), "the sharp s has no capital");
    assert_eq!(hive.open("FÜßE").unwrap().unwrap().flags(), 0x20);
    assert_eq!(hive.open("ωMEGA").unwrap().unwrap().flags(), 0);
    let root = hive.root().unwrap();
    assert_eq!(root.value("NAÏVE").unwrap().unwrap().name(), "naïve");
    assert_eq!(root.value("KLJUČ").unwrap().unwrap().as_u32(), Some(0x0101_0101));
}

#[test]
fn twins_that_differ_only_in_case_are_refused() {
    let hive = edited(&rich(), |edit| {
        edit.create_key(r"Select\AB").create_key(r"Select\AC").create_key("Other");
        edit.set_value("Other", "One", 4, &[0; 4]).set_value("Other", "Two", 4, &[0; 4]);
    });
    let mut bytes = hive.bytes().to_vec();
    let twin = key(&hive, r"Select\AC");
    bytes[field(twin, 76)..field(twin, 78)].copy_from_slice(b"ab");
    let hive = clean(bytes);
    let error = refused(&hive, |edit| {
        edit.create_key(r"Select\New");
    });
    assert!(matches!(error, Error::NameTwice { ref name, .. } if name == "AB"), "{error}");
    let error = refused(&hive, |edit| {
        edit.delete_key(r"Select\AB");
    });
    assert!(matches!(error, Error::NameTwice { .. }), "{error}");
    // Elsewhere the hive can be edited; the oddity stays.
    let mut edit = hive.edit();
    edit.set_value("Other", "Three", 4, &[0; 4]);
    let done = edit.commit(NOW).unwrap().hive;
    assert!(!done.hive().check().is_empty());
}

#[test]
fn what_windows_forbids_is_refused() {
    let hive = rich();
    let protected = refused(&hive, |edit| {
        edit.delete_key("");
    });
    assert!(matches!(protected, Error::KeyProtected { .. }), "{protected}");
    let missing = refused(&hive, |edit| {
        edit.set_value("Missing", "x", 4, &[0; 4]);
    });
    assert_eq!(missing, Error::KeyNotFound { path: "Missing".into() });
    let long = refused(&hive, |edit| {
        edit.create_key(&"k".repeat(256));
    });
    assert!(matches!(long, Error::NameTooLong { expected: 255, actual: 256, .. }), "{long}");
    let long = refused(&hive, |edit| {
        edit.set_value("", &"v".repeat(16_384), 4, &[0; 4]);
    });
    assert!(matches!(long, Error::NameTooLong { expected: 16_383, .. }), "{long}");
    let deep = refused(&hive, |edit| {
        edit.create_key(&r"a\".repeat(513));
    });
    assert!(matches!(deep, Error::TooDeep { .. }), "{deep}");
    edited(&hive, |edit| {
        edit.create_key(&"k".repeat(255)).create_key(&r"a\".repeat(512)).set_value("", &"v".repeat(16_383), 4, &[0; 4]);
    });

    let mut bytes = hive.bytes().to_vec();
    let fixed = key(&hive, r"ControlSet001\Services\Tcpip");
    bytes[field(fixed, 2)] |= 0x08;
    let error = refused(&clean(bytes), |edit| {
        edit.delete_key("ControlSet001");
    });
    assert!(matches!(error, Error::KeyProtected { .. }), "a protected key protects those above it: {error}");
}

#[test]
fn symbolic_links_and_volatile_subkeys_are_left_alone() {
    let hive = rich();
    let mut bytes = hive.bytes().to_vec();
    let select = key(&hive, "Select");
    bytes[field(select, 2)] |= 0x10;
    bytes[field(select, 24)..field(select, 28)].copy_from_slice(&3_u32.to_le_bytes());
    bytes[field(select, 32)..field(select, 36)].copy_from_slice(&0x8000_1234_u32.to_le_bytes());
    let done = edited(&clean(bytes), |edit| {
        edit.set_value("Select", "Default", 4, &[1, 0, 0, 0]).create_key(r"Select\Sub");
    });
    assert_eq!(done.hive().open("Select").unwrap().unwrap().flags(), 0x30);
    assert_eq!((node(&done, "Select", 24), node(&done, "Select", 32)), (3, 0x8000_1234));
}

#[test]
fn layered_keys_and_predefined_handles_are_refused() {
    let hive = edited(&empty(MinorVersion::V6), |edit| {
        edit.create_key("A").create_key("B");
    });
    let mut bytes = hive.bytes().to_vec();
    bytes[field(key(&hive, "A"), 13)] = 1;
    let (handle, flags) = (key(&hive, "B"), field(key(&hive, "B"), 2));
    bytes[flags] |= 0x40;
    bytes[field(handle, 36)..field(handle, 40)].copy_from_slice(&0x8000_0002_u32.to_le_bytes());
    let hive = clean(bytes);
    assert_eq!(hive.hive().check(), []);
    let layered = refused(&hive, |edit| {
        edit.create_key(r"A\B");
    });
    assert!(matches!(layered, Error::KeyLayered { .. }), "{layered}");
    let predefined = refused(&hive, |edit| {
        edit.set_value("B", "v", 4, &[0; 4]);
    });
    assert!(matches!(predefined, Error::Damaged { .. }), "{predefined}");
}

#[test]
fn errors_are_sentences() {
    let hive = rich();
    let error = refused(&hive, |edit| {
        edit.set_value(r"No\Such", "v", 4, &[0; 4]);
    });
    assert_eq!(error.to_string(), r#"There is no key "No\Such" in the hive; create it first."#);
}

#[test]
fn freed_space_is_used_again_and_joined() {
    let mut hive = rich();
    let start = hive.bytes().len();
    for round in 0..40_u8 {
        hive = edited(&hive, |edit| {
            edit.create_key(r"Temp\Deep").set_value(r"Temp\Deep", "Data", 3, &[round; 3000]);
        });
        hive = edited(&hive, |edit| {
            edit.delete_key("Temp");
        });
    }
    assert!(hive.bytes().len() <= start + 4096, "grew from {start} to {}", hive.bytes().len());
    let free = hive::diff(&rich().hive(), &hive.hive());
    assert_eq!(free, [], "nothing else changed");
}

#[test]
fn a_dirty_hive_never_becomes_writable_without_logs() {
    let mut bytes = rich().into_bytes();
    raw::set_sequence(&mut bytes, 8, 7);
    let mut torn = rich().into_bytes();
    torn[508] ^= 1;
    let mut cut = rich().into_bytes();
    cut.truncate(cut.len() - 512);
    let mut broken = rich().into_bytes();
    broken[4096..4100].copy_from_slice(b"nope");
    for (bytes, word) in [(bytes, "sequence numbers are 8 and 7"), (torn, "checksum"), (cut, "bytes long"), (broken, "bin")] {
        match recover(bytes.clone(), &[&[]]).unwrap() {
            Recovered::DirtyWithoutLogs { bytes: kept, why } => {
                assert_eq!(kept, bytes);
                assert!(why.contains(word), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(recover(vec![0; 8192], &[]), Err(Error::NotAHive { .. })));
    assert!(matches!(recover(vec![], &[]), Err(Error::FileTooShort { .. })));
}

#[test]
fn the_same_cell_of_a_hive_is_read_by_hand() {
    // A check of the tests' own tools: the root of a new hive lies at 0x20 and its security record at 0x78.
    let hive = empty(MinorVersion::V5);
    assert_eq!(key(&hive, ""), 0x20);
    assert_eq!(node(&hive, "", 44), 0x78);
    assert_eq!(u32_at(hive.bytes(), field(0x78, 12)), 1);
}
