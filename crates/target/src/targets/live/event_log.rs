//! The event logs of the running Windows. What was written last may not have reached their files yet, so Windows is asked for a whole copy of
//! a log, which is read in place of its file. The copy lies in the temporary folder, is gone when this program ends, and is made anew only when
//! something was written since. Nothing else is written, no log is changed or cleared, and none is opened on another computer.
//!
//! Sources: Microsoft's "EvtExportLog", "EvtGetLogInfo", `EVT_LOG_PROPERTY_ID`, `EVT_VARIANT_TYPE` (winevt.h; Windows Vista and later).

use super::library;
use super::patience::within;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use windows::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;
use windows::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
use windows::core::{BOOL, HSTRING, PCWSTR, s, w};

/// How long one copy may take. A log of 20 MB takes seconds.
const PATIENCE: Duration = Duration::from_mins(2);
/// What must be left on the drive of the temporary folder beside a copy: the drive may be full already, and that may be what is wrong.
const ROOM_LEFT: u64 = 256 << 20;
/// What a killed program left lies there at most so long after its last write before another one takes it away.
const FORGOTTEN: Duration = Duration::from_hours(1);
const PREFIX: &str = "hresolve-event-log-";
/// `EvtExportLogChannelPath`; the same number is `EvtOpenChannelPath`.
const CHANNEL: u32 = 1;
/// `EvtLogNumberOfLogRecords`, `EvtLogOldestRecordNumber`
const RECORDS: [u32; 2] = [5, 6];
/// `EvtVarTypeUInt64`
const UNSIGNED: u32 = 10;
/// `ERROR_EVT_CHANNEL_NOT_FOUND`
const NO_SUCH_CHANNEL: i32 = 15007;

type Export = unsafe extern "system" fn(isize, PCWSTR, PCWSTR, PCWSTR, u32) -> BOOL;
type OpenLog = unsafe extern "system" fn(isize, PCWSTR, u32) -> isize;
type LogInfo = unsafe extern "system" fn(isize, u32, u32, *mut Variant, *mut u32) -> BOOL;
type Close = unsafe extern "system" fn(isize) -> BOOL;

/// `EVT_VARIANT`, as far as it holds a number.
#[repr(C)]
#[derive(Default)]
struct Variant {
    value: u64,
    count: u32,
    kind: u32,
}

/// Why there is no copy, in words for people.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// Windows knows no such log, gives out none at all, or was not asked; its file says what there is.
    NotOffered(String),
    /// The log may be there, and this is why Windows gave no copy of it.
    Refused(String),
}

impl Refusal {
    fn why(&self) -> &str {
        match self {
            Refusal::NotOffered(why) | Refusal::Refused(why) => why,
        }
    }
}

/// How many records a log has and the number of its oldest one. When both are the same, nothing was written.
type Stamp = [u64; 2];

/// What was asked about one log.
struct Asked {
    came: Result<LogCopy, Refusal>,
    stamp: Option<Stamp>,
    /// Nothing was looked at anew since.
    holds: bool,
}

/// The copies that were made so far, by channel.
#[derive(Default)]
pub(super) struct EventLogs {
    asked: RefCell<BTreeMap<String, Asked>>,
    /// Which logs were read from their files instead, and why.
    from_files: RefCell<BTreeMap<String, String>>,
    /// Windows did not answer in time: it is not asked again.
    silent: Cell<bool>,
    swept: Cell<bool>,
}

impl EventLogs {
    /// A whole copy of a log, open for reading, with its size. `on_disk` is the size of its own file, when there is one.
    pub(super) fn open(&self, channel: &str, on_disk: Option<u64>) -> Result<(File, u64), Refusal> {
        let mut all = self.asked.borrow_mut();
        if let Some(asked) = all.get_mut(channel)
            && !asked.holds
        {
            asked.holds = asked.came.is_ok() && asked.stamp.is_some() && asked.stamp == stamp(channel);
        }
        if !all.get(channel).is_some_and(|asked| asked.holds) {
            // The old copy goes first: there is room for one.
            all.remove(channel);
            // Asked before the copy is made: what is written meanwhile makes the next look take a new one.
            let stamp = stamp(channel);
            all.insert(channel.to_owned(), Asked { came: self.copy(channel, on_disk), stamp, holds: true });
        }
        let opened = match all.get(channel).map(|asked| &asked.came) {
            Some(Ok(copy)) => copy.open().map_err(|error| Refusal::Refused(format!("its copy cannot be read: {error}"))),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(Refusal::Refused("it was not asked for".into())),
        };
        if opened.is_ok() {
            self.from_files.borrow_mut().remove(channel);
        }
        opened
    }

    /// From now on each log is looked at again before it is read again.
    pub(super) fn look_anew(&self) {
        self.asked.borrow_mut().values_mut().for_each(|asked| asked.holds = false);
    }

    /// Notes that the file was read instead.
    pub(super) fn read_from_file(&self, channel: &str, refusal: &Refusal) {
        self.from_files.borrow_mut().insert(channel.to_owned(), refusal.why().to_owned());
    }

