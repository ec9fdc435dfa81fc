//! What every parser of a text log yields.

/// How bad the writer of a line thought it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The line says nothing about it, or says it is information.
    #[default]
    Info,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

/// One entry of a log; continuation lines belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Line in the file, from 1.
    pub line: u64,
    /// Local time as `YYYY-MM-DDTHH:MM:SS`; the zone is not known. Absent when the line has none (excerpts).
    pub local: Option<String>,
    /// How bad.
    pub level: Level,
    /// Who wrote it: `CBS`, `CSI`, `DISM`, `MOUPG`, `sto` …; empty when the line does not say.
    pub component: String,
    /// The rest, continuation lines joined by line feeds.
    pub text: String,
}

/// A line that could not be understood, or that reading ended before the log did (then the line is 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// How many bad lines are remembered; a file of nothing else would take many times its size.
pub(crate) const MOST_PROBLEMS: usize = 100;

/// The `2026-01-02 03:04:05` at the start of a line as `2026-01-02T03:04:05`, when the date has one of the `dates` marks between its
/// numbers and one of the `blanks` stands before the time.
pub(crate) fn civil_time(text: &str, dates: &[u8], blanks: &[u8]) -> Option<String> {
    let text = text.get(..19)?;
    let mut time = String::with_capacity(19);
    for (at, byte) in text.bytes().enumerate() {
        let (fits, shown) = match at {
            4 | 7 => (dates.contains(&byte), '-'),
            10 => (blanks.contains(&byte), 'T'),
            13 | 16 => (byte == b':', ':'),
            _ => (byte.is_ascii_digit(), char::from(byte)),
        };
        if !fits {
            return None;
        }
        time.push(shown);
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::civil_time;

    #[test]
    fn only_the_marks_that_are_asked_for_fit() {
        let wanted = Some("2026-01-02T03:04:05".to_owned());
        assert_eq!(civil_time("2026-01-02 03:04:05, Info", b"-", b" T"), wanted);
        assert_eq!(civil_time("2026/01/02\t03:04:05.678", b"-/", b"\t"), wanted);
        for text in
            ["2026/01/02 03:04:05", "2026-01-02_03:04:05", "2026-01-02 03.04.05", "2026-01-0x 03:04:05", "2026-01-02 03:04:0", "2026-01-02 03:04:0é"]
        {
            assert_eq!(civil_time(text, b"-", b" T"), None, "{text}");
        }
    }
}
