//! Reports as Markdown, for files that are kept or sent.

use crate::reports::{next_check, state_words};
use crate::run_report::{RunReport, RunVerdict};
use model::Diagnosis;
use std::fmt::Write;

/// Text from a machine must not become Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|') {
            out.push('\\');
        }
        out.push(if character.is_control() { ' ' } else { character });
    }
    out
}

/// A diagnosis.
pub fn diagnosis(diagnosis: &Diagnosis) -> String {
    let mut out = String::from("# Diagnosis\n\n");
    heading(&mut out, diagnosis);
    findings(&mut out, diagnosis);
    out
}

fn heading(out: &mut String, diagnosis: &Diagnosis) {
    let windows = diagnosis.target.windows.as_ref().map_or_else(|| "unknown Windows".to_owned(), ToString::to_string);
    let _ = writeln!(out, "* Machine: {} in {}", escape(&windows), escape(&diagnosis.target.path));
    if let Some(asked) = &diagnosis.asked {
        let _ = writeln!(out, "* Asked about: {asked}");
    }
    for failure in &diagnosis.failures {
        let state = if failure.resolved { "succeeded later" } else { "not resolved" };
        let _ = writeln!(
            out,
            "* Failed: {} with {} ({}, {} times, last {}; {state}) – {}, {}",
            escape(&failure.subject),
            failure.code,
            failure.phase,
            failure.count,
            failure.last,
            escape(&failure.source),
            failure.at
        );
    }
}

fn findings(out: &mut String, diagnosis: &Diagnosis) {
    out.push_str("\n## What was found\n\n");
    if diagnosis.findings.is_empty() {
        out.push_str("Nothing wrong in what was checked.\n");
    }
    for finding in &diagnosis.findings {
        let _ = writeln!(
            out,
            "### {}\n\n{} ({}, guide `{}`)\n",
            escape(&finding.object),
            escape(&finding.title),
            finding.confidence.as_str(),
            finding.cause
        );
        for evidence in &finding.evidence {
            let side = if evidence.supports { "for" } else { "against" };
            let _ = writeln!(out, "* {side}: {} – {}, {}", escape(&evidence.says), escape(&evidence.source), escape(&evidence.at));
        }
        for step in &finding.steps {
            let _ = writeln!(out, "* step ({}): {}", step.level.as_str(), escape(&step.says));
        }
        out.push('\n');
    }
    if let Some(check) = &diagnosis.next_check {
        let _ = writeln!(out, "## What to look at next\n\n{}\n", escape(&next_check(check)));
    }
    if !diagnosis.not_checked.is_empty() {
        out.push_str("## What was not checked\n\n");
        for item in &diagnosis.not_checked {
            let _ = writeln!(out, "* {}: {}", escape(&item.what), escape(&item.why));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "Not part of this version: {}.", diagnosis.out_of_scope.join("; "));
}

/// A run, with the diagnosis that it began with when that is at hand.
pub fn run(diagnosis: Option<&Diagnosis>, report: &RunReport) -> String {
    let mut out = String::from("# Repair\n\n");
    if let Some(run) = &report.run {
        let _ = writeln!(out, "* Run: {run}");
    }
    let _ = writeln!(out, "* Result: **{}**", report.verdict.as_str());
    if let Some(diagnosis) = diagnosis {
        heading(&mut out, diagnosis);
    }
    for note in &report.notes {
        let _ = writeln!(out, "{}\n", escape(note));
    }
    for reason in &report.why_not {
        let _ = writeln!(out, "* Refused: {}", escape(&reason.explain()));
    }
    out.push_str("\n## What was tried\n\n");
    if report.steps.is_empty() {
        out.push_str("Nothing.\n");
    }
    for step in &report.steps {
        let _ = writeln!(out, "1. {} – **{}** (`{}`)", escape(&step.says), state_words(step), step.cause);
        if !step.before.is_empty() || !step.after.is_empty() {
            let _ = writeln!(out, "   * before: {}\n   * after: {}", escape(&step.before), escape(&step.after));
        }
        if !step.read_back.is_empty() && step.read_back != step.after {
            let _ = writeln!(out, "   * {}", escape(&step.read_back));
        }
    }
    if !report.verified.is_empty() {
        out.push_str("\n## What was asked again\n\n");
        for verified in &report.verified {
            let _ = writeln!(out, "* {}: {}", if verified.right { "right" } else { "still wrong" }, escape(&verified.says));
        }
    }
    if !report.not_checked.is_empty() {
        out.push_str("\n## What could not be checked\n\n");
        for item in &report.not_checked {
            let _ = writeln!(out, "* {}: {}", escape(&item.what), escape(&item.why));
        }
    }
    if !report.not_needed.is_empty() {
        out.push_str("\n## What was left alone\n\n");
        for left in &report.not_needed {
            let _ = writeln!(out, "* {}", escape(left));
        }
    }
    if !report.next.is_empty() && report.verdict != RunVerdict::Fixed {
        out.push_str("\n## Usual advice that remains (no evidence here)\n\n");
        for rung in &report.next {
            let _ = writeln!(out, "1. {} – costs: {} (`--only {}`)", escape(&rung.title), escape(&rung.cost), rung.cause);
        }
    }
    if let Some(diagnosis) = diagnosis {
        findings(&mut out, diagnosis);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn text_from_a_machine_stays_text() {
        assert_eq!(escape("<script>[x](y)\n# h"), "\\<script\\>\\[x\\](y) \\# h");
    }
}
