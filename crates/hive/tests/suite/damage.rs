//! Damage of every kind: nothing may panic, hang or be written.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hive::{CleanHive, Hive, MinorVersion, Recovered, recover};

use crate::mutate::Seed;
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

/// Reads everything there is in every way there is. Results do not matter.
fn read_all(bytes: &[u8]) {
    let Ok(hive) = Hive::parse(bytes) else { return };
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
    let _ = (hive.check(), hive.open(r"Many\500"), hive.open(r"Ωmega\Sub"));
}

/// Edits a hive and reads the result again.
fn edit_all(hive: &CleanHive) -> bool {
    let Some(Ok(first)) = hive.hive().root().ok().and_then(|root| root.subkeys().next()) else { return false };
    let mut edit = hive.edit();
    edit.create_key(r"New\Deep").set_value(r"New\Deep", "New", 3, &[1; 20_000]).delete_value("", "Ωvalue").delete_key(&first.name());
    let Ok(done) = edit.commit(1) else { return false };
    read_all(done.hive.bytes());
    true
}

/// How long this thread has worked: on Linux without the time in which other programs had the processor.
fn worked() -> Duration {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat").ok().and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| BEGIN.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// The most memory in use at one time, in bytes; no single request can be larger.
fn peak(act: impl FnOnce()) -> usize {
    allocation_counter::measure(act).bytes_max as usize
}

/// Memory that does not depend on the input: the list of at most 1000 problems and their words.
const CONSTANT: usize = 256 << 10;

/// What one run of mutations came to.
#[derive(Debug, Default)]
struct Counts {
    inputs: usize,
    recovered_clean: usize,
    replayed: usize,
    refused: usize,
    no_hive: usize,
    edited: usize,
    slowest: Duration,
    most_read: f64,
    most_recover: f64,
    most_edit: f64,
}

impl Counts {
    /// Reads, recovers and edits one input, and holds it to the limits.
    fn take(&mut self, name: &str, primary: Vec<u8>, logs: &[Vec<u8>], limit: Duration) {
        let (start, size) = (worked(), primary.len() + logs.iter().map(Vec::len).sum::<usize>());
        let times = |bytes: usize| bytes.saturating_sub(CONSTANT) as f64 / size.max(1) as f64;
        self.inputs += 1;
        let read = times(peak(|| read_all(&primary)));
        let logs: Vec<&[u8]> = logs.iter().map(Vec::as_slice).collect();
        let mut recovered = None;
        let recover = times(peak(|| recovered = Some(recover(primary.clone(), &logs))));
        drop(primary);
        let mut edit = 0.0;
        match recovered.unwrap() {
            Ok(Recovered::Clean(hive)) => {
                self.recovered_clean += 1;
                edit = times(peak(|| self.edited += usize::from(edit_all(&hive))));
            }
            Ok(Recovered::Replayed { hive, .. }) => {
                self.replayed += 1;
                edit = times(peak(|| self.edited += usize::from(edit_all(&hive))));
            }
            Ok(Recovered::DirtyWithoutLogs { .. }) => self.refused += 1,
            Err(_) => self.no_hive += 1,
        }
        let took = worked() - start;
        assert!(took < limit, "{name}: {took:?}");
        assert!(read <= READ && recover <= READ && edit <= EDIT, "{name}: {read:.1}, {recover:.1} and {edit:.1} times the input");
        self.slowest = self.slowest.max(took);
        self.most_read = self.most_read.max(read);
        self.most_recover = self.most_recover.max(recover);
        self.most_edit = self.most_edit.max(edit);
    }
}

/// How many times the size of hive and logs is in use at most, besides [`CONSTANT`]: while reading and recovering, and while editing
/// (a copy, the tree that is meant and the tree of the result at once).
const READ: f64 = 4.0;
const EDIT: f64 = 16.0;

/// A second for each input; four without the compiler's help.
const LIMIT: Duration = Duration::from_secs(if cfg!(debug_assertions) { 4 } else { 1 });

/// How often the numbers below are multiplied: `HRESOLVE_ROUNDS`, for a long run by hand. 50 makes 100,000 inputs.
fn factor() -> usize {
    std::env::var("HRESOLVE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Mutates the seeds in turn. An input is made from its seed and number alone, so that one that failed can be made again.
fn mutate(what: &str, seeds: &[Seed], inputs: usize) {
    let mut counts = Counts::default();
    for input in 0..inputs {
        let seed = &seeds[input % seeds.len()];
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ ((input as u64 + 1) << 20) ^ seed.size() as u64);
        let (primary, logs) = seed.mutated(seeds, &mut dice);
        let name = format!("{}, input {input}", seed.name);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| counts.take(&name, primary, &logs, LIMIT))) {
            println!("failed: {name}");
            resume_unwind(panic);
        }
    }
    println!("{what}, {} seeds: {counts:#?}", seeds.len());
}

