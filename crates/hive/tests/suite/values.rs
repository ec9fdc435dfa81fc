//! Values: sizes at every border, types, and how they are stored.

use hive::{MinorVersion, ValueKind, encode_multi_sz, encode_sz};

use crate::raw::{NOW, clean, edited, empty, field, node, reseal, u16_at, u32_at};

const SEGMENT: usize = 16_344;

/// The `vk` record of the only value of a key.
fn record(hive: &hive::CleanHive, path: &str) -> u32 {
    u32_at(hive.bytes(), field(node(hive, path, 40), 0))
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 7 + index / 251) as u8).collect()
}

#[test]
fn data_of_every_size_comes_back() {
    let sizes = [0, 1, 2, 3, 4, 5, 8, 100, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 1, 1_000_000];
    for version in [MinorVersion::V3, MinorVersion::V4, MinorVersion::V5, MinorVersion::V6] {
        let mut hive = empty(version);
        for size in sizes {
            hive = edited(&hive, |edit| {
                edit.create_key(&format!("K{size}")).set_value(&format!("K{size}"), "v", 3, &pattern(size));
            });
        }
        for size in sizes {
            let key = hive.hive().open(&format!("K{size}")).unwrap().unwrap();
            assert_eq!(key.value("V").unwrap().unwrap().data().unwrap(), pattern(size), "{size} in {version:?}");
            let vk = record(&hive, &format!("K{size}"));
            let (length, place) = (u32_at(hive.bytes(), field(vk, 4)), u32_at(hive.bytes(), field(vk, 8)));
            match size {
                0..=4 => assert_eq!(length, 0x8000_0000 | size as u32),
                _ if size > SEGMENT && version != MinorVersion::V3 => {
                    assert_eq!(&hive.bytes()[field(place, 0)..field(place, 2)], b"db");
                    assert_eq!(usize::from(u16_at(hive.bytes(), field(place, 2))), size.div_ceil(SEGMENT));
                    let list = u32_at(hive.bytes(), field(place, 4));
                    for index in 0..size.div_ceil(SEGMENT) {
                        let segment = u32_at(hive.bytes(), field(list, 4 * index));
                        let cell = u32_at(hive.bytes(), field(segment, 0) - 4);
                        assert_eq!(cell, 16_352_u32.wrapping_neg(), "every segment has a full cell, as Windows makes them");
                    }
                }
                _ => assert_eq!(&hive.bytes()[field(place, 0)..field(place, 0) + size], pattern(size), "one cell"),
            }
        }
        // Growing and shrinking through every way of storing.
        for pair in sizes.windows(2).chain(sizes.iter().rev().copied().collect::<Vec<_>>().windows(2)) {
            hive = edited(&hive, |edit| {
                edit.set_value("K0", "v", 3, &pattern(pair[0])).set_value("K0", "V", 3, &pattern(pair[1]));
            });
            let data = hive.hive().open("K0").unwrap().unwrap().value("v").unwrap().unwrap().data().unwrap().into_owned();
            assert_eq!(data, pattern(pair[1]));
        }
    }
}

#[test]
fn data_that_looks_like_a_chain_is_not_one() {
    let mut data = pattern(SEGMENT);
    data[..2].copy_from_slice(b"db");
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        edit.set_value("", "v", 3, &data);
    });
    assert_eq!(hive.hive().root().unwrap().value("v").unwrap().unwrap().data().unwrap(), data);
    let mut data = pattern(SEGMENT + 1);
    data[..2].copy_from_slice(b"db");
    let hive = edited(&empty(MinorVersion::V3), |edit| {
        edit.set_value("", "v", 3, &data);
    });
    assert_eq!(hive.hive().root().unwrap().value("v").unwrap().unwrap().data().unwrap(), data);
}

