//! Tar archives, plain or inside gzip: one pass, in order. Only what names and holds ordinary files is understood (ustar, GNU long
//! names, pax paths); links and devices are passed on as such, to be skipped.

use std::io::{self, Read};

/// Long names and pax headers are read to this length.
const LONGEST_NAME: u64 = 64 << 10;

/// One member, before its content.
pub(in crate::targets) struct TarMember {
    pub(in crate::targets) name: String,
    pub(in crate::targets) size: u64,
    pub(in crate::targets) modified: i64,
    /// An ordinary file; `false` for a link, a device or a pipe. Folders are not passed on at all.
    pub(in crate::targets) is_file: bool,
}

/// True when these bytes begin with a tar header.
pub(in crate::targets) fn is_tar(start: &[u8]) -> bool {
    start.first_chunk::<512>().is_some_and(checksum_fits)
}

/// Hands every member with its content to `take`, in order, until it says stop.
///
/// # Errors
/// When the archive is damaged; the members before were taken.
pub(in crate::targets) fn members(source: &mut dyn Read, take: &mut dyn FnMut(TarMember, &mut dyn Read) -> io::Result<bool>) -> io::Result<()> {
    let mut header = [0_u8; 512];
    let mut long_name: Option<String> = None;
    loop {
        match source.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        if header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        if !checksum_fits(&header) {
            return Err(io::Error::other("the checksum of a header is wrong"));
        }
        let size = number(field(&header, 124, 12)).ok_or_else(|| io::Error::other("a header holds no size"))?;
        let padding = (512 - size % 512) % 512;
        let kind = header.get(156).copied().unwrap_or_default();
        let mut content = source.take(size);
        match kind {
            b'L' => long_name = Some(text(&small(&mut content)?)),
            b'x' => long_name = pax_path(&small(&mut content)?).or(long_name),
            b'g' | b'K' | b'5' => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| short_name(&header));
                let modified = number(field(&header, 136, 12)).and_then(|time| i64::try_from(time).ok()).unwrap_or_default();
                let member = TarMember { name, size, modified, is_file: matches!(kind, 0 | b'0' | b'7') };
                if !take(member, &mut content)? {
                    return Ok(());
                }
            }
        }
        io::copy(&mut content, &mut io::sink())?;
        io::copy(&mut source.take(padding), &mut io::sink())?;
    }
}

fn field(header: &[u8; 512], at: usize, length: usize) -> &[u8] {
    header.get(at..at + length).unwrap_or_default()
}

/// The sum of all bytes with the checksum itself as spaces; a header of nothing but zeroes has none.
fn checksum_fits(header: &[u8; 512]) -> bool {
    let sum: u64 = header.iter().enumerate().map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte })).sum();
    sum != 8 * 32 && number(field(header, 148, 8)) == Some(sum)
}

/// Octal digits, or with the top bit set a number in base 256.
fn number(field: &[u8]) -> Option<u64> {
    match field {
        [first, rest @ ..] if first & 0x80 != 0 => {
            let start = u64::from(first & 0x7f);
            rest.iter().try_fold(start, |sum, byte| Some(sum.checked_mul(256)? | u64::from(*byte)))
        }
        _ => {
            let text = text(field);
            let digits = text.trim_matches(' ');
            if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn short_name(header: &[u8; 512]) -> String {
    let prefix = if field(header, 257, 6) == b"ustar\0" { text(field(header, 345, 155)) } else { String::new() };
    let name = text(field(header, 0, 100));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

fn small(content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    content.take(LONGEST_NAME).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The `path` of a pax header, whose records are `LENGTH KEY=VALUE\n`.
fn pax_path(records: &[u8]) -> Option<String> {
    let mut rest = records;
    loop {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
        let record = rest.get(space + 1..length.checked_sub(1)?)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(text(path));
        }
        rest = rest.get(length..)?;
    }
}
