//! The journal of a run: one JSON line an event, each with its length and checksum, each on the disk before what it announces.
//!
//! A journal is untrusted input: it travels with the disk. A torn last line is recognised and cut; a bad line before the last
//! makes the journal unusable from there on, and says so.

use model::{Change, HeldService, Level, Operation};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use target::{HiveState, RunFolder, StoreError, sha256};

/// The version written into every journal.
pub(crate) const VERSION: u32 = 5;

/// A hive's files before a run touched them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedHive {
    /// `SYSTEM`, `SOFTWARE` …
    pub hive: String,
    /// sha256 of the primary file.
    pub primary: String,
    /// sha256 of each log by name.
    pub logs: Vec<(String, String)>,
    /// Last write: seconds since 1970, nanoseconds.
    pub modified: (i64, u32),
}

impl From<HiveState> for SavedHive {
    fn from(state: HiveState) -> Self {
        SavedHive { hive: state.hive, primary: state.primary, logs: state.logs, modified: state.modified }
    }
}

/// A cause whose treatment ends after the next start of Windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterRestart {
    /// The guide's id.
    pub cause: String,
    /// The subject's name.
    pub subject: String,
    /// The thing that is wrong.
    pub object: String,
    /// True when nothing of it was begun and all of it is done then; false when what is left is done and its signs are asked again.
    pub whole: bool,
}

/// One thing that happened, or is about to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// Journal version.
        version: u32,
        /// UTC.
        time: String,
        /// hresolve's version.
        program: String,
        /// The target's path as given.
        target: String,
        /// The Windows on it.
        windows: String,
        /// By what the machine is recognised.
        machine: String,
        /// The code that the person asked about.
        asked: Option<String>,
    },
    /// A copy of a hive's primary file is in `before/`.
    HiveSaved {
        /// Its state.
        hive: SavedHive,
    },
    /// A step is about to be made.
    Started {
        /// Number within the run.
        step: u32,
        /// The guide's id.
        cause: String,
        /// The subject's name.
        subject: String,
        /// The action's name.
        action: String,
        /// The sentence.
        says: String,
        /// The promise it was made under.
        level: Level,
        /// The changes, with what was there before.
        changes: Vec<Change>,
    },
    /// A hive's file is about to be replaced.
    HiveIntended {
        /// The hive.
        hive: String,
        /// sha256 now.
        from: String,
        /// sha256 afterwards.
        to: String,
        /// The temporary file.
        temporary: String,
    },
    /// Windows was asked for a restore point before the first step that asks.
    RestorePoint {
        /// Whether there is one that was seen.
        there: bool,
        /// In words.
        says: String,
    },
    /// A program of Windows is about to be run, or an update installed; what it does is not taken back.
    OperationStarted {
        /// Number within the run.
        step: u32,
        /// The guide's id.
        cause: String,
        /// The subject's name.
        subject: String,
        /// The action's name.
        action: String,
        /// The sentence.
        says: String,
        /// The promise it was made under.
        level: Level,
        /// What is run.
        operation: Operation,
    },
    /// It ended, by itself or not.
    OperationEnded {
        /// The step.
        step: u32,
        /// `done`, `not-done`, `unknown`, `not-run`, or `failed` when it could not be run to its end.
        outcome: String,
        /// Its exit code, when it ended by itself.
        exit_code: Option<u32>,
        /// What it came to, in words.
        says: String,
    },
    /// Services are about to be kept from running, because they work where something gets another name.
    ServicesHeld {
        /// Each as it was.
        services: Vec<HeldService>,
    },
    /// They have their start types back, and those run again that ran.
    ServicesLetGo,
    /// Every change of the step was made and read back.
    Done {
        /// The step.
        step: u32,
    },
    /// The step failed.
    Failed {
        /// The step.
        step: u32,
        /// Why.
        why: String,
    },
    /// The step's changes were taken back.
    TakenBack {
        /// The step.
        step: u32,
    },
    /// A step that was not made, for the report.
    Left {
        /// The guide's id.
        cause: String,
        /// The action's name.
        action: String,
        /// The sentence.
        says: String,
        /// `shown`, `skipped`, `consent-needed`, `queued`.
        state: String,
        /// Why.
        why: String,
    },
    /// The signs of a cause were asked again.
    Verified {
        /// The guide's id.
        cause: String,
        /// The thing.
        object: String,
        /// True when they are gone.
        right: bool,
        /// In words.
        says: String,
    },
    /// The run ended by itself.
    Finished {
        /// The verdict.
        verdict: String,
    },
    /// The person tried again and said how it went.
    Answered {
        /// UTC.
        time: String,
        /// It works now.
        worked: bool,
    },
    /// The rest waits for the next start of Windows.
    RestartAwaited {
        /// When the Windows that runs now was started, as a Windows file time; none when that is not known.
        started: Option<u64>,
        /// What is done then.
        causes: Vec<AfterRestart>,
        /// Whether Windows was told to go on by itself then.
        by_itself: bool,
    },
    /// Windows was started anew, and the run goes on. This happens once.
    GoneOn {
        /// UTC.
        time: String,
    },
    /// Undo or recovery begins.
    UndoStarted {
        /// UTC.
        time: String,
        /// `undo` when asked for, `recovery` after an interruption.
        why: String,
    },
    /// Something that now stands in the way is moved into the run's `after` folder.
    MovedAway {
        /// The rename.
        change: Change,
    },
    /// Undo or recovery ended.
    UndoFinished {
        /// Objects that were left alone because somebody else changed them.
        conflicts: Vec<String>,
    },
}

