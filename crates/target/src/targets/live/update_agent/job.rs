//! Jobs of the agent: waited for with a time limit, told to stop when it is over, never waited for without end.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use windows::Win32::Foundation::VARIANT_BOOL;
use windows::Win32::System::UpdateAgent::{IDownloadJob, IInstallationJob, ISearchJob};
use windows::core::{Error, Result};

/// How often it is asked whether a job is complete.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a job may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no result.
pub(super) enum Stop {
    /// The agent's code.
    Code(Error),
    /// The time limit was over; whether the agent did stop.
    TooLong { stopped: bool },
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Code(error)
    }
}

/// What the three kinds of job have in common.
pub(super) trait Job {
    fn is_completed(&self) -> Result<VARIANT_BOOL>;
    fn abort(&self) -> Result<()>;
    /// Lets the agent forget its callbacks. Only for a job that is complete: of another it would wait.
    fn clean_up(&self);
}

macro_rules! jobs {
    ($($job:ident),*) => {$(
        impl Job for $job {
            fn is_completed(&self) -> Result<VARIANT_BOOL> {
                // SAFETY: the job lives as long as it is borrowed, here and below.
                unsafe { self.IsCompleted() }
            }
            fn abort(&self) -> Result<()> {
                // SAFETY: as above.
                unsafe { self.RequestAbort() }
            }
            fn clean_up(&self) {
                // SAFETY: as above.
                let _ = unsafe { self.CleanUp() };
            }
        }
    )*};
}

jobs!(IDownloadJob, IInstallationJob, ISearchJob);

/// Waits until a job is complete; `told` gets its percents meanwhile.
pub(super) fn wait(job: &dyn Job, until: Instant, percents: &Receiver<i32>, told: &dyn Fn(i32)) -> std::result::Result<(), Stop> {
    while !job.is_completed()?.as_bool() {
        if Instant::now() >= until {
            return Err(Stop::TooLong { stopped: stop(job) });
        }
        listen(percents, told);
    }
    // What came in the last moment.
    percents.try_iter().for_each(told);
    Ok(())
}

fn listen(percents: &Receiver<i32>, told: &dyn Fn(i32)) {
    match percents.recv_timeout(PAUSE) {
        Ok(percent) => told(percent),
        Err(RecvTimeoutError::Timeout) => {}
        // Nobody tells percents of a search.
        Err(RecvTimeoutError::Disconnected) => std::thread::sleep(PAUSE),
    }
}

/// Tells it to stop; true when it did.
fn stop(job: &dyn Job) -> bool {
    let begun = Instant::now();
    if job.abort().is_err() {
        return false;
    }
    while begun.elapsed() < PATIENCE {
        if job.is_completed().is_ok_and(VARIANT_BOOL::as_bool) {
            job.clean_up();
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}
