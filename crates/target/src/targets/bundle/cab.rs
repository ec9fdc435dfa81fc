//! Cabinets, in one pass per folder: stored, MSZIP and LZX. Written here because the crate `cab` unpacks a folder from its start for each
//! file in it, which takes for ever with the cabinets of the servicing logs. The format: [MS-CAB].

use super::blob::Source;
use lzxd::{Lzxd, WindowSize};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF};
use std::io::{self, Read, SeekFrom};

/// A block never unpacks to more.
const BLOCK: usize = 32 << 10;

/// One member, before its content.
pub(super) struct CabMember {
    pub(super) name: String,
    pub(super) size: u64,
    /// DOS date and time, without a zone.
    pub(super) date: u16,
    pub(super) time: u16,
}

struct Folder {
    start: u64,
    blocks: u16,
    compression: u16,
}

struct Stored {
    member: CabMember,
    folder: u16,
    offset: u64,
}

fn broken(why: &str) -> io::Error {
    io::Error::other(why)
}

/// Hands every member with its content to `take`, until it says stop. Members that go on in another cabinet are named to `skip`.
///
/// # Errors
/// When the cabinet is damaged; the members before were taken.
pub(super) fn members(
    source: &mut dyn Source,
    take: &mut dyn FnMut(CabMember, &mut dyn Read) -> io::Result<bool>,
    skip: &mut dyn FnMut(&str, &str),
) -> io::Result<()> {
    let (folders, reserve, mut stored) = directory(source)?;
    stored.sort_by_key(|one| (one.folder, one.offset));
    let mut rest = stored.into_iter().peekable();
    while let Some(first) = rest.peek() {
        let number = first.folder;
        let mut of_folder = Vec::new();
        while let Some(one) = rest.next_if(|one| one.folder == number) {
            of_folder.push(one);
        }
        let Some(folder) = folders.get(usize::from(number)) else {
            for one in of_folder {
                skip(&one.member.name, "it goes on in another cabinet");
            }
            continue;
        };
        source.seek(SeekFrom::Start(folder.start))?;
        let mut content = Content::new(source, folder, reserve)?;
        let mut at = 0;
        for one in of_folder {
            let Some(gap) = one.offset.checked_sub(at) else {
                skip(&one.member.name, "it overlaps another file of the cabinet");
                continue;
            };
            let size = one.member.size;
            io::copy(&mut (&mut content).take(gap), &mut io::sink())?;
            let mut limited = (&mut content).take(size);
            if !take(one.member, &mut limited)? {
                return Ok(());
            }
            io::copy(&mut limited, &mut io::sink())?;
            if limited.limit() > 0 {
                return Err(broken("a folder holds less than its files need"));
            }
            at = one.offset + size;
        }
    }
    Ok(())
}

fn bytes<const N: usize>(source: &mut dyn Source) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes).unwrap_or_default()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes).unwrap_or_default()
}

/// A name of at most 255 bytes that ends with a zero.
fn name(source: &mut dyn Source) -> io::Result<Vec<u8>> {
    let mut name = Vec::new();
    loop {
        match bytes::<1>(source)? {
            [0] => return Ok(name),
            _ if name.len() >= 255 => return Err(broken("a name does not end")),
            [byte] => name.push(byte),
        }
    }
}

/// Folders, the length of what is reserved in each block, and files.
fn directory(source: &mut dyn Source) -> io::Result<(Vec<Folder>, u64, Vec<Stored>)> {
    source.seek(SeekFrom::Start(0))?;
    let header: [u8; 36] = bytes(source)?;
    if header.get(..4) != Some(b"MSCF".as_slice()) {
        return Err(broken("it is no cabinet"));
    }
    let (files_at, folder_count, file_count, flags) = (u32_at(&header, 16), u16_at(&header, 26), u16_at(&header, 28), u16_at(&header, 30));
    let (mut folder_reserve, mut block_reserve) = (0, 0);
    if flags & 4 != 0 {
        let sizes: [u8; 4] = bytes(source)?;
        let [_, _, in_folder, in_block] = sizes;
        (folder_reserve, block_reserve) = (i64::from(in_folder), u64::from(in_block));
        source.seek(SeekFrom::Current(i64::from(u16_at(&sizes, 0))))?;
    }
    for neighbour in [1, 2] {
        if flags & neighbour != 0 {
            name(source)?;
            name(source)?;
        }
    }
    let mut folders = Vec::new();
    for _ in 0..folder_count {
        let folder: [u8; 8] = bytes(source)?;
        folders.push(Folder { start: u64::from(u32_at(&folder, 0)), blocks: u16_at(&folder, 4), compression: u16_at(&folder, 6) });
        source.seek(SeekFrom::Current(folder_reserve))?;
    }
    source.seek(SeekFrom::Start(u64::from(files_at)))?;
    let mut buffered = io::BufReader::new(source);
    let mut stored = Vec::new();
    for _ in 0..file_count {
        let file: [u8; 16] = bytes(&mut buffered)?;
        let name = name(&mut buffered)?;
        let member = CabMember {
            // Without the flag for UTF-8 the encoding is whatever the maker's Windows used; names of logs are ASCII.
            name: String::from_utf8_lossy(&name).into_owned(),
            size: u64::from(u32_at(&file, 0)),
            date: u16_at(&file, 10),
            time: u16_at(&file, 12),
        };
        stored.push(Stored { member, folder: u16_at(&file, 8), offset: u64::from(u32_at(&file, 4)) });
    }
    Ok((folders, block_reserve, stored))
}