/// Small real hives, some with logs, and made ones that have everything the format has.
fn small_seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for name in [
        "hivex/minimal",
        "hivex/special",
        "hivex/rlenvalue_test_hive",
        "yarp/BadListHive",
        "yarp/BigDataHive",
        "yarp/CompHive",
        "yarp/ExtendedASCIIHive",
        "yarp/ManySubkeysHive",
        "yarp/MultiSzHive",
        "yarp/StringValuesHive",
        "yarp/TruncatedHive",
        "yarp/UnicodeHive",
    ] {
        seeds.extend(places::read(name).map(|primary| Seed::new(name, primary, Vec::new())));
    }
    for (name, logs) in [
        ("yarp/NewDirtyHive1/NewDirtyHive", &["LOG1", "LOG2"][..]),
        ("yarp/BadLogHive1/BadLogHive", &["LOG1", "LOG2"]),
        ("yarp/OldDirtyHive/OldDirtyHive", &["LOG1", "LOG2", "LOG"]),
    ] {
        let Some(primary) = places::read(name) else { continue };
        let path = places::registry(name).unwrap();
        let logs = logs.iter().filter_map(|log| std::fs::read(path.with_extension(log)).ok()).filter(|log| !log.is_empty());
        seeds.push(Seed::new(name, primary, logs.collect()));
    }
    if let Some(path) = places::unpacked("BCD") {
        seeds.push(Seed::new("BCD", std::fs::read(path).unwrap(), Vec::new()));
    }
    for version in [MinorVersion::V5, MinorVersion::V3] {
        let before = rich(version);
        seeds.push(Seed::new("made", before.bytes().to_vec(), Vec::new()));
        let mut states = vec![before];
        for index in 0..3_u8 {
            let next = edited(states.last().unwrap(), |edit| {
                edit.create_key(&format!("New {index}")).set_value("", "Data", 3, &[index; 5000]);
            });
            states.push(next);
        }
        let mut primary = states[0].bytes().to_vec();
        set_sequence(&mut primary, 9, 8);
        let entries: Vec<Vec<u8>> = (0..3).map(|at| logs::entry(states[at].bytes(), states[at + 1].bytes(), 9 + at as u32)).collect();
        let (early, late) = (logs::new_log(&primary, 9, &entries[..2]), logs::new_log(&primary, 11, &entries[2..]));
        let old = logs::old_log(&primary, states[1].bytes(), 9);
        seeds.push(Seed::new("made with new logs", primary.clone(), vec![early, late]));
        seeds.push(Seed::new("made with an old log", primary, vec![old]));
    }
    seeds
}

#[test]
fn mutated_small_hives_and_logs_do_no_harm() {
    mutate("small hives and logs", &small_seeds(), 1992 * factor());
}