#[derive(Serialize)]
struct LineOut<'a> {
    n: u64,
    len: usize,
    sum: &'a str,
    #[serde(rename = "e")]
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct LineIn<'a> {
    n: u64,
    len: usize,
    sum: String,
    #[serde(rename = "e", borrow)]
    event: &'a RawValue,
}

/// Why a journal cannot be read.
#[derive(Debug)]
pub enum JournalError {
    /// The file could not be read or written.
    Store(StoreError),
    /// A line before the last is not what was written.
    Damaged {
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// Written by a later version.
    Newer {
        /// Its version.
        version: u32,
    },
}

impl fmt::Display for JournalError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Store(error) => write!(out, "{error}"),
            JournalError::Damaged { line, why } => write!(out, "the journal is damaged in line {line} ({why}); nothing was changed by it"),
            JournalError::Newer { version } => {
                write!(out, "the journal was written by a later hresolve (format {version}, this one knows {VERSION}); use that version to undo")
            }
        }
    }
}

impl std::error::Error for JournalError {}

impl From<StoreError> for JournalError {
    fn from(error: StoreError) -> Self {
        JournalError::Store(error)
    }
}

/// A run's journal, read and open for more lines.
#[derive(Debug)]
pub struct Journal {
    /// The run's folder.
    pub folder: RunFolder,
    /// What it says so far.
    pub events: Vec<Event>,
    /// A line could not be written for certain: whether it is on the disk is not known, so nothing may follow it.
    broken: bool,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It ended by itself.
    Finished,
    /// It ended by itself, and its rest waits for the next start of Windows.
    Waiting,
    /// The program ended in the middle of it.
    Interrupted,
    /// It was undone.
    Undone,
    /// It was undone but for conflicts.
    UndoneWithConflicts,
}

impl RunState {
    /// In a word, for lists.
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Finished => "finished",
            RunState::Waiting => "waiting",
            RunState::Interrupted => "interrupted",
            RunState::Undone => "undone",
            RunState::UndoneWithConflicts => "undone-with-conflicts",
        }
    }
}

impl Journal {
    /// A new, empty journal.
    pub fn new(folder: RunFolder) -> Self {
        Journal { folder, events: Vec::new(), broken: false }
    }

    /// Reads a journal. A torn last line (the program or the power ended while it was written) is left out.
    ///
    /// # Errors
    /// When the file cannot be read, or a line before the last is not what was written.
    pub fn read(folder: RunFolder) -> Result<(Self, u64), JournalError> {
        let bytes = folder.journal()?;
        let (events, good) = parse(&bytes)?;
        Ok((Journal { folder, events, broken: false }, good))
    }

    /// Reads a journal to go on with it: a torn last line is cut off the file first.
    ///
    /// # Errors
    /// As [`Journal::read`], or when the file cannot be changed.
    pub fn open(folder: RunFolder) -> Result<Self, JournalError> {
        let (journal, good) = Journal::read(folder)?;
        journal.folder.cut_journal(good)?;
        Ok(journal)
    }

