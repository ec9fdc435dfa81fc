//! The canonical form of a hive that `oracle.py` writes too.

use std::fmt::Write as _;

use hive::Hive;

/// One line for each key and value, in the order of the lists.
pub(crate) fn dump(bytes: &[u8]) -> String {
    let hive = Hive::parse(bytes).unwrap();
    let mut text = String::new();
    for step in hive.walk() {
        let step = step.unwrap();
        let name = if step.depth == 0 { String::new() } else { step.key.name() };
        writeln!(text, "K {} {}", step.depth, hex(name.as_bytes())).unwrap();
        for value in step.key.values() {
            let value = value.unwrap();
            let data = value.data().unwrap();
            writeln!(text, "V {} {} {}", hex(value.name().as_bytes()), value.data_type(), hex(&data)).unwrap();
        }
    }
    text
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
