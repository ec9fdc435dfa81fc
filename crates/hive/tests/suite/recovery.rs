//! Recovery: made logs of both generations, and real ones with the hive that Windows itself recovered.

use std::fs;

use hive::{CleanHive, LogFormat, MinorVersion, Recovered, ReplayReport, recover, tree::Tree};

use crate::raw::{NOW, edited, empty, set_sequence, u32_at};
use crate::{logs, oracle, places};

fn replayed(primary: Vec<u8>, logs: &[&[u8]]) -> (CleanHive, ReplayReport) {
    match recover(primary, logs).unwrap() {
        Recovered::Replayed { hive, report } => (hive, report),
        other => panic!("not replayed: {other:?}"),
    }
}

fn refusal(primary: Vec<u8>, logs: &[&[u8]]) -> String {
    match recover(primary.clone(), logs).unwrap() {
        Recovered::DirtyWithoutLogs { bytes, why } => {
            assert_eq!(bytes, primary, "the bytes are given back unchanged");
            why
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// Six states of a hive; between them it grows, changes and shrinks inside.
fn states() -> Vec<Vec<u8>> {
    let mut hive = empty(MinorVersion::V5);
    let mut states = vec![hive.bytes().to_vec()];
    for index in 0..5_u8 {
        hive = edited(&hive, |edit| {
            edit.create_key(&format!(r"Key {index}\Sub")).set_value("", "Data", 3, &vec![index; 3000 * usize::from(index)]);
            if index == 3 {
                edit.delete_key("Key 1");
            }
        });
        states.push(hive.bytes().to_vec());
    }
    states
}

fn bins(bytes: &[u8]) -> &[u8] {
    &bytes[4096..]
}

#[test]
fn entries_of_both_logs_are_applied_in_their_order() {
    let states = states();
    let entries: Vec<Vec<u8>> = (0..5).map(|at| logs::entry(&states[at], &states[at + 1], 70 + at as u32)).collect();
    let mut primary = states[0].clone();
    set_sequence(&mut primary, 70, 69);
    // The second log may hold the earlier entries.
    for split in 1..5 {
        let early = logs::new_log(&states[0], 70, &entries[..split]);
        let late = logs::new_log(&states[0], 70 + split as u32, &entries[split..]);
        for logs in [[&early[..], &late[..]], [&late[..], &early[..]]] {
            let (hive, report) = replayed(primary.clone(), &logs);
            assert_eq!(bins(hive.bytes()), bins(&states[5]));
            assert_eq!((report.entries, report.first_sequence, report.last_sequence), (5, 70, 74));
            assert_eq!(hive.hive().base_block().primary_sequence, 75);
            assert!(!hive.hive().base_block().is_dirty());
            assert_eq!(report.format, LogFormat::New);
            // The next write takes the number after the highest on disk.
            let mut edit = hive.edit();
            edit.create_key("After");
            assert_eq!(edit.commit(NOW).unwrap().hive.hive().base_block().secondary_sequence, 75);
        }
    }
}

#[test]
fn replay_stops_at_a_gap_or_a_damaged_entry() {
    let states = states();
    let entries: Vec<Vec<u8>> = (0..5).map(|at| logs::entry(&states[at], &states[at + 1], 70 + at as u32)).collect();
    let mut primary = states[0].clone();
    set_sequence(&mut primary, 70, 69);
    // The state after two entries, however the third is spoilt.
    for (at, flip) in [(4, 0x10), (12, 1), (16, 1), (20, 1), (24, 1), (32, 1), (45, 1), (600, 1)] {
        let mut spoilt = entries.clone();
        spoilt[2][at] ^= flip;
        let log = logs::new_log(&states[0], 70, &spoilt);
        let (hive, report) = replayed(primary.clone(), &[&log]);
        assert_eq!(report.entries, 2, "byte {at}");
        assert_eq!(hive.bytes()[4096..], states[2][4096..]);
    }
    let gap = logs::new_log(&states[0], 70, &[entries[0].clone(), entries[2].clone()]);
    assert_eq!(replayed(primary.clone(), &[&gap]).1.entries, 1);
    let mut spoilt = entries.clone();
    spoilt[0][50] ^= 1;
    let why = refusal(primary.clone(), &[&logs::new_log(&states[0], 70, &spoilt)]);
    assert!(why.contains("no valid entry"), "{why}");
    let why = refusal(primary.clone(), &[&logs::new_log(&states[0], 60, &entries), &[]]);
    assert!(why.contains("Log 2 is empty"), "{why}");
    let mut header = logs::new_log(&states[0], 70, &entries);
    header[100] ^= 1;
    let why = refusal(primary, &[&header]);
    assert!(why.contains("Log 1 is damaged"), "{why}");
}

#[test]
fn the_numbers_of_a_clean_hives_logs_count() {
    let states = states();
    let entry = logs::entry(&states[0], &states[1], 500);
    let log = logs::new_log(&states[0], 500, &[entry]);
    let Recovered::Clean(hive) = recover(states[0].clone(), &[&log]).unwrap() else { panic!("it is clean") };
    assert_eq!(hive.bytes(), states[0], "a log of a clean hive is not applied");
    assert_eq!(hive.highest_sequence(), 500);
    let done = edited(&hive, |edit| {
        edit.create_key("New");
    });
    assert_eq!(done.hive().base_block().primary_sequence, 501);
}

#[test]
fn a_damaged_base_block_comes_from_the_log() {
    let states = states();
    let entries: Vec<Vec<u8>> = (0..5).map(|at| logs::entry(&states[at], &states[at + 1], 70 + at as u32)).collect();
    let early = logs::new_log(&states[0], 70, &entries[..2]);
    let late = logs::new_log(&states[2], 72, &entries[2..]);
    for (at, junk) in [(508, 0xff), (0, b'x'), (24, 9), (36, 0x77), (43, 0x7f)] {
        let mut primary = states[0].clone();
        primary[at] = junk;
        let (hive, report) = replayed(primary, &[&early, &late]);
        assert!(report.base_block_recovered);
        assert_eq!(bins(hive.bytes()), bins(&states[5]));
        assert_eq!(hive.hive().base_block().file_type, 0);
        assert_eq!(hive.hive().check(), []);
    }
}

#[test]
fn an_old_log_is_applied_when_it_belongs_to_the_write() {
    let states = states();
    let mut primary = states[1].clone();
    set_sequence(&mut primary, 9, 8);
    let log = logs::old_log(&primary, &states[2], 9);
    let (hive, report) = replayed(primary.clone(), &[&log, &[]]);
    assert_eq!((report.format, hive.hive().base_block().primary_sequence), (LogFormat::Old, 10));
    assert_eq!(bins(hive.bytes()), bins(&states[2]));
    // Another time: another write.
    let mut other = primary.clone();
    other[12] ^= 1;
    set_sequence(&mut other, 9, 8);
    assert!(refusal(other, &[&log]).contains("belongs to the write"));
    // A damaged base block: the time is taken from the first bin.
    let mut torn = primary.clone();
    torn[508] ^= 1;
    let (hive, report) = replayed(torn, &[&log]);
    assert!(report.base_block_recovered);
    assert_eq!(bins(hive.bytes()), bins(&states[2]));
    let cut = &log[..log.len() - 100];
    assert!(refusal(primary, &[cut]).contains("cut off"));
}

#[test]
fn a_log_cannot_demand_more_memory_than_it_has() {
    let states = states();
    let mut huge = states[1].clone();
    huge[40..44].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
    // An entry that claims a hive of two gigabytes but holds one page.
    let mut primary = states[0].clone();
    set_sequence(&mut primary, 70, 69);
    let mut entry = logs::entry(&states[0], &states[1], 70);
    entry[16..20].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
    let entry = logs::sealed(entry);
    let why = refusal(primary, &[&logs::new_log(&states[0], 70, &[entry])]);
    assert!(why.contains("does not fit"), "{why}");
}

#[test]
fn a_log_of_forged_headers_is_not_read_for_ever() {
    let states = states();
    let mut primary = states[0].clone();
    set_sequence(&mut primary, 70, 69);
    // Read to the end for each of its 32,768 headers, this log would take some minutes.
    let forged = logs::forged(u32_at(&states[0], 40), 16 << 20);
    let start = std::time::Instant::now();
    let why = refusal(primary, &[&logs::new_log(&states[0], 70, &[forged])]);
    assert!(why.contains("no valid entry"), "{why}");
    assert!(start.elapsed().as_secs() < 30, "it took {:?}", start.elapsed());
}

/// The bytes at which two files differ from `from` on.
fn differences(a: &[u8], b: &[u8], from: usize) -> Vec<usize> {
    assert_eq!(a.len(), b.len());
    (from..a.len()).filter(|&at| a[at] != b[at]).collect()
}

#[test]
fn new_logs_give_what_windows_10_recovered() {
    let name = |file: &str| format!("yarp/NewDirtyHive1/{file}");
    let files = ["NewDirtyHive", "NewDirtyHive.LOG1", "NewDirtyHive.LOG2", "RecoveredHive_Windows10"];
    let [Some(primary), Some(log1), Some(log2), Some(truth)] = files.map(|file| places::read(&name(file))) else { return };
    let (hive, report) = replayed(primary, &[&log1, &log2]);
    assert_eq!(differences(hive.bytes(), &truth, 0), [], "even the base block is the same");
    assert_eq!((report.entries, report.last_sequence), (4, 5));
}

#[test]
fn an_old_log_gives_what_windows_7_recovered() {
    let name = |file: &str| format!("yarp/OldDirtyHive/{file}");
    let files = ["OldDirtyHive", "OldDirtyHive.LOG1", "OldDirtyHive.LOG2", "RecoveredHive_Windows7"];
    let [Some(primary), Some(log1), Some(log2), Some(truth)] = files.map(|file| places::read(&name(file))) else { return };
    let (hive, _) = replayed(primary, &[&log1, &log2]);
    // Windows had also written a new time into the first bin, and one byte of its own.
    assert_eq!(differences(hive.bytes(), &truth, 4096), [0x1014, 0x1015, 0x1016, 0x1017, 0x1018, 0x6bdc8]);
}

#[test]
fn a_damaged_real_log_is_refused() {
    let name = |file: &str| format!("yarp/BadLogHive1/{file}");
    let files = ["BadLogHive", "BadLogHive.LOG1", "BadLogHive.LOG2"];
    let [Some(primary), Some(log1), Some(log2)] = files.map(|file| places::read(&name(file))) else { return };
    assert!(refusal(primary, &[&log1, &log2]).contains("Log 1 is damaged"));
}

#[test]
fn the_hives_of_nt_hive2() {
    let Some(folder) = places::nt_hive2() else { return };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let first = |name: &str| read(&format!("NewDirtyHive1/NewDirtyHive{name}"));
    let (hive, _) = replayed(first(""), &[&first(".LOG1"), &first(".LOG2")]);
    assert_eq!(differences(hive.bytes(), &read("NewDirtyHive1/RecoveredHive_Windows10"), 0), []);
    // Here the first log is older than the hive and only the second one counts.
    let second = |name: &str| read(&format!("NewDirtyHive2/NewDirtyHive{name}"));
    let (hive, report) = replayed(second(""), &[&second(".LOG1"), &second(".LOG2")]);
    assert_eq!((report.logs_used, report.first_sequence, report.last_sequence), (vec![1], 3, 5));
    // What the skipped log would have linked in is left over.
    let problems = hive.hive().check();
    assert!(problems.iter().all(|problem| matches!(problem.kind, hive::ProblemKind::Leaked { .. })), "{problems:?}");
    assert_eq!(hive::Hive::parse(&read("testhive")).unwrap().check(), []);
}

#[test]
fn a_real_windows_10_system_hive_is_replayed() {
    let [Some(primary), Some(log1), Some(log2)] = ["SYSTEM_B", "SYSTEM_B.LOG1", "SYSTEM_B.LOG2"].map(places::unpacked) else {
        return;
    };
    let read = |path: &std::path::Path| fs::read(path).unwrap();
    let (hive, report) = replayed(read(&primary), &[&read(&log1), &read(&log2)]);
    assert_eq!((report.entries, report.pages, report.last_sequence), (24, 315, 2130));
    assert_eq!(hive.hive().base_block().primary_sequence, 2131);
    assert_eq!(Tree::of(&hive.hive()).counts(), (35_595, 78_901));
    assert_eq!(hive.hive().check(), []);
    // The wrong way round, and one of them alone.
    assert_eq!(replayed(read(&primary), &[&read(&log2), &read(&log1)]).0, hive);
    assert_eq!(replayed(read(&primary), &[&read(&log1)]).1.last_sequence, 2110);

    if oracle::available(&["regipy"]).is_empty() {
        return;
    }
    let theirs = places::scratch("regipy-replayed");
    let paths = [&primary, &theirs, &log1, &log2].map(|path| path.to_str().unwrap());
    // regipy 6.5 applies its "secondary" log first, whatever the sequence numbers say; so it is given the earlier one there.
    let pages = oracle::ask(&["replay", paths[0], paths[1], paths[3], paths[2]]).unwrap();
    assert_eq!(pages, "315");
    let theirs = read(&theirs);
    let end = 4096 + hive.hive().base_block().bins_size as usize;
    assert!(hive.bytes()[4096..end] == theirs[4096..end], "regipy's bins differ");
}