    /// Appends an event and waits until it is on the disk.
    ///
    /// # Errors
    /// When it could not be written; nothing may be changed then.
    pub fn append(&mut self, event: Event) -> Result<(), StoreError> {
        let line = line(self.events.len() as u64 + 1, &event).map_err(|error| StoreError::Io {
            doing: "write the journal line for",
            path: self.folder.path.clone(),
            source: error.into(),
        })?;
        if self.broken {
            let source = std::io::Error::other("a line before it could not be written for certain");
            return Err(StoreError::Io { doing: "go on with the journal in", path: self.folder.path.clone(), source });
        }
        if let Err(error) = self.folder.append(&line) {
            self.broken = true;
            return Err(error);
        }
        self.events.push(event);
        Ok(())
    }

    /// How the run stands.
    pub fn state(&self) -> RunState {
        let (mut state, mut waits) = (RunState::Interrupted, false);
        for event in &self.events {
            match event {
                Event::RestartAwaited { .. } => waits = true,
                Event::GoneOn { .. } => (state, waits) = (RunState::Interrupted, false),
                // The person needs no more of it.
                Event::Answered { worked: true, .. } => waits = false,
                Event::Finished { .. } => state = if waits { RunState::Waiting } else { RunState::Finished },
                Event::Started { .. } | Event::OperationStarted { .. } | Event::RunStarted { .. } | Event::UndoStarted { .. } => {
                    state = RunState::Interrupted
                }
                Event::UndoFinished { conflicts } if conflicts.is_empty() => state = RunState::Undone,
                Event::UndoFinished { .. } => state = RunState::UndoneWithConflicts,
                _ => {}
            }
        }
        state
    }

    /// The steps whose changes may be in force: begun, and neither taken back nor undone since; in order.
    pub fn in_force(&self) -> Vec<(u32, Vec<Change>)> {
        let mut steps: Vec<(u32, Vec<Change>)> = Vec::new();
        for event in &self.events {
            match event {
                Event::Started { step, changes, .. } => steps.push((*step, changes.clone())),
                Event::TakenBack { step } => steps.retain(|(number, _)| number != step),
                // A conflict is somebody else's work now; everything of ours was taken back.
                Event::UndoFinished { .. } => steps.clear(),
                _ => {}
            }
        }
        steps
    }

    /// What programs of Windows were run, in order, each with what it came to; `None` when its end is not recorded.
    pub fn operations(&self) -> Vec<(&Operation, Option<&str>)> {
        let ended = |number: u32| {
            self.events.iter().find_map(|event| match event {
                Event::OperationEnded { step, says, .. } if *step == number => Some(says.as_str()),
                _ => None,
            })
        };
        let started = self.events.iter().filter_map(|event| match event {
            Event::OperationStarted { step, operation, .. } => Some((operation, ended(*step))),
            _ => None,
        });
        started.collect()
    }

    /// What waits for the next start of Windows: when the one that ran then was started, and the causes.
    pub fn awaited(&self) -> Option<(Option<u64>, &[AfterRestart])> {
        self.events.iter().rev().find_map(|event| match event {
            Event::RestartAwaited { started, causes, .. } => Some((*started, causes.as_slice())),
            _ => None,
        })
    }

    /// The services that were kept from running and, as far as the journal tells, not let go since.
    pub(crate) fn still_held(&self) -> Vec<HeldService> {
        let mut held = Vec::new();
        for event in &self.events {
            match event {
                Event::ServicesHeld { services } => held.clone_from(services),
                Event::ServicesLetGo | Event::UndoFinished { .. } => held.clear(),
                _ => {}
            }
        }
        held
    }

    /// The hives saved by this run.
    pub fn saved_hives(&self) -> Vec<SavedHive> {
        self.events.iter().filter_map(|event| if let Event::HiveSaved { hive } = event { Some(hive.clone()) } else { None }).collect()
    }
}

fn line(number: u64, event: &Event) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(event)?;
    let sum = sha256(text.as_bytes());
    let raw = RawValue::from_string(text)?;
    serde_json::to_string(&LineOut { n: number, len: raw.get().len(), sum: sum.get(..16).unwrap_or_default(), event: &raw })
}

