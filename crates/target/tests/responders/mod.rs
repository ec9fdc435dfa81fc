//! Servers on the loopback that tell a time of the test's choosing. They set nobody's clock. Used by tests of other crates as well.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::disallowed_methods, reason = "each test file uses a part; tests may fail loudly")]

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How a server behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It tells its time.
    Honest,
    /// It says nothing.
    Silent,
    /// It asks not to be asked (kiss-o'-death, stratum 0, code RATE).
    Kiss,
    /// It says that its own clock is not synchronised (leap indicator 3).
    Unsynchronised,
    /// It answers a question that nobody asked.
    OtherQuestion,
    /// It answers as a client would.
    AsClient,
    /// Its answer ends in the middle.
    Short,
}

/// A server; dropping it ends it.
pub struct Responder {
    pub host: String,
    /// By how many seconds its time is ahead of this computer's clock.
    ahead: Arc<AtomicI64>,
    asked: Arc<AtomicUsize>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Responder {
    /// A time server.
    pub fn sntp(manner: Manner, ahead: i64) -> Responder {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let host = socket.local_addr().unwrap().to_string();
        Responder::start(host, ahead, move |ahead| {
            let mut question = [0; 128];
            let Ok((length, from)) = socket.recv_from(&mut question) else { return false };
            assert_eq!((length, question[0] & 7), (48, 3), "a question is 48 bytes long and has mode 3");
            if let Some(answer) = answer(&question, manner, ahead) {
                socket.send_to(&answer, from).unwrap();
            }
            true
        })
    }

    /// A web server that answers with a date, and with these fields beside it.
    pub fn http(ahead: i64, fields: &'static str) -> Responder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let named = host.clone();
        Responder::start(host, ahead, move |ahead| {
            let Ok((mut stream, _)) = listener.accept() else {
                std::thread::sleep(Duration::from_millis(5));
                return false;
            };
            stream.set_nonblocking(false).unwrap();
            let mut question = Vec::new();
            let mut block = [0; 512];
            while !question.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut block).unwrap();
                assert!(count > 0, "the question has no end");
                question.extend_from_slice(&block[..count]);
            }
            let wanted = format!("HEAD / HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n\r\n");
            assert_eq!(String::from_utf8_lossy(&question), wanted, "nothing else is told");
            let now = i64::try_from(since_1970().as_secs()).unwrap() + ahead;
            stream.write_all(format!("HTTP/1.1 200 OK\r\nDate: {}\r\n{fields}\r\n", http_date(now)).as_bytes()).unwrap();
            true
        })
    }

    fn start(host: String, ahead: i64, one: impl Fn(i64) -> bool + Send + 'static) -> Responder {
        let (ahead, asked, end) = (Arc::new(AtomicI64::new(ahead)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (offset, count, ended) = (Arc::clone(&ahead), Arc::clone(&asked), Arc::clone(&end));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                if one(offset.load(Ordering::SeqCst)) {
                    count.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Responder { host, ahead, asked, end, thread: Some(thread) }
    }

    /// From now on it tells another time.
    pub fn set(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::SeqCst);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking(), "a question was not as it must be");
        }
    }
}

/// An address where nothing answers: the port was free a moment ago.
pub fn nobody() -> String {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A moment as packets hold it (RFC 5905, 6): seconds since 1900 and a fraction of 2^32.
fn timestamp(ahead: i64) -> [u8; 8] {
    let now = since_1970();
    let seconds = now.as_secs().checked_add_signed(ahead).unwrap() + 2_208_988_800;
    let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
    ((seconds << 32) | fraction).to_be_bytes()
}

fn answer(question: &[u8; 128], manner: Manner, ahead: i64) -> Option<Vec<u8>> {
    let (leap, stratum, mode) = match manner {
        Manner::Silent => return None,
        Manner::Kiss => (3, 0, 4),
        Manner::Unsynchronised => (3, 2, 4),
        Manner::AsClient => (0, 2, 3),
        Manner::Honest | Manner::OtherQuestion | Manner::Short => (0, 2, 4),
    };
    let mut answer = vec![(leap << 6) | (4 << 3) | mode, stratum, 6, 0xEC];
    answer.extend([0; 8]);
    answer.extend(if manner == Manner::Kiss { *b"RATE" } else { [127, 0, 0, 1] });
    answer.extend(timestamp(ahead));
    let mut asked: [u8; 8] = question[40..48].try_into().unwrap();
    if manner == Manner::OtherQuestion {
        asked[7] ^= 1;
    }
    answer.extend(asked);
    answer.extend(timestamp(ahead));
    answer.extend(timestamp(ahead));
    assert_eq!(answer.len(), 48);
    if manner == Manner::Short {
        answer.truncate(40);
    }
    Some(answer)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn http_date(unix: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = model::utc(unix);
    let month: usize = text[5..7].parse().unwrap();
    let day = DAYS[usize::try_from(unix.div_euclid(86_400).rem_euclid(7)).unwrap()];
    format!("{day}, {} {} {} {} GMT", &text[8..10], MONTHS[month - 1], &text[0..4], &text[11..19])
}
