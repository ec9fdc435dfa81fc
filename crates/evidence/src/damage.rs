//! Spoilt databases, programs and logs: no parser panics, hangs, or takes more memory than in proportion to its input.

use crate::logs::{cbs, ccm, dism, reporting_events, setup_attempts, windows_update};
use crate::{ese, pe};
use std::time::{Duration, Instant};

/// Room for a parser that holds its input, and for one that reads it as a stream, in blocks.
const SMALL: usize = 64 << 10;
const STREAM: usize = 1 << 20;

/// How many spoilt copies of each; `HRESOLVE_ROUNDS` multiplies it.
fn rounds() -> u64 {
    1000 * std::env::var("HRESOLVE_ROUNDS").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1)
}

/// xorshift64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

/// Spoils a few places of `whole`, one of them among `places`, and gives each copy to `act`: at most a second, and at most `times`
/// the input and `room` bytes in use at one time.
fn spoil(name: &str, whole: &[u8], places: &[usize], (times, room): (usize, usize), mut act: impl FnMut(&[u8])) {
    let mut slowest = Duration::ZERO;
    let mut most = 0;
    for round in 0..rounds() {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (round + 1) << 20);
        let mut copy = whole.to_vec();
        for _ in 0..=dice.roll(6) {
            let at = if dice.roll(2) == 0 { dice.roll(copy.len()) } else { places.get(dice.roll(places.len())).copied().unwrap_or(0) };
            let at = at.min(copy.len().saturating_sub(4));
            let word: [u8; 4] = match dice.roll(6) {
                0 => [0; 4],
                1 => [0xff; 4],
                2 => u32::try_from(dice.roll(1 << 31)).unwrap().to_le_bytes(),
                3 => *b"\n\t\n{",
                4 => [2048_u32, 4096, 8192, 16384, 32768][dice.roll(5)].to_le_bytes(),
                _ => (1_u32 << dice.roll(32)).to_le_bytes(),
            };
            let length = [1, 2, 4][dice.roll(3)];
            copy[at..at + length].copy_from_slice(&word[..length]);
        }
        if dice.roll(6) == 0 {
            copy.truncate(dice.roll(whole.len()));
        }
        let start = Instant::now();
        let peak = allocation_counter::measure(|| act(&copy)).bytes_max as usize;
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{name}, round {round}: {took:?}");
        assert!(peak <= times * copy.len() + room, "{name}, round {round}: {peak} bytes for {}", copy.len());
        slowest = slowest.max(took);
        most = most.max(peak);
    }
    println!("{name}: {} inputs, {} bytes each before cuts, slowest {slowest:?}, at most {most} bytes in use", rounds(), whole.len());
}

/// A database of empty pages with right headers, of that page size.
fn database(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size * 6];
    for page in 0..2 {
        let header = &mut bytes[page * size..(page + 1) * size];
        header[4..8].copy_from_slice(&0x89AB_CDEF_u32.to_le_bytes());
        header[52] = 2;
        header[236..240].copy_from_slice(&(size as u32).to_le_bytes());
        let sum = header[4..].chunks_exact(4).fold(0x89AB_CDEF, |sum, word| sum ^ u32::from_le_bytes(word.try_into().unwrap()));
        header[..4].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

/// The same lines again and again, without holding them.
struct Endless<'a> {
    line: &'a [u8],
    at: usize,
}

impl std::io::Read for Endless<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        for byte in into.iter_mut() {
            *byte = self.line[self.at];
            self.at = (self.at + 1) % self.line.len();
        }
        Ok(into.len())
    }
}

#[test]
fn logs_of_any_size_take_the_same_memory() {
    type Parser = fn(&mut dyn std::io::Read);
    let ordinary = "2026-01-02 03:04:05, Info                  SP     nothing of note\r\n";
    let dism = "2026-01-02 03:04:05, Info                  DISM   DISM.EXE: Executing command line: dism /online /cleanup-image /restorehealth\r\n";
    let update = "2026-01-02\t03:04:05:678\t 900\t12c4\tAgent\t*  START\r\n";
    let client = "<![LOG[x]LOG]!><time=\"03:04:05.678-60\" date=\"01-02-2026\" component=\"WUAHandler\" context=\"\" type=\"1\" thread=\"12\" file=\"x.cpp:1\">\r\n";
    let parsers: [(&str, &str, Parser); 5] = [
        ("setupact.log", ordinary, |input| drop(setup_attempts::parse(input))),
        ("CBS.log", ordinary, |input| drop(cbs::scan(input, &mut |_| {}))),
        ("dism.log", dism, |input| drop(dism::parse(input))),
        ("WindowsUpdate.log", update, |input| drop(windows_update::each(input, &mut |_| {}))),
        ("WUAHandler.log", client, |input| drop(ccm::each(input, &mut |_| {}))),
    ];
    for (name, line, parse) in parsers {
        let size = 24 << 20;
        let peak = allocation_counter::measure(|| parse(&mut std::io::Read::take(Endless { line: line.as_bytes(), at: 0 }, size))).bytes_max;
        println!("{name}: {size} bytes read with at most {peak} in use");
        assert!(peak < 4 << 20, "{name}: {peak} bytes in use");
    }
}

#[test]
fn spoilt_databases() {
    for size in [2048, 4096, 8192, 16384, 32768] {
        let places = [0, 4, 52, 236, 296, 300, size, size + 4, size + 236, 2 * size, 2 * size + 40];
        let whole = database(size);
        assert!(ese::header(&whole).is_ok());
        spoil(&format!("database with pages of {size}"), &whole, &places, (4, SMALL), |bytes| {
            let _ = ese::log_generation(bytes);
            if let Ok(header) = ese::header(bytes) {
                let _ = ese::bad_pages(bytes, &header);
            }
        });
    }
}

#[test]
fn spoilt_programs() {
    let mut whole = vec![0; 512];
    whole[..2].copy_from_slice(b"MZ");
    whole[60] = 128;
    whole[128..132].copy_from_slice(b"PE\0\0");
    assert!(pe::looks_like_program(&whole));
    spoil("program", &whole, &[0, 60, 61, 63, 128], (4, SMALL), |bytes| {
        let _ = pe::looks_like_program(bytes);
    });
}

#[test]
fn spoilt_update_logs() {
    let line = "{A1B2C3D4-0000-0000-0000-000000000001}\t2026-01-02 03:04:05:678+0100\t1\t182 [X]\t101\t{0f1e2d3c-0000-0000-0000-00000000000a}\t200\t80070002\tUpdateOrchestrator\tFailure\tContent Install\tInstallation Failure: KB5034441 – Ünïcode.\tcv\r\n";
    let text = line.repeat(20);
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let places: Vec<usize> = text.match_indices(['\t', '\n', '-', ':', '+']).map(|(at, _)| at).collect();
    let wide: Vec<usize> = places.iter().map(|at| 2 * at).collect();
    for (name, whole, places) in [("UTF-8 log", text.as_bytes(), &places), ("UTF-16 log", &utf16[..], &wide)] {
        spoil(name, whole, places, (4, STREAM), |bytes| {
            let _ = reporting_events::parse(&mut &bytes[..]);
        });
    }
    for bad in ["x\n", "\t\n", "\u{0}x\n"] {
        let bytes = bad.repeat(20_000).into_bytes();
        let peak = allocation_counter::measure(|| drop(reporting_events::parse(&mut &bytes[..]))).bytes_max as usize;
        assert!(peak <= 4 * bytes.len() + STREAM, "nothing but bad lines: {peak} bytes for {}", bytes.len());
    }
}
