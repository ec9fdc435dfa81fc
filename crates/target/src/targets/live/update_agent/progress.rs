//! How far the agent is, as it calls back: percents become sentences, each told once.
//!
//! The objects say nothing about other apartments (`Agile = false`): the agent lives in this process and calls from threads like ours, and what would
//! be needed for others is in a library that Windows 7 lacks.

use std::sync::Mutex;
use std::sync::mpsc::Sender;
use windows::Win32::System::UpdateAgent::{
    IDownloadCompletedCallback, IDownloadCompletedCallback_Impl, IDownloadCompletedCallbackArgs, IDownloadJob, IDownloadProgressChangedCallback,
    IDownloadProgressChangedCallback_Impl, IDownloadProgressChangedCallbackArgs, IInstallationCompletedCallback, IInstallationCompletedCallback_Impl,
    IInstallationCompletedCallbackArgs, IInstallationJob, IInstallationProgressChangedCallback, IInstallationProgressChangedCallback_Impl,
    IInstallationProgressChangedCallbackArgs, ISearchCompletedCallback, ISearchCompletedCallback_Impl, ISearchCompletedCallbackArgs, ISearchJob,
};
use windows::core::{IUnknown, Ref, Result, implement};

/// Hands percents to whoever waits. The agent calls from threads of its own.
struct Percents {
    /// The last percent that was handed on, and to whom.
    to: Mutex<(Option<i32>, Sender<i32>)>,
}

impl Percents {
    fn take(&self, percent: i32) {
        let Ok(mut to) = self.to.lock() else { return };
        if (0..=100).contains(&percent) && to.0.is_none_or(|last| percent > last) {
            to.0 = Some(percent);
            // Nobody waits any more when the time limit was over.
            let _ = to.1.send(percent);
        }
    }
}

#[implement(IDownloadProgressChangedCallback, IDownloadCompletedCallback, Agile = false)]
struct Downloading(Percents);

impl IDownloadProgressChangedCallback_Impl for Downloading_Impl {
    fn Invoke(&self, _: Ref<IDownloadJob>, said: Ref<IDownloadProgressChangedCallbackArgs>) -> Result<()> {
        // SAFETY: the agent lends its arguments for the time of this call.
        self.0.take(unsafe { said.ok()?.Progress()?.PercentComplete() }?);
        Ok(())
    }
}

impl IDownloadCompletedCallback_Impl for Downloading_Impl {
    fn Invoke(&self, _: Ref<IDownloadJob>, _: Ref<IDownloadCompletedCallbackArgs>) -> Result<()> {
        Ok(())
    }
}

#[implement(IInstallationProgressChangedCallback, IInstallationCompletedCallback, Agile = false)]
struct Installing(Percents);

impl IInstallationProgressChangedCallback_Impl for Installing_Impl {
    fn Invoke(&self, _: Ref<IInstallationJob>, said: Ref<IInstallationProgressChangedCallbackArgs>) -> Result<()> {
        // SAFETY: the agent lends its arguments for the time of this call.
        self.0.take(unsafe { said.ok()?.Progress()?.PercentComplete() }?);
        Ok(())
    }
}

impl IInstallationCompletedCallback_Impl for Installing_Impl {
    fn Invoke(&self, _: Ref<IInstallationJob>, _: Ref<IInstallationCompletedCallbackArgs>) -> Result<()> {
        Ok(())
    }
}

/// A search has no percents; whether it is complete is asked of the job.
#[implement(ISearchCompletedCallback, Agile = false)]
struct Searching;

impl ISearchCompletedCallback_Impl for Searching_Impl {
    fn Invoke(&self, _: Ref<ISearchJob>, _: Ref<ISearchCompletedCallbackArgs>) -> Result<()> {
        Ok(())
    }
}

/// Both callbacks of a download in one object: the agent asks it for the one it needs.
pub(super) fn of_download(to: Sender<i32>) -> IUnknown {
    let callback: IDownloadProgressChangedCallback = Downloading(Percents { to: Mutex::new((None, to)) }).into();
    callback.into()
}

/// Both callbacks of an installation.
pub(super) fn of_installation(to: Sender<i32>) -> IUnknown {
    let callback: IInstallationProgressChangedCallback = Installing(Percents { to: Mutex::new((None, to)) }).into();
    callback.into()
}

/// The callback of a search.
pub(super) fn of_search() -> IUnknown {
    let callback: ISearchCompletedCallback = Searching.into();
    callback.into()
}
