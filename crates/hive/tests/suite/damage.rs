//! Damage of every kind: nothing may panic, hang or be written.

use std::time::{Duration, Instant};

use hive::{CleanHive, Hive, MinorVersion, Recovered, recover, tree::Tree};

use crate::raw::{Dice, edited, empty, set_sequence};
use crate::{logs, places};

/// A small hive with everything in it that the format has.
fn rich(version: MinorVersion) -> CleanHive {
    let hive = edited(&empty(version), |edit| {
        for index in 0..60 {
            let key = format!(r"Key {}\Sub", index % 20);
            edit.create_key(&key).set_value(&key, &format!("Välue {index}"), index, &vec![index as u8; index as usize]);
        }
        edit.create_key("Ωmega").set_value("Ωmega", "", 1, b"a\0b\0\0\0").set_value("Ωmega", "Big", 3, &[3; 40_000]);
        edit.set_value("", "Ωvalue", 4, &[1; 4]);
        for index in 0..1100 {
            edit.create_key(&format!(r"Many\{index}"));
        }
    });
    let mut security = hive.hive().root().unwrap().security().unwrap().unwrap().to_vec();
    security[44] ^= 1;
    edited(&hive, |edit| {
        edit.set_security("Ωmega", &security).delete_key("Key 3");
    })
}

/// Reads everything there is in every way there is, and tries to edit what passes for clean. Results do not matter.
fn use_up(bytes: &[u8]) {
    if let Ok(hive) = Hive::parse(bytes) {
        let mut values = 0_usize;
        for step in hive.walk().flatten() {
            let _ = (step.key.name(), step.key.class(), step.key.security());
            for value in step.key.values().flatten().take(2000) {
                let _ = (value.name(), value.data(), value.as_string(), value.as_multi_string(), value.as_u32());
                values += 1;
                if values > 20_000 {
                    break;
                }
            }
        }
        let _ = (hive.check(), Tree::of(&hive), hive.open(r"Many\500"), hive.open(r"Ωmega\Sub"));
    }
    if let Ok(Recovered::Clean(hive)) = recover(bytes.to_vec(), &[]) {
        let mut edit = hive.edit();
        edit.create_key(r"Many\New\Deep").delete_key("Ωmega").delete_key(r"Key 1").set_value(r"Key 2\Sub", "New", 3, &[1; 20_000]);
        if let Ok(done) = edit.commit(1) {
            // Whatever was tolerated, the result must be readable in the same way.
            let _ = Tree::of(&done.hive.hive());
        }
    }
}

