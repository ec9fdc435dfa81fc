//! The running Windows. The only place in this project with `unsafe` code and with code for Windows alone; on other systems there is
//! nothing here but the answer that there is no running Windows.
#![cfg_attr(windows, allow(unsafe_code, reason = "the functions of Windows are called here and nowhere else; each call says why it is sound"))]

#[cfg(windows)]
mod event_log;
#[cfg(windows)]
mod holding;
pub mod host;
#[cfg(windows)]
mod library;
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, reason = "its tests run everywhere"))]
mod patience;
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, reason = "its tests run everywhere"))]
mod percent;
#[cfg(windows)]
mod power;
#[cfg(windows)]
mod programs;
#[cfg(windows)]
mod registry;
#[cfg(windows)]
mod restart;
#[cfg(windows)]
mod restore_point;
#[cfg(windows)]
mod services;
#[cfg(windows)]
mod system;
#[cfg(windows)]
mod time;
#[cfg(windows)]
mod update_agent;
#[cfg(any(windows, test))]
#[cfg_attr(not(windows), allow(dead_code, reason = "its tests run everywhere"))]
mod update_terms;
#[cfg(windows)]
mod write;

use crate::{OpenError, WritableTarget};

/// Opens the Windows that this program runs in.
///
/// # Errors
/// When this is no Windows, or one that does not say what it is.
#[cfg(windows)]
pub(super) fn open() -> Result<Box<dyn WritableTarget>, OpenError> {
    Ok(Box::new(system::LiveTarget::open()?))
}

/// Elsewhere there is none.
#[cfg(not(windows))]
pub(super) fn open() -> Result<Box<dyn WritableTarget>, OpenError> {
    Err(OpenError::NothingLive)
}
