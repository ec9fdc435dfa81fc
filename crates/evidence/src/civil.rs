//! Civil time: seconds since 1970 as text, in UTC or by a machine's own time zone.

pub(crate) use model::days;
use model::{RegistryData, ZoneRules};
use target::{KeyView, Target};

const DAY: i64 = 86_400;
const ZONE: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation";

/// Year, month and day of a day number, by the inverse of [`days`].
fn date(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + z.div_euclid(146_097) * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// `2015-01-01T00:00:00` of seconds since 1970, without a zone.
pub(crate) fn text(seconds: i64) -> String {
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The inverse of [`text`]: seconds since 1970 of `2015-01-01T00:00:00`, in whatever clock it is told; nothing for a time that no calendar has.
pub(crate) fn parse(civil: &str) -> Option<i64> {
    let number = |from: usize, to: usize| civil.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<i64>().ok();
    let (month, hour, minute, second) = (number(5, 7)?, number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days(number(0, 4)?, month, number(8, 10)?) * DAY + hour * 3600 + minute * 60 + second;
    // 31 February would be a day of March, and other marks between the numbers another format.
    (text(seconds) == civil).then_some(seconds)
}

/// What stands behind the source of a failure whose times are UTC.
const IS_UTC: &str = " (times are UTC: the time zone could not be read)";

/// The source without what [`Zone::note`] added, when that stands behind it.
pub(crate) fn without_note(source: &str) -> Option<&str> {
    source.strip_suffix(IS_UTC)
}

/// The time zone that a machine is set to, when its registry says so.
#[derive(Debug, Clone)]
pub(crate) struct Zone(Option<ZoneRules>);

impl Zone {
    /// From `Control\TimeZoneInformation`. The dates of summer time are those of the year in which it was last written.
    pub(crate) fn of(target: &dyn Target) -> Zone {
        Zone(target.key(ZONE).known().and_then(rules).filter(|rules| rules.bias.unsigned_abs() <= 14 * 60))
    }

    /// A zone whose time is UTC.
    #[cfg(test)]
    pub(crate) fn utc() -> Zone {
        Zone(Some(ZoneRules { bias: 0, standard_bias: 0, daylight_bias: 0, standard_start: [0; 16], daylight_start: [0; 16] }))
    }

    /// No zone: times stay UTC.
    #[cfg(test)]
    pub(crate) fn unknown() -> Zone {
        Zone(None)
    }

    /// Local civil time of seconds since 1970 UTC; UTC when the zone is not known.
    pub(crate) fn local(&self, unix: i64) -> String {
        text(self.local_seconds(unix))
    }

    /// The same as seconds since 1970 by the local clock.
    pub(crate) fn local_seconds(&self, unix: i64) -> i64 {
        unix - i64::from(self.0.as_ref().map_or(0, |rules| bias_at(rules, unix))) * 60
    }

    /// The moment of a local time, both as seconds since 1970: none when the clock leaves that time out in spring, two when it
    /// shows it twice in autumn, and none when the zone is not known.
    pub(crate) fn moments_of(&self, local: i64) -> Vec<i64> {
        let Some(rules) = &self.0 else { return Vec::new() };
        let of = |bias: i32| local + i64::from(rules.bias.saturating_add(bias)) * 60;
        let mut moments = vec![of(rules.standard_bias), of(rules.daylight_bias)];
        moments.sort_unstable();
        moments.dedup();
        moments.retain(|moment| self.local_seconds(*moment) == local);
        moments
    }

    /// Whether UTC can be made local time.
    pub(crate) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// What to add where a time is shown: nothing, or that it is UTC.
    pub(crate) fn note(&self) -> &'static str {
        if self.0.is_some() { "" } else { IS_UTC }
    }
}

fn rules(view: &KeyView) -> Option<ZoneRules> {
    let number = |name: &str| view.value(name).and_then(RegistryData::as_dword).map(u32::cast_signed);
    let date = |name: &str| view.value(name).and_then(|data| <[u8; 16]>::try_from(data.data.as_slice()).ok());
    Some(ZoneRules {
        bias: number("Bias")?,
        standard_bias: number("StandardBias").unwrap_or(0),
        daylight_bias: number("DaylightBias").unwrap_or(0),
        standard_start: date("StandardStart").unwrap_or_default(),
        daylight_start: date("DaylightStart").unwrap_or_default(),
    })
}

/// Minutes that are added to local time to get UTC at that moment.
fn bias_at(rules: &ZoneRules, unix: i64) -> i32 {
    let (winter, summer) = (rules.bias.saturating_add(rules.standard_bias), rules.bias.saturating_add(rules.daylight_bias));
    let (year, _, _) = date((unix - i64::from(rules.bias) * 60).div_euclid(DAY));
    // Each change is written in the time that holds until then.
    let begins = change(&rules.daylight_start, year).map(|local| local + i64::from(winter) * 60);
    let ends = change(&rules.standard_start, year).map(|local| local + i64::from(summer) * 60);
    let (Some(begins), Some(ends)) = (begins, ends) else { return winter };
    let is_summer = if begins < ends { (begins..ends).contains(&unix) } else { !(ends..begins).contains(&unix) };
    if is_summer { summer } else { winter }
}

/// The moment of a change in a year, local time as seconds since 1970: year, month, week (5: the last), hour, minute, second,
/// millisecond, weekday.
fn change(fields: &[u8; 16], year: i64) -> Option<i64> {
    let field = |at: usize| i64::from(fields.get(2 * at).copied().unwrap_or(0)) | i64::from(fields.get(2 * at + 1).copied().unwrap_or(0)) << 8;
    let (fixed, month, week, weekday) = (field(0), field(1), field(2), field(7));
    if !(1..=12).contains(&month) || !(1..=31).contains(&week) || weekday > 6 {
        return None;
    }
    let day = if fixed != 0 {
        days(fixed, month, week)
    } else {
        let first = days(year, month, 1);
        // 1970-01-01 was a Thursday.
        let skip = (weekday - (first + 4).rem_euclid(7)).rem_euclid(7);
        let wanted = first + skip + (week.min(5) - 1) * 7;
        let next_month = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
        if wanted >= next_month { wanted - 7 } else { wanted }
    };
    Some(day * DAY + field(3) * 3600 + field(4) * 60 + field(5))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn fields(numbers: [u16; 8]) -> [u8; 16] {
        numbers.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>().try_into().unwrap()
    }

    fn at(text: &str) -> i64 {
        let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
        days(number(0, 4), number(5, 7), number(8, 10)) * DAY + number(11, 13) * 3600 + number(14, 16) * 60
    }

    #[test]
    fn text_and_days_agree() {
        for there in ["1970-01-01T00:00:00", "2000-02-29T12:34:00", "2026-11-22T13:59:00", "1969-12-31T23:59:00"] {
            assert_eq!(text(at(there)), there);
            assert_eq!(parse(there), Some(at(there)));
        }
        for no_time in [
            "2026-02-29T00:00:00",
            "2026-13-01T00:00:00",
            "2026-01-00T00:00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00",
            "2026-01-01",
            "yesterday",
            "",
        ] {
            assert_eq!(parse(no_time), None, "{no_time}");
        }
    }

    #[test]
    fn berlin_and_sydney_change_on_their_days() {
        let berlin = ZoneRules {
            bias: -60,
            standard_bias: 0,
            daylight_bias: -60,
            standard_start: fields([0, 10, 5, 3, 0, 0, 0, 0]),
            daylight_start: fields([0, 3, 5, 2, 0, 0, 0, 0]),
        };
        let sydney = ZoneRules {
            bias: -600,
            standard_bias: 0,
            daylight_bias: -60,
            standard_start: fields([0, 4, 1, 3, 0, 0, 0, 0]),
            daylight_start: fields([0, 10, 1, 2, 0, 0, 0, 0]),
        };
        for (rules, utc, local) in [
            (&berlin, "2026-03-29T00:59", "2026-03-29T01:59:00"),
            (&berlin, "2026-03-29T01:00", "2026-03-29T03:00:00"),
            (&berlin, "2026-10-25T00:59", "2026-10-25T02:59:00"),
            (&berlin, "2026-10-25T01:00", "2026-10-25T02:00:00"),
            (&sydney, "2026-01-01T00:00", "2026-01-01T11:00:00"),
            (&sydney, "2026-07-01T00:00", "2026-07-01T10:00:00"),
            (&sydney, "2026-12-31T14:00", "2027-01-01T01:00:00"),
        ] {
            assert_eq!(Zone(Some(rules.clone())).local(at(utc)), local);
        }
        assert_eq!(Zone(None).local(at("2026-07-01T10:00")), "2026-07-01T10:00:00");
    }
}
