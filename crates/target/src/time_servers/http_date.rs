//! The `Date` of a plain HTTP answer: a whole second, not signed, and as old as whatever store it came from. It never decides alone.

use super::{HTTP_PORT, TimeAnswered, connect, said};
use crate::Stopwatch;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

/// The head of an answer has a few hundred bytes; a host that sends more is not waited for.
const LARGEST_HEAD: usize = 16 << 10;

/// One request for a head, without a body, to `/`.
pub(super) fn ask(host: &str, limit: Duration) -> Result<TimeAnswered, String> {
    let mut stream = connect(host, HTTP_PORT, limit)?;
    let watch = Stopwatch::start();
    let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| said(&error, limit))?;
    let mut head = Vec::new();
    let mut block = [0; 1024];
    while !ended(&head) && head.len() < LARGEST_HEAD && u128::from(watch.milliseconds()) < limit.as_millis() {
        match stream.read(&mut block) {
            Ok(0) => break,
            Ok(count) => head.extend_from_slice(block.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(said(&error, limit)),
        }
    }
    let (now, round_trip) = (crate::now(), watch.milliseconds());
    let there = date(&head)?;
    // The date was cut to a whole second, and was written about the middle of the round trip.
    let here = i64::try_from(now.unix).unwrap_or(i64::MAX / 2000) * 1000 + i64::from(now.nanos / 1_000_000);
    let half = i64::try_from(round_trip / 2).unwrap_or_default();
    Ok(TimeAnswered { ahead: there * 1000 + 500 - (here - half), round_trip })
}

fn ended(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n")
}

/// The date of an answer's head, seconds since 1970 UTC. An answer that a store on the way kept (`Age`) tells an old time.
fn date(head: &[u8]) -> Result<i64, String> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    if !lines.next().is_some_and(|status| status.starts_with("HTTP/1.")) {
        return Err("its answer is not HTTP".into());
    }
    let fields: Vec<(&str, &str)> = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':')).collect();
    let field = |name: &str| fields.iter().find(|(there, _)| there.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    if field("Age").is_some_and(|age| age != "0") {
        return Err("its answer was kept somewhere on the way, so its date is old".into());
    }
    let date = field("Date").ok_or_else(|| "its answer has no date".to_owned())?;
    parse(date).ok_or_else(|| "its answer has no date that can be read".to_owned())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the one form in which dates are sent (RFC 9110, 5.6.7).
fn parse(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = date.split_once(", ")?.1.split(' ').collect();
    let [day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let number = |digits: &str, length: usize| {
        let plain = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse::<i64>().ok() } else { None }
    };
    let month = i64::try_from(MONTHS.iter().position(|name| name == month)?).ok()? + 1;
    let time: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = time.as_slice() else { return None };
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    if !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(model::days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::{date, parse};

    #[test]
    fn dates_are_read_in_the_form_that_is_sent() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse("Thu, 29 Feb 2024 23:59:60 GMT"), Some(1_709_251_200));
        for wrong in
            ["", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 25:49:37 GMT"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_store_kept_is_not_believed() {
        let head = |more: &str| format!("HTTP/1.1 301 Moved\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n{more}\r\n");
        assert_eq!(date(head("").as_bytes()), Ok(784_111_777));
        assert_eq!(date(head("Age: 0\r\n").as_bytes()), Ok(784_111_777));
        assert!(date(head("Age: 86400\r\n").as_bytes()).is_err());
        assert!(date(b"SSH-2.0-x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n").is_err());
        assert!(date(b"HTTP/1.1 200 OK\r\n\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n").is_err());
    }
}
