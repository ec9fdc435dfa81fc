//! One line on standard error that says what is being read, for a person at a terminal who would wait otherwise. It comes after half a
//! second and leaves nothing behind.

use crate::cli::Global;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is done in less time needs no words.
const FIRST: Duration = Duration::from_millis(500);
const NEXT: Duration = Duration::from_millis(200);
/// So many columns of a terminal of the usual eighty are written. The line is overwritten by blanks, not cleared by an escape code: consoles
/// before Windows 10 would show that.
const WIDTH: usize = 76;

/// The line while it may be shown. Dropping it removes the line.
pub(crate) struct Progress {
    says: Arc<Mutex<String>>,
    /// Dropped first, which ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins with these words; without a terminal, with `--json` or `--quiet` nothing is ever shown.
    pub(crate) fn start(says: &str, global: &Global) -> Progress {
        let says = Arc::new(Mutex::new(says.to_owned()));
        if global.json || global.quiet || !std::io::stderr().is_terminal() {
            return Progress { says, end: None, thread: None };
        }
        let (end, ended) = channel();
        let shown = Arc::clone(&says);
        // A thread, because one long file may be read in one go without a moment to speak.
        let thread = std::thread::Builder::new().spawn(move || show(&shown, &ended)).ok();
        Progress { says, end: Some(end), thread }
    }

    /// What a session tells while it reads.
    pub(crate) fn watcher(&self) -> Box<session::Watcher> {
        let says = Arc::clone(&self.says);
        Box::new(move |path, share| *says.lock().unwrap_or_else(PoisonError::into_inner) = words(path, share))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Shows the words again and again until the other end is dropped.
fn show(says: &Mutex<String>, ended: &Receiver<()>) {
    let (mut wait, mut shown) = (FIRST, false);
    while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let line = fitted(&says.lock().unwrap_or_else(PoisonError::into_inner));
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "\r{line:<WIDTH$}");
        let _ = out.flush();
        (wait, shown) = (NEXT, true);
    }
    if shown {
        let _ = write!(std::io::stderr().lock(), "\r{:WIDTH$}\r", "");
    }
}

/// The path and, of a long file, how much of it is read.
fn words(path: &str, share: Option<(u64, u64)>) -> String {
    match share {
        Some((done, of)) => format!("Reading {path} ({} %)", done.saturating_mul(100).checked_div(of).unwrap_or(100).min(100)),
        None => format!("Reading {path}"),
    }
}

/// What fits in one line: of a long one its begin and its end. Nothing of a file's name may steer the terminal.
fn fitted(says: &str) -> String {
    let letters: Vec<char> = says.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    if letters.len() <= WIDTH {
        return letters.into_iter().collect();
    }
    let (begin, end) = (letters.iter().take(WIDTH / 3), letters.iter().skip(letters.len() - (WIDTH - WIDTH / 3 - 1)));
    begin.chain(std::iter::once(&'…')).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, fitted, words};

    #[test]
    fn the_line_fits_and_steers_nothing() {
        assert_eq!(words("C:\\Windows\\Logs\\CBS\\CBS.log", Some((999, 1000))), "Reading C:\\Windows\\Logs\\CBS\\CBS.log (99 %)");
        assert_eq!(words("x", Some((5, 0))), "Reading x (100 %)");
        let long = fitted(&words(&"a\\".repeat(100), Some((1, 2))));
        assert_eq!((long.chars().count(), long.ends_with("(50 %)"), long.starts_with("Reading a")), (WIDTH, true, true));
        assert_eq!(fitted("a\x1b[2Jb\n"), "a?[2Jb?");
    }
}
