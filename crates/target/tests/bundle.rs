//! Bundles of logs: every kind of packing, names that lead elsewhere, bombs, renamed files, and that a bundle never says "absent".
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests make archives, call other programs and may fail loudly"
)]

use model::{Reading, TargetKind, VolumePath, WhyNot};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use target::{BundleTarget, Direction, EntryKind, OpenError, Target, lab};

const CBS: &str = "2024-01-02 03:04:05, Info                  CBS    Session: 31000000_1 initialized by client DISM Package Manager Provider.\n";
const DISM: &str = "2024-01-02 03:04:05, Info                  DISM   API: PID=1 TID=2 DismApi.dll: - DismInitializeInternal\n";
const SETUP: &str =
    "2024-01-02 03:04:05, Info       [0x0808fe] MIG    Plugin {x} is here\n2024-01-02 03:04:05, Error                 SP     Operation failed\n";
const DEVICES: &str = "[Device Install Log]\n     OS Version = 10.0.22000\n[BeginLog]\n>>>  [Device Install - x]\n";
const UPDATE: &str = "2024-01-02\t03:04:05:678\t 900\t12c4\tAgent\t*  START\n";
const EVENTS: &str =
    "{00000000-0000-0000-0000-000000000001}\t2024-01-02 03:04:05:678+0100\t1\t182 [X]\t101\t{0}\t1\t80070002\tU\tFailure\tContent Install\ttext\n";

const CBS_AT: &str = "\\Windows\\Logs\\CBS\\CBS.log";

/// A 7 KiB or so of log with a number in it, so that two of them differ.
fn log(number: usize) -> Vec<u8> {
    CBS.replace("31000000", &format!("{number:08}")).repeat(64).into_bytes()
}

fn path(text: &str) -> VolumePath {
    VolumePath::parse(text).unwrap()
}

