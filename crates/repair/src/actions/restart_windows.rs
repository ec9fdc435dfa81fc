//! Restarts the running Windows, because only its next start does what is needed. What comes after it in the guide, and the check, are done
//! after that start; elsewhere it waits until that Windows is started.

use crate::action::{Settings, setting};
use model::{Change, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["text"];
pub(super) const UNDO: UndoKind = UndoKind::None;

pub(super) fn describe(settings: &Settings) -> String {
    setting(settings, "text").trim_end_matches('.').to_owned()
}

/// A restart changes nothing that could be planned; the session sees to it when everything else is done.
pub(super) fn changes(_target: &dyn Target, _settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    Err("this waits for the next start of Windows".into())
}
