//! Windows' own repair programs: started from System32 by their whole path, watched, ended when they take too long, and never left behind.
//!
//! No shell, no search along PATH, no word of what they print: how far they are is told by numbers, what they came to by the exit code
//! and by what their logs grew by.

use super::percent::Percent;
use super::system::LiveTarget;
use crate::TargetError;
use crate::target::{Entry, EntryKind, Target};
use model::{GrownLog, Operated, Operation, Reading, VolumePath};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::windows::io::AsRawHandle;
use std::os::windows::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use windows::Win32::Foundation::{CloseHandle, HANDLE};
use windows::Win32::System::Diagnostics::ToolHelp::{CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next};
use windows::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject, TerminateJobObject,
};
use windows::Win32::System::Threading::{
    CREATE_BREAKAWAY_FROM_JOB, CREATE_NO_WINDOW, CREATE_SUSPENDED, OpenThread, PROCESS_CREATION_FLAGS, ResumeThread, THREAD_SUSPEND_RESUME,
};
use windows::core::PCWSTR;

/// How often it is looked whether the program has ended or has taken too long.
const PAUSE: Duration = Duration::from_millis(250);
/// What of a log is kept, from its end. A scan writes a few megabytes.
const LARGEST_GROWTH: u64 = 32 << 20;
/// So much of a log's beginning tells whether it is still the same log.
const HEAD: usize = 512;

/// Runs the program to its end.
pub(super) fn operate(target: &LiveTarget, operation: &Operation, limit: Duration, progress: &mut dyn FnMut(&str)) -> Result<Operated, TargetError> {
    let failed = |why: String| TargetError::Operation { what: operation.says(target.drive()), why };
    operation.available(target.windows()).map_err(&failed)?;
    let (program, words) = match operation {
        Operation::InstallUpdate { update } => return super::update_agent::install(update, limit, progress).map(Operated::Tried).map_err(failed),
        Operation::RepairComponentStore { source } => ("Dism.exe", component_store(source.as_deref())),
        Operation::ScanSystemFiles => ("sfc.exe", vec!["/scannow".to_owned()]),
        Operation::SynchronizeClock => ("w32tm.exe", vec!["/resync".to_owned()]),
        Operation::ScanSystemFile { path } => ("sfc.exe", vec![format!("/scanfile={}", path.with_drive(target.drive()))]),
    };
    let before: Vec<LogBefore> = logs(target).into_iter().map(|path| LogBefore::of(target, path)).collect();
    let system = target.windows_folder().join("System32");
    let program = system.join(program);
    match target.paths.entry(&program) {
        Reading::Known(Entry { kind: EntryKind::File | EntryKind::Reparse(_), .. }) => {}
        _ => return Err(failed(format!("{} is not there, or is no ordinary file", program.with_drive(target.drive())))),
    }
    let mut command = Command::new(program.with_drive(target.drive()));
    command.args(words).current_dir(system.with_drive(target.drive())).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let exit_code = run(&mut command, limit, &mut |percent| progress(&format!("{}: {percent} %", operation.says(target.drive())))).map_err(failed)?;
    Ok(Operated::Ran { exit_code, logs: before.into_iter().filter_map(|log| log.grown(target)).collect() })
}

/// The words of DISM. Each word is handed over as one; paths hold no quotes.
fn component_store(source: Option<&str>) -> Vec<String> {
    let mut words: Vec<String> = ["/Online", "/Cleanup-Image", "/RestoreHealth", "/NoRestart"].map(str::to_owned).to_vec();
    if let Some(source) = source {
        // The person said where the files are to come from, so Windows Update is not asked.
        words.extend([format!("/Source:{source}"), "/LimitAccess".into()]);
    }
    words
}

/// Where DISM and SFC write what they find.
fn logs(target: &LiveTarget) -> [VolumePath; 2] {
    let logs = target.windows_folder().join("Logs");
    [logs.join("CBS").join("CBS.log"), logs.join("DISM").join("dism.log")]
}

/// A log before the program runs.
struct LogBefore {
    path: VolumePath,
    size: u64,
    head: Vec<u8>,
}

impl LogBefore {
    fn of(target: &LiveTarget, path: VolumePath) -> Self {
        let (size, head) = match target.paths.entry(&path) {
            Reading::Known(entry) => (entry.size, target.read_start(&path, HEAD).into_known().unwrap_or_default()),
            _ => (0, Vec::new()),
        };
        LogBefore { path, size, head }
    }

    /// What was written since. When the log was set aside and begun anew meanwhile, the new one, and that a part is missing.
    fn grown(self, target: &LiveTarget) -> Option<GrownLog> {
        target.paths.forget();
        let mut file = File::open(self.path.with_drive(target.drive())).ok()?;
        let size = file.metadata().ok()?.len();
        let mut head = vec![0; self.head.len().min(usize::try_from(size).unwrap_or(usize::MAX))];
        file.read_exact(&mut head).ok()?;
        let same = size >= self.size && head == self.head;
        let from = if same { self.size } else { 0 };
        let kept = from.max(size.saturating_sub(LARGEST_GROWTH));
        file.seek(SeekFrom::Start(kept)).ok()?;
        let mut text = Vec::new();
        file.take(LARGEST_GROWTH).read_to_end(&mut text).ok()?;
        Some(GrownLog { path: self.path, text, whole: same && kept == from })
    }
}

