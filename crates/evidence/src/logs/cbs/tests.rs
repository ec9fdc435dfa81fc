#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "test")]

use super::{ANCHORS, Entry, Level, scan};

fn entries(bytes: &[u8]) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut input = bytes;
    scan(&mut input, &mut |entry| found.push(entry)).unwrap();
    found
}

const TEXT: &str = "2024-02-03 04:05:06, Info                  CBS    nothing of note\r\n\
2024-02-03 04:05:07, Error                 CSI    00000a11 (F) first @0x1\r\n    and more\r\n\r\n\
2024-02-03 04:05:08, Info                  CBS    still nothing\r\n\
2024-02-03 04:05:09, Info                  CBS    Failed here [HRESULT = 0x80070002 - ERROR_FILE_NOT_FOUND]\r\n";

#[test]
fn entries_with_their_continuation_and_line() {
    let found = entries(TEXT.as_bytes());
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!((found[0].line, found[0].level, found[0].component.as_str()), (2, Level::Error, "CSI"));
    assert_eq!(found[0].local.as_deref(), Some("2024-02-03T04:05:07"));
    assert_eq!(found[0].text, "00000a11 (F) first @0x1\n    and more");
    assert_eq!((found[1].line, found[1].component.as_str()), (6, "CBS"));
}

#[test]
fn heads_as_people_paste_them() {
    for (text, level, component) in [
        ("Info CBS Failed x", Level::Info, "CBS"),
        ("  Info\tCBS\tFailed x", Level::Info, "CBS"),
        ("Error\tCSI    Failed x", Level::Error, "CSI"),
        ("Info,\tCSI    Failed x", Level::Info, "CSI"),
        ("Error      [0x018003] CSI    Failed x", Level::Error, "CSI"),
        ("20xx-xx-18 15:21:14, Warning CBS Failed x", Level::Warning, "CBS"),
        ("2024-01-01 00:00:00, Error CBS Failed x", Level::Error, "CBS"),
    ] {
        let found = entries(text.as_bytes());
        assert_eq!((found[0].level, found[0].component.as_str(), found[0].text.as_str()), (level, component, "Failed x"), "{text}");
    }
    assert_eq!(entries(b"Failed without any head")[0].text, "Failed without any head");
}

#[test]
fn a_hit_in_a_continuation_belongs_to_the_entry_above() {
    let found = entries(b"2024-01-01 00:00:00, Info   CBS    Exec: ended [\nHRESULT = 0x80070002]\n2024-01-01 00:00:00, Info   CBS    x\n");
    assert_eq!((found.len(), found[0].line, found[0].component.as_str()), (1, 1, "CBS"));
}

#[test]
fn two_threads_in_one_line_are_two_entries() {
    let found = entries(b"2024-01-01 00:00:00, Info                  CBS    Failed a2024-01-01 00:00:01, Error                 CSI    b\n");
    assert_eq!(found.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["Failed a", "b"]);
}

#[test]
fn every_encoding_and_zeros_give_the_same() {
    let wanted = entries(TEXT.as_bytes());
    let wide: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [[&[0xFF, 0xFE], &wide[..]].concat(), wide, [b"\0\0\0\0".as_slice(), TEXT.as_bytes()].concat()] {
        assert_eq!(entries(&bytes), wanted);
    }
}

#[test]
fn blocks_end_anywhere() {
    let mut text = String::new();
    let mut wanted = Vec::new();
    for number in 0..12_000_u64 {
        if number % 7 == 3 {
            wanted.push((text.matches('\n').count() as u64 + 1, format!("Failed {number}\n more\n still {number}")));
            text.push_str(&format!("2024-01-01 00:00:00, Error                 CBS    Failed {number}\n more\n still {number}\n"));
        } else {
            text.push_str(&format!("2024-01-01 00:00:00, Info                  CBS    ordinary {}\n", "x".repeat(number as usize % 90)));
        }
    }
    let found: Vec<(u64, String)> = entries(text.as_bytes()).into_iter().map(|entry| (entry.line, entry.text)).collect();
    assert!(text.len() > 3 * super::BLOCK);
    assert_eq!(found, wanted);
}

#[test]
fn a_cut_log_gives_what_is_before_the_cut() {
    let whole = entries(TEXT.as_bytes());
    for cut in 0..TEXT.len() {
        let found = entries(&TEXT.as_bytes()[..cut]);
        assert!(found.len() <= whole.len());
        assert!(found.len() < 2 || found[0] == whole[0]);
    }
}

#[test]
fn spoilt_bytes_do_no_harm() {
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..4000 {
        let mut bytes = TEXT.as_bytes().to_vec();
        for _ in 0..1 + random() % 6 {
            let at = random() as usize % bytes.len();
            bytes[at] = random() as u8;
        }
        entries(&bytes);
    }
    entries(&b"\xff".repeat(3 << 20));
    entries(&b"Error\n".repeat(200_000));
    entries("2024-01-01 00:00:00, Error CBS ".repeat(20_000).as_bytes());
}

#[test]
fn anchors_are_few_enough_for_the_vector_search() {
    assert!(ANCHORS.len() <= 64);
}

/// Prints how long a log takes: `HRESOLVE_SPEED_LOG=file cargo test --release -p evidence speed_of -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed_of_a_large_log() {
    let Some(path) = std::env::var_os("HRESOLVE_SPEED_LOG") else { return };
    println!("alternation: {}", ANCHORS.map(|anchor| anchor.replace('(', "\\(").replace(')', "\\)").replace('.', "\\.")).join("|"));
    for _ in 0..4 {
        let watch = target::Stopwatch::start();
        let mut count = 0_u64;
        #[allow(clippy::disallowed_types, reason = "a measurement without a target")]
        let mut file = std::fs::File::open(&path).unwrap();
        scan(&mut file, &mut |_| count += 1).unwrap();
        println!("{count} entries in {} ms", watch.milliseconds());
    }
}
