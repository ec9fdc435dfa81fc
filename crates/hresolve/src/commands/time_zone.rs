//! `--time-zone`: what only the person can say, by its name in this Windows' own list.

use crate::cli::Global;
use crate::output::{self, Failure};
use crate::terminal::Person;
use crate::words::distance;
use session::{Session, TimeZone, Ui};

/// What became of the option.
pub(crate) enum Chosen {
    /// A zone was named, or none was asked for.
    GoOn,
    /// The list was shown, which is all that was wanted; the exit code.
    Listed(u8),
}

/// Reads the option's word: a name, `list`, or nothing, which asks.
///
/// # Errors
/// When this Windows knows no such zone (the nearest names are told), or nobody is there to be asked.
pub(crate) fn choose(session: &mut Session, word: Option<&str>, person: &mut Person, global: &Global) -> Result<Chosen, Failure> {
    let Some(word) = word else { return Ok(Chosen::GoOn) };
    let zones = session.time_zones();
    if zones.is_empty() {
        return Err(Failure::usage("The list of time zones of this Windows cannot be read, so none can be chosen."));
    }
    if word.eq_ignore_ascii_case("list") {
        list(&zones, global);
        return Ok(Chosen::Listed(0));
    }
    let id = match word {
        "" => person.time_zone(&zones).ok_or_else(|| Failure::usage("Name the time zone: --time-zone ID. --time-zone list shows all names."))?,
        id => id.to_owned(),
    };
    if !zones.iter().any(|zone| zone.id.to_lowercase() == id.to_lowercase()) {
        let near: Vec<String> = nearest(&zones, &id).iter().map(|zone| format!("  {}  {}", zone.id, zone.display)).collect();
        return Err(Failure::usage(format!(
            "This Windows knows no time zone {id:?}. The nearest names:\n{}\n--time-zone list shows all {}.",
            near.join("\n"),
            zones.len()
        )));
    }
    session.choose_time_zone(&id)?;
    Ok(Chosen::GoOn)
}

fn list(zones: &[TimeZone], global: &Global) {
    if global.json {
        let list: Vec<serde_json::Value> =
            zones.iter().map(|zone| serde_json::json!({ "id": zone.id, "display": zone.display, "bias": zone.bias })).collect();
        output::json_line(&serde_json::json!({ "schema": "hresolve/time-zones/1", "zones": list }));
    } else {
        output::text(&numbered(zones));
    }
}

/// One zone a line, with the number by which it can be chosen at a terminal.
pub(crate) fn numbered(zones: &[TimeZone]) -> String {
    let longest = zones.iter().map(|zone| zone.id.chars().count()).max().unwrap_or_default();
    (1..).zip(zones).map(|(number, zone)| format!("{number:>4}  {:<longest$}  {}\n", zone.id, zone.display)).collect()
}

/// The five zones that the word is likeliest to mean: those that name one of its words, then those that are spelled alike.
fn nearest<'a>(zones: &'a [TimeZone], word: &str) -> Vec<&'a TimeZone> {
    let wanted = word.to_lowercase();
    let parts: Vec<&str> = wanted.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() >= 3).collect();
    let rank = |zone: &&TimeZone| {
        let text = format!("{} {}", zone.id, zone.display).to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        let hits = parts.iter().filter(|part| words.contains(part)).count();
        (std::cmp::Reverse(hits), distance(&zone.id.to_lowercase(), &wanted))
    };
    let mut sorted: Vec<&TimeZone> = zones.iter().collect();
    sorted.sort_by_key(rank);
    sorted.truncate(5);
    sorted
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use session::TimeZone;

    #[test]
    fn places_and_slips_find_their_zone() {
        let zone = |id: &str, display: &str| TimeZone { id: id.into(), display: display.into(), bias: 0 };
        let zones = [
            zone("Romance Standard Time", "(UTC+01:00) Brussels, Copenhagen, Madrid, Paris"),
            zone("W. Europe Standard Time", "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"),
            zone("Central Europe Standard Time", "(UTC+01:00) Belgrade, Bratislava, Budapest, Ljubljana, Prague"),
        ];
        for (word, id) in
            [("Europe/Berlin", "W. Europe Standard Time"), ("paris", "Romance Standard Time"), ("W.Europe Standard Time", "W. Europe Standard Time")]
        {
            assert_eq!(nearest(&zones, word).first().map(|zone| zone.id.as_str()), Some(id), "{word}");
        }
    }
}
