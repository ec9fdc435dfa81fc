//! Asking other computers what time it is: time servers (SNTP, RFC 5905), and as a second opinion the `Date` of plain HTTP answers (RFC 9110).
//!
//! Nothing here sets a clock or decides anything. Both kinds of answer can be forged by whoever is on the way, as neither is signed; that is why
//! several servers are asked. What is sent is one packet of 48 bytes with the time of this computer's clock in it, or one request with the
//! name of the host that is asked; nothing else about the computer.

mod http_date;

use crate::Stopwatch;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::time::Duration;

/// The port of time servers, unless another is named.
pub const NTP_PORT: u16 = 123;
/// The port of plain HTTP, unless another is named.
pub const HTTP_PORT: u16 = 80;

/// What one host said, or why it said nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeAnswer {
    /// The host as it was named: `name` or `name:port`.
    pub host: String,
    /// Its answer; the error is a sentence without a full stop.
    pub answer: Result<TimeAnswered, String>,
}

/// A usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeAnswered {
    /// How far the host's clock is ahead of that of the computer that asked, in milliseconds; negative when it is behind. Exact to half
    /// of the round trip, of an HTTP date to half of it and a second.
    pub ahead: i64,
    /// How long question and answer took together, in milliseconds.
    pub round_trip: u64,
}

/// Asks time servers, all at the same time; each has `limit` to answer, its name's look-up included. Answers come in the order of
/// the hosts; one that is named twice is asked once.
pub fn ask_time_servers(hosts: &[String], limit: Duration) -> Vec<TimeAnswer> {
    ask_all(hosts, limit, sntp)
}

/// Asks hosts by plain HTTP for their `Date`, all at the same time. There is no HTTPS, because a clock that is wrong breaks it.
pub fn ask_http_date(hosts: &[String], limit: Duration) -> Vec<TimeAnswer> {
    ask_all(hosts, limit, http_date::ask)
}

/// Asks one host within the limit.
type Ask = fn(&str, Duration) -> Result<TimeAnswered, String>;

fn ask_all(hosts: &[String], limit: Duration, ask: Ask) -> Vec<TimeAnswer> {
    let mut named: Vec<&String> = Vec::new();
    for host in hosts {
        if !named.iter().any(|there| there.eq_ignore_ascii_case(host)) {
            named.push(host);
        }
    }
    let waiting: Vec<_> = named
        .into_iter()
        .map(|host| {
            let (send, receive) = channel();
            let asked = host.clone();
            // Not joined: the system may take longer to look up a name than anybody waits, and cannot be told to stop.
            let thread = std::thread::Builder::new().spawn(move || {
                let _ = send.send(ask(&asked, limit));
            });
            (host, receive, thread)
        })
        .collect();
    let watch = Stopwatch::start();
    // A little more than what the question itself has, so that its own reason is heard.
    let whole = limit + limit / 4 + Duration::from_millis(50);
    let mut answers = Vec::new();
    for (host, receive, thread) in waiting {
        let left = whole.saturating_sub(Duration::from_millis(watch.milliseconds()));
        let answer = match thread {
            Ok(_) => receive.recv_timeout(left).unwrap_or_else(|_| Err(no_answer(limit))),
            Err(error) => Err(format!("it could not be asked: {error}")),
        };
        answers.push(TimeAnswer { host: host.clone(), answer });
    }
    answers
}

fn no_answer(limit: Duration) -> String {
    format!("no answer within {} seconds", limit.as_secs_f32())
}

/// The address of `name`, `name:port`, `[v6]:port` or a bare address; IPv4 first, because fewer networks break it.
fn look_up(host: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = match bare.parse::<std::net::IpAddr>() {
        Ok(address) => return Ok(SocketAddr::new(address, port)),
        Err(_) if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) => host.to_socket_addrs(),
        Err(_) => (host, port).to_socket_addrs(),
    };
    let mut addresses: Vec<SocketAddr> = found.map_err(|error| format!("its name leads to no address ({error})"))?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.first().copied().ok_or_else(|| "its name leads to no address".to_owned())
}