    /// A sentence for each reason.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let from_files = self.from_files.borrow();
        from_files.iter().for_each(|(channel, why)| by_reason.entry(why).or_default().push(channel));
        let says = |(why, channels): (&str, Vec<&str>)| {
            format!(
                "Read from the file on the disk, because Windows gave no copy ({why}): the event log {}. What was written last may be missing in it.",
                channels.join(", ")
            )
        };
        by_reason.into_iter().map(says).collect()
    }

    fn copy(&self, channel: &str, on_disk: Option<u64>) -> Result<LogCopy, Refusal> {
        if self.silent.get() {
            return Err(Refusal::Refused("it did not answer in time".into()));
        }
        let export = export_function()?;
        let folder = std::env::temp_dir();
        if !self.swept.replace(true) {
            sweep(&folder);
        }
        room_for(&folder, on_disk.unwrap_or_default())?;
        let path = folder.join(format!("{PREFIX}{:08x}.evtx", crate::now().unique));
        let (name, target) = (HSTRING::from(channel), HSTRING::from(path.as_os_str()));
        let work = move || {
            // SAFETY: the documented form of that function; all texts are terminated and live through the call. The file is a new one.
            let done = unsafe { export(0, PCWSTR(name.as_ptr()), w!("*"), PCWSTR(target.as_ptr()), CHANNEL) };
            if done.as_bool() { Ok(()) } else { Err(io::Error::last_os_error()) }
        };
        let leftover = path.clone();
        match within(PATIENCE, work, move |_| drop(fs::remove_file(leftover))) {
            Some(Ok(())) => LogCopy::of(path).map_err(|error| Refusal::Refused(format!("it said that it made one, which cannot be read: {error}"))),
            Some(Err(error)) => {
                // What it may have begun.
                let _ = fs::remove_file(&path);
                Err(refusal(&error))
            }
            None => {
                self.silent.set(true);
                Err(Refusal::Refused(format!("it did not answer within {} seconds", PATIENCE.as_secs())))
            }
        }
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error() {
        Some(NO_SUCH_CHANNEL) => Refusal::NotOffered(format!("it knows no such log, error {NO_SUCH_CHANNEL}")),
        Some(code) if code.cast_unsigned() == ERROR_CALL_NOT_IMPLEMENTED.0 => Refusal::NotOffered("it makes none, error 120".into()),
        _ => Refusal::Refused(error.to_string()),
    }
}

/// A copy in the temporary folder. Windows takes it away when it is closed, by whatever way this program ends.
struct LogCopy {
    path: PathBuf,
    _held: File,
}

impl LogCopy {
    fn of(path: PathBuf) -> io::Result<LogCopy> {
        // FILE_FLAG_DELETE_ON_CLOSE; GENERIC_READ and DELETE; others may read, write and delete, as they must for a file that goes.
        let held = fs::OpenOptions::new().access_mode(0x8000_0000 | 0x0001_0000).share_mode(7).custom_flags(0x0400_0000).open(&path)?;
        Ok(LogCopy { path, _held: held })
    }

    fn open(&self) -> io::Result<(File, u64)> {
        let file = File::open(&self.path)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }
}

/// Takes away what a program that was killed while Windows made a copy has left.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(".evtx"));
        let written = entry.metadata().ok().filter(fs::Metadata::is_file).and_then(|metadata| metadata.modified().ok());
        let old = written.and_then(|written| SystemTime::now().duration_since(written).ok()).is_some_and(|age| age > FORGOTTEN);
        if ours && old {
            // Best effort: it costs nothing but room.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn room_for(folder: &Path, size: u64) -> Result<(), Refusal> {
    let mut free = 0_u64;
    // SAFETY: the path is a terminated string and the number is a local.
    let asked = unsafe { GetDiskFreeSpaceExW(&HSTRING::from(folder.as_os_str()), Some(&raw mut free), None, None) };
    match asked {
        Ok(()) if free >= size.saturating_add(ROOM_LEFT) => Ok(()),
        Ok(()) => Err(Refusal::NotOffered(format!("on the drive of {} are only {} MB free", folder.display(), free >> 20))),
        Err(error) => Err(Refusal::NotOffered(format!("the temporary folder {} cannot be used: {error}", folder.display()))),
    }
}

/// How much the log holds now, where Windows says it.
fn stamp(channel: &str) -> Option<Stamp> {
    let open = library::function("wevtapi.dll", s!("EvtOpenLog"))?;
    // SAFETY: the documented form of that function.
    let open: OpenLog = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, OpenLog>(open) };
    let info = library::function("wevtapi.dll", s!("EvtGetLogInfo"))?;
    // SAFETY: as above.
    let info: LogInfo = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, LogInfo>(info) };
    let close = library::function("wevtapi.dll", s!("EvtClose"))?;
    // SAFETY: as above.
    let close: Close = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Close>(close) };
    let name = HSTRING::from(channel);
    // SAFETY: a terminated text that lives through the call.
    let log = unsafe { open(0, PCWSTR(name.as_ptr()), CHANNEL) };
    if log == 0 {
        return None;
    }
    let number = |property: u32| {
        let (mut value, mut used) = (Variant::default(), 0);
        let size = u32::try_from(size_of::<Variant>()).unwrap_or_default();
        // SAFETY: the handle is open, the structure is as large as is said.
        let done = unsafe { info(log, property, size, &raw mut value, &raw mut used) };
        (done.as_bool() && value.kind == UNSIGNED).then_some(value.value)
    };
    let [records, oldest] = RECORDS.map(number);
    // SAFETY: the handle is ours and is closed once.
    let _ = unsafe { close(log) };
    Some([records?, oldest?])
}

fn export_function() -> Result<Export, Refusal> {
    let function =
        library::function("wevtapi.dll", s!("EvtExportLog")).ok_or_else(|| Refusal::NotOffered("it has no wevtapi.dll that could".into()))?;
    // SAFETY: this is the documented form of that function.
    Ok(unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Export>(function) })
}
