//! The header of an ESE database (`DataStore.edb`, `catdb`, `qmgr.db`) and the checksums of its pages.
//!
//! Layout: libesedb documentation, checked against two databases of Windows 10 and 11 in both states. Never writes, never
//! replays logs.

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// 2 = not closed properly, 3 = closed.
    pub(crate) state: u32,
    /// Bytes in a page.
    pub(crate) page_size: u32,
    /// The log generations that must be there before a database in state 2 can be used; 0, 0 when none.
    pub(crate) required_logs: (u32, u32),
}

/// What is wrong with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Damage {
    /// No bytes at all.
    Empty,
    /// The first page and its copy in the second page both fail their checks.
    Header(String),
}

const SIGNATURE: u32 = 0x89AB_CDEF;
pub(crate) const STATE_DIRTY: u32 = 2;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// XOR of all little-endian words from `from` on.
fn xor(bytes: &[u8], from: usize, seed: u32) -> u32 {
    bytes
        .get(from..)
        .unwrap_or_default()
        .chunks_exact(4)
        .filter_map(|four| four.try_into().ok().map(u32::from_le_bytes))
        .fold(seed, |sum, word| sum ^ word)
}

fn one_header(bytes: &[u8], at: usize, page_size: u32) -> Result<Header, String> {
    let page = at.checked_add(page_size as usize).and_then(|end| bytes.get(at..end)).ok_or("the header page is cut short")?;
    if word(page, 4) != Some(SIGNATURE) {
        return Err("the signature is not that of an ESE database".into());
    }
    let (stored, computed) = (word(page, 0).unwrap_or_default(), xor(page, 4, SIGNATURE));
    if stored != computed {
        return Err(format!("its checksum is {stored:#010x}, but the bytes give {computed:#010x}"));
    }
    Ok(Header {
        state: word(page, 52).unwrap_or_default(),
        page_size,
        required_logs: (word(page, 296).unwrap_or_default(), word(page, 300).unwrap_or_default()),
    })
}

/// Reads the header from the first bytes of a database (64 KiB are enough for every page size). Like ESE itself, it takes the
/// copy in the second page when the first is damaged.
pub(crate) fn header(start: &[u8]) -> Result<Header, Damage> {
    if start.is_empty() {
        return Err(Damage::Empty);
    }
    let named = word(start, 236).filter(|size| matches!(size, 2048 | 4096 | 8192 | 16384 | 32768));
    let first = match named {
        Some(size) => match one_header(start, 0, size) {
            Ok(header) => return Ok(header),
            Err(why) => why,
        },
        None => "it does not begin like an ESE database".to_owned(),
    };
    for size in [4096_u32, 8192, 16384, 32768, 2048] {
        if let Ok(header) = one_header(start, size as usize, size) {
            return Ok(header);
        }
    }
    Err(Damage::Header(first))
}

/// The numbers of pages whose checksum is wrong, at most ten.
///
/// A page of up to 8 KiB begins with the XOR of its words from byte 8 on, seeded with the page's number (the first page after the
/// two headers is 1). A larger page is summed in four blocks; the sums of the last three stand at byte 40, 48 and 56 of the first.
/// Pages of zeros were never used.
pub(crate) fn bad_pages(bytes: &[u8], header: &Header) -> Vec<u32> {
    let size = header.page_size as usize;
    let pages = bytes.get(2 * size..).unwrap_or_default().chunks_exact(size);
    let used = (1_u32..).zip(pages).filter(|(_, page)| page.iter().any(|byte| *byte != 0));
    used.filter(|(number, page)| !page_is_right(page, *number)).map(|(number, _)| number).take(10).collect()
}

fn page_is_right(page: &[u8], number: u32) -> bool {
    if page.len() <= 8192 {
        return word(page, 0) == Some(xor(page, 8, number));
    }
    let block = page.len() / 4;
    page.chunks_exact(block).enumerate().all(|(index, part)| {
        let (stored_at, from) = if index == 0 { (0, 8) } else { (32 + 8 * index, 0) };
        word(page, stored_at) == Some(xor(part, from, number))
    })
}

/// The generation of a log file, from its header.
pub(crate) fn log_generation(start: &[u8]) -> Option<u32> {
    word(start, 4)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout, reason = "reads shared test data")]
mod tests {
    use super::*;

    #[test]
    fn hostile_starts_do_not_panic() {
        assert_eq!(header(&[]), Err(Damage::Empty));
        for length in 0..700 {
            assert!(header(&vec![0xff; length.max(1)]).is_err());
        }
    }

    #[test]
    fn real_databases() {
        let data = std::env::var("HRESOLVE_SHARED_DATA")
            .map_or_else(|_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
        let folder = data.join("ese/museum-win11-srum");
        let Ok(dirty) = std::fs::read(folder.join("Dirty/SRUDB.dat")) else {
            println!("skipped: no shared data with real ESE databases");
            assert!(std::env::var_os("HRESOLVE_REQUIRE_ORACLES").is_none(), "real data is required here");
            return;
        };
        let clean = std::fs::read(folder.join("Clean/SRUDB.dat")).unwrap();
        let dirty_header = header(&dirty).unwrap();
        assert_eq!(dirty_header, Header { state: STATE_DIRTY, page_size: 4096, required_logs: (0x5c, 0x5c) });
        assert_eq!(header(&clean).unwrap().state, 3);
        assert!(bad_pages(&dirty, &dirty_header).is_empty());
        let log = std::fs::read(folder.join("Dirty/SRU.log")).unwrap();
        assert_eq!(log_generation(&log), Some(0x5c));
        let mut damaged = clean.clone();
        damaged[5000 * 4] ^= 1;
        damaged[100] ^= 1;
        let from_copy = header(&damaged).unwrap();
        assert_eq!(from_copy.state, 3, "the copy in the second page is used");
        assert_eq!(bad_pages(&damaged, &from_copy).len(), 1);
        damaged[4096 + 100] ^= 1;
        assert!(matches!(header(&damaged), Err(Damage::Header(_))));
        let qmgr = std::fs::read(data.join("ese/artemis/qmgr-win10.db")).unwrap();
        let large = header(&qmgr).unwrap();
        assert_eq!(large.page_size, 16384);
        assert!(bad_pages(&qmgr, &large).is_empty());
        for at in [0x8000 + 100, 0x8000 + 5000, 0x8000 + 16000] {
            let mut damaged = qmgr.clone();
            damaged[at] ^= 0x10;
            assert_eq!(bad_pages(&damaged, &large), [1], "byte {at:#x}");
        }
    }
}
