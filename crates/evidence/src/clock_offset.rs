//! What time it is, from what several hosts and a person said, and by how much a machine's clock is off: judging only; nothing here asks anybody.

use crate::civil::{self, Zone};
use crate::probe::{fact, text};
use model::{Facts, Reading, Subject, Value, span, utc};
use target::{Target, TimeAnswer};

/// Up to here a clock is no fault, in seconds: the five minutes that Kerberos tolerates (Microsoft, "Maximum tolerance for computer clock
/// synchronization", default 5 minutes), which is also the limit of Windows' own troubleshooter. Certificates are valid for days at least.
pub const TOLERATED: u64 = 300;

/// Answers this close to each other agree, in milliseconds: an answer is exact to half of its round trip of at most a few
/// seconds, and servers that spread a leap second over a day (Google's) are half a second off meanwhile.
const AGREE: i64 = 5000;

/// What the hosts said, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Majority {
    /// Enough servers agree.
    Agreed {
        /// How far the time is ahead of the clock of the computer that asked, in milliseconds.
        ahead: i64,
        /// Who says so.
        agreeing: Vec<String>,
        /// Who says something else, and how far that is ahead of what the others say, in milliseconds.
        disagreeing: Vec<(String, i64)>,
    },
    /// It cannot be told; why, as a sentence without a full stop.
    Unclear(String),
}

/// What time it is by time servers. At least two must agree, and they must be more than half of those that answered: one server, or as many
/// on one side as on the other, decide nothing.
pub fn majority(answers: &[TimeAnswer]) -> Majority {
    let mut told: Vec<(&str, i64)> = answers.iter().filter_map(|one| Some((one.host.as_str(), one.answer.as_ref().ok()?.ahead))).collect();
    told.sort_by_key(|(_, ahead)| *ahead);
    let within = |first: i64| told.iter().filter(move |(_, ahead)| (first..=first.saturating_add(AGREE)).contains(ahead));
    let Some((_, first)) = told.iter().max_by_key(|(_, first)| within(*first).count()) else {
        return Majority::Unclear(if answers.is_empty() {
            "no time server was named".into()
        } else {
            format!("no time server answered: {}", silent(answers))
        });
    };
    let group: Vec<&(&str, i64)> = within(*first).collect();
    if group.len() < 2 || group.len() * 2 <= told.len() {
        let says: Vec<String> = told.iter().map(|(host, ahead)| format!("{host}: {}", apart(*ahead, "this computer's clock"))).collect();
        let why = if told.len() == 1 { "only one time server answered, and one alone can be wrong" } else { "the time servers do not agree" };
        let silent = silent(answers);
        let others = if silent.is_empty() { String::new() } else { format!("; {silent}") };
        return Majority::Unclear(format!("{why} ({}{others})", says.join("; ")));
    }
    let ahead = group.get(group.len() / 2).map_or(*first, |(_, ahead)| *ahead);
    let named = |list: &[&(&str, i64)]| list.iter().map(|(host, _)| (*host).to_owned()).collect::<Vec<String>>();
    let agreeing = named(&group);
    let others = told.iter().filter(|(host, _)| !agreeing.iter().any(|there| there == host));
    Majority::Agreed { ahead, disagreeing: others.map(|(host, says)| ((*host).to_owned(), says.saturating_sub(ahead))).collect(), agreeing }
}

/// Who did not answer, and why.
fn silent(answers: &[TimeAnswer]) -> String {
    let one = |answer: &TimeAnswer| answer.answer.as_ref().err().map(|why| format!("{}: {why}", answer.host));
    answers.iter().filter_map(one).collect::<Vec<String>>().join("; ")
}

/// `3 days ahead of …`; under a second nothing is told apart.
fn apart(milliseconds: i64, of: &str) -> String {
    let seconds = (milliseconds.unsigned_abs() + 500) / 1000;
    match milliseconds {
        _ if seconds == 0 => format!("the same as {of}"),
        0.. => format!("{} ahead of {of}", span(seconds)),
        _ => format!("{} behind {of}", span(seconds)),
    }
}

/// Who told the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeSource {
    /// Time servers, and what plain HTTP answers said beside them.
    Servers {
        /// How many were asked.
        asked: usize,
        /// Who agrees.
        agreeing: Vec<String>,
        /// Who does not, and how far their time is ahead of it, in milliseconds.
        disagreeing: Vec<(String, i64)>,
        /// Hosts of HTTP dates, and how far their time is ahead of it, in milliseconds.
        second: Vec<(String, i64)>,
    },
    /// A person, with their words.
    Person(String),
}

