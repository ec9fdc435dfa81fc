//! Something that Windows does with a program of its own while it runs: the component store repairs itself, system files are compared with
//! it. On a running Windows it is done after consent; elsewhere it waits until that Windows is started. Nothing of it can be taken back.

use crate::action::{Settings, setting};
use model::{Change, Operation, UndoKind};
use target::Target;

pub(super) const SETTINGS: &[&str] = &["operation", "text"];
pub(super) const UNDO: UndoKind = UndoKind::None;
pub(super) const NAME: &str = "windows-operation";

pub(super) fn describe(settings: &Settings) -> String {
    setting(settings, "text").trim_end_matches('.').to_owned()
}

/// It changes nothing that could be planned; [`operation`] says what is run.
pub(super) fn changes(_target: &dyn Target, _settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    Err("this waits for the running Windows".into())
}

/// What is run, when this is an action of that kind.
pub fn operation(action: &str, settings: &Settings) -> Option<Result<Operation, String>> {
    (action == NAME).then(|| Operation::parse(setting(settings, "operation")))
}