#[test]
fn order_and_spelling_are_kept() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        for name in ["Zeta", "", "alpha", "Beta"] {
            edit.set_value("", name, 4, &[0; 4]);
        }
    });
    let hive = edited(&hive, |edit| {
        edit.set_value("", "BETA", 1, &encode_sz("changed")).delete_value("", "ALPHA").set_value("", "alpha", 4, &[9; 4]);
    });
    let names: Vec<String> = hive.hive().root().unwrap().values().map(|value| value.unwrap().name()).collect();
    assert_eq!(names, ["Zeta", "", "Beta", "alpha"]);
    assert_eq!(hive.hive().root().unwrap().value("beta").unwrap().unwrap().as_string().unwrap(), "changed");
}

#[test]
fn readings_fit_the_type() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        edit.set_value("", "dword", 4, &[1, 2, 3, 4]).set_value("", "big", 5, &[1, 2, 3, 4]);
        edit.set_value("", "short dword", 4, &[1, 2]).set_value("", "qword", 11, &[1, 0, 0, 0, 0, 0, 0, 0x80]);
        edit.set_value("", "sz", 1, &encode_sz("text")).set_value("", "expand", 2, &encode_sz("%a%"));
        edit.set_value("", "multi", 7, &encode_multi_sz(&["a", "b"])).set_value("", "link", 6, b"\\\0R\0");
        edit.set_value("", "odd", 0xffff_0012, &[1]);
    });
    let root = hive.hive();
    let root = root.root().unwrap();
    let value = |name: &str| root.value(name).unwrap().unwrap();
    assert_eq!((value("dword").as_u32(), value("big").as_u32()), (Some(0x0403_0201), Some(0x0102_0304)));
    assert_eq!((value("short dword").as_u32(), value("sz").as_u32(), value("dword").as_u64()), (None, None, None));
    assert_eq!(value("qword").as_u64(), Some(0x8000_0000_0000_0001));
    assert_eq!(value("sz").as_string().as_deref(), Some("text"));
    assert_eq!(value("expand").as_string().as_deref(), Some("%a%"));
    assert_eq!(value("link").as_string().as_deref(), Some(r"\R"));
    assert_eq!((value("dword").as_string(), value("sz").as_multi_string()), (None, None));
    assert_eq!(value("multi").as_multi_string(), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!((value("odd").kind(), value("odd").data_type()), (ValueKind::Other(0xffff_0012), 0xffff_0012));
    for number in 0..20 {
        assert_eq!(u32::from(ValueKind::from(number)), number);
    }
}

#[test]
fn long_data_in_one_cell_is_read_reported_and_replaced() {
    // What hivex writes, and Windows rejects from 1.4 on.
    let old = edited(&empty(MinorVersion::V3), |edit| {
        edit.create_key("K").set_value("K", "v", 3, &pattern(20_000)).set_value("K", "w", 3, &pattern(30_000));
    });
    let mut bytes = old.into_bytes();
    bytes[24] = 5;
    reseal(&mut bytes);
    let hive = clean(bytes);
    let long = |hive: &hive::CleanHive| {
        let problems = hive.hive().check();
        problems.iter().filter(|problem| matches!(problem.kind, hive::ProblemKind::LongData { .. })).count()
    };
    assert_eq!(long(&hive), 2);
    assert_eq!(hive.hive().open("k").unwrap().unwrap().value("v").unwrap().unwrap().data().unwrap(), pattern(20_000));
    let mut edit = hive.edit();
    edit.set_value("K", "v", 3, &pattern(20_001)).create_key("Other");
    let done = edit.commit(NOW).unwrap().hive;
    assert_eq!(long(&done), 1, "the value that was set is right now, the other is as it was");
    let key = done.hive().open("K").unwrap().unwrap();
    assert_eq!(key.value("v").unwrap().unwrap().data().unwrap(), pattern(20_001));
    assert_eq!(key.value("w").unwrap().unwrap().data().unwrap(), pattern(30_000));
    let mut edit = done.edit();
    edit.delete_key("K");
    assert_eq!(edit.commit(NOW).unwrap().hive.hive().check(), []);
}
