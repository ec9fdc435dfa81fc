//! The running Windows as a target: its registry by Windows' own calls, its files by their names, its services by their manager.

use super::event_log::{EventLogs, Refusal};
use super::registry;
use crate::target::{Entry, Expanded, KeyView, Target};
use crate::targets::folder::{Paths, contents, users};
use crate::targets::identify;
use crate::{HiveName, Now, OpenError, RegistryPath, Source};
use model::{KeyTree, Reading, Room, TargetInfo, TargetKind, UpdateRecord, VolumePath, WhyNot, WindowsVersion};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::rc::Rc;
use windows::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;
use windows::Win32::System::SystemInformation::{GetSystemWindowsDirectoryW, GetTickCount64};
use windows::core::HSTRING;

/// The name of the control set that runs.
const CURRENT: &str = "CurrentControlSet";

/// The Windows that this program runs in.
pub(crate) struct LiveTarget {
    pub(super) paths: Paths,
    pub(super) windows_folder: VolumePath,
    pub(super) windows: WindowsVersion,
    pub(super) drive: char,
    /// The control set of the next start, when it is not the one that runs.
    next_control_set: Option<u32>,
    pub(super) source: Option<Rc<dyn Source>>,
    /// Content that is to be put in its place, by its sha256.
    pub(super) offered: BTreeMap<String, Vec<u8>>,
    /// The agent of Windows Update let its time limit pass once.
    agent_silent: Cell<bool>,
    /// Copies of event logs that Windows made.
    event_logs: EventLogs,
}

impl LiveTarget {
    /// Opens the running Windows. Nothing is locked and nothing is written.
    ///
    /// # Errors
    /// When its folder or its version cannot be told.
    pub(super) fn open() -> Result<Self, OpenError> {
        let folder = windows_folder();
        let unclear = |why: String| OpenError::Hive { path: PathBuf::from(&folder), why };
        let mut letters = folder.chars();
        let (Some(drive), Some(':')) = (letters.next(), letters.next()) else {
            return Err(unclear("Windows does not say in which folder it lies".into()));
        };
        let mut target = LiveTarget {
            paths: Paths::new(PathBuf::from(format!("{drive}:\\"))),
            windows_folder: VolumePath::parse(letters.as_str()).map_err(unclear)?,
            windows: WindowsVersion::unknown(),
            drive: drive.to_ascii_uppercase(),
            next_control_set: None,
            source: None,
            offered: BTreeMap::new(),
            agent_silent: Cell::new(false),
            event_logs: EventLogs::default(),
        };
        // In the spelling that is on the disk, whatever Windows was started with.
        if let Reading::Known(entry) = target.paths.entry(&target.windows_folder) {
            target.windows_folder = entry.path;
        }
        let number = |name: &str| target.value("HKLM\\SYSTEM\\Select", name).into_known().and_then(|data| data.as_dword());
        let current = number("Current").unwrap_or(1);
        target.next_control_set = number("Default").filter(|default| *default != current);
        target.windows.control_set = current;
        target.windows = identify::by_software(&target, current)
            .map(|(windows, _)| windows)
            .ok_or_else(|| unclear("the registry of this Windows does not name its build (CurrentBuildNumber)".into()))?;
        Ok(target)
    }

    /// Where a key is shown, with the control set's number as everywhere, and where it is opened: the set that runs by the name that
    /// Windows itself uses for it.
    pub(super) fn registry_path(&self, text: &str) -> Result<(String, RegistryPath), String> {
        let path = RegistryPath::parse(text, self.windows.control_set)?;
        let shown = path.to_string();
        let running = format!("ControlSet{:03}", self.windows.control_set);
        let (set, rest) = path.inside.split_once('\\').map_or((path.inside.as_str(), None), |(set, rest)| (set, Some(rest)));
        if path.hive == HiveName::System && crate::names_equal(set, &running) {
            let inside = rest.map_or(CURRENT.to_owned(), |rest| format!("{CURRENT}\\{rest}"));
            return Ok((shown, RegistryPath { inside, ..path }));
        }
        Ok((shown, path))
    }

    /// The event log whose file this is, by the name that Windows uses for it.
    fn channel(&self, path: &VolumePath) -> Option<String> {
        let folder = self.windows_folder.join("System32").join("winevt").join("Logs");
        let ending = path.file_name().len().checked_sub(".evtx".len())?;
        let is_log = crate::names_equal(&path.parent()?.to_string(), &folder.to_string())
            && path.file_name().get(ending..).is_some_and(|ending| ending.eq_ignore_ascii_case(".evtx"));
        // In names of files Windows writes a slash so.
        is_log.then(|| path.file_name().get(..ending).unwrap_or_default().replace("%4", "/"))
    }

    /// An open file and its size. Of an event log Windows' own copy, because what was written last may not be in its file yet; the file
    /// where there is none.
    fn opened(&self, path: &VolumePath) -> Reading<(File, u64)> {
        let file = self.paths.open_file(path);
        let Some(channel) = self.channel(path) else { return file };
        let refusal = match self.event_logs.open(&channel, file.known().map(|(_, size)| *size)) {
            Ok(copy) => return Reading::Known(copy),
            Err(refusal) => refusal,
        };
        match (file, refusal) {
            (Reading::Known(file), refusal) => {
                self.event_logs.read_from_file(&channel, &refusal);
                Reading::Known(file)
            }
            // A log that Windows refuses may be kept elsewhere; that it is not there was not seen.
            (Reading::Absent, Refusal::Refused(why)) => Reading::Unreadable(format!("Windows gave no copy of the event log {channel}: {why}")),
            (other, _) => other,
        }
    }
}

