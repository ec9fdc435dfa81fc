//! The service control manager: start types, stopping what is in the way, and starting again what ran.
//!
//! Never changes who may control a service, and never ends a process: a service that refuses to stop is an error.

use crate::names_equal;
use std::io;
use std::time::{Duration, Instant};
use windows::Win32::Foundation::{
    ERROR_DEPENDENT_SERVICES_RUNNING, ERROR_MORE_DATA, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_NOT_ACTIVE, WIN32_ERROR,
};
use windows::Win32::System::Services::{
    ChangeServiceConfig2W, ChangeServiceConfigW, CloseServiceHandle, ControlService, ENUM_SERVICE_STATUSW, ENUM_SERVICE_TYPE, EnumDependentServicesW,
    OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, SC_HANDLE, SC_MANAGER_CONNECT, SC_STATUS_PROCESS_INFO, SERVICE_ACTIVE, SERVICE_CHANGE_CONFIG,
    SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONTROL_STOP, SERVICE_DELAYED_AUTO_START_INFO, SERVICE_ENUMERATE_DEPENDENTS, SERVICE_ERROR,
    SERVICE_QUERY_STATUS, SERVICE_RUNNING, SERVICE_START, SERVICE_START_TYPE, SERVICE_STATUS, SERVICE_STATUS_CURRENT_STATE, SERVICE_STATUS_PROCESS,
    SERVICE_STOP, SERVICE_STOPPED, StartServiceW,
};
use windows::core::{HSTRING, PCWSTR};

/// How long a service may take to stop or start. Windows Update finishes writing its database first; Microsoft's own tools wait 30 seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(100);
/// `SERVICE_NO_CHANGE`
const NO_CHANGE: u32 = u32::MAX;

/// A handle of the manager or of one service; closed when dropped.
struct Handle(SC_HANDLE);

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is closed once.
        let _ = unsafe { CloseServiceHandle(self.0) };
    }
}

fn told(error: &windows::core::Error) -> io::Error {
    // HRESULT_FROM_WIN32: the low 16 bits are Windows' own number.
    io::Error::from_raw_os_error(error.code().0 & 0xFFFF)
}

fn is(error: &io::Error, code: WIN32_ERROR) -> bool {
    error.raw_os_error() == i32::try_from(code.0).ok()
}

/// One service. `None` when the manager knows none of that name: a key that was put back is a service only after a restart.
fn open(name: &str, access: u32) -> io::Result<Option<Handle>> {
    // SAFETY: no strings, and the handle is taken over at once.
    let manager = unsafe { OpenSCManagerW(PCWSTR::null(), PCWSTR::null(), SC_MANAGER_CONNECT) }.map(Handle).map_err(|error| told(&error))?;
    // SAFETY: the name is a terminated string that lives through the call.
    match unsafe { OpenServiceW(manager.0, &HSTRING::from(name), access) } {
        Ok(handle) => Ok(Some(Handle(handle))),
        Err(error) if is(&told(&error), ERROR_SERVICE_DOES_NOT_EXIST) => Ok(None),
        Err(error) => Err(told(&error)),
    }
}

fn state(service: &Handle) -> io::Result<SERVICE_STATUS_CURRENT_STATE> {
    let mut status = SERVICE_STATUS_PROCESS::default();
    let mut needed = 0;
    // SAFETY: a plain structure seen as its bytes; Windows fills it in.
    let bytes = unsafe { std::slice::from_raw_parts_mut((&raw mut status).cast::<u8>(), size_of::<SERVICE_STATUS_PROCESS>()) };
    // SAFETY: the buffer has the size of the structure that this level asks for.
    unsafe { QueryServiceStatusEx(service.0, SC_STATUS_PROCESS_INFO, Some(bytes), &raw mut needed) }.map_err(|error| told(&error))?;
    Ok(status.dwCurrentState)
}

/// Whether a service runs now, or is about to. `None` when there is no such service.
pub(super) fn runs(name: &str) -> io::Result<Option<bool>> {
    match open(name, SERVICE_QUERY_STATUS)? {
        Some(service) => Ok(Some(state(&service)? != SERVICE_STOPPED)),
        None => Ok(None),
    }
}

/// Sets of a service what is not [`NO_CHANGE`] or null: start type, program, and the list of what must run before it. `false` when the manager
/// knows no such service.
fn configure(name: &str, start: u32, program: PCWSTR, dependencies: PCWSTR) -> io::Result<bool> {
    let Some(service) = open(name, SERVICE_CHANGE_CONFIG)? else { return Ok(false) };
    let nothing = PCWSTR::null;
    // SAFETY: the texts are null or terminated, and live through the call; null is "no change".
    unsafe {
        ChangeServiceConfigW(
            service.0,
            ENUM_SERVICE_TYPE(NO_CHANGE),
            SERVICE_START_TYPE(start),
            SERVICE_ERROR(NO_CHANGE),
            program,
            nothing(),
            None,
            dependencies,
            nothing(),
            nothing(),
            nothing(),
        )
    }
    .map(|()| true)
    .map_err(|error| told(&error))
}

/// Sets the start type. `false` when the manager knows no such service.
pub(super) fn set_start(name: &str, start: u32) -> io::Result<bool> {
    configure(name, start, PCWSTR::null(), PCWSTR::null())
}

/// Sets the program of a service. `false` when the manager knows no such service.
pub(super) fn set_program(name: &str, program: &str) -> io::Result<bool> {
    let program = HSTRING::from(program);
    configure(name, NO_CHANGE, PCWSTR(program.as_ptr()), PCWSTR::null())
}

