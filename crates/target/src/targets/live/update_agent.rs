//! The Windows Update Agent by COM: its history, and the installation of one named update. It asks where this Windows is set to ask, so a
//! server of an organisation and every policy hold; nothing here changes a setting, shows a hidden update, or installs a second one.
//!
//! Whatever it does runs on a thread of its own: no call into the agent keeps the program longer than its time limit. Sources: Microsoft's
//! "Windows Update Agent API" (the asynchronous jobs, their callbacks, result codes), which has been the same since Windows 7.

mod install;
mod job;
mod progress;

use super::update_terms;
use model::{Reading, UpdateName, UpdateRecord, UpdateResult, UpdateTry};
use std::cell::Cell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use windows::Win32::System::Com::{CLSCTX_INPROC_SERVER, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx};
use windows::Win32::System::UpdateAgent::{IUpdateHistoryEntry, IUpdateSession, UpdateSession, uoUninstallation};
use windows::core::{BSTR, Error, Result};

/// By this name the agent's own log and history tell who asked.
const CALLER: &str = "hresolve";
/// So much of the history is read; it can go back for years.
const MOST_RECORDS: i32 = 400;
/// How long the history may take.
const HISTORY_LIMIT: Duration = Duration::from_secs(20);
/// How much longer than its limit an installation may take to be stopped and asked about.
const TO_STOP: Duration = Duration::from_secs(150);

/// What a thread tells the one that waits for it.
enum Told<T> {
    Progress(String),
    Done(T),
}

/// Why the agent gave no answer.
enum NoAnswer {
    Code(Error),
    TooLong,
}

/// What Windows Update itself remembers, newest first. When it lets the time limit pass, `silent` becomes true.
pub(super) fn history(silent: &Cell<bool>) -> Reading<Vec<UpdateRecord>> {
    match apart(HISTORY_LIMIT, &mut |_| {}, |_| read_history()) {
        Ok(records) => Reading::Known(records),
        Err(NoAnswer::Code(error)) => Reading::Unreadable(format!("Windows Update could not be asked (0x{:08X})", error.code().0)),
        Err(NoAnswer::TooLong) => {
            silent.set(true);
            Reading::Unreadable(format!("Windows Update did not answer within {} seconds", HISTORY_LIMIT.as_secs()))
        }
    }
}

/// Has Windows search for one update, download it and install it. The error is a sentence: the agent's calls did not come back in time.
pub(super) fn install(update: &UpdateName, limit: Duration, progress: &mut dyn FnMut(&str)) -> std::result::Result<UpdateTry, String> {
    let (name, until) = (update.clone(), Instant::now() + limit);
    apart(limit + TO_STOP, progress, move |tell| Ok(install::install(&name, until, tell))).map_err(|why| match why {
        NoAnswer::TooLong => format!("Windows Update did not come back within {} seconds, and whether it goes on is not known", limit.as_secs()),
        NoAnswer::Code(error) => format!("Windows Update could not be asked (0x{:08X})", error.code().0),
    })
}

/// Does it on a thread of its own that may use COM. When the limit is over the thread is left alone: it ends with the program.
fn apart<T: Send + 'static>(
    limit: Duration,
    progress: &mut dyn FnMut(&str),
    work: impl FnOnce(&dyn Fn(String)) -> Result<T> + Send + 'static,
) -> std::result::Result<T, NoAnswer> {
    let begun = Instant::now();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        // SAFETY: this thread uses COM from now on. It is not told that it has done with it: what the agent still has under way may call back.
        let _ = unsafe { CoInitializeEx(None, COINIT_MULTITHREADED) };
        let teller: Sender<Told<Result<T>>> = send.clone();
        let done = work(&move |says| {
            let _ = teller.send(Told::Progress(says));
        });
        let _ = send.send(Told::Done(done));
    });
    loop {
        match receive.recv_timeout(limit.saturating_sub(begun.elapsed())) {
            Ok(Told::Progress(says)) => progress(&says),
            Ok(Told::Done(done)) => return done.map_err(NoAnswer::Code),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(NoAnswer::TooLong),
        }
    }
}

fn session() -> Result<IUpdateSession> {
    // SAFETY: COM is ready on this thread; the agent lies in this process and looks after itself.
    let session: IUpdateSession = unsafe { CoCreateInstance(&UpdateSession, None, CLSCTX_INPROC_SERVER) }?;
    // SAFETY: the text lives as long as the call.
    unsafe { session.SetClientApplicationID(&BSTR::from(CALLER)) }?;
    Ok(session)
}

fn read_history() -> Result<Vec<UpdateRecord>> {
    // SAFETY: COM is ready on this thread; every interface lives as long as it is used, here and in the loop.
    let searcher = unsafe { session()?.CreateUpdateSearcher() }?;
    // SAFETY: as above.
    let count = unsafe { searcher.GetTotalHistoryCount() }?;
    if count <= 0 {
        return Ok(Vec::new());
    }
    // SAFETY: as above. A count beyond what there is is refused, so it is never more than that.
    let entries = unsafe { searcher.QueryHistory(0, count.min(MOST_RECORDS)) }?;
    // SAFETY: as above.
    let there = unsafe { entries.Count() }?;
    // SAFETY: the place is one of the collection.
    let mut records: Vec<UpdateRecord> = (0..there).filter_map(|at| record(&unsafe { entries.get_Item(at) }.ok()?)).collect();
    records.sort_by_key(|record| std::cmp::Reverse(record.at));
    Ok(records)
}

/// One entry; an entry without a time or a result is left out, as it says nothing.
fn record(entry: &IUpdateHistoryEntry) -> Option<UpdateRecord> {
    // SAFETY: the entry lives as long as this function, and what it hands out is ours.
    unsafe {
        let identity = entry.UpdateIdentity().and_then(|identity| identity.UpdateID());
        Some(UpdateRecord {
            title: entry.Title().map(|title| title.to_string()).unwrap_or_default(),
            id: identity.ok().and_then(|id| UpdateName::of_id(&id.to_string())),
            removed: entry.Operation().ok()? == uoUninstallation,
            result: UpdateResult::of(entry.ResultCode().ok()?.0),
            code: entry.HResult().ok()?.cast_unsigned(),
            unmapped: entry.UnmappedResultCode().map(i32::cast_unsigned).unwrap_or_default(),
            at: update_terms::unix(entry.Date().ok()?)?,
        })
    }
}
