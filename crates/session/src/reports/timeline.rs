//! The timeline for a terminal: one line for each thing that happened, those that say most, in the order of time.

use super::text::wrap;
use model::{Clock, Diagnosis, TimelineEntry, TimelineWindow};

/// So many lines are shown; all of them with `--verbose`.
const LINES: usize = 20;
/// The longest of these words decides the width of its column.
const KINDS: usize = 10;

/// The timeline of a diagnosis; empty when it has none.
pub(super) fn of(diagnosis: &Diagnosis, verbose: bool) -> String {
    let Some(entries) = &diagnosis.timeline else { return String::new() };
    let mut out = String::from("\n");
    let Some(window) = &diagnosis.timeline_window else {
        wrap(&mut out, "", "Timeline: nothing on this machine has a time.");
        return out;
    };
    let mut shown = entries.clone();
    let hidden = if verbose { 0 } else { evidence::keep_weightiest(&mut shown, LINES) };
    wrap(&mut out, "", &heading(window));
    let (local, utc): (Vec<&TimelineEntry>, Vec<&TimelineEntry>) = shown.iter().partition(|entry| entry.clock == Clock::Local);
    let both = !local.is_empty() && !utc.is_empty();
    for (entries, words) in [
        (local, "by this machine's own clock:"),
        (utc, "in UTC, because the time zone could not be read; how far apart from the other times is not known:"),
    ] {
        if both && !entries.is_empty() {
            wrap(&mut out, "  ", words);
        }
        entries.iter().for_each(|entry| line(&mut out, entry, verbose));
    }
    if shown.is_empty() {
        wrap(&mut out, "  ", "Nothing is recorded in this time.");
    }
    let left_out = window.left_out + hidden;
    if left_out > 0 {
        let all = if hidden > 0 { "; --verbose and --json show more of them" } else { "" };
        wrap(&mut out, "  ", &format!("{left_out} more that say less are left out{all}."));
    }
    if !window.gaps.is_empty() {
        let gaps: Vec<&str> = window.gaps.iter().map(|gap| gap.rsplit('\\').next().unwrap_or_default()).collect();
        wrap(&mut out, "  not seen: ", &gaps.join("; "));
    }
    out
}

fn heading(window: &TimelineWindow) -> String {
    let shown = |time: &str| time.replace('T', " ");
    let clock = if window.clock == Clock::Utc { "UTC" } else { "local time" };
    format!("Timeline from {} to {} ({clock}): {}", shown(&window.from), shown(&window.to), window.why)
}

fn line(out: &mut String, entry: &TimelineEntry, verbose: bool) {
    let kind = if entry.first_failure { "FAILED" } else { short(&entry.kind) };
    let time = format!("  {}  {kind:<KINDS$}  ", entry.time.replace('T', " "));
    // The last part of a path is enough to know the log; the whole one stands in the other forms.
    let source = if verbose { entry.source.as_str() } else { entry.source.rsplit('\\').next().unwrap_or_default() };
    wrap(out, &time, &format!("{} [{source}, {}]", entry.says, entry.at));
}

fn short(kind: &str) -> &str {
    match kind {
        "unexpected-shutdown" => "crash",
        "restore-point" => "restore",
        other => other,
    }
}