/// Sets the services that must run before this one, and those groups of services. `false` when the manager knows no such service.
pub(super) fn set_dependencies(name: &str, services: &[String], groups: &[String]) -> io::Result<bool> {
    // Each ends with a NUL, the list with one more; groups bear a plus sign.
    let mut list: Vec<u16> = Vec::new();
    for one in services.iter().cloned().chain(groups.iter().map(|group| format!("+{group}"))) {
        list.extend(one.encode_utf16().chain([0]));
    }
    list.extend([0, 0]);
    configure(name, NO_CHANGE, PCWSTR::null(), PCWSTR(list.as_ptr()))
}

/// Sets whether an automatic start waits until the others have started. `false` when the manager knows no such service.
pub(super) fn set_delayed(name: &str, delayed: bool) -> io::Result<bool> {
    let Some(service) = open(name, SERVICE_CHANGE_CONFIG)? else { return Ok(false) };
    let info = SERVICE_DELAYED_AUTO_START_INFO { fDelayedAutostart: delayed.into() };
    // SAFETY: the structure is the one that this level takes.
    unsafe { ChangeServiceConfig2W(service.0, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, Some((&raw const info).cast())) }
        .map(|()| true)
        .map_err(|error| told(&error))
}

/// The services that run now and need this one, those that depend on others of them first: the order in which they can be stopped.
pub(super) fn running_dependents(name: &str) -> io::Result<Vec<String>> {
    let Some(service) = open(name, SERVICE_ENUMERATE_DEPENDENTS)? else { return Ok(Vec::new()) };
    let (mut needed, mut count) = (0, 0);
    // SAFETY: without a buffer only the size is told.
    match unsafe { EnumDependentServicesW(service.0, SERVICE_ACTIVE, None, 0, &raw mut needed, &raw mut count) } {
        Ok(()) => return Ok(Vec::new()),
        Err(error) if is(&told(&error), ERROR_MORE_DATA) => {}
        Err(error) => return Err(told(&error)),
    }
    // Structures with the strings that they point to behind them; u64 gives them the alignment that they need.
    let mut buffer = vec![0_u64; (needed as usize).div_ceil(8) + 1];
    let bytes = u32::try_from(buffer.len() * 8).unwrap_or(u32::MAX);
    // SAFETY: the buffer has `bytes` bytes.
    unsafe {
        EnumDependentServicesW(
            service.0,
            SERVICE_ACTIVE,
            Some(buffer.as_mut_ptr().cast::<ENUM_SERVICE_STATUSW>()),
            bytes,
            &raw mut needed,
            &raw mut count,
        )
    }
    .map_err(|error| told(&error))?;
    // SAFETY: Windows has filled in `count` structures at the start of the buffer.
    let all = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<ENUM_SERVICE_STATUSW>(), count as usize) };
    // SAFETY: each name is a terminated string inside the buffer, which is still there.
    Ok(all.iter().map(|one| unsafe { one.lpServiceName.to_string() }.unwrap_or_default()).filter(|name| !name.is_empty()).collect())
}

/// Stops a service and waits until it has stopped. One that is stopped already, or that is not there, is fine.
pub(super) fn stop(name: &str) -> io::Result<()> {
    let Some(service) = open(name, SERVICE_STOP | SERVICE_QUERY_STATUS)? else { return Ok(()) };
    let begun = Instant::now();
    loop {
        if state(&service)? == SERVICE_STOPPED {
            return Ok(());
        }
        let mut status = SERVICE_STATUS::default();
        // SAFETY: `status` is filled in by Windows.
        if let Err(error) = unsafe { ControlService(service.0, SERVICE_CONTROL_STOP, &raw mut status) } {
            let error = told(&error);
            // Just starting or already stopping: asked again a little later.
            let passes = [ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERROR_SERVICE_NOT_ACTIVE, ERROR_DEPENDENT_SERVICES_RUNNING];
            if !passes.iter().any(|code| is(&error, *code)) {
                return Err(error);
            }
        }
        if begun.elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("the service {name} did not stop within {} seconds", PATIENCE.as_secs())));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Starts a service and waits until it runs. One that runs already is fine.
pub(super) fn start(name: &str) -> io::Result<()> {
    let Some(service) = open(name, SERVICE_START | SERVICE_QUERY_STATUS)? else { return Ok(()) };
    // SAFETY: no arguments.
    if let Err(error) = unsafe { StartServiceW(service.0, None) }
        && !is(&told(&error), ERROR_SERVICE_ALREADY_RUNNING)
    {
        return Err(told(&error));
    }
    let begun = Instant::now();
    loop {
        match state(&service)? {
            SERVICE_RUNNING => return Ok(()),
            // Some end at once when there is nothing to do, which is no failure.
            SERVICE_STOPPED => return Ok(()),
            _ if begun.elapsed() > PATIENCE => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("the service {name} did not start within {} seconds", PATIENCE.as_secs()),
                ));
            }
            _ => std::thread::sleep(PAUSE),
        }
    }
}

/// The service whose own key this is: `HKLM\SYSTEM\ControlSet001\Services\NAME`, for `control_set` 1; `None` for every other key.
pub(super) fn of_key(key: &str, control_set: u32) -> Option<&str> {
    let mut parts = key.split('\\');
    let mut next_is = |wanted: &str| parts.next().is_some_and(|part| names_equal(part, wanted));
    let fits = next_is("HKLM") && next_is("SYSTEM") && next_is(&format!("ControlSet{control_set:03}")) && next_is("Services");
    let name = parts.next()?;
    (fits && parts.next().is_none()).then_some(name)
}
