//! How far a program of Windows is, from the numbers in what it writes. Its words are never read: they are in the language of Windows.

/// Finds `20.0%`, `20,0 %` and `20 %` in output that comes in pieces, in bytes of any code page or in UTF-16 as SFC writes it.
#[derive(Debug, Default)]
pub(super) struct Percent {
    /// Two bytes a character; decided by the first piece.
    wide: Option<bool>,
    /// Every second byte of UTF-16 is skipped, across pieces.
    odd: bool,
    /// The number that is being read.
    digits: String,
    /// The number has its decimals now, which are not needed.
    fraction: bool,
    last: Option<u8>,
}

impl Percent {
    /// Takes a piece; the newest percentage in it when it differs from the last one.
    pub(super) fn take(&mut self, piece: &[u8]) -> Option<u8> {
        // Digits, spaces and line ends are what every program begins with or soon writes: in UTF-16 each is followed by a zero.
        let wide = *self.wide.get_or_insert_with(|| piece.contains(&0));
        let mut found = None;
        for byte in piece {
            if wide {
                self.odd = !self.odd;
                // The upper half of a character; the lower half came before.
                if !self.odd {
                    continue;
                }
            }
            found = self.character(*byte).or(found);
        }
        let news = found.filter(|percent| Some(*percent) != self.last);
        self.last = found.or(self.last);
        news
    }

    fn character(&mut self, byte: u8) -> Option<u8> {
        match byte {
            b'0'..=b'9' if self.fraction => {}
            b'0'..=b'9' => self.digits.push(char::from(byte)),
            b'.' | b',' if !self.digits.is_empty() && !self.fraction => self.fraction = true,
            b' ' if !self.digits.is_empty() => {}
            b'%' => return self.end(),
            _ => {
                self.end();
            }
        }
        None
    }

    fn end(&mut self) -> Option<u8> {
        let percent = self.digits.parse().ok().filter(|percent| *percent <= 100);
        self.digits.clear();
        self.fraction = false;
        percent
    }
}

#[cfg(test)]
mod tests {
    use super::Percent;

    fn all(pieces: &[&[u8]]) -> Vec<u8> {
        let mut percent = Percent::default();
        pieces.iter().filter_map(|piece| percent.take(piece)).collect()
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn dism_and_sfc_are_followed_in_any_language() {
        let dism: &[&[u8]] = &[
            b"Deployment Image Servicing and Management tool\r\nVersion: 10.0.19041.844\r\n\r\n",
            b"\r[=========                 20.0%                          ] ",
            b"\r[==========================100.0%==========================] ",
        ];
        assert_eq!(all(dism), [20, 100]);
        let texts = [
            "\r\nBeginning system scan.\r\n\r\n\r",
            "Verification 4% complete.\r",
            "Verification 4% complete.",
            "\r\u{42d}\u{442}\u{430}\u{43f} 97 % \u{437}.\r",
        ];
        let pieces: Vec<Vec<u8>> = texts.iter().map(|text| wide(text)).collect();
        assert_eq!(all(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>()), [4, 97]);
        // Cut within a character and within a number.
        let whole = wide("\rVerification 42% complete.\r");
        for cut in 2..whole.len() {
            assert_eq!(all(&[&whole[..cut], &whole[cut..]]), [42], "cut at {cut}");
        }
    }

    #[test]
    fn numbers_that_are_no_percentages_are_none() {
        assert_eq!(all(&[b"Version: 10.0.19041.844\r\n 300 % 1 of 2; %PATH%"]), Vec::<u8>::new());
    }
}
