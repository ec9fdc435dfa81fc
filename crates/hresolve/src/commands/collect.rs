//! `hresolve collect`: one bundle with the evidence and nothing else, to send to somebody who helps.

use super::{open, quoted};
use crate::Outcome;
use crate::cli::{Global, Words};
use crate::output::{self, Failure};
use crate::words;
use session::{Bundle, CollectedJson};
use std::io::Write;
use std::path::Path;

pub(crate) fn run(given: &Words, file: &Path, full: bool, yes: bool, global: &Global) -> Outcome {
    let meant = words::read(given)?;
    if let Some(word) = meant.code.map(|code| code.to_string()).or(meant.run) {
        return Err(Failure::usage(format!("{word}: evidence is collected of a whole machine; name only that.")));
    }
    if file.symlink_metadata().is_ok() && !yes {
        let says = format!("{} exists already and was not changed. Name another file, or add --yes to replace it.", file.display());
        return Err(Failure { exit: 5, says });
    }
    let session = open(meant.target.as_deref(), global)?;
    let bundle = session.collect(full);
    let failed = |error: std::io::Error| Failure::usage(format!("{} cannot be written: {error}.", file.display()));
    let bytes = bundle.zip().map_err(failed)?;
    write(file, &bytes).map_err(failed)?;
    let answer = CollectedJson {
        schema: "hresolve/collected/1".into(),
        file: file.display().to_string(),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        items: bundle.parts.len(),
        redacted: bundle.index.redacted,
        redactions: bundle.index.redactions.clone(),
        left_out: bundle.index.left_out.clone(),
    };
    if global.json {
        output::json_line(&answer);
    } else {
        output::text(&says(&answer, &bundle, global));
    }
    Ok(0)
}

/// Writes the file beside its place first, so that there is never half a bundle.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = file.file_name().ok_or_else(|| std::io::Error::other("it has no name"))?;
    let beside = file.with_file_name(format!("{}.{:08x}.partial", name.to_string_lossy(), session::now().unique));
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)
        .and_then(|mut out| out.write_all(bytes).and_then(|()| out.sync_all()))
        .and_then(|()| std::fs::rename(&beside, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn says(answer: &CollectedJson, bundle: &Bundle, global: &Global) -> String {
    let mut out = format!("{}: {} files, {} KB. The machine was only read.\n\n", answer.file, answer.items, answer.size.div_ceil(1024));
    let registry = bundle.parts.keys().filter(|name| name.starts_with("registry/")).count();
    let files = answer.items.saturating_sub(registry + 1);
    out.push_str(&format!(
        "In it: collect.json (what was asked of this Windows and what it answered: names, sizes and dates of files, checksums), {registry} texts\n\
         with the registry keys that were asked for, and {files} files of Windows, logs among them.\n\n"
    ));
    if answer.redacted {
        let kinds: Vec<String> = answer.redactions.iter().map(|(kind, count)| format!("{count} {}", named(kind))).collect();
        let counted = if kinds.is_empty() { "Nothing had to be replaced".to_owned() } else { format!("Replaced: {}", kinds.join(", ")) };
        out.push_str(&format!("{counted}. The same name has the same stand-in everywhere.\n"));
        let logs = bundle.parts.keys().filter(|name| name.ends_with(".ndjson")).count();
        if logs > 0 {
            out.push_str(&format!("Of {logs} event logs the events that a diagnosis looks at are in it, as text; the logs themselves are not.\n"));
        }
    } else {
        out.push_str("Nothing was replaced (--full): names of people and computers, addresses and numbers of this Windows are in it.\n");
    }
    out.push_str("Never in it: passwords, the registry hives SAM and SECURITY, people's own hives and files, the event log Security.\n");
    if !answer.left_out.is_empty() {
        if global.verbose {
            out.push_str("\nLeft out:\n");
            out.extend(answer.left_out.iter().map(|one| format!("  {}: {}\n", one.what, one.why)));
        } else {
            out.push_str(&format!("Left out: {} files; --verbose and collect.json say which and why.\n", answer.left_out.len()));
        }
    }
    out.push_str(&format!(
        "\nLook through it before you send it: no program knows every name. It is a zip archive of texts.\nTo see what it shows: hresolve diagnose {}\n",
        quoted(&answer.file)
    ));
    out
}

/// What the kinds of the index are called.
fn named(kind: &str) -> &str {
    match kind {
        "address" => "network addresses",
        "binary" => "places in binary values",
        "computer" => "names of this computer",
        "domain" => "names of domains and organisations",
        "id" => "numbers of this Windows",
        "mac" => "hardware addresses",
        "mail" => "mail addresses",
        "place" => "places on the computer that collected",
        "sid" => "account numbers",
        "user" => "names of people",
        other => other,
    }
}
