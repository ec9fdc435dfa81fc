//! The time zones that a Windows knows, for people to choose from.

use model::{Reading, ZoneRules};
use target::Target;

/// Where the zones are listed, a key for each.
pub(crate) const ZONES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Time Zones";

/// One time zone of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone {
    /// Its permanent name, for example `W. Europe Standard Time`; the same in every language.
    pub id: String,
    /// As Windows shows it, for example `(UTC+01:00) Amsterdam, Berlin …`, in that Windows' language.
    pub display: String,
    /// Minutes to add to its winter time to get UTC.
    pub bias: i32,
}

/// Every zone whose rules can be read, from west to east.
pub fn time_zones(target: &dyn Target) -> Reading<Vec<TimeZone>> {
    target.key(ZONES).and_then(|view| {
        let mut zones: Vec<TimeZone> = view.subkeys.iter().filter_map(|id| one(target, id)).collect();
        zones.sort_by(|one, other| other.bias.cmp(&one.bias).then_with(|| one.id.cmp(&other.id)));
        Reading::Known(zones)
    })
}

fn one(target: &dyn Target, id: &str) -> Option<TimeZone> {
    let view = target.key(&format!("{ZONES}\\{id}")).into_known()?;
    let bias = view.value("TZI").and_then(ZoneRules::from_tzi)?.bias;
    // A text that only names a resource (`@tzres.dll,-320`) says nothing to a reader.
    let display = view.value("Display").and_then(model::RegistryData::as_text).filter(|text| !text.is_empty() && !text.starts_with('@'));
    Some(TimeZone { id: id.to_owned(), display: display.unwrap_or_else(|| format!("({}) {id}", ZoneRules::from_utc(bias))), bias })
}
