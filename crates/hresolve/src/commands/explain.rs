//! `hresolve explain`: what a code is called, how it is made, what it means; or a whole text with the codes named.

mod windows_says;

use crate::Outcome;
use crate::cli::Global;
use crate::output::{self, Failure};
use codes::{Anatomy, Asked, Explanation, Known};
use diagnosis::Guide;
use evidence::WindowsSays;
use model::ErrorCode;
use session::reports::text::wrap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal};

pub(crate) fn run(words: &[String], target: Option<&str>, global: &Global) -> Outcome {
    let text = words.join(" ");
    let piped = words.is_empty() && !io::stdin().is_terminal();
    if text.trim() == "-" || piped {
        if !global.json {
            if target.is_some() {
                return Err(Failure::usage(
                    "A text is copied with the names of its codes, without what a Windows says about each. For that add --json, or name the codes.",
                ));
            }
            return match codes::annotate(&mut io::stdin().lock(), &mut io::stdout().lock()) {
                // A reader that has gone away is no error of ours.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    Err(Failure { exit: 1, says: format!("The text could not be copied: {error}.") })
                }
                _ => Ok(0),
            };
        }
        let found = codes::named_in(&mut io::stdin().lock())
            .map_err(|error| Failure { exit: 1, says: format!("Standard input could not be read: {error}.") })?;
        return answer(&found.into_iter().map(Asked::plain).collect::<Vec<_>>(), target, global);
    }
    let asked = codes::read(&text);
    if asked.is_empty() {
        return Err(Failure::usage(match text.is_empty() {
            true => "Which code? Examples: hresolve explain 0x80070002, hresolve explain WU_E_DS_NODATA, hresolve explain \"Code 39\", \
                     hresolve explain - < CBS.log"
                .to_owned(),
            false => format!(
                "There is no error code in {text:?}. Examples: 0x80070002, 80070002, -2147024894, 2147942402, WU_E_DS_NODATA, \"Code 39\", \
                 0x8007000D-0x2000C."
            ),
        }));
    }
    answer(&asked, target, global)
}

/// Exit 0 when each code is known, here or to the Windows that was named; 1 when one is not.
fn answer(asked: &[Asked], target: Option<&str>, global: &Global) -> Outcome {
    let more = global.guides.as_deref().map(super::guides_in).transpose()?.unwrap_or_default();
    let session = target.map(|target| super::open(Some(target), global)).transpose()?;
    let explained: Vec<(Explanation, Vec<Guide>, Option<WindowsSays>)> = asked
        .iter()
        .map(|asked| {
            let explanation = codes::explain(asked);
            let guides = guides(&explanation, asked, &more);
            let windows = session.as_ref().map(|session| windows_says::look(session, asked, &explanation));
            (explanation, guides, windows)
        })
        .collect();
    if global.json {
        let all = explained.iter().map(|(explanation, guides, windows)| codes::Explained {
            explanation,
            causes: guides.iter().map(|guide| guide.id.clone()).collect(),
            windows: windows.as_ref().map(windows_says::json),
        });
        output::json_line(&codes::ExplanationJson::of(all));
    } else {
        let blocks: Vec<String> =
            explained.iter().map(|(explanation, guides, windows)| block(explanation, guides, windows.as_ref(), global.verbose)).collect();
        output::text(&blocks.join("\n"));
    }
    let unknown = |(explanation, _, windows): &(Explanation, Vec<Guide>, Option<WindowsSays>)| {
        !explanation.is_known() && windows.as_ref().is_none_or(|windows| windows.said.is_empty())
    };
    Ok(u8::from(explained.iter().any(unknown)))
}

/// Guides on the ladder of a code: those of causes that produce it, in the order of treatment.
fn guides(explanation: &Explanation, asked: &Asked, more: &[Guide]) -> Vec<Guide> {
    // A device's problem and a stop code share their small numbers with Win32 errors, but not their guides.
    if asked.kind.is_some_and(|kind| matches!(kind, codes::Kind::Problem | codes::Kind::BugCheck)) {
        return Vec::new();
    }
    let code = ErrorCode(explanation.value);
    let mut guides = diagnosis::embedded_naming(code);
    guides.extend(more.iter().filter(|guide| guide.bears_on(code)).cloned());
    guides.retain(|guide| guide.produces(code) && guide.usual.is_none());
    guides.sort_by_key(|guide| guide.order);
    guides
}

fn hex(value: u32) -> String {
    format!("0x{value:08X}")
}

