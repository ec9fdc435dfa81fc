//! Undo by the three-way rule, and recovery of a run that was cut off.
//!
//! A hive that is still exactly what the run made of it is put back byte for byte. Anything else is undone object by object: what
//! is still ours goes back, what somebody else changed since is left alone and named.

use crate::journal::{Event, Journal, JournalError, RunState, SavedHive};
use crate::run::{apply_now, while_held};
use model::{Change, HeldService, Observed, Operation, Reading, RegistryData, VolumePath, WhyNot};
use std::fmt;
use target::{Direction, Now, RunFolder, StateStore, StoreError, WritableTarget};

/// An object that undo left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The object.
    pub object: String,
    /// What is there, or why it could not be undone.
    pub found: String,
    /// What a person can do.
    pub by_hand: String,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoStep {
    /// The object.
    pub object: String,
    /// `undone`, `already`, `conflict`, or `kept` for what Windows did itself.
    pub state: &'static str,
    /// In words.
    pub says: String,
}

/// What undo did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoReport {
    /// The run.
    pub run: String,
    /// Every object.
    pub steps: Vec<UndoStep>,
    /// Those that were left alone.
    pub conflicts: Vec<Conflict>,
}

/// Why undo could not begin.
#[derive(Debug)]
pub enum UndoError {
    /// The journal cannot be used.
    Journal(JournalError),
    /// The store cannot be used.
    Store(StoreError),
    /// A named reason; nothing was changed.
    Refused(WhyNot),
}

impl fmt::Display for UndoError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UndoError::Journal(error) => write!(out, "{error}"),
            UndoError::Store(error) => write!(out, "{error}"),
            UndoError::Refused(why) => write!(out, "{}", why.explain()),
        }
    }
}

impl std::error::Error for UndoError {}

impl From<StoreError> for UndoError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => UndoError::Refused(WhyNot::Busy),
            other => UndoError::Store(other),
        }
    }
}

impl From<JournalError> for UndoError {
    fn from(error: JournalError) -> Self {
        UndoError::Journal(error)
    }
}

/// Undoes a whole run. A second undo changes nothing. The caller holds the store's lock.
///
/// # Errors
/// When the journal is damaged or cannot be written; nothing was changed then.
pub fn undo(target: &mut dyn WritableTarget, store: &StateStore, run: RunFolder, now: Now) -> Result<UndoReport, UndoError> {
    take_back_run(target, store, run, now, "undo")
}

/// Brings an interrupted run back to the state before it. The caller holds the store's lock.
///
/// # Errors
/// When the journal is damaged or cannot be written.
pub fn recover(target: &mut dyn WritableTarget, store: &StateStore, run: RunFolder, now: Now) -> Result<UndoReport, UndoError> {
    take_back_run(target, store, run, now, "recovery")
}

/// The start type of a service that is never started.
const DISABLED: u32 = 4;

/// What keeping a service from running changed.
fn disabled(service: &HeldService) -> Change {
    let (old, new) = (Some(RegistryData::dword(service.start)), RegistryData::dword(DISABLED));
    Change::SetValue { key: service.key.clone(), name: "Start".into(), old, new }
}