fn open(path: &Path) -> BundleTarget {
    BundleTarget::open(path).unwrap().unwrap_or_else(|| unreachable!("nothing was recognised in {}", path.display()))
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar(members: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, content) in members {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[136..147].copy_from_slice(b"14550000000");
        header[148..156].copy_from_slice(b"        ");
        header[156] = *kind;
        header[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        header[154] = 0;
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

fn seven(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut seven = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    for (name, content) in members {
        seven.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*content)).unwrap();
    }
    seven.finish().unwrap().into_inner()
}

/// A cabinet of one folder with stored (0) or MSZIP (1) blocks.
fn cab(members: &[(&str, &[u8])], compression: u16) -> Vec<u8> {
    let all: Vec<u8> = members.iter().flat_map(|(_, content)| content.iter().copied()).collect();
    let mut blocks = Vec::new();
    let chunks: Vec<&[u8]> = all.chunks(32768).collect();
    for chunk in &chunks {
        let data = if compression == 0 { chunk.to_vec() } else { [b"CK".to_vec(), miniz_oxide::deflate::compress_to_vec(chunk, 6)].concat() };
        blocks.extend_from_slice(&0_u32.to_le_bytes());
        blocks.extend_from_slice(&u16::try_from(data.len()).unwrap().to_le_bytes());
        blocks.extend_from_slice(&u16::try_from(chunk.len()).unwrap().to_le_bytes());
        blocks.extend_from_slice(&data);
    }
    let mut files = Vec::new();
    let mut offset = 0_u32;
    for (name, content) in members {
        let size = u32::try_from(content.len()).unwrap();
        files.extend_from_slice(&size.to_le_bytes());
        files.extend_from_slice(&offset.to_le_bytes());
        files.extend_from_slice(&[0, 0, 0x22, 0x58, 0, 0, 0x20, 0]);
        files.extend_from_slice(name.as_bytes());
        files.push(0);
        offset += size;
    }
    let (files_at, blocks_at) = (44_u32, 44 + u32::try_from(files.len()).unwrap());
    let mut cab = b"MSCF\0\0\0\0".to_vec();
    cab.extend_from_slice(&(blocks_at + u32::try_from(blocks.len()).unwrap()).to_le_bytes());
    cab.extend_from_slice(&[0; 4]);
    cab.extend_from_slice(&files_at.to_le_bytes());
    cab.extend_from_slice(&[0, 0, 0, 0, 3, 1, 1, 0]);
    cab.extend_from_slice(&u16::try_from(members.len()).unwrap().to_le_bytes());
    cab.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
    cab.extend_from_slice(&blocks_at.to_le_bytes());
    cab.extend_from_slice(&u16::try_from(chunks.len()).unwrap().to_le_bytes());
    cab.extend_from_slice(&compression.to_le_bytes());
    [cab, files, blocks].concat()
}

fn write(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn content(target: &dyn Target, at: &str) -> Vec<u8> {
    match target.read(&path(at), 1 << 30) {
        Reading::Known(bytes) => bytes,
        other => unreachable!("{at}: {other:?}\n{:#?}", target.notes()),
    }
}

/// A program of this computer, or a line that says that it is not there.
fn have(program: &str) -> bool {
    let there = Command::new(program).arg("--help").output().is_ok();
    if !there {
        println!("skipped: {program} is not installed here");
    }
    there
}

#[test]
fn every_packing_shows_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (cbs, dism) = (log(1), DISM.repeat(3000).into_bytes());
    let members: &[(&str, &[u8])] = &[("readme.txt", b"hello"), ("pc/Windows/Logs/CBS/CBS.log", &cbs), ("dism.log", &dism)];
    let backslashes: Vec<(String, &[u8])> = members.iter().map(|(name, content)| (name.replace('/', "\\"), *content)).collect();
    let backslashes: Vec<(&str, &[u8])> = backslashes.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    let tarred: Vec<(&str, u8, &[u8])> = members.iter().map(|(name, content)| (*name, b'0', *content)).collect();
    let all = [
        ("a.zip", zip(members)),
        ("backslashes.zip", zip(&backslashes)),
        ("a.7z", seven(members)),
        ("stored.cab", cab(&backslashes, 0)),
        ("mszip.cab", cab(&backslashes, 1)),
        ("a.tar", tar(&tarred)),
        ("a.tar.gz", gzip(&tar(&tarred))),
        ("a.tgz", gzip(&tar(&tarred))),
        ("no ending", zip(members)),
    ];
    for (name, bytes) in all {
        let target = open(&write(&folder, name, &bytes));
        assert_eq!(content(&target, CBS_AT), cbs, "{name}");
        assert_eq!(content(&target, "\\windows\\LOGS\\dism\\DISM.log"), dism, "{name}");
        let entry = target.entry(&path(CBS_AT)).into_known().unwrap();
        assert_eq!((entry.kind, entry.size, entry.path), (EntryKind::File, cbs.len() as u64, path(CBS_AT)), "{name}");
        assert_eq!(target.read_start(&path(CBS_AT), 20), Reading::Known(cbs[..20].to_vec()), "{name}");
        assert_eq!(target.sha256(&path(CBS_AT)), Reading::Known(target::sha256(&cbs)), "{name}");
        assert!(matches!(target.read(&path(CBS_AT), cbs.len() as u64 - 1), Reading::Unreadable(_)), "{name}");
        assert_eq!(target.list(&path("\\Windows\\Logs")), Reading::Known(vec!["CBS".into(), "DISM".into()]), "{name}");
        assert_eq!(target.info().kind, TargetKind::Bundle);
        assert_eq!(target.info().windows, None);
        assert!(target.notes()[0].contains("2 of its files"), "{name}: {:#?}", target.notes());
    }
    // The same unpacked.
    for (name, content) in members {
        write(&folder, &format!("unpacked/{name}"), content);
    }
    assert_eq!(content(&open(&folder.path().join("unpacked")), CBS_AT), cbs);
}

/// Above what is held in memory, and above what a probe may read at once.
#[test]
fn a_log_larger_than_memory_allows_is_read_as_a_stream_in_every_packing() {
    let line = CBS.repeat(4096);
    let count = usize::try_from(target::LARGEST_HELD).unwrap() / line.len() + 2;
    let folder = tempfile::tempdir().unwrap();
    let content = line.repeat(count).into_bytes();
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut packed = zip::ZipWriter::new(std::fs::File::create(folder.path().join("logs.zip")).unwrap());
    packed.start_file("CBS.log", stored).unwrap();
    packed.write_all(&content).unwrap();
    packed.finish().unwrap();
    write(&folder, "logs.tar", &tar(&[("CBS.log", b'0', &content)]));
    write(&folder, "CBS.log", &content);
    for name in ["CBS.log", "logs.zip", "logs.tar"] {
        let target = open(&folder.path().join(name));
        assert!(matches!(target.read(&path(CBS_AT), target::LARGEST_HELD), Reading::Unreadable(_)), "{name}");
        // As the program opens it.
        let opened = target::open_writable(folder.path().join(name).to_str().unwrap(), folder.path()).unwrap();
        assert!(opened.open(&path(CBS_AT)).known().is_some(), "{name}");
        // Two at once, as two probes may do.
        let (Reading::Known(mut one), Reading::Known(mut other)) = (target.open(&path(CBS_AT)), target.open(&path(CBS_AT))) else {
            unreachable!("{name} gave no stream")
        };
        let mut start = vec![0; 100_000];
        other.read_exact(&mut start).unwrap();
        assert_eq!(std::io::copy(&mut one, &mut std::io::sink()).unwrap(), content.len() as u64, "{name}");
        assert_eq!(start, content[..100_000], "{name}");
    }
    assert_eq!(open(&folder.path().join("CBS.log")).open(&path("\\Windows\\Logs\\CBS\\CbsPersist_1.log")).map(|_| ()), Reading::NotCollected);
}

#[test]
fn cabinets_of_other_programs_are_read_as_cabextract_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    // Larger than a block and a window, and not all the same.
    let big: Vec<u8> = (0..40_000_u32).flat_map(|n| format!("{}, {:08x}\n", CBS.trim_end(), n.wrapping_mul(2_654_435_761)).into_bytes()).collect();
    write(&folder, "in/CBS.log", &big);
    write(&folder, "in/dism.log", &DISM.repeat(5000).into_bytes());
    let made = |program: &str, words: &[&str]| {
        have(program) && Command::new(program).args(words).current_dir(folder.path().join("in")).output().unwrap().status.success()
    };
    for (program, words) in [
        ("lcab", &["CBS.log", "dism.log", "../lcab.cab"][..]),
        ("gcab", &["-c", "-z", "../gcab.cab", "CBS.log", "dism.log"]),
        ("gcab", &["-c", "../gcab.cab", "CBS.log", "dism.log"]),
    ] {
        if made(program, words) {
            let file = folder.path().join(format!("{program}.cab"));
            assert!(content(&open(&file), CBS_AT) == big, "{program} {words:?}");
            if have("cabextract") {
                assert!(Command::new("cabextract").arg("-t").arg(&file).output().unwrap().status.success());
            }
        }
    }
    // Our own are cabinets for others too.
    let file = write(&folder, "own.cab", &cab(&[("CBS.log", &big)], 1));
    if have("cabextract") {
        assert!(Command::new("cabextract").args(["-q", "-d"]).arg(folder.path().join("out")).arg(&file).output().unwrap().status.success());
        assert!(std::fs::read(folder.path().join("out/CBS.log")).unwrap() == big);
    }
    assert!(content(&open(&file), CBS_AT) == big);
}

