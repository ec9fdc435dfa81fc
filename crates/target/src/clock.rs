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
        model::utc(i64::try_from(self.unix).unwrap_or(i64::MAX / 2))
    }
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
