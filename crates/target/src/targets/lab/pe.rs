//! Small program files with a valid PE header and version resource.
//!
//! They hold no working code: one function that returns 0. Name and version decide the content, so two files are
//! equal exactly when both are.

use super::file_version::{self, FileVersion};

const FILE_ALIGNMENT: usize = 0x200;
const TEXT_AT: u32 = 0x400;
const TEXT_RVA: u32 = 0x1000;
const RESOURCE_AT: u32 = 0x600;
const RESOURCE_RVA: u32 = 0x2000;
const IMAGE_BASE: u64 = 0x1_8000_0000;
/// Where the optional header's checksum stands: PE header at 0x80, signature 4, file header 20, field at 64.
const CHECKSUM_AT: usize = 0x80 + 4 + 20 + 64;

/// The bytes of an x64 program file of that name and version.
pub(super) fn file(name: &str, version: &str) -> Result<Vec<u8>, String> {
    let version = FileVersion::parse(version)?;
    let lower = name.to_lowercase();
    let library = !lower.ends_with(".exe") && !lower.ends_with(".sys");
    // 1 native (drivers), 3 console; it is never run.
    let subsystem: u16 = if lower.ends_with(".sys") { 1 } else { 3 };
    let resources = resources(&file_version::resource(name, version));
    let resource_size = u32::try_from(resources.len()).map_err(|_| "the version resource is too large".to_string())?;
    let raw_resource = resource_size.next_multiple_of(0x200);
    let stamp = seed(&lower, version);

    let mut out = Bytes::default();
    out.bytes(b"MZ").pad_to(0x3C).u32(0x80).pad_to(0x80);
    out.bytes(b"PE\0\0").u16(0x8664).u16(2).u32(stamp).u32(0).u32(0).u16(240);
    out.u16(if library { 0x2022 } else { 0x0022 });
    // Optional header, PE32+.
    out.u16(0x20B).u16(0x000E).u32(0x200).u32(raw_resource).u32(0).u32(TEXT_RVA).u32(TEXT_RVA).u64(IMAGE_BASE);
    out.u32(0x1000).u32(0x200).u16(10).u16(0).u16(10).u16(0).u16(10).u16(0).u32(0);
    out.u32(RESOURCE_RVA.saturating_add(raw_resource.next_multiple_of(0x1000))).u32(TEXT_AT).u32(0);
    out.u16(subsystem).u16(0x0160).u64(0x4_0000).u64(0x1000).u64(0x10_0000).u64(0x1000).u32(0).u32(16);
    for directory in 0..16 {
        // Number 2 is the resource directory, the only one.
        if directory == 2 {
            out.u32(RESOURCE_RVA).u32(resource_size)
        } else {
            out.u32(0).u32(0)
        };
    }
    out.bytes(b".text\0\0\0").u32(0x200).u32(TEXT_RVA).u32(0x200).u32(TEXT_AT).u32(0).u32(0).u32(0).u32(0x6000_0020);
    out.bytes(b".rsrc\0\0\0").u32(resource_size).u32(RESOURCE_RVA).u32(raw_resource).u32(RESOURCE_AT).u32(0).u32(0).u32(0).u32(0x4000_0040);
    out.pad_to(usize::try_from(TEXT_AT).unwrap_or(FILE_ALIGNMENT));
    // xor eax,eax; ret; then bytes that only this name and version give.
    out.bytes(&[0x31, 0xC0, 0xC3]);
    let mut state = stamp | 1;
    for _ in 0..125 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        out.u32(state);
    }
    out.pad_to(usize::try_from(RESOURCE_AT).unwrap_or(FILE_ALIGNMENT)).bytes(&resources);
    let full = out.0.len().next_multiple_of(FILE_ALIGNMENT);
    out.pad_to(full);
    let checksum = checksum(&out.0);
    if let Some(field) = out.0.get_mut(CHECKSUM_AT..CHECKSUM_AT.saturating_add(4)) {
        field.copy_from_slice(&checksum.to_le_bytes());
    }
    Ok(out.0)
}

/// A resource directory with the one entry type 16 (version), name 1, language 0x409.
fn resources(version: &[u8]) -> Vec<u8> {
    let mut out = Bytes::default();
    for (id, offset) in [(16, 0x8000_0018_u32), (1, 0x8000_0030), (0x409, 0x48)] {
        out.u32(0).u32(0).u16(0).u16(0).u16(0).u16(1).u32(id).u32(offset);
    }
    let size = u32::try_from(version.len()).unwrap_or(0);
    out.u32(RESOURCE_RVA.saturating_add(0x58)).u32(size).u32(0).u32(0).bytes(version);
    out.0
}

/// FNV-1a of name and version: the file's time stamp and the seed of its content.
fn seed(name: &str, version: FileVersion) -> u32 {
    let parts = version.0.into_iter().flat_map(u16::to_le_bytes);
    name.bytes().chain(parts).fold(0x811C_9DC5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The checksum of the optional header: 16-bit words added with carry, plus the file's length.
fn checksum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2).map(|pair| pair.iter().rev().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)));
    let sum = words.fold(0_u32, |sum, word| {
        let sum = sum.wrapping_add(word);
        (sum & 0xFFFF).wrapping_add(sum >> 16)
    });
    sum.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0))
}

/// Bytes in the order they are written, numbers little-endian.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn bytes(&mut self, more: &[u8]) -> &mut Bytes {
        self.0.extend_from_slice(more);
        self
    }

    fn u16(&mut self, number: u16) -> &mut Bytes {
        self.bytes(&number.to_le_bytes())
    }

    fn u32(&mut self, number: u32) -> &mut Bytes {
        self.bytes(&number.to_le_bytes())
    }

    fn u64(&mut self, number: u64) -> &mut Bytes {
        self.bytes(&number.to_le_bytes())
    }

    fn pad_to(&mut self, length: usize) -> &mut Bytes {
        self.0.resize(length, 0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_version_decide_the_content() {
        let one = file("wuaueng.dll", "10.0.19041.3570").unwrap();
        assert_eq!(one, file("wuaueng.dll", "10.0.19041.3570").unwrap());
        assert_ne!(one, file("wuaueng.dll", "10.0.19041.1").unwrap());
        assert_ne!(one, file("qmgr.dll", "10.0.19041.3570").unwrap());
        assert!(file("a.dll", "1.2.3.4.5").is_err() && file("a.dll", "x").is_err());
    }

    #[test]
    fn header_is_as_the_format_says() {
        let bytes = file("wuaueng.dll", "10.0.19041.3570").unwrap();
        assert_eq!(&bytes[..2], b"MZ");
        assert_eq!(&bytes[0x80..0x84], b"PE\0\0");
        assert_eq!(&bytes[0x84..0x88], [0x64, 0x86, 2, 0]);
        assert_eq!(bytes.len() % FILE_ALIGNMENT, 0);
        // The section table ends before the first section's data.
        assert_eq!(&bytes[0x80 + 24 + 240..0x80 + 24 + 240 + 5], b".text");
        let fixed: Vec<u8> = 0xFEEF_04BD_u32.to_le_bytes().to_vec();
        let at = bytes.windows(4).position(|window| window == fixed).unwrap();
        assert_eq!(at % 4, 0);
        assert_eq!(&bytes[at + 8..at + 16], [0, 0, 10, 0, 0xF2, 0x0D, 0x61, 0x4A]);
    }
}
