//! The console window that this program was started in.

/// True when the window will close as soon as this program ends, because nobody else uses its console: it was started by a double-click.
/// False without a console, and on other systems.
pub fn window_closes_with_us() -> bool {
    calls::processes_on_console() == 1
}

#[cfg(windows)]
mod calls {
    use windows::Win32::System::Console::GetConsoleProcessList;

    /// How many processes use this console; 0 when there is none.
    pub(super) fn processes_on_console() -> u32 {
        let mut ids = [0_u32; 2];
        // SAFETY: the function writes at most as many ids as the slice is long; when there are more it only says how many.
        unsafe { GetConsoleProcessList(&mut ids) }
    }
}

#[cfg(not(windows))]
mod calls {
    pub(super) fn processes_on_console() -> u32 {
        0
    }
}