/// How often the numbers below are multiplied: `HRESOLVE_ROUNDS`, for a long run by hand.
fn factor() -> usize {
    std::env::var("HRESOLVE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Spoils `rounds` copies of a hive. Structure lies at the start of cells, so most hits aim there.
fn spoil(name: &str, bytes: &[u8], rounds: usize, limit: Duration, mut act: impl FnMut(&[u8])) {
    let mut dice = Dice(0x1234_5678_9abc_def1 ^ bytes.len() as u64);
    let mut cells = Vec::new();
    let mut at = 4096;
    while at + 32 < bytes.len() {
        let size = i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        if &bytes[at..at + 4] == b"hbin" {
            at += 32;
        } else if size == 0 {
            break;
        } else {
            cells.push(at);
            at += size.unsigned_abs() as usize;
        }
    }
    for round in 0..rounds * factor() {
        let mut copy = bytes.to_vec();
        for _ in 0..=dice.roll(8) {
            let at = match dice.roll(10) {
                0 => dice.roll(200),
                1 => dice.roll(copy.len()),
                _ => cells.get(dice.roll(cells.len())).copied().unwrap_or(4096) + dice.roll(84),
            };
            let at = at.min(copy.len() - 4);
            match dice.roll(6) {
                0 => copy[at] ^= 1 << dice.roll(8),
                1 => copy[at] = dice.roll(256) as u8,
                2 => copy[at..at + 4].fill(0xff),
                3 => copy[at..at + 4].fill(0),
                4 => {
                    // A pointer to some other cell: circles, shared lists, wrong kinds.
                    let other = cells.get(dice.roll(cells.len())).map_or(0, |cell| cell - 4096) as u32;
                    copy[at..at + 4].copy_from_slice(&other.to_le_bytes());
                }
                _ => {
                    // A copy of some other place.
                    let from = dice.roll(copy.len() - 16);
                    let to = at.min(copy.len() - 16);
                    copy.copy_within(from..from + 16, to);
                }
            }
        }
        match dice.roll(12) {
            0 => copy.truncate(dice.roll(bytes.len())),
            1 => {}
            _ => crate::raw::reseal(&mut copy),
        }
        let start = Instant::now();
        act(&copy);
        assert!(start.elapsed() < limit, "{name}, round {round}: {:?}", start.elapsed());
    }
}

const QUICK: Duration = Duration::from_secs(5);

#[test]
fn spoilt_made_hives_do_no_harm() {
    for version in [MinorVersion::V5, MinorVersion::V3] {
        spoil("made", rich(version).bytes(), 1500, QUICK, use_up);
    }
}

#[test]
fn spoilt_small_real_hives_do_no_harm() {
    for name in ["hivex/minimal", "hivex/special", "hivex/rlenvalue_test_hive", "yarp/UnicodeHive", "yarp/BadListHive", "yarp/BigDataHive"] {
        let Some(bytes) = places::read(name) else { continue };
        spoil(name, &bytes, 300, QUICK, use_up);
    }
    if let Some(path) = places::unpacked("BCD") {
        spoil("BCD", &std::fs::read(path).unwrap(), 400, QUICK, use_up);
    }
}

#[test]
fn a_spoilt_large_real_hive_does_no_harm() {
    let Some(path) = places::unpacked("SYSTEM") else { return };
    spoil("SYSTEM", &std::fs::read(path).unwrap(), 25, Duration::from_secs(20), use_up);
}

#[test]
fn spoilt_logs_do_no_harm() {
    let before = rich(MinorVersion::V5);
    let mut states = vec![before.clone()];
    for index in 0..3_u8 {
        let next = edited(states.last().unwrap(), |edit| {
            edit.create_key(&format!("New {index}")).set_value("", "Data", 3, &[index; 5000]);
        });
        states.push(next);
    }
    let mut primary = before.bytes().to_vec();
    set_sequence(&mut primary, 9, 8);
    let entries: Vec<Vec<u8>> = (0..3).map(|at| logs::entry(states[at].bytes(), states[at + 1].bytes(), 9 + at as u32)).collect();
    let new = logs::new_log(&primary, 9, &entries);
    let old = logs::old_log(&primary, states[1].bytes(), 9);
    let mut dice = Dice(77);
    for round in 0..1500 * factor() {
        let mut log = if round % 2 == 0 { new.clone() } else { old.clone() };
        let mut damaged = primary.clone();
        for _ in 0..=dice.roll(3) {
            let at = if dice.roll(3) > 0 { dice.roll(700) } else { dice.roll(log.len()) };
            log[at] = dice.roll(256) as u8;
        }
        crate::raw::reseal(&mut log);
        if round % 2 == 0 && dice.roll(2) == 0 {
            // The hashes can be made right by anybody; they prove nothing.
            let entry = logs::sealed(log[512..512 + entries[0].len()].to_vec());
            log[512..512 + entry.len()].copy_from_slice(&entry);
        }
        if dice.roll(4) == 0 {
            log.truncate(dice.roll(log.len()));
        }
        if dice.roll(4) == 0 {
            damaged[dice.roll(520)] = dice.roll(256) as u8;
        }
        let start = Instant::now();
        if let Ok(Recovered::Replayed { hive, .. }) = recover(damaged, &[&log, &new]) {
            use_up(hive.bytes());
        }
        assert!(start.elapsed() < QUICK, "round {round}: {:?}", start.elapsed());
    }
}

#[test]
fn circles_and_shared_lists_end() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        for index in 0..200 {
            edit.create_key(&format!(r"Wide\{index}"));
        }
        edit.create_key(r"A\B\C");
    });
    let wide = crate::raw::node(&hive, "Wide", 28);
    // Every key below "Wide" gets the list of "Wide" itself.
    let mut bytes = hive.bytes().to_vec();
    for index in 0..200 {
        let key = crate::raw::key(&hive, &format!(r"Wide\{index}"));
        bytes[crate::raw::field(key, 20)..crate::raw::field(key, 24)].copy_from_slice(&200_u32.to_le_bytes());
        bytes[crate::raw::field(key, 28)..crate::raw::field(key, 32)].copy_from_slice(&wide.to_le_bytes());
    }
    let start = Instant::now();
    use_up(&bytes);
    let steps: Vec<_> = Hive::parse(&bytes).unwrap().walk().collect();
    assert!(steps.len() < bytes.len() / 4 + 206, "40,000 wrong entries are not all gone through");
    assert!(matches!(steps.last(), Some(Err(hive::Error::ListTooLong { .. }))), "and that is said");

    // "C" lists the list of "A".
    let mut bytes = hive.bytes().to_vec();
    let (list, last) = (crate::raw::node(&hive, "A", 28), crate::raw::key(&hive, r"A\B\C"));
    bytes[crate::raw::field(last, 20)..crate::raw::field(last, 24)].copy_from_slice(&1_u32.to_le_bytes());
    bytes[crate::raw::field(last, 28)..crate::raw::field(last, 32)].copy_from_slice(&list.to_le_bytes());
    use_up(&bytes);
    let hive = Hive::parse(&bytes).unwrap();
    assert!(hive.walk().any(|step| matches!(step, Err(hive::Error::KeyTwice { .. }))));
    assert!(!hive.check().is_empty());
    assert!(start.elapsed() < QUICK);
}
