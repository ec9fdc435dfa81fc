//! From everything that happened to what a person wants to see: the stretch before something first broke, without what is daily life,
//! one line for what belongs together. Only the times of keys and files that findings name are read here; all else was read before.

use crate::civil::{self, Zone};
use crate::failures::{kb, same_update};
use crate::moments::{History, Moment, What, When, written};
use model::{Clock, ErrorCode, Failure, Finding, TimelineEntry, TimelineWindow};
use target::Target;

/// How far before the first failure the stretch begins, in seconds.
const STRETCH: i64 = 7 * 86_400;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// Clocks of the world differ from UTC by at most so much.
const WIDEST: i64 = 14 * HOUR;
/// More lines than this are never kept; reports show fewer.
const MOST: usize = 200;
/// More of a kind within an hour is one line.
const BURST: usize = 3;
/// Titles of updates of virus definitions hold this number; they come several times a day.
const DEFINITIONS: [&str; 2] = ["KB2267602", "KB915597"];

/// What the timeline ends with.
struct End {
    when: When,
    why: String,
}

/// What the timeline of one machine is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The failures, joined.
    pub failures: &'a [Failure],
    /// The findings.
    pub findings: &'a [&'a Finding],
    /// The code that was asked about.
    pub asked: Option<ErrorCode>,
    /// From when on evidence counts, `YYYY-MM-DDTHH:MM:SS`, instead of seven days before the end.
    pub since: Option<&'a str>,
}

/// Adds when the keys and files that a finding names were written last. `names` are the texts that its facts hold.
pub fn add_written(target: &dyn Target, history: &mut History, finding: &Finding, names: &[String]) {
    let zone = Zone::of(target);
    let mut places = vec![finding.object.as_str()];
    // The object of a policy is a value, which has no time; its key has.
    places.extend(finding.object.rsplit_once('\\').map(|(key, _)| key).filter(|key| key.starts_with("HKLM\\")));
    places.extend(names.iter().map(String::as_str).filter(|name| name.starts_with("HKLM\\")));
    for moment in places.into_iter().filter_map(|place| written(target, &zone, place)) {
        if !history.moments.contains(&moment) {
            history.moments.push(moment);
        }
    }
    history.moments.sort_by_key(|moment| moment.when);
}

/// The stretch before the failures with the code that was asked about, or else those that the findings explain. No window when
/// nothing on the machine has a time.
pub fn timeline(history: &History, about: &About<'_>) -> (Vec<TimelineEntry>, Option<TimelineWindow>) {
    let About { failures, findings, asked, since } = *about;
    let since = since.and_then(civil::parse);
    let Some(end) = end(history, failures, findings, asked, since) else { return (Vec::new(), None) };
    let from = since.unwrap_or_else(|| end.when.seconds() - STRETCH);
    // What is told by the other clock may lie up to fourteen hours away from where its digits stand.
    let inside = |when: When| {
        let (from, to) = if when.same_clock(end.when) { (from, end.when.seconds()) } else { (from - WIDEST, end.when.seconds() + WIDEST) };
        (from..=to).contains(&when.seconds())
    };
    // How an installation ended that began is told by its failure, or by its success after this stretch.
    let outcome = |title: &str, moment: &Moment| {
        let installed =
            |other: &Moment| matches!(&other.what, What::UpdateInstalled(there) if same_update(there, title)) && other.when >= moment.when;
        failures.iter().any(|failure| same_update(&failure.subject, title)) || history.moments.iter().any(installed)
    };
    let ended = |moment: &&Moment| matches!(&moment.what, What::UpdateBegun(title) if outcome(title, moment));
    let within: Vec<&Moment> = history.moments.iter().filter(|moment| inside(moment.when) && !ended(moment)).collect();
    let (mut entries, mut left_out) = lines(&within);
    // What else broke within the hour belongs to it.
    let soon = |when: When| inside(when) || (when.same_clock(end.when) && (0..=HOUR).contains(&(when.seconds() - end.when.seconds())));
    entries.extend(failures.iter().filter_map(|failure| broken(failure, asked, &soon)));
    entries.sort_by(|one, other| (one.clock, &one.time, one.first_failure).cmp(&(other.clock, &other.time, other.first_failure)));
    left_out += keep_weightiest(&mut entries, MOST);
    let clock = clock_of(end.when);
    let to = if from > end.when.seconds() { civil::text(from) } else { end.when.text() };
    let window = TimelineWindow { from: civil::text(from), to, clock, why: end.why, left_out, gaps: gaps(history, from, clock) };
    (entries, Some(window))
}

