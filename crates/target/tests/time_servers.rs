//! Time servers and HTTP dates, asked on the loopback: what is used, what is refused and why, and what is sent.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests measure time")]

mod responders;

use responders::{Manner, Responder, nobody};
use std::time::{Duration, Instant};
use target::{TimeAnswer, ask_http_date, ask_time_servers};

const LIMIT: Duration = Duration::from_millis(400);

fn ask(hosts: &[&Responder]) -> Vec<TimeAnswer> {
    ask_time_servers(&hosts.iter().map(|one| one.host.clone()).collect::<Vec<String>>(), LIMIT)
}

/// The difference in milliseconds, or the reason.
fn ahead(answer: &TimeAnswer) -> Result<i64, String> {
    answer.answer.clone().map(|answer| answer.ahead)
}

#[test]
fn the_difference_is_told_to_the_second() {
    for offset in [0, 120, -3 * 86_400, 16 * 3600, 10 * 365 * 86_400, -20 * 365 * 86_400] {
        let server = Responder::sntp(Manner::Honest, offset);
        let answers = ask(&[&server]);
        let told = ahead(&answers[0]).unwrap();
        assert!((told - offset * 1000).abs() < 300, "{offset} s was told as {told} ms");
        assert!(answers[0].answer.clone().unwrap().round_trip < 400);
    }
}

#[test]
fn what_is_no_answer_is_refused_with_its_reason() {
    for (manner, why) in [
        (Manner::Silent, "no answer within 0.4 seconds"),
        (Manner::Kiss, "exceeded the rate"),
        (Manner::Unsynchronised, "not synchron"),
        (Manner::OtherQuestion, "originate timestamp"),
        (Manner::AsClient, "mode"),
        (Manner::Short, "too short"),
    ] {
        let server = Responder::sntp(manner, 0);
        let said = ahead(&ask(&[&server])[0]).unwrap_err();
        assert!(said.contains(why), "{manner:?}: {said}");
        assert_eq!(server.asked(), 1, "{manner:?}");
    }
    let closed = ahead(&ask_time_servers(&[nobody()], LIMIT)[0]).unwrap_err();
    assert!(closed.contains("nothing answers") || closed.contains("no answer"), "{closed}");
    let unknown = ahead(&ask_time_servers(&["nobody.invalid".into()], LIMIT)[0]).unwrap_err();
    assert!(unknown.contains("leads to no address") || unknown.contains("no answer"), "{unknown}");
}

#[test]
fn all_are_asked_at_the_same_time_and_each_once() {
    let silent: Vec<Responder> = (0..4).map(|_| Responder::sntp(Manner::Silent, 0)).collect();
    let honest = Responder::sntp(Manner::Honest, 7);
    let mut hosts: Vec<String> = silent.iter().map(|one| one.host.clone()).collect();
    hosts.extend([honest.host.clone(), honest.host.clone()]);
    let start = Instant::now();
    let answers = ask_time_servers(&hosts, LIMIT);
    assert!(start.elapsed() < LIMIT * 3, "{:?}", start.elapsed());
    assert_eq!(answers.len(), 5);
    assert_eq!((answers[4].host.as_str(), honest.asked()), (honest.host.as_str(), 1));
    assert!(answers[4].answer.is_ok() && answers[..4].iter().all(|one| one.answer.is_err()));
    assert_eq!(ask_time_servers(&[], LIMIT), []);
}

#[test]
fn http_dates_are_read_and_old_ones_are_not() {
    let (right, behind, stored) = (Responder::http(0, ""), Responder::http(-86_400, "Server: x\r\n"), Responder::http(0, "Age: 600\r\n"));
    let answers = ask_http_date(&[right.host.clone(), behind.host.clone(), stored.host.clone(), nobody()], LIMIT);
    assert!(ahead(&answers[0]).unwrap().abs() < 1500, "{answers:?}");
    assert!((ahead(&answers[1]).unwrap() + 86_400_000).abs() < 1500, "{answers:?}");
    assert!(ahead(&answers[2]).unwrap_err().contains("kept somewhere"), "{answers:?}");
    assert!(answers[3].answer.is_err(), "{answers:?}");
}
