//! A window that closes as soon as the program ends is kept open until the person has read it.

use crate::output;
use std::ffi::OsString;
use std::io::{BufRead, IsTerminal};

/// Dropping it waits for Enter; also after an error, and while a panic unwinds.
pub(crate) struct Window;

impl Window {
    /// The window of a double-click: nobody else uses it, and the program was started without a word. Whoever starts it with words from a
    /// script gets no question at the end, not even in a window of its own.
    pub(crate) fn of_double_click() -> Option<Window> {
        let by_double_click = std::env::args_os().len() <= 1 && session::host::window_closes_with_us();
        if by_double_click { Some(Window) } else { None }
    }
}

/// The same words for a new window that stays until it was read.
pub(crate) fn kept_open(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    typed.map(|word| if word == "--own-window" { "--keep-window".into() } else { word }).collect()
}

impl Drop for Window {
    fn drop(&mut self) {
        if !std::io::stdin().is_terminal() {
            return;
        }
        output::note("\nPress Enter to close this window.");
        let _ = std::io::stdin().lock().read_line(&mut String::new());
    }
}