#[test]
fn renamed_files_are_found_by_what_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> = EVENTS.repeat(3).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (text, place) in [
        (CBS.as_bytes(), CBS_AT),
        (DISM.as_bytes(), "\\Windows\\Logs\\DISM\\dism.log"),
        (SETUP.as_bytes(), "\\$WINDOWS.~BT\\Sources\\Panther\\setupact.log"),
        (DEVICES.as_bytes(), "\\Windows\\INF\\setupapi.dev.log"),
        (UPDATE.as_bytes(), "\\Windows\\WindowsUpdate.log"),
        (EVENTS.as_bytes(), "\\Windows\\SoftwareDistribution\\ReportingEvents.log"),
        (&utf16, "\\Windows\\SoftwareDistribution\\ReportingEvents.log"),
        (b"=================================\nChecking System Update Readiness.\n", "\\Windows\\Logs\\CBS\\CheckSUR.log"),
    ] {
        let file = write(&folder, "what somebody sent (3).txt", text);
        assert_eq!(content(&open(&file), place), text, "{place}");
        assert_eq!(content(&open(&write(&folder, "x.zip", &zip(&[("a.bin", text)]))), place), text, "{place}");
    }
    for other in [&b""[..], b"hello\n", b"2024-01-02 03:04:05, something else\n", b"2024-01-02 03:04:05, Info my program says\n", &[0; 5000]] {
        assert!(BundleTarget::open(&write(&folder, "other.txt", other)).unwrap().is_none(), "{other:?}");
    }
}

#[test]
fn names_that_lead_elsewhere_are_left_out_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let before = std::fs::read("/etc/passwd").ok();
    let cbs = log(1);
    let names = [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\..\\CBS.log",
        "C:\\Windows\\Logs\\CBS\\CBS.log",
        "\\\\server\\share\\CBS.log",
        "logs/NUL",
        "a/CBS.log:stream",
        "COM3.log",
    ];
    for name in names {
        for (ending, bytes) in
            [("zip", zip(&[(name, &cbs), ("dism.log", DISM.as_bytes())])), ("tar", tar(&[(name, b'0', &cbs), ("dism.log", b'0', DISM.as_bytes())]))]
        {
            let target = open(&write(&folder, &format!("x.{ending}"), &bytes));
            assert_eq!(target.entry(&path(CBS_AT)), Reading::NotCollected, "{name}");
            assert!(target.notes().iter().any(|note| note.contains("left out")), "{name}: {:#?}", target.notes());
        }
        let only = BundleTarget::open(&write(&folder, "x.zip", &zip(&[(name, &cbs)])));
        assert!(matches!(only, Err(OpenError::Bundle { .. })), "{name}");
    }
    // Links, devices and pipes of a tar.
    for kind in [b'1', b'2', b'3', b'4', b'6', b'S'] {
        let target = open(&write(&folder, "x.tar", &tar(&[("CBS.log", kind, b""), ("dism.log", b'0', DISM.as_bytes())])));
        assert_eq!(target.entry(&path(CBS_AT)), Reading::NotCollected);
        assert!(target.notes().iter().any(|note| note.contains("link")));
    }
    assert_eq!(std::fs::read("/etc/passwd").ok(), before);
}

