//! Diagnoses and runs in words: for a terminal, and as Markdown. JSON is the structures themselves.

pub mod markdown;
pub mod text;
mod timeline;

/// What a state of a step means, in words that stand after its sentence.
fn state_words(step: &crate::RunStep) -> &str {
    match step.state.as_str() {
        "done" if step.action == crate::operate::OPERATION => "done by Windows itself",
        "failed" if step.action == crate::operate::OPERATION => "failed; what Windows did until then stays",
        "done" => "done and read back",
        "skipped" => "left out",
        "failed" => "failed; nothing of it remains",
        "undone" => "taken back",
        "undo-failed" => "failed, and could not be taken back",
        "shown" => "for you to do",
        "queued" => "waits for the next start",
        "consent-needed" => "needs your consent",
        "planned" => "would be done",
        other => other,
    }
}

/// What decides, between what, and how long it takes.
fn next_check(check: &model::NextCheck) -> String {
    let minutes = if check.minutes == 1 { "a minute".to_owned() } else { format!("about {} minutes", check.minutes) };
    match check.between.as_slice() {
        [one, other, ..] => format!("{} ({minutes}; decides between {one} and {other})", check.says),
        [one] => format!("{} ({minutes}; decides whether it is {one})", check.says),
        [] => check.says.clone(),
    }
}
