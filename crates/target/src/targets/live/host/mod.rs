//! The computer that this program itself runs on, as far as front ends need to know it: its console, its rights, its drives. Nothing here
//! looks at an installation or changes one.
//!
//! Every function answers on every system; where it is no Windows the answer says so, and no caller needs to know how it was compiled.
#![cfg_attr(windows, allow(unsafe_code, reason = "the calls of the Windows API; each says why it is sound"))]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests may fail loudly"))]

mod console;
mod drives;
mod elevation;
mod own_window;
mod security;
mod wine;

pub use console::window_closes_with_us;
pub use drives::{drives, is_rescue_system, is_windows};
pub use elevation::{Relaunch, can_show_windows, is_elevated, relaunch_elevated};
pub use own_window::start_in_own_window;
pub(crate) use security::{security_of, set_security};
pub use wine::is_wine;