#[test]
fn mutated_large_real_hives_do_no_harm() {
    let mut seeds = Vec::new();
    for (name, logs) in [("SYSTEM", &[][..]), ("SYSTEM_B", &["SYSTEM_B.LOG1", "SYSTEM_B.LOG2"]), ("SYSTEM_2", &[])] {
        let Some(path) = places::unpacked(name) else { return };
        let logs = logs.iter().map(|log| std::fs::read(places::unpacked(log).unwrap()).unwrap());
        seeds.push(Seed::new(name, std::fs::read(path).unwrap(), logs.collect()));
    }
    mutate("large real hives", &seeds, 8 * factor());
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
    read_all(&bytes);
    let steps: Vec<_> = Hive::parse(&bytes).unwrap().walk().collect();
    assert!(steps.len() < bytes.len() / 4 + 206, "40,000 wrong entries are not all gone through");
    assert!(matches!(steps.last(), Some(Err(hive::Error::ListTooLong { .. }))), "and that is said");

    // "C" lists the list of "A".
    let mut bytes = hive.bytes().to_vec();
    let (list, last) = (crate::raw::node(&hive, "A", 28), crate::raw::key(&hive, r"A\B\C"));
    bytes[crate::raw::field(last, 20)..crate::raw::field(last, 24)].copy_from_slice(&1_u32.to_le_bytes());
    bytes[crate::raw::field(last, 28)..crate::raw::field(last, 32)].copy_from_slice(&list.to_le_bytes());
    read_all(&bytes);
    let hive = Hive::parse(&bytes).unwrap();
    assert!(hive.walk().any(|step| matches!(step, Err(hive::Error::KeyTwice { .. }))));
    assert!(!hive.check().is_empty());
    assert!(start.elapsed() < LIMIT);
}

/// Peak memory of an edit, in times of the hive.
fn edit_peak(bytes: Vec<u8>) -> f64 {
    let size = bytes.len();
    let hive = crate::raw::clean(bytes);
    peak(|| {
        edit_all(&hive);
    }) as f64
        / size as f64
}

#[test]
fn a_long_name_in_many_lists_takes_no_memory_each_time() {
    let hive = edited(&empty(MinorVersion::V5), |edit| {
        edit.create_key("Long").set_value("Long", &"n".repeat(16_000), 4, &[1; 4]);
        for index in 0..2000 {
            edit.set_value("Long", &format!("{index}"), 4, &[1; 4]).create_key(&format!(r"Wide\{index}"));
        }
    });
    let (list, key) = (crate::raw::node(&hive, "Long", 40), crate::raw::key(&hive, "Long"));
    let mut bytes = hive.bytes().to_vec();
    // The list of values of "Long" names the long one each time, and every key below "Wide" has this list.
    let first = bytes[crate::raw::field(list, 0)..crate::raw::field(list, 4)].to_vec();
    for index in 0..2000 {
        bytes[crate::raw::field(list, 4 * index)..crate::raw::field(list, 4 * index + 4)].copy_from_slice(&first);
        let other = crate::raw::key(&hive, &format!(r"Wide\{index}"));
        bytes.copy_within(crate::raw::field(key, 36)..crate::raw::field(key, 44), crate::raw::field(other, 36));
    }
    let times = edit_peak(bytes.clone());
    assert!(times < EDIT, "{times:.1} times");
    let clean = crate::raw::clean(bytes);
    let mut edit = clean.edit();
    edit.create_key("New");
    assert!(matches!(edit.commit(1), Err(hive::Error::VerificationFailed { .. })), "what cannot be compared as a whole is not written");
}

#[test]
fn references_to_nothing_in_a_log_take_no_memory() {
    let before = empty(MinorVersion::V5);
    let after = edited(&before, |edit| {
        edit.create_key("New");
    });
    let mut primary = before.bytes().to_vec();
    set_sequence(&mut primary, 9, 8);
    let count = 200_000_u32;
    let mut entry = logs::entry(before.bytes(), after.bytes(), 9);
    entry.resize((40 + count as usize * 8).next_multiple_of(512), 0);
    entry[40..].fill(0);
    let size = entry.len() as u32;
    entry[4..8].copy_from_slice(&size.to_le_bytes());
    entry[20..24].copy_from_slice(&count.to_le_bytes());
    let log = logs::new_log(&primary, 9, &[logs::sealed(entry)]);
    let size = primary.len() + log.len();
    let most = peak(|| {
        let _ = recover(primary.clone(), &[&log]);
    });
    assert!(most as f64 <= READ * size as f64, "{most} bytes for {size}");
}