/// A machine's clock beside the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockCompared {
    /// What the machine's clock said, seconds since 1970 UTC.
    pub machine: i64,
    /// What time it was then.
    pub time: i64,
    /// Who says so.
    pub source: TimeSource,
}

impl ClockCompared {
    /// By how many seconds the machine's clock is ahead.
    pub fn offset(&self) -> i64 {
        self.machine.saturating_sub(self.time)
    }

    fn words(&self) -> (&'static str, String) {
        let offset = self.offset();
        match offset {
            _ if offset.unsigned_abs() <= TOLERATED => ("right", "right".into()),
            1.. => ("ahead", format!("{} ahead", span(offset.unsigned_abs()))),
            _ => ("behind", format!("{} behind", span(offset.unsigned_abs()))),
        }
    }
}

/// Adds to the facts of the clock what the comparison gave.
pub fn add_clock(facts: &mut Facts, compared: &ClockCompared) {
    let at = facts.subjects.iter().position(|subject| subject.kind == "clock").unwrap_or_else(|| {
        facts.subjects.push(Subject::new("clock", "clock"));
        facts.subjects.len() - 1
    });
    let Some(subject) = facts.subjects.get_mut(at) else { return };
    let (state, words) = compared.words();
    let (source, place, told) = match &compared.source {
        TimeSource::Servers { asked, agreeing, .. } => {
            ("time-servers", agreeing.join(", "), format!("{} of {asked} time servers ({}) say that it is", agreeing.len(), agreeing.join(", ")))
        }
        TimeSource::Person(said) => ("person", said.clone(), "you say that it is".to_owned()),
    };
    let says = format!("This computer's clock says {}; {told} {}: the clock is {words}", utc(compared.machine), utc(compared.time));
    let from = if source == "person" { "what you said" } else { "time servers" };
    let mut put = |name: &'static str, reading: Reading<Value>, says: &str| subject.put(name, fact(reading, says, from, &place));
    put("clock.offset.state", text(state), &says);
    put("clock.offset", text(compared.offset().to_string()), &says);
    put("clock.offset.words", text(&words), &says);
    put("clock.offset.source", text(source), "");
    put("clock.read-at", text(compared.machine.to_string()), "");
    let TimeSource::Servers { asked, agreeing, disagreeing, second } = &compared.source else { return };
    put("clock.servers.asked", Reading::Known(Value::Number(*asked as u64)), "");
    put("clock.servers.agreeing", Reading::Known(Value::List(agreeing.clone())), "");
    let named = |(host, ahead): &(String, i64)| format!("{host} tells a time that is {}", apart(*ahead, "what the others say"));
    let others = (!disagreeing.is_empty()).then(|| Value::List(disagreeing.iter().map(|(host, _)| host.clone()).collect()));
    put(
        "clock.servers.disagreeing",
        others.into(),
        &format!("{}, and was not believed", disagreeing.iter().map(named).collect::<Vec<String>>().join("; ")),
    );
    if !second.is_empty() {
        let agrees = second.iter().all(|(_, ahead)| ahead.abs() <= AGREE);
        let says = second.iter().map(|(host, ahead)| format!("the date that {host} sends is {}", apart(*ahead, "the time of the servers")));
        let says = format!("As a second opinion, {}", says.collect::<Vec<String>>().join("; "));
        put("clock.second-opinion", text(if agrees { "agrees" } else { "differs" }), &says);
    }
}

/// The forms of [`said_time`], for people.
pub const TIME_FORMS: &str = "2026-11-23 14:05 by the time zone of that Windows, or 2026-11-23 13:05Z in UTC, with seconds if you like";

/// The moment that a person typed, seconds since 1970 UTC; local time by the machine's own zone.
///
/// # Errors
/// A sentence: it is no time, or no single one.
pub fn said_time(target: &dyn Target, typed: &str) -> Result<i64, String> {
    let plain = typed.trim();
    let (plain, is_utc) = plain.strip_suffix(['Z', 'z']).map_or((plain, false), |plain| (plain.trim_end(), true));
    let full = if plain.len() == 16 { format!("{plain}:00") } else { plain.to_owned() };
    let local = civil::parse(&full.replacen(' ', "T", 1)).ok_or_else(|| format!("{typed:?} is no date and time. It takes {TIME_FORMS}."))?;
    if is_utc {
        return Ok(local);
    }
    let zone = Zone::of(target);
    match zone.moments_of(local).as_slice() {
        [moment] => Ok(*moment),
        [] if !zone.is_known() => Err("The time zone of this Windows cannot be read, so give the time in UTC, with a Z behind it.".into()),
        [] => Err(format!("By the time zone of this Windows there is no {typed}: summer time begins then. Give it in UTC, with a Z behind it.")),
        _ => Err(format!("By the time zone of this Windows it is {typed} twice: summer time ends then. Give it in UTC, with a Z behind it.")),
    }
}