/// The events, and the length of the part of the file that holds them.
fn parse(bytes: &[u8]) -> Result<(Vec<Event>, u64), JournalError> {
    let mut events = Vec::new();
    let mut good = 0_u64;
    let mut rest = bytes;
    for number in 1_u64.. {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            // Nothing, or a line without its end: torn while it was written.
            break;
        };
        let (text, after) = (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default());
        match one_line(number, text) {
            Ok(event) => events.push(event),
            // The last line of a file whose blocks did not all reach the disk.
            Err(BadLine::Torn(_)) if after.is_empty() => break,
            Err(BadLine::Torn(why) | BadLine::Foreign(why)) => return Err(JournalError::Damaged { line: number, why }),
        }
        good += end as u64 + 1;
        rest = after;
    }
    if let Some(Event::RunStarted { version, .. }) = events.first()
        && *version > VERSION
    {
        return Err(JournalError::Newer { version: *version });
    }
    Ok((events, good))
}

/// Why a line is not used.
enum BadLine {
    /// It is not as it was written, as the last line may be after a power cut.
    Torn(String),
    /// It was written so, but not by this program in this place.
    Foreign(String),
}

fn one_line(number: u64, text: &[u8]) -> Result<Event, BadLine> {
    let line: LineIn = serde_json::from_slice(text).map_err(|error| BadLine::Torn(error.to_string()))?;
    let event = line.event.get();
    if event.len() != line.len || !sha256(event.as_bytes()).starts_with(&line.sum) || line.sum.len() != 16 {
        return Err(BadLine::Torn("its length or checksum is wrong".into()));
    }
    if line.n != number {
        return Err(BadLine::Foreign(format!("it is numbered {}", line.n)));
    }
    serde_json::from_str(event).map_err(|error| BadLine::Foreign(error.to_string()))
}

/// One line about a run for `hresolve runs`: time, state, asked code, number of changes.
pub fn summary(journal: &Journal) -> (String, RunState, Option<String>, usize) {
    let (time, asked) = match journal.events.first() {
        Some(Event::RunStarted { time, asked, .. }) => (time.clone(), asked.clone()),
        _ => (String::new(), None),
    };
    let changes = journal.events.iter().map(|event| if let Event::Started { changes, .. } = event { changes.len() } else { 0 }).sum();
    (time, journal.state(), asked, changes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::indexing_slicing, reason = "test")]
mod damage;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{Event, JournalError, line, parse, sha256};
    use model::Change;

    fn text() -> String {
        let events = [
            Event::Done { step: 1 },
            Event::Failed { step: 2, why: "because of \"quotes\"\nand lines".into() },
            Event::Finished { verdict: "repaired".into() },
        ];
        (1_u64..).zip(&events).map(|(n, event)| line(n, event).unwrap() + "\n").collect()
    }

    #[test]
    fn a_journal_cut_anywhere_gives_the_events_before_the_cut() {
        let whole = text();
        for cut in 0..=whole.len() {
            let (events, good) = parse(&whole.as_bytes()[..cut]).unwrap();
            let lines = whole[..cut].matches('\n').count();
            assert_eq!(events.len(), lines);
            assert_eq!(good, whole[..cut].rfind('\n').map_or(0, |at| at as u64 + 1));
        }
    }

    #[test]
    fn a_changed_byte_before_the_last_line_is_noticed() {
        let whole = text();
        let first = whole.find('\n').unwrap();
        for at in 0..first {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(matches!(parse(&bytes), Err(JournalError::Damaged { line: 1, .. })), "byte {at}");
        }
    }

    /// Version 2 held the size of a file that was put in its place, which nothing ever read.
    #[test]
    fn a_line_that_names_the_size_of_a_put_file_is_read() {
        let event = r#"{"event":"started","step":1,"cause":"component-file-missing","subject":"1","action":"restore-file","says":"s","level":"ask","changes":[{"change":"put-file","path":"\\Windows\\a.dll","sha256":"00","size":7,"from":{"volume":"\\Windows\\b.dll"}}]}"#;
        let text = format!("{{\"n\":1,\"len\":{},\"sum\":\"{}\",\"e\":{event}}}\n", event.len(), &sha256(event.as_bytes())[..16]);
        let (events, good) = parse(text.as_bytes()).unwrap();
        assert_eq!(good, text.len() as u64);
        let [Event::Started { changes, .. }] = events.as_slice() else { unreachable!("{events:?}") };
        assert!(matches!(changes.as_slice(), [Change::PutFile { path, sha256, .. }] if path.file_name() == "a.dll" && sha256 == "00"), "{changes:?}");
        // Lines of today are the same without it.
        assert!(!line(1, &events[0]).unwrap().contains("size"));
    }
}
