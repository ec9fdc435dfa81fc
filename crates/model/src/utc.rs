//! Moments and stretches of time as people write them. Nothing here knows what time it is.

const DAY: i64 = 86_400;

/// `2026-11-22T14:05:09Z` of seconds since 1970-01-01 UTC (proleptic Gregorian; H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn utc(seconds: i64) -> String {
    let z = seconds.div_euclid(DAY) + 719_468;
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + z.div_euclid(146_097) * 400 + i64::from(month <= 2);
    let (day, second) = (of_year - (153 * shifted + 2) / 5 + 1, seconds.rem_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Days since 1970-01-01 of a Gregorian date (H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A stretch of time in its two largest units: `3 days`, `16 hours`, `1 day and 2 hours`, `2 minutes`; what is smaller is rounded off.
pub fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(31_536_000, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let Some(largest) = UNITS.iter().position(|(length, _)| seconds >= *length) else { return "0 seconds".into() };
    let smallest = (largest + 1).min(UNITS.len() - 1);
    let unit = UNITS.get(smallest).map_or(1, |(length, _)| *length);
    let rounded = seconds.saturating_add(unit / 2) / unit * unit;
    let mut left = rounded;
    let mut told = Vec::new();
    // Rounding up may have filled the next larger unit.
    for (length, name) in UNITS.iter().take(smallest + 1) {
        let number = left / length;
        left %= length;
        if number > 0 {
            told.push(format!("{number} {name}{}", if number == 1 { "" } else { "s" }));
        }
    }
    told.truncate(2);
    told.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::{span, utc};

    #[test]
    fn moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_355_999, "2026-11-22T13:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (-11_644_473_600, "1601-01-01T00:00:00Z"),
        ] {
            assert_eq!(utc(seconds), text);
        }
    }

    #[test]
    fn stretches() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (120, "2 minutes"),
            (125, "2 minutes and 5 seconds"),
            (16 * 3600 + 20, "16 hours"),
            (16 * 3600 - 20, "16 hours"),
            (3 * 86_400 - 1, "3 days"),
            (86_400 + 2 * 3600, "1 day and 2 hours"),
            (366 * 86_400, "1 year and 1 day"),
        ] {
            assert_eq!(span(seconds), text, "{seconds}");
        }
    }
}
