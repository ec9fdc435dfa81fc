//! Something that only the running Windows can do, and does without harm: it waits until that Windows is started.

use crate::action::{Settings, setting};
use model::{Change, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["text"];
pub(super) const UNDO: UndoKind = UndoKind::None;

pub(super) fn describe(settings: &Settings) -> String {
    setting(settings, "text").trim_end_matches('.').to_owned()
}

pub(super) fn changes(_target: &dyn Target, _settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    Err("this waits for the running Windows".into())
}