/// One question to a time server. What is no answer of a server that knows the time is refused with its reason: another question's answer,
/// a server that is not synchronised, one that asks not to be asked.
fn sntp(host: &str, limit: Duration) -> Result<TimeAnswered, String> {
    if !comparable(crate::now().unix) {
        return Err("this computer's clock is before 1970 or after 2103, which packets of this protocol cannot say".into());
    }
    let address = look_up(host, NTP_PORT)?;
    let bind = if address.is_ipv6() { (Ipv6Addr::UNSPECIFIED, 0).into() } else { (Ipv4Addr::UNSPECIFIED, 0).into() };
    let client = rsntp::SntpClient::with_config(rsntp::Config::default().bind_address(bind).timeout(limit));
    let watch = Stopwatch::start();
    let result = client.synchronize(address).map_err(|error| match error {
        rsntp::SynchronizationError::IOError(error) => said(&error, limit),
        rsntp::SynchronizationError::ProtocolError(error) => format!("its answer cannot be used: {error}"),
    })?;
    // The time between is measured here as well: what the packet says about it is the server's word.
    let round_trip = watch.milliseconds();
    milliseconds(result.clock_offset().as_secs_f64()).map(|ahead| TimeAnswered { ahead, round_trip })
}

/// Packets count 32 bits of seconds from 1900, and again from 2036; the library takes what would be before 1968 for the second count. A
/// clock before 1970 is read as 0.
fn comparable(unix: u64) -> bool {
    (1..4_233_461_744).contains(&unix)
}

/// What the system said, in words that say what it means here.
fn said(error: &std::io::Error, limit: Duration) -> String {
    use std::io::ErrorKind::{ConnectionRefused, TimedOut, WouldBlock};
    match error.kind() {
        TimedOut | WouldBlock => no_answer(limit),
        ConnectionRefused => "nothing answers at that port".into(),
        _ => format!("it cannot be reached ({error})"),
    }
}

fn milliseconds(seconds: f64) -> Result<i64, String> {
    // Packets hold times from 1968 to 2104.
    if !seconds.is_finite() || seconds.abs() > 5e9 {
        return Err("its answer cannot be used: it is no time".into());
    }
    #[allow(clippy::cast_possible_truncation, reason = "it was just compared with its bounds")]
    Ok((seconds * 1000.0).round() as i64)
}

/// A connection within the limit.
fn connect(host: &str, port: u16, limit: Duration) -> Result<TcpStream, String> {
    let stream = TcpStream::connect_timeout(&look_up(host, port)?, limit).map_err(|error| said(&error, limit))?;
    stream.set_read_timeout(Some(limit)).and_then(|()| stream.set_write_timeout(Some(limit))).map_err(|error| error.to_string())?;
    Ok(stream)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{comparable, look_up, milliseconds};

    #[test]
    fn hosts_are_read_with_and_without_port() {
        for (host, address) in
            [("127.0.0.1", "127.0.0.1:123"), ("127.0.0.1:99", "127.0.0.1:99"), ("::1", "[::1]:123"), ("[::1]", "[::1]:123"), ("[::1]:99", "[::1]:99")]
        {
            assert_eq!(look_up(host, 123).unwrap().to_string(), address, "{host}");
        }
        assert!(look_up("no such name at all:99", 123).is_err());
    }

    #[test]
    fn what_packets_cannot_say_is_not_asked() {
        for (unix, fits) in [(0, false), (1, true), (1_800_000_000, true), (4_233_461_743, true), (4_233_461_744, false)] {
            assert_eq!(comparable(unix), fits, "{unix}");
        }
        assert!(model::utc(4_233_461_744).starts_with("2104-02-26"));
    }

    #[test]
    fn only_times_are_times() {
        assert_eq!(milliseconds(-259_200.000_6), Ok(-259_200_001));
        assert!(milliseconds(f64::NAN).is_err() && milliseconds(1e18).is_err());
    }
}