#[test]
fn archives_in_archives_are_opened_to_a_depth() {
    let folder = tempfile::tempdir().unwrap();
    let cbs = log(7);
    let mut packed = cab(&[("CbsPersist_20240102.log", &cbs)], 1);
    let place = "\\Windows\\Logs\\CBS\\CbsPersist_20240102.log";
    for (depth, name) in ["Windows/Logs/CBS/CbsPersist_20240102.cab", "inner.zip", "deeper.zip"].into_iter().enumerate() {
        packed = if depth == 1 { gzip(&tar(&[(name, b'0', &packed)])) } else { zip(&[(name, &packed), ("dism.log", DISM.as_bytes())]) };
        if depth < 2 {
            assert_eq!(content(&open(&write(&folder, &format!("{depth}.bin"), &packed)), place), cbs, "{depth}");
        } else {
            let target = open(&write(&folder, "deep.zip", &packed));
            assert_eq!(target.entry(&path(place)), Reading::NotCollected);
            assert!(target.notes().iter().any(|note| note.contains("one in the other")), "{:#?}", target.notes());
        }
    }
    // Packages for Windows Update are no bundles of logs.
    let bytes = zip(&[("Windows/SoftwareDistribution/Download/x.cab", &cab(&[("CBS.log", &cbs)], 0)), ("dism.log", DISM.as_bytes())]);
    assert_eq!(open(&write(&folder, "packages.zip", &bytes)).entry(&path(CBS_AT)), Reading::NotCollected);
    // A lone packed log.
    assert_eq!(content(&open(&write(&folder, "CBS.log.gz", &gzip(&cbs))), CBS_AT), cbs);
}

#[test]
fn bombs_are_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    // 4 GB of zeroes: each kind of archive, wanted by name and not.
    let zeroes = || std::io::Read::take(std::io::repeat(0), 4 << 30);
    for name in ["CBS.log", "x.bin"] {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("dism.log", options).unwrap();
        zip.write_all(DISM.as_bytes()).unwrap();
        zip.start_file(name, options).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 300 << 20), &mut zip).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let watch = std::time::Instant::now();
        let target = open(&write(&folder, "bomb.zip", &bytes));
        assert!(watch.elapsed().as_secs() < 2);
        assert!(target.notes().iter().any(|note| note.contains("250 times")), "{:#?}", target.notes());
        assert_eq!(content(&target, "\\Windows\\Logs\\DISM\\dism.log"), DISM.as_bytes());
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::copy(&mut zeroes(), &mut gz).unwrap();
    let bomb = gz.finish().unwrap();
    assert!(bomb.len() < 32 << 20);
    let watch = std::time::Instant::now();
    let lone = BundleTarget::open(&write(&folder, "CBS.log.gz", &bomb));
    assert!(matches!(&lone, Err(OpenError::Bundle { why, .. }) if why.contains("250 times") || why.contains("2 GiB")), "{:?}", lone.err());
    // In a tar, before something good: what came before is used.
    let mut stream = tar(&[("dism.log", b'0', DISM.as_bytes())]);
    stream.truncate(stream.len() - 1024);
    let mut header = tar(&[("CBS.log", b'0', b"")])[..512].to_vec();
    header[124..135].copy_from_slice(format!("{:011o}", 1_500_000_000_u64).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&stream).unwrap();
    gz.write_all(&header).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 1_500_000_000), &mut gz).unwrap();
    let target = open(&write(&folder, "bomb.tgz", &gz.finish().unwrap()));
    assert!(target.notes().iter().any(|note| note.contains("250 times")), "{:#?}", target.notes());
    assert_eq!(content(&target, "\\Windows\\Logs\\DISM\\dism.log"), DISM.as_bytes());
    println!("bombs took {} ms", watch.elapsed().as_millis());
}

#[test]
fn what_is_no_file_in_a_folder_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "dism.log", DISM.as_bytes());
    let huge = std::fs::File::create(folder.path().join("CBS.log")).unwrap();
    huge.set_len(10 << 30).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("setupact.log")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("WindowsUpdate.log")).unwrap();
        assert!(Command::new("mkfifo").arg(folder.path().join("ReportingEvents.log")).status().unwrap().success());
    }
    let target = open(folder.path());
    for gone in [CBS_AT, "\\Windows\\Panther\\setupact.log", "\\Windows\\WindowsUpdate.log", "\\Windows\\SoftwareDistribution\\ReportingEvents.log"] {
        assert_eq!(target.entry(&path(gone)), Reading::NotCollected, "{gone}");
        assert_eq!(target.read(&path(gone), 9), Reading::NotCollected, "{gone}");
    }
    let notes = target.notes().join("\n");
    assert!(notes.contains("10 GiB"), "{notes}");
    if cfg!(unix) {
        assert!(notes.contains("links in bundles are not followed") && notes.contains("a pipe, a socket or a device"), "{notes}");
    }
}