/// Starts the program in a job of its own and waits for its end. The error is a sentence; nothing of the program runs on then.
fn run(command: &mut Command, limit: Duration, progress: &mut dyn FnMut(u8)) -> Result<u32, String> {
    let begun = Instant::now();
    let job = Job::new().map_err(|error| format!("it could not be watched over ({error}), so it was not started"))?;
    // Windows 7 has no jobs in jobs: when this program was started in one, its child must leave that one first.
    let mut child = started_in(&job, command, CREATE_NO_WINDOW | CREATE_SUSPENDED)
        .or_else(|_| started_in(&job, command, CREATE_NO_WINDOW | CREATE_SUSPENDED | CREATE_BREAKAWAY_FROM_JOB))
        .map_err(|error| format!("it could not be started and watched over: {error}"))?;
    let output = child.stdout.take().map(pieces);
    let mut percent = Percent::default();
    loop {
        match output.as_ref().map(|output| output.recv_timeout(PAUSE)) {
            Some(Ok(piece)) => percent.take(&piece).into_iter().for_each(&mut *progress),
            Some(Err(RecvTimeoutError::Timeout)) => {}
            // It writes nothing any more, and may still be at work.
            Some(Err(RecvTimeoutError::Disconnected)) | None => std::thread::sleep(PAUSE),
        }
        match child.try_wait() {
            Ok(Some(status)) => return status.code().map(i32::cast_unsigned).ok_or_else(|| "it ended without an exit code".into()),
            Ok(None) if begun.elapsed() < limit => {}
            Ok(None) => {
                job.end();
                let _ = child.wait();
                return Err(format!("it did not end within {} seconds and was ended, with everything that it had started", limit.as_secs()));
            }
            Err(error) => return Err(format!("it could not be waited for: {error}")),
        }
    }
}

/// Starts the program suspended, so that it does nothing before it is in the job: whatever it starts is in the job, too.
fn started_in(job: &Job, command: &mut Command, flags: PROCESS_CREATION_FLAGS) -> io::Result<Child> {
    let mut child = command.creation_flags(flags.0).spawn()?;
    if let Err(error) = job.take(&child).and_then(|()| resume(child.id())) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(child)
}

/// What a program writes, in pieces as they come.
fn pieces(mut output: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = output.read(&mut buffer) {
            if send.send(buffer.get(..length).unwrap_or_default().to_vec()).is_err() {
                break;
            }
        }
    });
    receive
}

/// A handle of Windows; closed when dropped.
struct Handle(HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is closed once.
        let _ = unsafe { CloseHandle(self.0) };
    }
}

/// A job: ended with everything in it when it is closed, by whatever way this program ends.
struct Job(Handle);

impl Job {
    fn new() -> io::Result<Self> {
        // SAFETY: no name and no security of its own.
        let job = Job(Handle(unsafe { CreateJobObjectW(None, PCWSTR::null()) }.map_err(io::Error::other)?));
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        let size = u32::try_from(size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>()).unwrap_or_default();
        // SAFETY: the structure and its size belong to this class of information.
        unsafe { SetInformationJobObject(job.0.0, JobObjectExtendedLimitInformation, (&raw const limits).cast(), size) }.map_err(io::Error::other)?;
        Ok(job)
    }

    fn take(&self, child: &Child) -> io::Result<()> {
        // SAFETY: both handles are open.
        unsafe { AssignProcessToJobObject(self.0.0, HANDLE(child.as_raw_handle())) }.map_err(io::Error::other)
    }

    fn end(&self) {
        // SAFETY: the handle is open.
        let _ = unsafe { TerminateJobObject(self.0.0, 1) };
    }
}

/// Lets a process go on that was started suspended: it has one thread so far.
fn resume(process: u32) -> io::Result<()> {
    // SAFETY: a snapshot of all threads; the handle is taken over at once.
    let snapshot = Handle(unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) }.map_err(io::Error::other)?);
    let size = u32::try_from(size_of::<THREADENTRY32>()).unwrap_or_default();
    let mut entry = THREADENTRY32 { dwSize: size, ..THREADENTRY32::default() };
    // SAFETY: the structure says its own size, here and below.
    let mut more = unsafe { Thread32First(snapshot.0, &raw mut entry) };
    while more.is_ok() {
        if entry.th32OwnerProcessID == process {
            // SAFETY: only the right to resume is asked for; the handle is taken over at once.
            let thread = Handle(unsafe { OpenThread(THREAD_SUSPEND_RESUME, false, entry.th32ThreadID) }.map_err(io::Error::other)?);
            // SAFETY: the handle is open.
            return if unsafe { ResumeThread(thread.0) } == u32::MAX { Err(io::Error::last_os_error()) } else { Ok(()) };
        }
        entry.dwSize = size;
        // SAFETY: as above.
        more = unsafe { Thread32Next(snapshot.0, &raw mut entry) };
    }
    Err(io::Error::other("its thread was not found"))
}