enum Coder {
    Stored,
    MsZip { state: Box<DecompressorOxide>, window: Vec<u8>, filled: usize },
    Lzx(Box<Lzxd>),
}

/// The unpacked bytes of one folder.
struct Content<'a> {
    source: io::BufReader<&'a mut dyn Source>,
    blocks_left: u16,
    reserve: u64,
    coder: Coder,
    block: Vec<u8>,
    at: usize,
}

impl<'a> Content<'a> {
    fn new(source: &'a mut dyn Source, folder: &Folder, reserve: u64) -> io::Result<Self> {
        let coder = match folder.compression & 0xf {
            0 => Coder::Stored,
            1 => Coder::MsZip { state: Box::default(), window: vec![0; 2 * BLOCK], filled: 0 },
            3 => Coder::Lzx(Box::new(Lzxd::new(match folder.compression >> 8 {
                15 => WindowSize::KB32,
                16 => WindowSize::KB64,
                17 => WindowSize::KB128,
                18 => WindowSize::KB256,
                19 => WindowSize::KB512,
                20 => WindowSize::MB1,
                21 => WindowSize::MB2,
                _ => return Err(broken("the window of its compression has no known size")),
            }))),
            _ => return Err(broken("it is packed in a way that is not read (Quantum)")),
        };
        let source = io::BufReader::with_capacity(1 << 17, source);
        Ok(Content { source, blocks_left: folder.blocks, reserve, coder, block: Vec::new(), at: 0 })
    }

    fn next_block(&mut self) -> io::Result<()> {
        let mut header = [0; 8];
        self.source.read_exact(&mut header)?;
        io::copy(&mut (&mut self.source).take(self.reserve), &mut io::sink())?;
        let (packed_size, size) = (usize::from(u16_at(&header, 4)), usize::from(u16_at(&header, 6)));
        if size == 0 || size > BLOCK {
            return Err(broken(if size == 0 { "it goes on in another cabinet" } else { "a block is too large" }));
        }
        let mut packed = vec![0; packed_size];
        self.source.read_exact(&mut packed)?;
        let checksum = u32_at(&header, 0);
        // 0 says that no sum was made.
        if checksum != 0 && sum(header.get(4..).unwrap_or_default(), sum(&packed, 0)) != checksum {
            return Err(broken("the checksum of a block is wrong"));
        }
        self.at = 0;
        self.block.clear();
        match &mut self.coder {
            Coder::Stored => self.block.extend_from_slice(&packed),
            Coder::MsZip { state, window, filled } => {
                let deflated = packed.strip_prefix(b"CK").ok_or_else(|| broken("a block has no MSZIP signature"))?;
                state.init();
                let room = window.get_mut(..*filled + size).unwrap_or_default();
                let (status, _, count) = decompress(state, deflated, room, *filled, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
                if status != TINFLStatus::Done || count != size {
                    return Err(broken("a block cannot be unpacked"));
                }
                let end = *filled + size;
                self.block.extend_from_slice(window.get(*filled..end).unwrap_or_default());
                // The next block may refer to the last 32 KiB.
                let from = end.saturating_sub(BLOCK);
                window.copy_within(from..end, 0);
                *filled = end - from;
            }
            Coder::Lzx(lzx) => {
                let unpacked = lzx.decompress_next(&packed, size).map_err(|error| broken(&format!("a block cannot be unpacked: {error}")))?;
                self.block.extend_from_slice(unpacked);
            }
        }
        if self.block.len() == size { Ok(()) } else { Err(broken("a block has not the length that it says")) }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() && self.blocks_left > 0 {
            self.blocks_left -= 1;
            self.next_block()?;
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += count;
        Ok(count)
    }
}

/// The checksum of a block: exclusive or of little-endian words; the last one to three bytes count from the top.
fn sum(bytes: &[u8], start: u32) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let whole = words.iter().fold(start, |sum, word| sum ^ u32::from_le_bytes(*word));
    whole ^ rest.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}
