//! `hresolve undo`.

use super::open;
use crate::Outcome;
use crate::cli::{Global, Words};
use crate::elevation::{Rights, rights};
use crate::{output, words};

pub(crate) fn run(given: &Words, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    let mut session = open(meant.target.as_deref(), global)?;
    if let Rights::Ended(exit) = rights(&session, global)? {
        return Ok(exit);
    }
    let undo = session.undo(meant.run.as_deref(), session::now())?;
    if global.json {
        output::json_line(&undo);
    } else {
        output::text(&session::reports::text::undo(&undo));
    }
    Ok(undo.exit_code())
}