/// Leaves only the weightiest entries, of equal ones the newest, in their order; says how many went.
pub fn keep_weightiest(entries: &mut Vec<TimelineEntry>, most: usize) -> usize {
    let too_many = entries.len().saturating_sub(most);
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| entries.get(*index).map_or((0, 0), |entry| (entry.weight, *index)));
    let gone: Vec<usize> = order.into_iter().take(too_many).collect();
    let mut index = 0;
    entries.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
    too_many
}

/// When it first broke: the oldest failure of those that are asked about, else of those that findings explain, else of all that are
/// not resolved. Without a failure, the newest time that the machine knows.
fn end(history: &History, failures: &[Failure], findings: &[&Finding], asked: Option<ErrorCode>, since: Option<i64>) -> Option<End> {
    let code = |failure: &Failure| failure.code.parse::<ErrorCode>().map(ErrorCode::normal).ok();
    let is_asked = |failure: &&Failure| asked.is_some_and(|asked| code(failure) == Some(asked.normal()));
    let explained = |failure: &&Failure| findings.iter().any(|finding| finding.explains.contains(&failure.id.into()));
    let open = |failure: &&Failure| !failure.resolved && !failure.transient;
    let oldest = |wanted: &dyn Fn(&&Failure) -> bool| {
        let dated = failures.iter().filter(wanted).filter_map(|failure| Some((first(failure)?, failure)));
        dated.min_by_key(|(when, _)| when.seconds())
    };
    let found = oldest(&|failure| is_asked(failure) && open(failure))
        .or_else(|| oldest(&is_asked))
        .or_else(|| oldest(&explained))
        .or_else(|| oldest(&open).filter(|_| asked.is_none()));
    if let Some((when, failure)) = found {
        // A failure that began before the stretch that is asked for: its newest time is what is left.
        let late = since.filter(|since| when.seconds() < *since).and_then(|_| last(failure));
        let which = if late.is_some() { "last" } else { "first" };
        return Some(End { when: late.unwrap_or(when), why: format!("it ends where {} came {which}, for {}", failure.code, failure.subject) });
    }
    let (newest, source) = history.newest.as_ref()?;
    let none = asked.map_or_else(|| "no failure has a time".to_owned(), |asked| format!("no log tells when {asked} came"));
    Some(End { when: *newest, why: format!("{none}, so it ends at the newest time in the machine's own evidence ({source})") })
}

fn clocked(failure: &Failure, civil: &str) -> Option<When> {
    let seconds = civil::parse(civil)?;
    Some(if civil::without_note(&failure.source).is_some() { When::Utc(seconds) } else { When::Local(seconds) })
}

fn first(failure: &Failure) -> Option<When> {
    clocked(failure, &failure.first)
}

fn last(failure: &Failure) -> Option<When> {
    clocked(failure, &failure.last)
}

fn clock_of(when: When) -> Clock {
    match when {
        When::Local(_) => Clock::Local,
        When::Utc(_) => Clock::Utc,
    }
}

/// The first occurrence of a failure.
fn broken(failure: &Failure, asked: Option<ErrorCode>, inside: &dyn Fn(When) -> bool) -> Option<TimelineEntry> {
    let when = first(failure).filter(|when| inside(*when))?;
    // The client's own sentences say already that something failed, and with which code.
    let sentence = failure.subject.contains("0x");
    let mut says = if sentence { failure.subject.clone() } else { format!("{} failed with {} ({})", failure.subject, failure.code, failure.phase) };
    if failure.count > 1 {
        says.push_str(&format!("; this was the first of {} times, the last on {}", failure.count, failure.last.replace('T', " ")));
    }
    if failure.resolved {
        says.push_str("; it succeeded later");
    }
    let same = asked.is_some_and(|asked| failure.code.parse::<ErrorCode>().is_ok_and(|code| code.normal() == asked.normal()));
    let weight = if same || !(failure.resolved || failure.transient) { 10 } else { 6 };
    let source = civil::without_note(&failure.source).unwrap_or(&failure.source).to_owned();
    let at = failure.at.clone();
    Some(TimelineEntry { time: when.text(), clock: clock_of(when), kind: "failure".into(), says, source, at, first_failure: true, weight })
}