#[test]
fn of_two_files_for_one_place_the_newer_is_used_and_the_other_named() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (log(1), log(2));
    write(&folder, "a/CBS.log", &new);
    write(&folder, "b/CBS.log", &old);
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    std::fs::File::options().write(true).open(folder.path().join("b/CBS.log")).unwrap().set_modified(earlier).unwrap();
    let target = open(folder.path());
    assert_eq!(content(&target, CBS_AT), new);
    let note = target.notes().into_iter().find(|note| note.contains("Two files")).unwrap();
    assert!(note.contains("a/CBS.log") && note.contains("b/CBS.log") && note.contains(r"C:\Windows\Logs\CBS\CBS.log"), "{note}");
}

#[test]
fn damaged_archives_give_what_came_before_and_never_hang() {
    let folder = tempfile::tempdir().unwrap();
    // More than a block of a cabinet.
    let big: Vec<u8> = (0..3000).flat_map(log).take(40_000).collect();
    let members: &[(&str, &[u8])] = &[("dism.log", DISM.as_bytes()), ("CBS.log", &big)];
    let tarred: Vec<(&str, u8, &[u8])> = members.iter().map(|(name, content)| (*name, b'0', *content)).collect();
    let mut opened = 0;
    let factor: usize = std::env::var("HRESOLVE_ROUNDS").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    let rounds = if factor > 1 { 2000 * factor } else { 60 };
    for good in [zip(members), seven(members), cab(members, 0), cab(members, 1), tar(&tarred), gzip(&tar(&tarred)), gcab(&folder, &big)] {
        if good.is_empty() {
            continue;
        }
        let (mut seed, mut slowest) = (1_u64, std::time::Duration::ZERO);
        for round in 0..rounds {
            let mut bad = good.clone();
            if round % 3 == 0 {
                bad.truncate(good.len() * round / rounds);
            } else {
                for _ in 0..1 + round % 5 {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let span = if round % 2 == 0 { bad.len() } else { bad.len().min(300) };
                    let at = usize::try_from(seed >> 33).unwrap() % span;
                    bad[at] ^= (seed >> 20) as u8 | 1;
                }
            }
            let file = write(&folder, "x.bin", &bad);
            let start = std::time::Instant::now();
            if let Ok(Some(target)) = BundleTarget::open(&file) {
                opened += 1;
                for at in [CBS_AT, "\\Windows\\Logs\\DISM\\dism.log"] {
                    assert!(!target.read(&path(at), 1 << 30).is_absent());
                }
            }
            slowest = slowest.max(start.elapsed());
            assert!(slowest.as_secs() < 5, "{slowest:?}");
        }
        println!("{} bytes beginning with {:02x?}: {rounds} spoilt copies, slowest {slowest:?}", good.len(), &good[..4]);
    }
    assert!(opened > 50, "only {opened} could still be opened");
}

/// An LZX cabinet cannot be made here; one of gcab otherwise, or nothing.
fn gcab(folder: &tempfile::TempDir, content: &[u8]) -> Vec<u8> {
    write(folder, "g/CBS.log", content);
    let made = have("gcab")
        && Command::new("gcab").args(["-c", "-z", "../g.cab", "CBS.log"]).current_dir(folder.path().join("g")).output().unwrap().status.success();
    if made { std::fs::read(folder.path().join("g.cab")).unwrap() } else { Vec::new() }
}

