//! What hresolve's hive library does in the benchmarks. One round for each line on the standard input, one line of numbers
//! for each round; only the work itself is timed.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, reason = "a benchmark reads files and the clock")]

use std::error::Error;
use std::hint::black_box;
use std::io::BufRead;
use std::time::Duration;

use hive::{CleanHive, Hive, Recovered, ValueKind, recover};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut round: Box<dyn FnMut() -> Result<String, Box<dyn Error>>> = match arguments[..] {
        ["walk", path] => {
            let path = path.to_owned();
            Box::new(move || walk(&path))
        }
        ["replay", primary, log1, log2] => {
            let files = [primary, log1, log2].map(str::to_owned);
            Box::new(move || replay(&files, None))
        }
        ["replay-to", to, primary, log1, log2] => {
            let (to, files) = (to.to_owned(), [primary, log1, log2].map(str::to_owned));
            Box::new(move || replay(&files, Some(&to)))
        }
        ["read", ..] => {
            let files: Vec<String> = arguments[1..].iter().map(|path| (*path).to_owned()).collect();
            Box::new(move || {
                let start = now();
                let sizes = files.iter().map(|path| Ok(black_box(std::fs::read(path)?).len())).collect::<std::io::Result<Vec<usize>>>()?;
                Ok(format!(r#"{{"ns":{},"result":"{sizes:?}"}}"#, (now() - start).as_nanos()))
            })
        }
        ["lookup"] => {
            // Every stored value once, in an order that no cache foresees.
            let mut values: Vec<u32> = codes::entries().map(|entry| entry.value).collect();
            values.dedup();
            values.sort_by_key(|value| value.wrapping_mul(0x9E37_79B9).rotate_left(11));
            Box::new(move || {
                let start = now();
                let found: usize = values.iter().map(|value| codes::known(black_box(*value)).next().map_or(0, |known| known.name.len())).sum();
                let each = (now() - start).as_nanos() as f64 / values.len() as f64;
                black_box(found);
                Ok(format!(r#"{{"ns":{each:.2},"result":"{} numbers"}}"#, values.len()))
            })
        }
        ["events", ..] => {
            let files: Vec<String> = arguments[1..].iter().map(|path| (*path).to_owned()).collect();
            Box::new(move || events(&files))
        }
        ["commit", path] => {
            let Recovered::Clean(hive) = recover(std::fs::read(path)?, &[])? else { return Err("the hive is not clean".into()) };
            Box::new(move || commit(&hive))
        }
        _ => return Err("walk HIVE | replay HIVE LOG1 LOG2 | replay-to FILE HIVE LOG1 LOG2 | read FILE... | lookup | events LOG... | commit HIVE".into()),
    };
    for line in std::io::stdin().lock().lines() {
        line?;
        println!("{}", round()?);
    }
    Ok(())
}

/// Opens the file and visits all of it: every name as text, every byte of data.
fn walk(path: &str) -> Result<String, Box<dyn Error>> {
    let start = now();
    let bytes = std::fs::read(path)?;
    let hive = Hive::parse(&bytes)?;
    let opened = now() - start;
    let (mut keys, mut values, mut name_sum, mut data_bytes, mut data_sum) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    for step in hive.walk() {
        let key = step?.key;
        keys += 1;
        name_sum += sum(&key.name_utf8());
        for value in key.values() {
            let value = value?;
            values += 1;
            name_sum += sum(&value.name_utf8());
            let data = value.data()?;
            data_bytes += data.len() as u64;
            data_sum += sum(&data);
        }
    }
    let whole = now() - start;
    Ok(format!(
        r#"{{"open":{},"ns":{},"result":"{keys} keys, {values} values, {data_bytes} bytes of data, sums {name_sum} and {data_sum}"}}"#,
        opened.as_nanos(),
        whole.as_nanos()
    ))
}

/// The sum of all bytes, eight at a time in four lanes of 16 bits; every program does it in the same way.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    // 128 words add at most 128 * 2 * 255 to a lane, which fits.
    let whole: u64 = words.chunks(128).map(|words| add_lanes(words.iter().map(|word| lanes(u64::from_le_bytes(*word))).sum())).sum();
    match bytes.last_chunk::<8>() {
        _ if rest.is_empty() => whole,
        Some(last) => whole + add_lanes(lanes(u64::from_le_bytes(*last) >> (64 - 8 * rest.len()))),
        None => rest.iter().fold(0, |total, &byte| total + u64::from(byte)),
    }
}

fn lanes(word: u64) -> u64 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    (word & EVEN) + (word >> 8 & EVEN)
}

fn add_lanes(lanes: u64) -> u64 {
    const EVEN: u64 = 0x0000_ffff_0000_ffff;
    let pairs = (lanes & EVEN) + (lanes >> 16 & EVEN);
    (pairs & 0xffff_ffff) + (pairs >> 32)
}

/// From the three files to the recovered hive in memory, and to a new file when one is named.
fn replay([primary, log1, log2]: &[String; 3], to: Option<&str>) -> Result<String, Box<dyn Error>> {
    let start = now();
    let (primary, log1, log2) = (std::fs::read(primary)?, std::fs::read(log1)?, std::fs::read(log2)?);
    let Recovered::Replayed { hive, report } = recover(primary, &[&log1, &log2])? else { return Err("the logs were not replayed".into()) };
    if let Some(to) = to {
        std::fs::write(to, hive.bytes())?;
    }
    let time = now() - start;
    let bins = hive.bytes().get(4096..).unwrap_or_default();
    Ok(format!(r#"{{"ns":{},"result":"{} pages, {} bytes of bins, sum {}"}}"#, time.as_nanos(), report.pages, bins.len(), adler32(bins)))
}

/// Adler-32, which Python has too.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for block in bytes.chunks(5552) {
        for &byte in block {
            a += u32::from(byte);
            b += a;
        }
        (a, b) = (a % 65_521, b % 65_521);
    }
    b << 16 | a
}

/// Reads system logs and takes the wanted events out of them.
fn events(files: &[String]) -> Result<String, Box<dyn Error>> {
    let rows = evidence::events::wanted::of_file(evidence::events::wanted::SYSTEM);
    let (mut records, mut wanted) = (0, 0);
    let start = now();
    for path in files {
        let log = black_box(evidence::events::read(&std::fs::read(path)?, &rows));
        records += log.records;
        wanted += log.events.len();
    }
    Ok(format!(r#"{{"ns":{},"wanted":{wanted},"result":"{records} records"}}"#, (now() - start).as_nanos()))
}

/// Sets one value of a clean hive: the edit, the new file in memory, and its verification.
fn commit(hive: &CleanHive) -> Result<String, Box<dyn Error>> {
    let start = now();
    let mut edit = hive.edit();
    edit.set_value(r"Select", "HresolveBench", ValueKind::Dword.into(), &1_u32.to_le_bytes());
    let committed = black_box(edit.commit(0)?);
    Ok(format!(r#"{{"ns":{},"result":"{} bytes"}}"#, (now() - start).as_nanos(), committed.hive.bytes().len()))
}

/// Processor time of this thread: what others take of a busy core is not counted.
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}