/// A moment by a machine's own time zone, for people.
pub fn local_time(target: &dyn Target, unix: i64) -> String {
    let zone = Zone::of(target);
    format!("{}{}", zone.local(unix).replacen('T', " ", 1), if zone.is_known() { "" } else { " UTC" })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use target::TimeAnswered;

    fn answers(told: &[Option<i64>]) -> Vec<TimeAnswer> {
        let one = |(number, ahead): (usize, &Option<i64>)| TimeAnswer {
            host: format!("s{number}"),
            answer: ahead.map(|ahead| TimeAnswered { ahead, round_trip: 20 }).ok_or_else(|| "no answer".to_owned()),
        };
        told.iter().enumerate().map(one).collect()
    }

    #[test]
    fn more_than_half_and_at_least_two_must_agree() {
        const DAY: i64 = 86_400_000;
        let agreed = |told: &[Option<i64>]| match majority(&answers(told)) {
            Majority::Agreed { ahead, agreeing, disagreeing } => Some((ahead, agreeing.len(), disagreeing.len())),
            Majority::Unclear(_) => None,
        };
        for (told, wanted) in [
            (&[Some(3 * DAY), Some(3 * DAY + 40), Some(3 * DAY - 900), Some(3 * DAY + 500)][..], Some((3 * DAY + 40, 4, 0))),
            // One lies, one is silent.
            (&[Some(-16 * DAY), None, Some(20), Some(-30)], Some((20, 2, 1))),
            (&[Some(5), Some(10)], Some((10, 2, 0))),
            (&[Some(0), Some(AGREE)], Some((AGREE, 2, 0))),
            (&[Some(0), Some(AGREE + 1)], None),
            (&[Some(7)], None),
            (&[Some(7), None, None, None], None),
            (&[Some(0), Some(0), Some(DAY), Some(DAY)], None),
            (&[Some(0), Some(0), Some(DAY), Some(2 * DAY)], None),
            (&[Some(0), Some(0), Some(0), Some(DAY), Some(DAY)], Some((0, 3, 2))),
            (&[Some(i64::MAX), Some(i64::MAX), Some(i64::MIN)], Some((i64::MAX, 2, 1))),
            (&[None, None], None),
            (&[], None),
        ] {
            assert_eq!(agreed(told), wanted, "{told:?}");
        }
    }

    #[test]
    fn who_lies_and_who_is_silent_is_named() {
        let Majority::Agreed { disagreeing, agreeing, .. } = majority(&answers(&[Some(0), Some(7_200_000), None, Some(10)])) else { unreachable!() };
        assert_eq!((disagreeing, agreeing), (vec![("s1".to_owned(), 7_199_990)], vec!["s0".to_owned(), "s3".to_owned()]));
        let Majority::Unclear(why) = majority(&answers(&[Some(-7_200_000), None])) else { unreachable!() };
        assert!(why.contains("only one") && why.contains("s0: 2 hours behind") && why.contains("s1: no answer"), "{why}");
    }

    #[test]
    fn five_minutes_are_no_fault() {
        let state = |offset: i64| {
            let mut facts = Facts::default();
            let source = TimeSource::Person("x".into());
            add_clock(&mut facts, &ClockCompared { machine: 1_800_000_000 + offset, time: 1_800_000_000, source });
            let value = |name: &str| facts.subjects[0].get(name).unwrap().reading.known().unwrap().to_string();
            (value("clock.offset.state"), value("clock.offset.words"), value("clock.offset"))
        };
        for (offset, wanted, words) in [
            (0, "right", "right"),
            (120, "right", "right"),
            (-300, "right", "right"),
            (301, "ahead", "5 minutes and 1 second ahead"),
            (16 * 3600, "ahead", "16 hours ahead"),
            (-3 * 86_400, "behind", "3 days behind"),
        ] {
            assert_eq!(state(offset), (wanted.to_owned(), words.to_owned(), offset.to_string()));
        }
    }
}
