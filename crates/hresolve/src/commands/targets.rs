//! `hresolve targets`: every Windows on the disks of this computer, and why one cannot be used.

use crate::Outcome;
use crate::cli::Global;
use crate::output;
use session::{TargetsJson, host};

/// Exit 0 when one can be used, 3 when none can.
pub(crate) fn run(global: &Global) -> Outcome {
    let all = TargetsJson::of_this_computer();
    if global.json {
        output::json_line(&all);
    } else {
        output::text(&session::reports::text::targets(&all));
    }
    Ok(if all.any_usable() { 0 } else { 3 })
}

/// What to say when a target is needed and none was named.
pub(crate) fn which() -> String {
    let list = session::reports::text::targets(&TargetsJson::of_this_computer());
    if host::is_rescue_system() {
        // What runs there is not what is broken.
        return format!(
            "This is a rescue system (Windows PE or the recovery environment). It is not looked at itself; name the Windows that is broken. Letters \
             of drives may differ here from those it uses itself.\n\n{list}\nA drive that is missing may have no letter (diskpart, then list volume)."
        );
    }
    format!("Which Windows? Name a mounted Windows volume or its Windows folder.\n\n{list}\nTo see how it works on a practice machine: hresolve demo")
}