/// Logs of which silence says nothing.
fn gaps(history: &History, from: i64, clock: Clock) -> Vec<String> {
    let mut gaps = history.missing.clone();
    for (source, begin) in &history.begins {
        // By another clock only what is certainly too late counts.
        let margin = if clock_of(*begin) == clock { 0 } else { WIDEST };
        if begin.seconds() - margin > from {
            let utc = if clock_of(*begin) == Clock::Utc { " UTC" } else { "" };
            gaps.push(format!("{source}: its oldest record is of {}{utc}", begin.text().replace('T', " ")));
        }
    }
    gaps
}

/// The lines for what happened, and how many things are left out as daily life.
fn lines(moments: &[&Moment]) -> (Vec<TimelineEntry>, usize) {
    let (telling, noise): (Vec<&Moment>, Vec<&Moment>) = moments.iter().partition(|moment| !is_daily(moment) && !taken_back(moment, moments));
    let mut groups: Vec<Vec<&Moment>> = Vec::new();
    for (index, moment) in telling.iter().enumerate() {
        let (before, after) = (telling.get(..index).unwrap_or_default(), telling.get(index + 1..).unwrap_or_default());
        if told_elsewhere(moment, before, after) {
            continue;
        }
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| of_a_kind(first, moment))) {
            Some(group) => group.push(moment),
            None => groups.push(vec![moment]),
        }
    }
    let is_one_line = |group: &[&Moment]| group.len() > BURST || matches!(group.first().map(|first| &first.what), Some(What::Drive(_)));
    let entries =
        groups.iter().flat_map(|group| if is_one_line(group) { vec![entry(group)] } else { group.iter().map(|one| entry(&[one])).collect() });
    (entries.flatten().collect(), noise.len())
}

/// One line for all of these, which are of a kind.
fn entry(group: &[&Moment]) -> Option<TimelineEntry> {
    let (first, last) = (group.first()?, group.last()?);
    let mut says = first.says.clone();
    if group.len() > 1 {
        says.push_str(&format!(", and {} more of the kind until {}", group.len() - 1, last.when.text().replace('T', " ")));
    }
    let (kind, weight) = rank(&first.what);
    let (source, at) = (first.source.clone(), first.at.clone());
    Some(TimelineEntry { time: first.when.text(), clock: clock_of(first.when), kind: kind.into(), says, source, at, first_failure: false, weight })
}

fn rank(what: &What) -> (&'static str, u8) {
    match what {
        What::Upgrade => ("upgrade", 9),
        What::NotShutDown => ("unexpected-shutdown", 8),
        What::ClockSet => ("clock", 8),
        What::Drive(_) => ("drive", 8),
        What::Registry => ("registry", 8),
        What::File => ("file", 8),
        What::StartType { matters: true, .. } => ("service", 8),
        What::UpdateRemoved(_) => ("update", 8),
        What::UpdateInstalled(title) if is_routine(title) => ("update", 3),
        What::UpdateBegun(title) | What::UpdateInstalled(title) if is_app(title) => ("update", 1),
        What::UpdateInstalled(_) => ("update", 7),
        What::UpdateBegun(_) => ("update", 4),
        What::RestorePoint => ("restore-point", 6),
        What::Program => ("program", 5),
        What::NewService => ("service", 5),
        What::Driver => ("driver", 5),
        What::StartType { .. } => ("service", 4),
        What::Boot => ("boot", 3),
    }
}

/// The malware removal tool and Defender itself: they come with every month and tell little.
fn is_routine(title: &str) -> bool {
    kb(title).is_some_and(|kb| ["KB890830", "KB4052623"].contains(&kb.as_str()))
}

