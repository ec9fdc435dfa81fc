//! `WinHttpSettings`: the proxy that services use, as `netsh winhttp set proxy` stores it.
//!
//! Little-endian: four bytes with the version of the form (0x18, later 0x28), four with a counter, four with flags (1 direct, 2 a named
//! proxy), then a length and the proxies, a length and the exceptions, both as bytes without end mark. What follows in newer forms is not read.
//! The form is published in scripts that read it; Microsoft does not document it.

/// The named proxy; `None` when the connection is direct or the bytes have another form.
pub fn proxy(bytes: &[u8]) -> Option<String> {
    let number = |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
    if !matches!(number(0)?, 0x18 | 0x28) || number(8)? & 2 == 0 {
        return None;
    }
    let length = usize::try_from(number(12)?).ok()?;
    let text = bytes.get(16..)?.get(..length)?;
    let text = String::from_utf8_lossy(text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::proxy;

    /// What `netsh winhttp set proxy 127.0.0.1:8118 "<local>"` leaves.
    fn named(version: u8) -> Vec<u8> {
        [&[version, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 14, 0, 0, 0][..], b"127.0.0.1:8118", &[7, 0, 0, 0], b"<local>"].concat()
    }

    #[test]
    fn a_named_proxy_and_none() {
        assert_eq!(proxy(&named(0x18)).as_deref(), Some("127.0.0.1:8118"));
        assert_eq!(proxy(&named(0x28)).as_deref(), Some("127.0.0.1:8118"));
        assert_eq!(proxy(&named(0x3C)), None, "another form");
        assert_eq!(proxy(&[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None, "direct");
    }

    #[test]
    fn bytes_cut_anywhere_name_none() {
        for cut in 0..30 {
            assert_eq!(proxy(named(0x18).get(..cut).unwrap_or_default()), None, "{cut}");
        }
        assert_eq!(proxy(&[0x18, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 255, 255, 255, 255, b'x']), None);
    }
}
