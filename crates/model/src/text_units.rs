//! How the units of a text file are stored.

/// The encodings that Windows writes its logs in, as far as they can be told apart by looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnits {
    /// UTF-8 or a code page in which ASCII is ASCII.
    Bytes,
    /// UTF-16, low byte first, as Windows writes it.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl TextUnits {
    /// The encoding by the byte order mark, or else by where the zero bytes of the first kilobyte are: logs are ASCII for the
    /// most part, so in UTF-16 every second byte is zero; in the other encodings none is.
    pub fn guess(start: &[u8]) -> Self {
        match start {
            [0xFF, 0xFE, ..] => return Self::Utf16Le,
            [0xFE, 0xFF, ..] => return Self::Utf16Be,
            _ => {}
        }
        let pairs = start.get(..start.len().min(1024)).unwrap_or_default().chunks_exact(2);
        let all = pairs.len();
        let (low, high) = pairs.fold((0, 0), |(low, high), pair| match pair {
            [first, 0] if *first != 0 => (low + 1, high),
            [0, second] if *second != 0 => (low, high + 1),
            _ => (low, high),
        });
        match all {
            0 => Self::Bytes,
            // Half is enough to tell a text from bytes that are none.
            _ if low * 2 > all && high * 8 < low => Self::Utf16Le,
            _ if high * 2 > all && low * 8 < high => Self::Utf16Be,
            _ => Self::Bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TextUnits;

    #[test]
    fn by_mark_and_by_zero_bytes() {
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        assert_eq!(TextUnits::guess(b""), TextUnits::Bytes);
        assert_eq!(TextUnits::guess(b"a"), TextUnits::Bytes);
        assert_eq!(TextUnits::guess("2026-01-02, Fehler: für".as_bytes()), TextUnits::Bytes);
        assert_eq!(TextUnits::guess(&wide("2026-01-02, Fehler: für", u16::to_le_bytes)), TextUnits::Utf16Le);
        assert_eq!(TextUnits::guess(&wide("2026-01-02, Fehler: für", u16::to_be_bytes)), TextUnits::Utf16Be);
        assert_eq!(TextUnits::guess(&wide("\u{FEFF}電電電", u16::to_le_bytes)), TextUnits::Utf16Le);
        assert_eq!(TextUnits::guess(&[0; 64]), TextUnits::Bytes);
    }
}