#[test]
fn hives_of_a_bundle_answer_and_nothing_else_is_absent() {
    let (machine, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    lab::build("three-faults-10", machine.path()).unwrap();
    let config = machine.path().join("Windows/System32/config");
    let (system, software) = (std::fs::read(config.join("SYSTEM")).unwrap(), std::fs::read(config.join("SOFTWARE")).unwrap());
    let lone = open(&write(&folder, "lone/SYSTEM", &system));
    let renamed = open(&write(&folder, "lone/registry of the pc.bin", &system));
    let both = open(&write(&folder, "both.zip", &zip(&[("hives/one", &system), ("hives/two", &software)])));
    for target in [&lone, &renamed, &both] {
        assert_eq!(target.value(r"HKLM\SYSTEM\CurrentControlSet\Services\BITS", "no such value"), Reading::Absent);
        assert_eq!(target.key(r"HKLM\SYSTEM\CurrentControlSet\Services\no such service").map(|_| ()), Reading::Absent);
        assert!(target.key(r"HKLM\SYSTEM\CurrentControlSet\Services\BITS").known().is_some());
        assert_eq!(target.key(r"HKU\.DEFAULT\Software").map(|_| ()), Reading::NotCollected);
        assert_eq!(target.key(r"HKU\S-1-5-21-1-2-3-1001\Software").map(|_| ()), Reading::NotCollected);
        for nothing in [
            "\\",
            "\\Windows",
            "\\Windows\\System32",
            "\\Windows\\System32\\config",
            "\\Windows\\System32\\ntdll.dll",
            "\\Windows\\Logs\\CBS",
            "\\no such folder\\x",
        ] {
            let at = path(nothing);
            assert_eq!(target.entry(&at), Reading::NotCollected, "{nothing}");
            assert_eq!(target.list(&at), Reading::NotCollected, "{nothing}");
            assert_eq!(target.read(&at, 9), Reading::NotCollected, "{nothing}");
            assert_eq!(target.read_start(&at, 9), Reading::NotCollected, "{nothing}");
            assert_eq!(target.sha256(&at), Reading::NotCollected, "{nothing}");
        }
        assert!(target.why_not().contains(&WhyNot::Bundle));
    }
    assert_eq!(lone.key(r"HKLM\SOFTWARE\Microsoft").map(|_| ()), Reading::NotCollected);
    assert_eq!(lone.info().windows, None);
    let windows = both.info().windows.unwrap();
    assert_eq!((windows.build, windows.arch.as_str()), (19045, "x64"));
    // Of two the newer or larger one is used.
    let two = open(&write(&folder, "two.zip", &zip(&[("a/one", &[&system[..], &[0; 4096]].concat()), ("b/two", &system)])));
    assert!(two.notes().iter().any(|note| note.contains("b/two") && note.contains("newer or larger")), "{:#?}", two.notes());
    // A hive that is cut short is not used, and nothing in it is absent.
    let cut = BundleTarget::open(&write(&folder, "cut/SYSTEM", &system[..system.len() / 2]));
    assert!(matches!(cut, Err(OpenError::Bundle { .. })));
}

#[test]
fn hives_are_brought_up_to_date_from_the_logs_beside_them() {
    let shared =
        std::env::var_os("HRESOLVE_SHARED_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let packed = |name: &str| shared.join("registry/regipy").join(format!("{name}.xz"));
    if !packed("SYSTEM_B").exists() || !have("xz") {
        println!("skipped: the published hives are not here");
        return;
    }
    let unpacked = |name: &str| Command::new("xz").arg("-dc").arg(packed(name)).output().unwrap().stdout;
    let (hive, log1, log2) = (unpacked("SYSTEM_B"), unpacked("SYSTEM_B.LOG1"), unpacked("SYSTEM_B.LOG2"));
    let folder = tempfile::tempdir().unwrap();
    let with =
        open(&write(&folder, "with.zip", &zip(&[("x/pc.bin", &hive), ("x/pc.bin.LOG1", &log1), ("x/PC.bin.log2", &log2), ("y/pc.bin.LOG1", b"")])));
    assert!(with.notes().iter().any(|note| note.contains("brought up to date in memory")), "{:#?}", with.notes());
    assert!(!with.why_not().iter().any(|why| matches!(why, WhyNot::DirtyHive { .. })));
    let without = open(&write(&folder, "without.zip", &zip(&[("x/pc.bin", &hive)])));
    assert!(without.why_not().iter().any(|why| matches!(why, WhyNot::DirtyHive { .. })));
    assert!(without.key(r"HKLM\SYSTEM\Select").known().is_some(), "read as it is");
}

#[test]
fn event_logs_are_found_by_their_channel() {
    let shared =
        std::env::var_os("HRESOLVE_SHARED_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for sub in ["museum-win11", "museum-win10-apt"] {
        for entry in std::fs::read_dir(shared.join("evtx").join(sub)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with(".evtx") {
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            let target = open(&write(&folder, "somebody's.evtx", &bytes));
            let listed = target.list(&path("\\Windows\\System32\\winevt\\Logs")).into_known().unwrap();
            let wanted = name.rsplit('_').next().unwrap();
            assert!(listed[0].eq_ignore_ascii_case(wanted) || listed[0] == "somebody's.evtx", "{name}: {listed:?}");
            tried += usize::from(listed[0].eq_ignore_ascii_case(wanted));
        }
    }
    if shared.exists() {
        assert!(tried > 3, "only {tried} channels were recognised");
    } else {
        println!("skipped: the published event logs are not here");
    }
}

/// What `collect` writes, here of a made-up machine.
fn collected() -> (tempfile::TempDir, Vec<u8>) {
    let machine = tempfile::tempdir().unwrap();
    lab::build("healthy-10-22h2", machine.path()).unwrap();
    let whole = target::open(machine.path().to_str().unwrap(), machine.path()).unwrap();
    let recording = target::Recording::new(whole.as_ref());
    assert!(recording.key(r"HKLM\SYSTEM\CurrentControlSet\Services\BITS").known().is_some());
    assert!(recording.read(&path("\\Windows\\Logs\\CBS\\CBS.log"), 1 << 20).known().is_some());
    let (parts, _) = target::pack(&recording.into_answers(), "test", None);
    let zip = target::zip_of(&parts).unwrap();
    (machine, zip)
}

#[test]
fn collected_evidence_that_was_packed_anew_is_still_collected_evidence() {
    let (machine, packed) = collected();
    let folder = tempfile::tempdir().unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(packed.clone())).unwrap();
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut member, &mut bytes).unwrap();
        members.push((member.name().unwrap().into_owned(), bytes));
    }
    assert!(members.len() >= 3);
    for top in ["", "case 12/"] {
        let named: Vec<(String, &[u8])> = members.iter().map(|(name, bytes)| (format!("{top}{name}"), bytes.as_slice())).collect();
        let plain: Vec<(&str, &[u8])> = named.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let tarred: Vec<(&str, u8, &[u8])> = plain.iter().map(|(name, bytes)| (*name, b'0', *bytes)).collect();
        for (name, bytes) in &plain {
            write(&folder, &format!("unpacked{}/{name}", top.len()), bytes);
        }
        let files = [("a.zip", zip(&plain)), ("a.7z", seven(&plain)), ("a.tar", tar(&tarred)), ("a.tgz", gzip(&tar(&tarred)))];
        let mut given: Vec<PathBuf> = files.iter().map(|(name, bytes)| write(&folder, &format!("{}{name}", top.len()), bytes)).collect();
        given.push(folder.path().join(format!("unpacked{}", top.len())));
        // A Windows folder in it does not make it a Windows.
        for file in &given {
            let target = target::open(file.to_str().unwrap(), machine.path()).unwrap();
            assert_eq!(target.info().windows.unwrap().build, 19045, "{}", file.display());
            assert!(target.notes()[0].contains("collected evidence"), "{}: {:?}", file.display(), target.notes());
            assert!(target.key(r"HKLM\SYSTEM\CurrentControlSet\Services\BITS").known().is_some());
            assert!(!content(target.as_ref(), CBS_AT).is_empty());
        }
    }
    // Something else beside it: a bundle of logs, in which every file has its place.
    let mut more: Vec<(String, &[u8])> = members.iter().map(|(name, bytes)| (format!("pc/{name}"), bytes.as_slice())).collect();
    more.push(("dism.log".into(), DISM.as_bytes()));
    let more: Vec<(&str, &[u8])> = more.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let target = target::open(write(&folder, "more.zip", &zip(&more)).to_str().unwrap(), machine.path()).unwrap();
    assert!(!content(target.as_ref(), "\\Windows\\Logs\\DISM\\dism.log").is_empty());
}

