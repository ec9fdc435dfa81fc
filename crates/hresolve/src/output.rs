//! Writing answers: text or one JSON object on standard output, failures on standard error.

use serde::Serialize;
use session::SessionError;
use std::io::Write;

/// Why a command gives no answer, with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: u8,
    pub(crate) says: String,
}

impl Failure {
    /// Exit 2: the words of the call.
    pub(crate) fn usage(says: impl Into<String>) -> Self {
        Failure { exit: 2, says: says.into() }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let exit = match &error {
            SessionError::Open(session::OpenError::NoSuchMachine { .. }) | SessionError::Usage(_) => 2,
            SessionError::Open(_) => 3,
            SessionError::Run(repair::RunError::Refused(_)) => 5,
            // Steps made before stay; the next fix or undo brings them back.
            SessionError::Run(repair::RunError::Journal(_)) => 1,
            SessionError::Undo(repair::UndoError::Refused(_)) => 5,
            SessionError::Undo(_) => 6,
            SessionError::Store(_) => 2,
        };
        Failure { exit, says: error.to_string() }
    }
}

impl From<session::OpenError> for Failure {
    fn from(error: session::OpenError) -> Self {
        SessionError::from(error).into()
    }
}

#[derive(Serialize)]
struct FailureJson<'a> {
    schema: &'static str,
    error: &'a str,
    exit: u8,
}

/// Says why there is no answer.
pub(crate) fn failure(failure: &Failure, json: bool) {
    if json {
        json_line(&FailureJson { schema: "hresolve/error/1", error: &failure.says, exit: failure.exit });
    } else {
        note(&failure.says);
    }
}

/// Writes text to standard output. A reader that has gone away is no error of ours.
pub(crate) fn text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Writes one JSON object to standard output.
pub(crate) fn json_line<T: Serialize>(value: &T) {
    let mut line = serde_json::to_string_pretty(value).unwrap_or_default();
    line.push('\n');
    text(&line);
}

/// Writes a sentence to standard error.
pub(crate) fn note(says: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{says}");
}
