//! Diagnoses and runs in words: for a terminal, and as Markdown. JSON is the structures themselves.

pub mod markdown;
pub mod text;
mod timeline;

/// What a state of a step means, in words that stand after its sentence.
fn state_words(state: &str) -> &str {
    match state {
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
