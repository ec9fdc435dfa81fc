//! The walk of `bench/ours` with notatin: every name as text, every byte of data. One round for each line on the standard input.

use std::error::Error;
use std::io::BufRead;
use std::time::Duration;

use notatin::parser::ParserIterator;
use notatin::parser_builder::ParserBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("walk HIVE")?;
    for line in std::io::stdin().lock().lines() {
        line?;
        println!("{}", walk(&path)?);
    }
    Ok(())
}

fn walk(path: &str) -> Result<String, Box<dyn Error>> {
    let start = now();
    let parser = ParserBuilder::from_path(path.to_owned()).build()?;
    let opened = now() - start;
    let (mut keys, mut values, mut name_sum, mut data_bytes, mut data_sum) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    for key in ParserIterator::new(&parser) {
        keys += 1;
        name_sum += sum(key.key_name.as_bytes());
        for value in key.value_iter() {
            values += 1;
            name_sum += sum(value.detail.value_name().as_bytes());
            let data = value.detail.value_bytes().ok_or("a value without data")?;
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

/// Processor time of this thread: what others take of a busy core is not counted.
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}