#[test]
fn a_packed_log_is_unpacked_wherever_it_lies() {
    let machine = tempfile::tempdir().unwrap();
    lab::build("healthy-10-22h2", machine.path()).unwrap();
    let (at, cbs) = ("\\Windows\\Logs\\CBS\\CbsPersist_20240102.cab", log(5).repeat(40));
    for compression in [0, 1] {
        std::fs::write(machine.path().join("Windows/Logs/CBS/CbsPersist_20240102.cab"), cab(&[("CbsPersist_20240102.log", &cbs)], compression))
            .unwrap();
        let whole = target::open(machine.path().to_str().unwrap(), machine.path()).unwrap();
        let unpacked = |target: &dyn Target| {
            let mut found = Vec::new();
            let answer = target.unpack(&path(at), &mut |name, content| {
                let mut bytes = Vec::new();
                let _ = content.read_to_end(&mut bytes);
                found.push((name.to_owned(), bytes));
            });
            (answer, found)
        };
        let wanted = vec![("CbsPersist_20240102.log".to_owned(), cbs.clone())];
        assert!(unpacked(whole.as_ref()) == (Reading::Known(()), wanted.clone()));
        // Collected, it is collected unpacked.
        let recording = target::Recording::new(whole.as_ref());
        assert!(unpacked(&recording) == (Reading::Known(()), wanted.clone()));
        let (parts, _) = target::pack(&recording.into_answers(), "test", None);
        assert!(parts["Windows/Logs/CBS/CbsPersist_20240102.cab/CbsPersist_20240102.log"] == cbs);
        assert!(!parts.contains_key("Windows/Logs/CBS/CbsPersist_20240102.cab"));
        let again = target::CollectedTarget::from_parts(machine.path(), &parts).unwrap();
        assert!(unpacked(&again) == (Reading::Known(()), wanted));
        // Cut short: what came before is there, and that it is not whole is said.
        let file = machine.path().join("Windows/Logs/CBS/CbsPersist_20240102.cab");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() - 100]).unwrap();
        let (answer, found) = unpacked(whole.as_ref());
        assert!(matches!(answer, Reading::Unreadable(_)), "{answer:?}");
        assert!(found[0].1.len() >= 32768 && cbs.starts_with(&found[0].1));
        std::fs::write(&file, b"not a cabinet").unwrap();
        assert!(matches!(unpacked(whole.as_ref()), (Reading::Unreadable(_), found) if found.is_empty()));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(unpacked(whole.as_ref()).0, Reading::Absent);
    }
}

