//! Sets the clock of a running Windows right, by the difference that was measured. It is the only action that touches no file and no registry.

use crate::action::{Settings, setting};
use model::{Change, Reading, UndoKind, span};
use target::Target;

/// `offset`: by how many seconds the clock is ahead of the time, with its sign. `read-at`: what the clock said when that was measured,
/// seconds since 1970 UTC.
pub(super) const SETTINGS: &[&str] = &["offset", "read-at"];
pub(super) const UNDO: UndoKind = UndoKind::Approximate;

pub(super) fn describe(settings: &Settings) -> String {
    match setting(settings, "offset").parse::<i64>() {
        Ok(ahead) if ahead > 0 => format!("Set the clock of this computer back by {}", span(ahead.unsigned_abs())),
        Ok(behind) => format!("Set the clock of this computer forward by {}", span(behind.unsigned_abs())),
        Err(_) => "Set the clock of this computer right".into(),
    }
}

pub(super) fn changes(target: &dyn Target, settings: &Settings, _run: &str) -> Result<Vec<Change>, String> {
    let number = |name: &str| setting(settings, name).parse::<i64>().map_err(|_| "by how much the clock is off is not known".to_owned());
    let (ahead, read_at) = (number("offset")?, number("read-at")?);
    let now = match target.clock() {
        Reading::Known(now) => i64::try_from(now.unix).map_err(|error| error.to_string())?,
        Reading::Unreadable(why) => return Err(why),
        _ => return Err("no Windows is running here, so there is no clock to set".into()),
    };
    // Without it nobody could tell later whether the clock is still as it was set here.
    let Reading::Known(running) = target.running() else { return Err("for how long this Windows has been running is not known".into()) };
    // A difference is worth nothing once the clock has been set, by a step before this one or by somebody else.
    let since = now.saturating_sub(read_at);
    if since < -5 || since.unsigned_abs() > (ahead.unsigned_abs() / 2).max(5) {
        return Err("the clock was set, or much time passed, since it was compared; compare it again".into());
    }
    let to = now.checked_sub(ahead).ok_or("that is no time")?;
    Ok(if ahead == 0 { Vec::new() } else { vec![Change::SetClock { from: now, to, running }] })
}
