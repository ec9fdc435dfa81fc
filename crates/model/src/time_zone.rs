//! The rules of a time zone, as the registry's list of zones holds them and as a machine's own setting does.
//!
//! Sources: `REG_TZI_FORMAT` and `TIME_ZONE_INFORMATION` (Microsoft); values of published SYSTEM hives.

use crate::RegistryData;

/// One zone's rules. A bias is in minutes and is added to local time to get UTC: -60 is one hour east of Greenwich.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRules {
    /// The difference from UTC.
    pub bias: i32,
    /// Added to `bias` in winter; 0 in nearly every zone.
    pub standard_bias: i32,
    /// Added to `bias` in summer; usually -60.
    pub daylight_bias: i32,
    /// When winter time begins, as the machine's setting stores it: year, month, week, hour, minute, second, millisecond, weekday, two bytes
    /// each. All 0 when the zone has no summer time.
    pub standard_start: [u8; 16],
    /// When summer time begins, in the same form.
    pub daylight_start: [u8; 16],
}

impl ZoneRules {
    /// From a zone's value `TZI`: three biases of four bytes, then two dates of sixteen; `None` when it is shorter.
    pub fn from_tzi(data: &RegistryData) -> Option<ZoneRules> {
        let bias = |from: usize| data.data.get(from..from + 4)?.try_into().ok().map(i32::from_le_bytes);
        Some(ZoneRules {
            bias: bias(0)?,
            standard_bias: bias(4)?,
            daylight_bias: bias(8)?,
            standard_start: time_fields(data.data.get(12..28)?)?,
            daylight_start: time_fields(data.data.get(28..44)?)?,
        })
    }

    /// A bias as people write it: `UTC+1:00` for -60.
    pub fn from_utc(bias: i32) -> String {
        let minutes = bias.unsigned_abs();
        format!("UTC{}{}:{:02}", if bias > 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }
}

/// A zone's dates are `SYSTEMTIME`s (year, month, weekday, week, hour …), the machine's are `TIME_FIELDS` with the weekday at the end.
fn time_fields(date: &[u8]) -> Option<[u8; 16]> {
    let weekday = date.get(4..6)?;
    [date.get(..4)?, date.get(6..)?, weekday].concat().try_into().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::ZoneRules;
    use crate::{RegistryData, registry_type};

    #[test]
    fn western_europe_in_both_forms() {
        // The last Sunday of October, 3 o'clock, and of March, 2 o'clock.
        let date = |numbers: [u16; 8]| numbers.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let dates = [date([0, 10, 0, 5, 3, 0, 0, 0]), date([0, 3, 0, 5, 2, 0, 0, 0])].concat();
        let bytes = [&(-60_i32).to_le_bytes()[..], &[0; 4], &(-60_i32).to_le_bytes(), &dates].concat();
        let rules = ZoneRules::from_tzi(&RegistryData { kind: registry_type::BINARY, data: bytes }).unwrap();
        assert_eq!((rules.bias, rules.standard_bias, rules.daylight_bias), (-60, 0, -60));
        assert_eq!(rules.standard_start.to_vec(), date([0, 10, 5, 3, 0, 0, 0, 0]));
        assert_eq!(rules.daylight_start.to_vec(), date([0, 3, 5, 2, 0, 0, 0, 0]));
        assert_eq!(ZoneRules::from_tzi(&RegistryData { kind: registry_type::BINARY, data: vec![0; 43] }), None);
    }

    #[test]
    fn a_weekday_that_is_not_sunday_goes_to_the_end() {
        // Egypt: the last Thursday of October and the last Friday of April.
        let date = |numbers: [u16; 8]| numbers.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let bytes = [vec![0; 12], date([0, 10, 4, 5, 23, 59, 59, 999]), date([0, 4, 5, 5, 0, 0, 0, 0])].concat();
        let rules = ZoneRules::from_tzi(&RegistryData { kind: registry_type::BINARY, data: bytes }).unwrap();
        assert_eq!(rules.standard_start.to_vec(), date([0, 10, 5, 23, 59, 59, 999, 4]));
        assert_eq!(rules.daylight_start.to_vec(), date([0, 4, 5, 0, 0, 0, 0, 5]));
    }

    #[test]
    fn east_is_plus() {
        assert_eq!(ZoneRules::from_utc(-330), "UTC+5:30");
        assert_eq!(ZoneRules::from_utc(300), "UTC-5:00");
        assert_eq!(ZoneRules::from_utc(0), "UTC+0:00");
    }
}