/// Titles of Store apps begin with their twelve-letter product number; older ones are only the app's name: neither an update's number,
/// nor a driver's parts and version, nor Windows itself.
fn is_app(title: &str) -> bool {
    if kb(title).is_none() && !title.contains(" - ") && !title.contains("Windows") && !title.contains(['{', '~']) {
        return true;
    }
    let number = title.split('-').next().unwrap_or_default();
    title.contains('-')
        && number.len() == 12
        && number.starts_with('9')
        && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn title(what: &What) -> Option<&str> {
    match what {
        What::UpdateBegun(title) | What::UpdateInstalled(title) | What::UpdateRemoved(title) => Some(title),
        _ => None,
    }
}

fn is_daily(moment: &Moment) -> bool {
    title(&moment.what).and_then(kb).is_some_and(|kb| DEFINITIONS.contains(&kb.as_str()))
}

/// A start type that was changed and changed back: nothing is left of either. Pairs are counted in their order.
fn taken_back(moment: &Moment, all: &[&Moment]) -> bool {
    let What::StartType { service, .. } = &moment.what else { return false };
    let mut open: Vec<&Moment> = Vec::new();
    for other in all {
        let What::StartType { service: there, before, after, .. } = &other.what else { continue };
        if !there.eq_ignore_ascii_case(service) {
            continue;
        }
        let undoes =
            |earlier: &&Moment| matches!(&earlier.what, What::StartType { before: first, after: then, .. } if first == after && then == before);
        if open.last().is_some_and(undoes) {
            open.pop();
        } else {
            open.push(other);
        }
    }
    !open.iter().any(|left| std::ptr::eq(*left, moment))
}

/// Whether another line tells the same: another log, a start of Windows that is known to follow a crash, an update that was then installed.
fn told_elsewhere(moment: &Moment, before: &[&Moment], after: &[&Moment]) -> bool {
    let near = |other: &&&Moment, seconds: i64| other.when.same_clock(moment.when) && (other.when.seconds() - moment.when.seconds()).abs() <= seconds;
    match &moment.what {
        What::Boot => {
            let crash = before.iter().chain(after).filter(|other| near(other, 600)).any(|other| other.what == What::NotShutDown);
            crash || before.iter().filter(|other| near(other, 600)).any(|other| other.what == What::Boot)
        }
        // A blue screen says more than that there was no shutdown.
        What::NotShutDown => {
            let told = |other: &&&Moment| other.what == What::NotShutDown;
            let crash = |text: &str| text.contains("blue screen");
            before.iter().filter(|other| near(other, 600)).filter(told).any(|other| crash(&other.says) || !crash(&moment.says))
                || after.iter().filter(|other| near(other, 600)).filter(told).any(|other| crash(&other.says) && !crash(&moment.says))
        }
        What::UpdateBegun(name) => {
            let same = |other: &&&Moment| title(&other.what).is_some_and(|there| same_update(there, name));
            after.iter().any(|other| same(&other)) || before.iter().filter(|other| near(other, DAY)).any(|other| same(&other))
        }
        What::UpdateInstalled(name) => before
            .iter()
            .filter(|other| near(other, DAY))
            .any(|other| matches!(&other.what, What::UpdateInstalled(there) if same_update(there, name))),
        What::UpdateRemoved(name) => {
            before.iter().filter(|other| near(other, DAY)).any(|other| matches!(&other.what, What::UpdateRemoved(there) if same_update(there, name)))
        }
        _ => false,
    }
}

/// Whether two things are of one kind in the sense of a burst: the same trouble of one drive at any time, devices, programs and apps
/// within an hour.
fn of_a_kind(one: &Moment, other: &Moment) -> bool {
    let near = one.when.same_clock(other.when) && (one.when.seconds() - other.when.seconds()).abs() <= HOUR;
    match (&one.what, &other.what) {
        (What::Drive(one), What::Drive(other)) => one.eq_ignore_ascii_case(other),
        (What::Driver, What::Driver) | (What::Program, What::Program) | (What::NewService, What::NewService) => near,
        (What::UpdateInstalled(one), What::UpdateInstalled(other)) => near && is_app(one) && is_app(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