/// One code as text for people.
fn block(explanation: &Explanation, guides: &[Guide], windows: Option<&WindowsSays>, verbose: bool) -> String {
    let mut out = String::new();
    let unnamed = if explanation.is_known() { "(no public name)" } else { "is not a code that hresolve knows" };
    let title = explanation.names.first().map_or(unnamed, |named| named.known.name);
    let _ = writeln!(out, "{}  {title}\n", hex(explanation.value));
    if let Some(meaning) = explanation.meaning {
        wrap(&mut out, "  ", meaning.says);
        wrap(&mut out, "  Try: ", meaning.advice);
        if meaning.stage != "any" {
            wrap(&mut out, "  Arises: ", stage(meaning.stage));
        }
    }
    if let Some(extend) = &explanation.extend {
        let part = |part: Option<(&str, &str)>| part.map_or_else(|| "unknown".to_owned(), |(name, says)| format!("{name}. {says}"));
        wrap(&mut out, &format!("  0x{:X}, phase: ", extend.value), &part(extend.phase));
        wrap(&mut out, &format!("  0x{:X}, operation: ", extend.value), &part(extend.operation));
    }
    if let Some(windows) = windows {
        let _ = write!(out, "\n{}", windows_says::block(windows, verbose));
    }
    wrap(&mut out, "  Made of: ", &made_of(explanation));
    wrap(&mut out, "  Also written: ", &codes::spellings(explanation.value).get(1..).unwrap_or_default().join(", "));
    let others = explanation.names.get(1..).unwrap_or_default();
    let shown = if verbose { others.len() } else { others.len().min(3) };
    for named in others.iter().take(shown) {
        let header = if verbose { format!(", {}", named.known.header) } else { String::new() };
        // The same number in another list is another thing, with a meaning of its own.
        let other = explanation.names.first().is_some_and(|first| first.known.value == named.known.value && first.known.kind != named.known.kind);
        let says = codes::meaning(named.known.value, named.known.kind).filter(|_| other).map(|meaning| format!(": {}", meaning.says));
        wrap(&mut out, "  Also: ", &format!("{} ({}{header}), {}{}", named.known.name, named.known.family, named.why, says.unwrap_or_default()));
    }
    if shown < others.len() {
        let _ = writeln!(out, "  And {} more names that are less likely (--verbose).", others.len() - shown);
    }
    if !explanation.nearest.is_empty() {
        let near = |known: &Known| format!("{} {}", hex(known.value), known.name);
        wrap(&mut out, "  Nearest in the same part of Windows: ", &explanation.nearest.iter().map(near).collect::<Vec<_>>().join(", "));
    }
    if guides.is_empty() {
        let _ = writeln!(out, "  Guides: none names this code yet.");
    } else {
        let _ = writeln!(out, "  Causes that hresolve can look for (hresolve diagnose {} TARGET):", ErrorCode(explanation.value).normal());
        for guide in guides {
            wrap(&mut out, &format!("    {}: ", guide.id), &guide.title);
        }
    }
    out
}

/// The parts of the number in a sentence.
fn made_of(explanation: &Explanation) -> String {
    let first = explanation.names.first().map(|named| named.known.kind);
    match first {
        Some(codes::Kind::Problem) => return "the problem code of a device, as Device Manager shows it".into(),
        Some(codes::Kind::Esent) => return "an error of the database engine ESE, which writes it as a negative number".into(),
        Some(codes::Kind::BugCheck) => return "the stop code of a blue screen".into(),
        Some(codes::Kind::Win32) if explanation.value <= 0xFFFF => {
            return format!("a plain Win32 error; as an HRESULT it is {}", hex(0x8007_0000 | explanation.value));
        }
        _ => {}
    }
    let Anatomy { failure, customer, facility, code, wraps, .. } = explanation.anatomy;
    if let Some(wraps) = wraps {
        return match wraps.kind {
            codes::Kind::Win32 => format!("a failure that passes on the Win32 error {}", wraps.value),
            _ => format!("a failure that passes on the NTSTATUS {}", hex(wraps.value)),
        };
    }
    let raised = match codes::facility(facility) {
        // A number that a program gave itself has no facility of Windows.
        _ if customer => "numbered by the program itself".to_owned(),
        Some((name, "")) => format!("facility {facility} ({name})"),
        Some((_, words)) => format!("facility {facility} ({words})"),
        None => format!("facility {facility}"),
    };
    let what = if failure { "a failure" } else { "no failure, a success or information" };
    format!("{what}, {raised}, number 0x{code:04X}")
}

/// The stage in words.
fn stage(word: &str) -> &str {
    match word {
        "scan" => "while Windows looks for updates",
        "download" => "while an update is downloaded",
        "install" => "while an update is installed",
        "servicing" => "while Windows changes its own components",
        "restart" => "at the restart that finishes an update",
        "upgrade" => "during the upgrade to another version of Windows",
        "driver" => "while a driver is installed",
        "device" => "when a device is started",
        "camera" => "in the Camera app",
        "media" => "when sound or video is played or recorded",
        "app" => "while an app is installed or updated",
        "activation" => "when Windows checks its licence",
        "installer" => "while a program is installed",
        "start" => "when a service or program is started",
        "network" => "on the way to a server",
        "storage" => "when a disk is read or written",
        "boot" => "while Windows starts",
        other => other,
    }
}
