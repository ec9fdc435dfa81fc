//! Something that only a person can do; hresolve shows it and never does it.

use crate::action::{Settings, setting};
use model::{Change, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["text"];
pub(super) const UNDO: UndoKind = UndoKind::None;

pub(super) fn describe(settings: &Settings) -> String {
    setting(settings, "text").trim_end_matches('.').to_owned()
}

pub(super) fn changes(_target: &dyn Target, _settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    Err("this is for a person to do".into())
}
