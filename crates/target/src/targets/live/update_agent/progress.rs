//! How far the agent is, as it calls back: percents become numbers that are handed on, each once.
//!
//! The objects are made by hand: those of the macro of `windows` bring in combase.dll, which Windows 7 lacks. Every callback of the agent has the same
//! form, `IUnknown` and one function of two arguments. They say nothing about other apartments: the agent lives in this process and calls from
//! threads like ours.

use std::ffi::c_void;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::sync::mpsc::Sender;
use windows::Win32::Foundation::{E_NOINTERFACE, E_POINTER, S_OK};
use windows::Win32::System::UpdateAgent::{
    IDownloadCompletedCallback, IDownloadProgressChangedCallback, IDownloadProgressChangedCallbackArgs, IInstallationCompletedCallback,
    IInstallationProgressChangedCallback, IInstallationProgressChangedCallbackArgs, ISearchCompletedCallback,
};
use windows::core::{GUID, HRESULT, IUnknown, Interface};

/// What is done with the arguments of a call. The agent calls from threads of its own.
type Take = Box<dyn Fn(*mut c_void) + Send + Sync>;

/// The functions of a callback, in COM's order.
#[repr(C)]
struct Table {
    query: unsafe extern "system" fn(*mut Callback, *const GUID, *mut *mut c_void) -> HRESULT,
    hold: unsafe extern "system" fn(*mut Callback) -> u32,
    release: unsafe extern "system" fn(*mut Callback) -> u32,
    invoke: unsafe extern "system" fn(*mut Callback, *mut c_void, *mut c_void) -> HRESULT,
}

/// One callback: its functions come first, as COM wants it.
#[repr(C)]
struct Callback {
    table: &'static Table,
    held: AtomicU32,
    /// As what it may be asked for, besides `IUnknown`.
    is: GUID,
    take: Take,
}

static TABLE: Table = Table { query, hold, release, invoke };

/// # Safety
/// `this` is a callback that is held, and `is` and `out` are null or point to what they say.
unsafe extern "system" fn query(this: *mut Callback, is: *const GUID, out: *mut *mut c_void) -> HRESULT {
    if is.is_null() || out.is_null() {
        return E_POINTER;
    }
    // SAFETY: neither is null, and the caller holds the callback.
    unsafe {
        if *is == IUnknown::IID || *is == (*this).is {
            hold(this);
            *out = this.cast();
            return S_OK;
        }
        *out = std::ptr::null_mut();
    }
    E_NOINTERFACE
}

/// # Safety
/// `this` is a callback that is held.
unsafe extern "system" fn hold(this: *mut Callback) -> u32 {
    // SAFETY: the caller holds it.
    unsafe { (*this).held.fetch_add(1, Ordering::Relaxed) + 1 }
}

/// # Safety
/// `this` is a callback that is held, by the caller for the last time.
unsafe extern "system" fn release(this: *mut Callback) -> u32 {
    // SAFETY: the caller holds it.
    let left = unsafe { (*this).held.fetch_sub(1, Ordering::Release) } - 1;
    if left == 0 {
        fence(Ordering::Acquire);
        // SAFETY: it was made by `Box` in `callback`, and nobody holds it any more.
        drop(unsafe { Box::from_raw(this) });
    }
    left
}

/// # Safety
/// `this` is a callback that is held; the arguments are lent for the time of the call.
unsafe extern "system" fn invoke(this: *mut Callback, _: *mut c_void, said: *mut c_void) -> HRESULT {
    // SAFETY: the caller holds it.
    unsafe { ((*this).take)(said) };
    S_OK
}

/// An object that may be asked for as `is`.
fn callback(is: GUID, take: Take) -> IUnknown {
    let made = Box::into_raw(Box::new(Callback { table: &TABLE, held: AtomicU32::new(1), is, take }));
    // SAFETY: it begins with a pointer to the functions of `IUnknown` and is held once, which is handed over.
    unsafe { IUnknown::from_raw(made.cast()) }
}

/// Hands on what is more than before.
fn percents(to: Sender<i32>, percent: fn(*mut c_void) -> Option<i32>) -> Take {
    let to = Mutex::new((None, to));
    Box::new(move |said| {
        let (Some(percent), Ok(mut to)) = (percent(said), to.lock()) else { return };
        if (0..=100).contains(&percent) && to.0.is_none_or(|last| percent > last) {
            to.0 = Some(percent);
            // Nobody waits any more when the time limit was over.
            let _ = to.1.send(percent);
        }
    })
}

fn downloaded(said: *mut c_void) -> Option<i32> {
    // SAFETY: the agent lends arguments of this kind for the time of the call, or none.
    unsafe { IDownloadProgressChangedCallbackArgs::from_raw_borrowed(&said)?.Progress().ok()?.PercentComplete().ok() }
}

fn installed(said: *mut c_void) -> Option<i32> {
    // SAFETY: as above.
    unsafe { IInstallationProgressChangedCallbackArgs::from_raw_borrowed(&said)?.Progress().ok()?.PercentComplete().ok() }
}

/// The callbacks of a download: for its percents, and for its end, which is asked of the job.
pub(super) fn of_download(to: Sender<i32>) -> (IUnknown, IUnknown) {
    let progress = callback(IDownloadProgressChangedCallback::IID, percents(to, downloaded));
    (progress, callback(IDownloadCompletedCallback::IID, Box::new(|_| {})))
}

/// The callbacks of an installation.
pub(super) fn of_installation(to: Sender<i32>) -> (IUnknown, IUnknown) {
    let progress = callback(IInstallationProgressChangedCallback::IID, percents(to, installed));
    (progress, callback(IInstallationCompletedCallback::IID, Box::new(|_| {})))
}

/// The callback of a search, which has no percents.
pub(super) fn of_search() -> IUnknown {
    callback(ISearchCompletedCallback::IID, Box::new(|_| {}))
}
