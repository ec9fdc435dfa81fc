//! Log and checkpoint files of an ESE database: a valid header, then nothing.

use super::ese::{SIGNATURE, header_checksum, put};

const SECTOR: usize = 4096;
/// Sectors of a log file; real ones have 16 (64 KiB) and more.
const SECTORS: usize = 4;

/// A log file of that generation; generation 0 is a reserve file, which is all zeros.
pub(super) fn log(generation: u32) -> Vec<u8> {
    let mut out = vec![0; SECTOR * SECTORS];
    if generation == 0 {
        return out;
    }
    put(&mut out, 4, &generation.to_le_bytes());
    put(&mut out, 16, &[0x2A, 0x1E, 0x09, 0x01, 0x06, 0x7D, 0, 0]);
    put(&mut out, 24, &[0x3A, 0x1D, 0x09, 0x01, 0x06, 0x7D, 0, 0]);
    put(&mut out, 32, &8_u32.to_le_bytes());
    put(&mut out, 36, &4000_u32.to_le_bytes());
    put(&mut out, 40, &90_u32.to_le_bytes());
    put(&mut out, 44, &SIGNATURE);
    seal(out)
}

/// A checkpoint file that names that generation.
pub(super) fn checkpoint(generation: u32) -> Vec<u8> {
    let mut out = vec![0; SECTOR * 2];
    put(&mut out, 12, &[0, 0, 0x08, 0]);
    put(&mut out, 16, &generation.to_le_bytes());
    put(&mut out, 20, &SIGNATURE);
    seal(out)
}

/// Writes the checksum of the first sector.
fn seal(mut out: Vec<u8>) -> Vec<u8> {
    let sum = header_checksum(out.get(..SECTOR).unwrap_or_default());
    put(&mut out, 0, &sum.to_le_bytes());
    out
}