/// For example `C:\Windows`; of the system itself also where a terminal server gives each user an own one. Empty when it cannot be told.
fn windows_folder() -> String {
    let mut buffer = [0_u16; 512];
    // SAFETY: the buffer's size is part of the slice.
    let units = unsafe { GetSystemWindowsDirectoryW(Some(&mut buffer)) };
    String::from_utf16_lossy(buffer.get(..units as usize).unwrap_or_default())
}

impl Target for LiveTarget {
    fn info(&self) -> TargetInfo {
        TargetInfo { kind: TargetKind::Live, path: format!("{}:\\", self.drive), windows: Some(self.windows.clone()) }
    }

    fn windows(&self) -> &WindowsVersion {
        &self.windows
    }

    fn drive(&self) -> char {
        self.drive
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        if let Some((user, inside)) = crate::registry_path::of_user(path) {
            // The hive of somebody who is signed in is loaded, and its file is locked; everybody else's is read from its file.
            return registry::key_of_user(user, inside, path).unwrap_or_else(|| users::key(self, &self.paths, user, inside, path));
        }
        match self.registry_path(path) {
            Ok((shown, place)) => registry::key(&place, &shown).map(|mut view| {
                // It exists only while Windows runs; what it is shown as is beside it.
                if place.hive == HiveName::System && place.inside.is_empty() {
                    view.subkeys.retain(|name| !crate::names_equal(name, CURRENT));
                    let running = format!("ControlSet{:03}", self.windows.control_set);
                    if !view.has_subkey(&running) {
                        view.subkeys.push(running);
                    }
                }
                view
            }),
            Err(why) => Reading::Unreadable(why),
        }
    }

    fn key_tree(&self, path: &str) -> Reading<KeyTree> {
        match self.registry_path(path) {
            Ok((shown, place)) => registry::tree(&place, &shown),
            Err(why) => Reading::Unreadable(why),
        }
    }

    fn source(&self) -> Option<&dyn Source> {
        self.source.as_deref()
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        self.paths.entry(path)
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.opened(path).and_then(|(file, size)| contents::whole(file, size, path, limit))
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        self.opened(path).map(|(file, _)| Box::new(file) as Box<dyn Read + '_>)
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.opened(path).and_then(|(file, _)| contents::start(file, path, length))
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        self.opened(path).and_then(|(file, _)| contents::sha256(file, path))
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        self.paths.list(path)
    }

    fn room(&self) -> Reading<Room> {
        let (mut free, mut whole) = (0_u64, 0_u64);
        let root = HSTRING::from(format!("{}:\\", self.drive));
        // SAFETY: the path is a terminated string and both numbers are locals.
        match unsafe { GetDiskFreeSpaceExW(&root, None, Some(&raw mut whole), Some(&raw mut free)) } {
            Ok(()) => Reading::Known(Room { free, whole }),
            Err(error) => Reading::Unreadable(format!("the room on the volume could not be told: {error}")),
        }
    }

    fn clock(&self) -> Reading<Now> {
        Reading::Known(crate::now())
    }

    fn running(&self) -> Reading<u64> {
        // SAFETY: no arguments; a counter of milliseconds that setting the clock does not change.
        Reading::Known(unsafe { GetTickCount64() })
    }

    fn update_history(&self) -> Reading<Vec<UpdateRecord>> {
        if self.agent_silent.get() {
            return Reading::Unreadable("Windows Update did not answer before and was not asked again".into());
        }
        // Asking the agent would start its service, and reading starts nothing.
        match super::services::runs("wuauserv") {
            Ok(Some(true)) => super::update_agent::history(&self.agent_silent),
            Ok(Some(false)) => Reading::Unreadable("the service of Windows Update (wuauserv) does not run now, and reading starts nothing".into()),
            Ok(None) => Reading::Unreadable("there is no service wuauserv".into()),
            Err(error) => Reading::Unreadable(format!("whether the service wuauserv runs could not be told: {error}")),
        }
    }

    fn expand(&self, text: &str) -> Expanded {
        crate::targets::folder::expand_on(self, text)
    }

    fn why_not(&self) -> Vec<WhyNot> {
        let mut reasons = Vec::new();
        // Where Windows cannot say, its own refusal says it later.
        if super::host::is_elevated() == Some(false) {
            reasons.push(WhyNot::NotElevated);
        }
        let servicing = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending";
        let pending = self.windows_folder.join("WinSxS").join("pending.xml");
        if self.key(servicing).known().is_some() && self.paths.entry(&pending).known().is_some() {
            reasons.push(WhyNot::RestartPending);
        }
        if let Some(default) = self.next_control_set {
            reasons.push(WhyNot::ControlSetsDiffer { current: self.windows.control_set, default });
        }
        reasons
    }

    fn notes(&self) -> Vec<String> {
        self.event_logs.notes()
    }

    fn look_anew(&self) {
        self.paths.forget();
        self.event_logs.look_anew();
    }

    fn windows_folder(&self) -> VolumePath {
        self.windows_folder.clone()
    }
}
