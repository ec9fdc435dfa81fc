//! Sets the time zone that a person named: every value of the setting, from this Windows' own list of zones.
//!
//! `ActiveTimeBias` stays. It says with which difference from UTC the computer's own clock was last written, so Windows needs it at the next
//! start to understand that clock, and then writes it itself.

use crate::action::{Settings, setting};
use model::{Change, Reading, RegistryData, UndoKind, ZoneRules, registry_type};
use target::{KeyView, Target, names_equal};

pub(super) const SETTINGS: &[&str] = &["key", "zone"];
pub(super) const UNDO: UndoKind = UndoKind::Exact;

const ZONES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Time Zones";

pub(super) fn describe(settings: &Settings) -> String {
    match setting(settings, "zone") {
        // No zone was named yet.
        zone if zone.starts_with('{') => "Set the time zone to the one that you name".into(),
        zone => format!("Set the time zone to {zone}, with all values that belong to it"),
    }
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let zone = known(target, setting(settings, "zone"))?;
    let now = read(target, setting(settings, "key"))?;
    let wanted = values(&zone)?;
    let differs = |(name, new): &(&str, RegistryData)| !same(now.value(name), new);
    let change = |(name, new): (&str, RegistryData)| Change::SetValue {
        key: now.path.clone(),
        old: now.value(name).cloned(),
        // The spelling that is there is kept.
        name: now.values.iter().find(|(there, _)| names_equal(there, name)).map_or_else(|| name.to_owned(), |(there, _)| there.clone()),
        new,
    };
    Ok(wanted.into_iter().filter(differs).map(change).collect())
}

/// The zone's key, by its exact name in the list: a name with a backslash would lead elsewhere.
fn known(target: &dyn Target, zone: &str) -> Result<KeyView, String> {
    let zones = read(target, ZONES)?;
    match zones.subkeys.iter().find(|there| names_equal(there, zone)) {
        Some(id) => read(target, &format!("{ZONES}\\{id}")),
        None => Err(format!("this Windows knows no time zone {zone:?}")),
    }
}

fn read(target: &dyn Target, key: &str) -> Result<KeyView, String> {
    match target.key(key) {
        Reading::Known(view) => Ok(view),
        Reading::Absent => Err(format!("the key {key} does not exist")),
        Reading::NotCollected => Err(format!("the key {key} is not part of what was given")),
        Reading::Unreadable(why) => Err(why),
    }
}

/// What `Control\TimeZoneInformation` holds when this zone is chosen, as the Windows dialog leaves it: summer time is followed.
fn values(zone: &KeyView) -> Result<Vec<(&'static str, RegistryData)>, String> {
    let id = zone.path.rsplit('\\').next().unwrap_or_default();
    let rules = zone.value("TZI").and_then(ZoneRules::from_tzi).ok_or_else(|| format!("the rules of {id} cannot be read"))?;
    // Since Windows Vista the names are stored as places of resources, so that they appear in the language of the one who looks.
    let name = |resource: &str, text: &str| {
        let data = zone.value(resource).or_else(|| zone.value(text)).and_then(RegistryData::as_text);
        data.map(|name| RegistryData::text(registry_type::SZ, &name)).ok_or_else(|| format!("{id} has no {text} name"))
    };
    let date = |date: [u8; 16]| RegistryData { kind: registry_type::BINARY, data: date.to_vec() };
    let number = |number: i32| RegistryData::dword(number.cast_unsigned());
    Ok(vec![
        ("Bias", number(rules.bias)),
        ("StandardName", name("MUI_Std", "Std")?),
        ("StandardBias", number(rules.standard_bias)),
        ("StandardStart", date(rules.standard_start)),
        ("DaylightName", name("MUI_Dlt", "Dlt")?),
        ("DaylightBias", number(rules.daylight_bias)),
        ("DaylightStart", date(rules.daylight_start)),
        ("TimeZoneKeyName", RegistryData::text(registry_type::SZ, id)),
        ("DynamicDaylightTimeDisabled", RegistryData::dword(0)),
    ])
}

/// Windows leaves old bytes behind the end of a name; they mean nothing.
fn same(now: Option<&RegistryData>, new: &RegistryData) -> bool {
    let text = |data: &RegistryData| data.as_text().map(|text| (data.kind, text));
    now.is_some_and(|now| now == new || (text(now).is_some() && text(now) == text(new)))
}