#[test]
fn reports_and_client_logs_find_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let report = |code: &str| -> Vec<u8> {
        let text = format!(
            "\u{feff}Version=1\r\nEventType=WindowsUpdateFailure3\r\nEventTime=134124123456789012\r\nSig[0].Name=ResultCode\r\nSig[0].Value={code}\r\n"
        );
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let (one, two) = (report("80070002"), report("80070003"));
    let client = "<![LOG[x]LOG]!><time=\"03:04:05.678-060\" date=\"01-02-2026\" component=\"UpdatesHandler\" context=\"\" type=\"1\" thread=\"1\" file=\"x:1\">\r\n";
    let members: &[(&str, &[u8])] = &[
        ("a/Report.wer", &one),
        ("b/Report.wer", &two),
        ("WER/ReportQueue/NonCritical_x_1/Report.wer", &one),
        ("log.txt", client.as_bytes()),
        ("re.txt", b"<?xml version='1.0' encoding='utf-8'?>\r\n<WindowsRE version=\"2.0\"/>"),
        ("other.wer", b"Version=1\r\nnothing=1\r\n"),
    ];
    for bytes in [zip(members), seven(members)] {
        let target = open(&write(&folder, "x.bin", &bytes));
        let reports = path("\\ProgramData\\Microsoft\\Windows\\WER\\ReportArchive");
        let names = target.list(&reports).into_known().unwrap();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("NonCritical_WindowsUpdateFailure3_")), "{names:?}");
        let mut found: Vec<Vec<u8>> = names.iter().map(|name| content(&target, &reports.join(name).join("Report.wer").to_string())).collect();
        found.sort();
        assert_eq!(found, {
            let mut wanted = vec![one.clone(), two.clone()];
            wanted.sort();
            wanted
        });
        assert_eq!(content(&target, "\\ProgramData\\Microsoft\\Windows\\WER\\ReportQueue\\NonCritical_x_1\\Report.wer"), one);
        assert_eq!(content(&target, "\\Windows\\CCM\\Logs\\UpdatesHandler.log"), client.as_bytes());
        assert!(target.entry(&path("\\Windows\\System32\\Recovery\\ReAgent.xml")).known().is_some());
    }
}

#[test]
fn nothing_is_changed_in_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "CBS.log", &log(1));
    let mut target = target::open_writable(file.to_str().unwrap(), folder.path()).unwrap();
    assert_eq!(target.why_not(), [WhyNot::Bundle]);
    assert!(WhyNot::Bundle.explain().contains("run hresolve on the machine itself"));
    let change = [model::Change::CreateFolder { path: path("\\Windows\\Temp") }];
    assert!(target.apply(&change, Direction::Forward, &mut |_| Ok(())).is_err());
    assert!(target.refuses_writes(&change).is_some() && target.check_writable(&change).is_err());
    assert!(target.store().runs().is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Run with `cargo test --release -p target --test bundle -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, for release builds"]
fn a_large_zip_is_opened_in_less_than_a_second() {
    let folder = tempfile::tempdir().unwrap();
    // Lines with enough chance in them that they are packed about 1 : 5.
    let text: Vec<u8> = (0..300_000_u32).flat_map(|n| format!("{}, {:08x}\n", CBS.trim_end(), n.wrapping_mul(2_654_435_761)).into_bytes()).collect();
    let names: Vec<String> = (0..).map(|n| format!("sent/CbsPersist_{n}.log")).take(25).collect();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let level = zip::write::SimpleFileOptions::default().compression_level(Some(1));
    for name in &names {
        zip.start_file(name, level).unwrap();
        zip.write_all(&text).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let packed: Vec<(&str, u8, &[u8])> = names.iter().map(|name| (name.as_str(), b'0', text.as_slice())).collect();
    let mut tgz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    tgz.write_all(&tar(&packed)).unwrap();
    for (name, bytes) in [("zip", zip), ("tgz", tgz.finish().unwrap()), ("cab", cab(&[("CBS.log", &text), ("dism.log", &text)], 1))] {
        let file = write(&folder, name, &bytes);
        let watch = std::time::Instant::now();
        let target = open(&file);
        let opened = watch.elapsed();
        let first = target.list(&path("\\Windows\\Logs\\CBS")).into_known().unwrap().remove(0);
        let watch = std::time::Instant::now();
        assert!(content(&target, &format!("\\Windows\\Logs\\CBS\\{first}")) == text);
        println!("{name}: {} MB packed, opened in {opened:?}, one log of {} MB read in {:?}", bytes.len() >> 20, text.len() >> 20, watch.elapsed());
        assert!(name != "zip" || opened.as_secs() < 1);
    }
}
