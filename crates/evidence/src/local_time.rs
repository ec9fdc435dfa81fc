//! Local time of a machine, as its logs write it.

use model::RegistryData;
use target::{Now, Target};

/// `YYYY-MM-DDTHH:MM:SS` in the zone that the machine has now, from seconds since 1970 UTC.
pub(crate) fn local_time(target: &dyn Target, unix: u64) -> Option<String> {
    let zone = target.value("HKLM\\SYSTEM\\CurrentControlSet\\Control\\TimeZoneInformation", "ActiveTimeBias").into_known();
    // Minutes to add to local time, a signed number.
    let bias = zone.as_ref().and_then(RegistryData::as_dword).map_or(0, |bias| i32::from_ne_bytes(bias.to_ne_bytes()));
    let local = u64::try_from(i64::try_from(unix).ok()? - i64::from(bias) * 60).ok()?;
    // Windows itself counts to the year 30828; logs have four digits.
    (local < 253_402_300_800).then(|| Now { unix: local, nanos: 0, unique: 0 }.iso().trim_end_matches('Z').to_owned())
}
