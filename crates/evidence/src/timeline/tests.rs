#![allow(clippy::unwrap_used, reason = "test")]

use super::*;
use model::Confidence;

fn at(civil: &str) -> When {
    When::Local(civil::parse(civil).unwrap())
}

fn moment(time: &str, what: What, says: &str) -> Moment {
    Moment { when: at(time), what, says: says.into(), source: "C:\\Windows\\x.log".into(), at: "line 1".into() }
}

fn failure(id: u32, code: &str, subject: &str, first: &str) -> Failure {
    Failure {
        id,
        operation: "update".into(),
        code: code.into(),
        subject: subject.into(),
        phase: "install".into(),
        first: first.into(),
        last: first.into(),
        count: 1,
        resolved: false,
        transient: false,
        source: "C:\\Windows\\System.evtx".into(),
        at: "record 1".into(),
    }
}

fn shown(moments: Vec<Moment>, failures: &[Failure], asked: Option<&str>) -> (Vec<String>, TimelineWindow) {
    let mut history = History { moments, ..History::default() };
    history.moments.sort_by_key(|moment| moment.when);
    history.seen(at("2026-02-01T00:00:00"), "SYSTEM");
    let about = About { failures, findings: &[], asked: asked.map(|code| code.parse().unwrap()), since: None };
    let (entries, window) = timeline(&history, &about);
    (entries.into_iter().map(|entry| entry.says).collect(), window.unwrap())
}

const BROKE: &str = "2026-01-10T12:00:00";

#[test]
fn seven_days_before_the_first_failure_and_nothing_else() {
    let moments = ["2026-01-03T11:59:59", "2026-01-03T12:00:00", BROKE, "2026-01-10T12:00:01"];
    let moments = moments.iter().map(|time| moment(time, What::RestorePoint, time)).collect();
    let (lines, window) = shown(moments, &[failure(1, "0x80070002", "KB5034441", BROKE)], None);
    assert_eq!(lines, ["2026-01-03T12:00:00", BROKE, "KB5034441 failed with 0x80070002 (install)"]);
    assert_eq!((window.from.as_str(), window.to.as_str()), ("2026-01-03T12:00:00", BROKE));
}

#[test]
fn the_failure_that_is_asked_about_counts() {
    let failures = [failure(1, "0x80070002", "KB5034441", BROKE), failure(2, "0x80070422", "KB5034763", "2026-01-20T12:00:00")];
    assert_eq!(shown(Vec::new(), &failures, None).1.to, BROKE);
    assert_eq!(shown(Vec::new(), &failures, Some("0x80070422")).1.to, "2026-01-20T12:00:00");
    // A code that no log tells: the end is the newest evidence, and that is said.
    let (_, window) = shown(Vec::new(), &failures, Some("0x80240034"));
    assert_eq!(window.to, "2026-02-01T00:00:00");
    assert!(window.why.contains("no log tells when 0x80240034 came"), "{}", window.why);
}

#[test]
fn what_findings_explain_comes_before_other_failures() {
    let failures = [failure(1, "0x80070002", "KB5034441", BROKE), failure(2, "0x80070422", "KB5034763", "2026-01-20T12:00:00")];
    let finding = Finding {
        cause: "x".into(),
        title: String::new(),
        confidence: Confidence::Proved,
        explains: vec![2.into()],
        codes: Vec::new(),
        object: String::new(),
        evidence: Vec::new(),
        steps: Vec::new(),
        subject: String::new(),
    };
    let about = About { failures: &failures, findings: &[&finding], asked: None, since: None };
    assert_eq!(timeline(&History::default(), &about).1.unwrap().to, "2026-01-20T12:00:00");
}

#[test]
fn daily_life_is_left_out_and_counted() {
    let start_type = |time, before: &str, after: &str| {
        let what = What::StartType { service: "wuauserv".into(), before: before.into(), after: after.into(), matters: true };
        moment(time, what, &format!("{before} to {after}"))
    };
    let installed = |time, title: &str| moment(time, What::UpdateInstalled(title.into()), title);
    let moments = vec![
        installed("2026-01-09T08:00:00", "Security Intelligence Update - KB2267602 (Version 1.1)"),
        installed("2026-01-09T08:01:00", "2026-01 Update (KB5034441)"),
        installed("2026-01-09T08:02:00", "KB5034441"),
        moment("2026-01-09T08:00:30", What::UpdateBegun("2026-01 Update (KB5034441)".into()), "began"),
        start_type("2026-01-09T09:00:00", "demand", "auto"),
        start_type("2026-01-09T09:05:00", "auto", "demand"),
        start_type("2026-01-09T10:00:00", "demand", "disabled"),
        moment("2026-01-09T11:00:00", What::Boot, "started"),
        moment("2026-01-09T11:00:20", What::NotShutDown, "not shut down"),
    ];
    let (lines, window) = shown(moments, &[failure(1, "0x80070422", "KB5034763", BROKE)], None);
    assert_eq!(lines, ["2026-01 Update (KB5034441)", "demand to disabled", "not shut down", "KB5034763 failed with 0x80070422 (install)"]);
    assert_eq!(window.left_out, 3);
}

#[test]
fn many_of_a_kind_are_one_line() {
    let drivers = |count: u32| (0..count).map(|minute| moment(&format!("2026-01-09T08:{minute:02}:00"), What::Driver, "driver")).collect::<Vec<_>>();
    let broke = [failure(1, "0x80070422", "KB5034763", BROKE)];
    assert_eq!(shown(drivers(3), &broke, None).0.len(), 4);
    let (lines, _) = shown(drivers(5), &broke, None);
    assert_eq!(lines.first().map(String::as_str), Some("driver, and 4 more of the kind until 2026-01-09 08:04:00"));
    assert_eq!(lines.len(), 2);
}

#[test]
fn another_clock_is_never_mixed_in_silently() {
    let utc = |time: &str| When::Utc(civil::parse(time).unwrap());
    let one = |time: &str| Moment { when: utc(time), ..moment(BROKE, What::RestorePoint, time) };
    // Fourteen hours is the farthest that local time can be from UTC; what may lie inside is shown, marked.
    let moments = vec![one("2026-01-02T21:00:00"), one("2026-01-02T23:00:00"), one("2026-01-11T01:00:00"), one("2026-01-11T03:00:00")];
    let history = History { moments, ..History::default() };
    let failures = [failure(1, "0x80070422", "KB5034763", BROKE)];
    let (entries, window) = timeline(&history, &About { failures: &failures, findings: &[], asked: None, since: None });
    let told: Vec<(Clock, &str)> = entries.iter().map(|entry| (entry.clock, entry.time.as_str())).collect();
    assert_eq!(told, [(Clock::Local, BROKE), (Clock::Utc, "2026-01-02T23:00:00"), (Clock::Utc, "2026-01-11T01:00:00")]);
    assert_eq!(window.unwrap().clock, Clock::Local);
}

#[test]
fn of_too_many_lines_those_that_say_least_go() {
    let mut moments: Vec<Moment> = (0..300).map(|index| moment(&civil::text(at(BROKE).seconds() - 900 * index), What::Boot, "started")).collect();
    moments.push(moment("2026-01-04T00:00:00", What::ClockSet, "clock"));
    let (lines, window) = shown(moments, &[failure(1, "0x80070422", "KB5034763", BROKE)], None);
    assert_eq!(lines.len(), MOST);
    assert!(lines.iter().any(|line| line == "clock") && lines.iter().any(|line| line.contains("0x80070422")));
    assert_eq!(window.left_out, 302 - MOST);
}
