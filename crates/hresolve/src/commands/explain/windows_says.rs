//! What a Windows itself says about a code: which files to ask, and the answer as text and as JSON.

use codes::{Asked, Explanation, LookedJson, WindowsSaysJson};
use evidence::{Looked, MessageFile, WindowsSays};
use model::Reading;
use session::Session;
use std::fmt::Write as _;

pub(super) fn look(session: &Session, asked: &Asked, explanation: &Explanation) -> WindowsSays {
    let files = codes::message_files(asked, explanation);
    let files: Vec<MessageFile> = files.iter().map(|file| MessageFile { folder: file.folder, name: file.name, ids: &file.ids }).collect();
    session.windows_says(&files)
}

pub(super) fn json(windows: &WindowsSays) -> (Vec<WindowsSaysJson>, Vec<LookedJson>) {
    let said = windows.said.iter();
    let said = said.map(|said| WindowsSaysJson { file: said.file.clone(), language: said.language.clone(), text: said.text.clone() }).collect();
    let looked = |looked: &Looked| {
        let found = match looked.texts {
            Reading::Known(0) => "no-text",
            Reading::Known(_) => "text",
            Reading::Absent => "absent",
            Reading::NotCollected => "not-collected",
            Reading::Unreadable(_) => "unreadable",
        };
        LookedJson { file: looked.file.clone(), found: found.into(), problems: problems(looked).collect() }
    };
    (said, windows.looked.iter().map(looked).collect())
}

fn problems(looked: &Looked) -> impl Iterator<Item = String> {
    let unreadable = match &looked.texts {
        Reading::Unreadable(why) => Some(why.clone()),
        _ => None,
    };
    unreadable.into_iter().chain(looked.damage.iter().cloned())
}

pub(super) fn block(windows: &WindowsSays, verbose: bool) -> String {
    let mut out = String::new();
    for said in &windows.said {
        let _ = writeln!(out, "  This Windows says ({}, {}):", said.language, said.file);
        for line in said.text.lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
    if windows.looked.is_empty() {
        let _ = writeln!(out, "  This Windows keeps no words for such a code in its message tables; nothing was read.");
    } else if windows.said.is_empty() {
        let _ = writeln!(out, "  This Windows's own words were not found. Looked for in:");
    }
    for looked in &windows.looked {
        let problems: Vec<String> = problems(looked).collect();
        let what = match looked.texts {
            Reading::Unreadable(_) => format!("could not be read: {}", problems.join("; ")),
            _ if !problems.is_empty() => format!("was not read in full: {}", problems.join("; ")),
            _ if !verbose && !windows.said.is_empty() => continue,
            Reading::Known(0) => "read, has no text for this code".into(),
            Reading::Known(1) => "read, has a text for this code".into(),
            Reading::Known(count) => format!("read, has {count} texts for this code"),
            Reading::Absent => "is not there".into(),
            _ => "is not part of what was given".into(),
        };
        let _ = writeln!(out, "    {}: {what}", looked.file);
    }
    out
}
