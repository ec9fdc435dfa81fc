//! Builds libraries with message tables, byte by byte from the published formats. Also used by the tests of the command line.

/// One block of messages: first number and texts.
pub(crate) type Block<'a> = (u32, &'a [&'a str]);

/// A message table.
pub(crate) fn table(blocks: &[Block]) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut out = u32::try_from(blocks.len()).unwrap_or_default().to_le_bytes().to_vec();
    let heads = 4 + 12 * blocks.len();
    for (low, texts) in blocks {
        let high = low + u32::try_from(texts.len()).unwrap_or_default() - 1;
        for number in [*low, high, u32::try_from(heads + entries.len()).unwrap_or_default()] {
            out.extend(number.to_le_bytes());
        }
        for text in *texts {
            let mut units: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
            units.resize(units.len().next_multiple_of(4), 0);
            entries.extend(u16::try_from(units.len() + 4).unwrap_or_default().to_le_bytes());
            entries.extend(1_u16.to_le_bytes());
            entries.extend(units);
        }
    }
    out.extend(entries);
    out
}

/// A library without code: headers and one section with a message table for each language ("PE Format", Microsoft).
pub(crate) fn library(tables: &[(u16, Vec<u8>)]) -> Vec<u8> {
    program(tables, true)
}

/// The same for 64 or 32 bits; files that hold nothing but texts may be either on any Windows.
pub(crate) fn program(tables: &[(u16, Vec<u8>)], wide: bool) -> Vec<u8> {
    const VA: u32 = 0x1000;
    let count = u32::try_from(tables.len()).unwrap_or_default();
    let mut rsrc = Vec::new();
    let directory = |rsrc: &mut Vec<u8>, entries: &[(u32, u32)]| {
        rsrc.extend([0; 14]);
        rsrc.extend(u16::try_from(entries.len()).unwrap_or_default().to_le_bytes());
        for (id, at) in entries {
            rsrc.extend(id.to_le_bytes());
            rsrc.extend(at.to_le_bytes());
        }
    };
    let datas = 24 + 24 + 16 + 8 * count;
    directory(&mut rsrc, &[(11, 1 << 31 | 24)]);
    directory(&mut rsrc, &[(1, 1 << 31 | 48)]);
    let languages: Vec<(u32, u32)> = (0..).zip(tables).map(|(at, (language, _))| (u32::from(*language), datas + 16 * at)).collect();
    directory(&mut rsrc, &languages);
    let mut at = VA + datas + 16 * count;
    for (_, table) in tables {
        let size = u32::try_from(table.len()).unwrap_or_default();
        for number in [at, size, 0, 0] {
            rsrc.extend(number.to_le_bytes());
        }
        at += size;
    }
    rsrc.extend(tables.iter().flat_map(|(_, table)| table.clone()));
    let size = u32::try_from(rsrc.len()).unwrap_or_default();

    let mut out = vec![0; 64];
    out[..2].copy_from_slice(b"MZ");
    out[60] = 64;
    out.extend(b"PE\0\0");
    let (machine, magic, length, directories) = if wide { (0x8664_u16, 0x20B_u16, 240_u16, 112) } else { (0x14C, 0x10B, 224, 96) };
    for half in [machine, 1, 0, 0, 0, 0, 0, 0, length, 0x2022] {
        out.extend(half.to_le_bytes());
    }
    let mut optional = vec![0; usize::from(length)];
    optional[..2].copy_from_slice(&magic.to_le_bytes());
    optional[directories - 4..directories].copy_from_slice(&16_u32.to_le_bytes());
    optional[directories + 16..directories + 20].copy_from_slice(&VA.to_le_bytes());
    optional[directories + 20..directories + 24].copy_from_slice(&size.to_le_bytes());
    out.extend(optional);
    out.extend(b".rsrc\0\0\0");
    for number in [size, VA, size, 512, 0, 0, 0, 0x4000_0040] {
        out.extend(number.to_le_bytes());
    }
    out.resize(512, 0);
    out.extend(rsrc);
    out
}