fn take_back_run(target: &mut dyn WritableTarget, store: &StateStore, run: RunFolder, now: Now, why: &str) -> Result<UndoReport, UndoError> {
    let mut journal = Journal::open(run)?;
    let mut changes: Vec<Change> = journal.in_force().into_iter().flat_map(|(_, changes)| changes).collect();
    // Services that were being kept from running when the program ended are taken back like every change, wherever the disk is now.
    let held = journal.still_held();
    changes.extend(held.iter().filter(|service| service.start != DISABLED).map(disabled));
    let id = journal.folder.id.clone();
    // A finished undo leaves nothing to do, and nothing to write.
    if matches!(journal.state(), RunState::Undone | RunState::UndoneWithConflicts) && changes.is_empty() {
        return Ok(UndoReport { run: id, steps: Vec::new(), conflicts: Vec::new() });
    }
    let append = |journal: &mut Journal, event: Event| journal.append(event).map_err(UndoError::Store);
    append(&mut journal, Event::UndoStarted { time: now.iso(), why: why.into() })?;
    remove_temporaries(target, &journal);
    let mut conflicts = Vec::new();
    let mut steps = Vec::new();
    steps.extend(kept_operations(&journal, target.drive()));
    let mut rest: Vec<Change> = Vec::new();
    let mut exact: Vec<String> = Vec::new();
    for saved in journal.saved_hives() {
        match restore_exactly(target, &journal, &saved) {
            Ok(true) => exact.push(saved.hive.clone()),
            Ok(false) => {}
            Err(found) => conflicts.push(Conflict {
                object: format!("registry hive {}", saved.hive),
                found,
                by_hand: format!("Copy {} over the hive yourself after checking it.", journal.folder.path.join("before").join(&saved.hive).display()),
            }),
        }
    }
    for change in changes {
        let in_exact = change.key().is_some_and(|key| exact.iter().any(|hive| key_in_hive(key, hive)));
        if in_exact {
            steps.push(UndoStep {
                object: change.object(target.drive()),
                state: "undone",
                says: format!("is again {}", change.before_after(target.drive()).0),
            });
        } else {
            rest.push(change);
        }
    }
    let (more, left) = take_back(target, store, &mut journal, &rest);
    steps.extend(more);
    conflicts.extend(left);
    // Their start types are back; those that ran are to run again. On a disk nothing runs.
    if let Err(error) = target.let_go(&held) {
        conflicts.push(Conflict {
            object: "services that were stopped for a moment".into(),
            found: error.to_string(),
            by_hand: format!("Start them again, or restart Windows: {}.", held.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")),
        });
    }
    let named = conflicts.iter().map(|conflict| conflict.object.clone()).collect();
    append(&mut journal, Event::UndoFinished { conflicts: named })?;
    Ok(UndoReport { run: id, steps, conflicts })
}

/// What Windows' own programs did is not taken back, and that is said. One whose end is not recorded may have been ended in the middle.
fn kept_operations(journal: &Journal, drive: char) -> Vec<UndoStep> {
    let say = |ended: Option<&str>| match ended {
        Some(says) => format!("stays as Windows left it ({says})"),
        None => "was begun, and its end is not recorded; what Windows did until then stays, and it can be run again".to_owned(),
    };
    let step = |(operation, ended): (&Operation, Option<&str>)| UndoStep { object: operation.says(drive), state: "kept", says: say(ended) };
    journal.operations().into_iter().map(step).collect()
}

fn key_in_hive(key: &str, hive: &str) -> bool {
    let root = if hive.eq_ignore_ascii_case("DEFAULT") { "HKU\\.DEFAULT".to_owned() } else { format!("HKLM\\{hive}") };
    key.get(..root.len()).is_some_and(|start| start.eq_ignore_ascii_case(&root))
}

/// Puts a hive back byte for byte when it is still what this run made of it. True when it is now as before the run.
fn restore_exactly(target: &mut dyn WritableTarget, journal: &Journal, saved: &SavedHive) -> Result<bool, String> {
    let now = target.hive_state(&saved.hive).map_err(|error| error.to_string())?;
    if now.logs != saved.logs {
        // Windows or another tool has used the hive since.
        return Ok(false);
    }
    if now.primary == saved.primary {
        return Ok(true);
    }
    let ours = journal.events.iter().any(|event| matches!(event, Event::HiveIntended { hive, to, .. } if *hive == saved.hive && *to == now.primary));
    if !ours {
        return Ok(false);
    }
    let bytes = journal.folder.load(&format!("before/{}", saved.hive), &saved.primary).map_err(|error| error.to_string())?;
    target.restore_hive(&saved.hive, &bytes, saved.modified).map_err(|error| error.to_string())?;
    let back = target.hive_state(&saved.hive).map_err(|error| error.to_string())?;
    if back.primary == saved.primary { Ok(true) } else { Err("it was put back, but reads back differently".into()) }
}

/// Takes changes back object by object, last first. What is not ours any more is left alone.
pub(crate) fn take_back(
    target: &mut dyn WritableTarget,
    store: &StateStore,
    journal: &mut Journal,
    changes: &[Change],
) -> (Vec<UndoStep>, Vec<Conflict>) {
    let drive = target.drive();
    let mut steps = Vec::new();
    let mut conflicts = Vec::new();
    let conflict = |change: &Change, found: String| Conflict { object: change.object(drive), by_hand: by_hand(change, drive), found };
    for change in changes.iter().rev() {
        match target.observe(change) {
            Reading::Known(Observed::New) => {}
            Reading::Known(Observed::Old) if set_aside_is_gone(journal, change) => {
                let found = format!("what was set aside as {} is gone; another folder stands at the old name", change.before_after(drive).1);
                conflicts.push(conflict(change, found));
                continue;
            }
            Reading::Known(Observed::Old) => {
                steps.push(UndoStep { state: "already", ..undone(change, drive) });
                continue;
            }
            Reading::Known(Observed::Other(found)) | Reading::Unreadable(found) => {
                conflicts.push(conflict(change, found));
                continue;
            }
            _ => {
                conflicts.push(conflict(change, "it cannot be looked at".into()));
                continue;
            }
        }
        // One by one and each looked at just before: several changes may be about one object, each on top of the one before.
        // A service that works in what is in the way would make it anew at once, so it is kept from running until the change is back.
        let done = while_held(target, std::slice::from_ref(change), journal, |target, journal| {
            let moved = make_way(target, store, journal, change)?;
            if moved.is_none() || !matches!(change, Change::CreateFolder { .. }) {
                apply_now(target, std::slice::from_ref(change), Direction::Back, journal)?;
            }
            read_back(target, change).map(|()| moved)
        });
        match done {
            Ok(None) => steps.push(undone(change, drive)),
            Ok(Some(moved)) => {
                let step = undone(change, drive);
                let says = format!("{}; what had come to stand there since is now {}", step.says, moved.with_drive(drive));
                steps.push(UndoStep { says, ..step });
            }
            Err(found) => conflicts.push(conflict(change, found)),
        }
    }
    conflicts.dedup_by(|one, other| one.object == other.object);
    steps.extend(conflicts.iter().map(|conflict| UndoStep { object: conflict.object.clone(), state: "conflict", says: conflict.found.clone() }));
    (steps, conflicts)
}

/// True when a folder was renamed and read back, nobody has begun to take that back, and yet it is not at its new name: what stands
/// at the old name cannot be told from what Windows has made anew since. Files and links are told by their content.
fn set_aside_is_gone(journal: &Journal, change: &Change) -> bool {
    let done = |number: u32| journal.events.iter().any(|event| matches!(event, Event::Done { step } if *step == number));
    let made = journal.events.iter().any(|event| matches!(event, Event::Started { step, changes, .. } if done(*step) && changes.contains(change)));
    // The undo that is asking has written its own line already.
    let begun = journal.events.iter().filter(|event| matches!(event, Event::UndoStarted { .. })).count();
    matches!(change, Change::Rename { identity: None, .. }) && made && begun <= 1
}

/// Where a run keeps the content of a file that it put in its place.
pub(crate) fn kept(sha256: &str) -> String {
    // A journal is untrusted: only digits become part of a path.
    format!("new/{}", sha256.chars().filter(char::is_ascii_hexdigit).collect::<String>())
}

/// What a person can do about an object that was left alone.
fn by_hand(change: &Change, drive: char) -> String {
    match change {
        Change::SetClock { .. } => "When date and time are right there is nothing to do; otherwise set them in the settings of Windows.".into(),
        _ => format!("It was {} before; put that back yourself if it is still wanted.", change.before_after(drive).0),
    }
}

/// An object that is as it was before the run.
fn undone(change: &Change, drive: char) -> UndoStep {
    let says = match change {
        Change::SetValue { old: None, .. }
        | Change::CreateKey { .. }
        | Change::PutKey { .. }
        | Change::CreateFolder { .. }
        | Change::HardLink { .. }
        | Change::PutFile { .. } => "is gone again".to_owned(),
        Change::SetValue { .. } | Change::DeleteValue { .. } | Change::RemoveKey { .. } => format!("is again {}", change.before_after(drive).0),
        Change::Rename { .. } => "has its old name again".to_owned(),
        // Time has gone on, so it is not what it was.
        Change::SetClock { from, to, .. } => {
            let direction = if from > to { "forward" } else { "back" };
            format!("is {} {direction} of what it was set to, as it was before", model::span(from.abs_diff(*to)))
        }
    };
    UndoStep { object: change.object(drive), state: "undone", says }
}

fn read_back(target: &dyn WritableTarget, change: &Change) -> Result<(), String> {
    match target.observe(change) {
        Reading::Known(Observed::Old) => Ok(()),
        Reading::Known(Observed::New) => Err("it was taken back, but reads back as changed".into()),
        Reading::Known(Observed::Other(found)) | Reading::Unreadable(found) => Err(found),
        _ => Err("it could not be read back".into()),
    }
}

/// Moves what now stands where something belongs into the run's `after` folder, and says where it is now.
fn make_way(target: &mut dyn WritableTarget, store: &StateStore, journal: &mut Journal, change: &Change) -> Result<Option<VolumePath>, String> {
    let place = match change {
        Change::Rename { from, .. } if target.entry(from).known().is_some() => from,
        Change::CreateFolder { path } if target.list(path).known().is_some_and(|names| !names.is_empty()) => path,
        Change::PutFile { sha256, .. } => {
            // The same for content that we brought: it must be in the run's own folder.
            return match journal.folder.load(&kept(sha256), sha256) {
                Ok(_) => Ok(None),
                Err(error) => Err(format!("the run's copy of it cannot be read ({error}), so this is the only one")),
            };
        }
        Change::HardLink { existing, sha256, .. } => {
            // Removing our name must never remove the last name of a file.
            return match target.sha256(existing) {
                Reading::Known(hash) if hash == *sha256 => Ok(None),
                _ => Err(format!("{} is not there any more, so this is the only copy", existing.with_drive(target.drive()))),
            };
        }
        _ => return Ok(None),
    };
    let to = free_place(target, store, journal, place)?;
    let moved = Change::Rename { from: place.clone(), to: to.clone(), identity: None };
    journal.append(Event::MovedAway { change: moved.clone() }).map_err(|error| error.to_string())?;
    apply_now(target, &[moved], Direction::Forward, journal)?;
    Ok(Some(to))
}

fn free_place(target: &dyn WritableTarget, store: &StateStore, journal: &Journal, place: &VolumePath) -> Result<VolumePath, String> {
    let folder = store.on_target(&journal.folder).map(|run| run.join("after"));
    (0..1000)
        .map(|number| match &folder {
            Some(folder) => folder.join(&if number == 0 { place.file_name().to_owned() } else { format!("{}.{number}", place.file_name()) }),
            // Runs are kept on another volume; renaming cannot reach it, so the thing stays beside its place.
            None => place.parent().unwrap_or_else(|| place.clone()).join(&format!("{}.hresolve-after-{number}", place.file_name())),
        })
        .find(|path| target.entry(path).known().is_none())
        .ok_or_else(|| "there is no free name to move it to".into())
}

/// Files that an interrupted replacement may have left.
fn remove_temporaries(target: &mut dyn WritableTarget, journal: &Journal) {
    let config = target.windows_folder().join("System32").join("config");
    let mut paths: Vec<VolumePath> = vec![config.join(".hresolve-writable")];
    for event in &journal.events {
        match event {
            Event::HiveIntended { hive, temporary, .. } => {
                paths.extend(VolumePath::parse(temporary).ok());
                paths.push(config.join(&format!("{hive}.hresolve-restore")));
            }
            Event::Started { changes, .. } => {
                for change in changes {
                    if let Change::Rename { to: path, .. }
                    | Change::CreateFolder { path }
                    | Change::HardLink { path, .. }
                    | Change::PutFile { path, .. } = change
                    {
                        paths.extend(path.parent().map(|folder| folder.join(".hresolve-writable")));
                    }
                    if let Change::PutFile { path, sha256, .. } = change {
                        let name = format!(".hresolve-new-{}", sha256.get(..8).unwrap_or_default());
                        paths.extend(path.parent().map(|folder| folder.join(&name)));
                    }
                }
            }
            _ => {}
        }
    }
    paths.sort();
    paths.dedup();
    for path in paths {
        // Best effort: a left-over temporary file does no harm, and the next recovery tries again.
        let _ = target.remove_temporary(&path);
    }
}
