//! The wall clock and a little randomness, read in one place and handed to whoever needs them.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment and an unpredictable number, taken once.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Seconds since 1970-01-01 UTC.
    pub unix: u64,
    /// Nanoseconds within the second.
    pub nanos: u32,
    /// Differs between any two calls; names runs and temporary files, nothing secret.
    pub unique: u32,
}

impl Now {
    /// As Windows writes times: 100 ns steps since 1601-01-01 UTC.
    pub fn filetime(self) -> u64 {
        (self.unix + 11_644_473_600) * 10_000_000 + u64::from(self.nanos / 100)
    }

    /// `2026-11-22T14:05:09Z`
    pub fn iso(self) -> String {
        let (year, month, day) = civil(self.unix / 86_400);
        let second = self.unix % 86_400;
        format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    }
}

/// Year, month and day of a day number since 1970-01-01 (proleptic Gregorian; H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(day: u64) -> (u64, u64, u64) {
    let z = day + 719_468;
    let era = z / 146_097;
    let of_era = z % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// The moment now.
pub fn now() -> Now {
    use std::hash::{BuildHasher, Hasher};
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // RandomState is seeded by the operating system for every process and differs for every instance.
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u32(since.subsec_nanos());
    hasher.write_u32(std::process::id());
    Now { unix: since.as_secs(), nanos: since.subsec_nanos(), unique: (hasher.finish() & 0xFFFF_FFFF) as u32 }
}

/// Measures how long something takes, for people; never decides anything.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Self {
        Stopwatch(std::time::Instant::now())
    }

    /// Whole milliseconds since the start.
    pub fn milliseconds(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Now;

    #[test]
    fn civil_dates() {
        let at = |unix| Now { unix, nanos: 0, unique: 0 }.iso();
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_355_999), "2026-11-22T13:59:59Z");
    }
}
