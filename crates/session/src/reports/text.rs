//! Reports for a terminal: plain sentences, no colour needed to understand them.

use crate::diagnose::Diagnosed;
use crate::reports::{next_check, state_words, timeline};
use crate::run_report::{RunReport, RunVerdict, UndoJson};
use crate::runs::RunSummary;
use crate::targets::TargetsJson;
use model::{Confidence, Level, NotChecked, Verdict};
use std::fmt::Write;

/// Columns after which sentences are wrapped.
const WIDTH: usize = 100;

/// A diagnosis. `verbose` adds where everything was read and what it took.
pub fn diagnosis(diagnosed: &Diagnosed, verbose: bool) -> String {
    let diagnosis = &diagnosed.diagnosis;
    let mut out = String::new();
    if let Some(windows) = &diagnosis.target.windows {
        line(&mut out, &format!("{windows} in {}", diagnosis.target.path));
    }
    for note in &diagnosed.notes {
        wrap(&mut out, "note: ", note);
    }
    out.push('\n');
    for failure in diagnosis.failures.iter().filter(|failure| !failure.resolved) {
        let times = if failure.count == 1 { "once".into() } else { format!("{} times", failure.count) };
        let kind = if failure.transient { ", which passes by itself" } else { "" };
        wrap(
            &mut out,
            "failed: ",
            &format!("{} with {} ({}, {times}, last on {}{kind})", failure.subject, failure.code, failure.phase, failure.last.replace('T', " ")),
        );
        if verbose {
            wrap(&mut out, "        ", &format!("{}, {}", failure.source, failure.at));
        }
    }
    let explaining = diagnosed.asked.is_some();
    for (number, found) in (1..).zip(&diagnosed.found) {
        let finding = &found.finding;
        out.push('\n');
        wrap(&mut out, &format!("{number}. "), &format!("{}: {}", finding.object, finding.title));
        let mut tags = vec![finding.confidence.as_str().to_owned()];
        if finding.explains.is_empty() && explaining {
            let code = diagnosed.asked.map(|code| code.to_string()).unwrap_or_default();
            tags.push(if found.bears { format!("belongs to the steps for {code}") } else { format!("wrong, not shown to cause {code}") });
        } else if !finding.explains.is_empty() {
            let codes: Vec<String> = finding.explains.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
            tags.push(format!("explains {}", codes.join(", ")));
        }
        tags.push(format!("guide {}", finding.cause));
        line(&mut out, &format!("   {}", tags.join(" · ")));
        for evidence in &finding.evidence {
            wrap(&mut out, if evidence.supports { "   + " } else { "   - " }, &evidence.says);
            if verbose {
                wrap(&mut out, "     ", &format!("{} – {}", evidence.source, evidence.at));
            }
        }
        for step in &finding.steps {
            let who = match step.level {
                Level::Auto => "safe",
                Level::Ask => "asks first",
                Level::Show => "for you",
            };
            wrap(&mut out, "   > ", &format!("{} ({who})", step.says));
        }
    }
    if let Some(check) = &diagnosis.next_check {
        out.push('\n');
        wrap(&mut out, "look at next: ", &next_check(check));
    }
    if !diagnosis.not_checked.is_empty() {
        out.push('\n');
        not_checked(&mut out, &diagnosis.not_checked, verbose);
    }
    out.push_str(&timeline::of(diagnosis, verbose));
    if verbose {
        wrap(&mut out, "not part of this version: ", &diagnosis.out_of_scope.join("; "));
        let t = diagnosis.timing_ms;
        line(&mut out, &format!("opened in {} ms, read in {} ms, diagnosed in {} ms", t.open, t.read, t.diagnose));
    }
    out.push('\n');
    wrap(&mut out, "", &conclusion(diagnosed));
    out
}

/// Each with its reason; what many have in common is said once, with short names, unless everything is wanted.
fn not_checked(out: &mut String, items: &[NotChecked], whole: bool) {
    const MANY: usize = 4;
    let mut said: Vec<&str> = Vec::new();
    for item in items {
        let same: Vec<&NotChecked> = items.iter().filter(|other| other.why == item.why).collect();
        if whole || same.len() < MANY {
            wrap(out, "not checked: ", &format!("{} – {}", item.what, item.why));
        } else if !said.contains(&item.why.as_str()) {
            said.push(&item.why);
            let mut names: Vec<&str> = same.iter().map(|one| short(&one.what)).collect();
            names.dedup();
            wrap(out, "not checked: ", &format!("{} ({}; whole names with --verbose)", names.join(", "), item.why));
        }
    }
}

/// The last part of the path that a text ends with, or the text.
fn short(what: &str) -> &str {
    what.trim_end_matches(')').rsplit('\\').next().unwrap_or(what)
}

fn conclusion(diagnosed: &Diagnosed) -> String {
    let found = diagnosed.found.len();
    let proved = diagnosed.found.iter().filter(|found| found.finding.confidence == Confidence::Proved).count();
    let out_of_scope = "What this version does not look at is listed with --verbose.";
    match diagnosed.diagnosis.verdict {
        Verdict::Healthy => format!("Nothing wrong was found in what was checked. {out_of_scope}"),
        Verdict::Faulty => format!("{found} finding{}, {proved} of them proved.", if found == 1 { "" } else { "s" }),
        Verdict::Undetermined => {
            let asked = diagnosed.asked.map(|code| format!(" for {code}")).unwrap_or_default();
            format!("No cause{asked} was found in what was checked; that does not mean that nothing is wrong. {out_of_scope}")
        }
    }
}

/// A run.
pub fn run(report: &RunReport, target: &str) -> String {
    let mut out = String::new();
    for run in &report.recovered {
        wrap(&mut out, "", &format!("Run {run} had been interrupted; everything it had begun was brought back first."));
    }
    for note in &report.notes {
        wrap(&mut out, "note: ", note);
    }
    for reason in &report.why_not {
        wrap(&mut out, "refused: ", &reason.explain());
    }
    let mut about = ("", "");
    for step in &report.steps {
        if (step.cause.as_str(), step.object.as_str()) != about || step.object.is_empty() {
            about = (&step.cause, &step.object);
            out.push('\n');
            let object = if step.object.is_empty() { String::new() } else { format!("{} – ", step.object) };
            wrap(&mut out, "", &format!("{object}{}", step.cause));
        }
        wrap(&mut out, "   ", &format!("{} – {}", step.says, state_words(step)));
        if !step.before.is_empty() || !step.after.is_empty() {
            wrap(&mut out, "     before: ", &step.before);
            wrap(&mut out, "     after:  ", &step.after);
        }
        if !step.read_back.is_empty() && step.read_back != step.after {
            wrap(&mut out, "     ", &step.read_back);
        }
    }
    if !report.verified.is_empty() {
        out.push('\n');
        for verified in &report.verified {
            wrap(&mut out, if verified.right { "checked: " } else { "still wrong: " }, &verified.says);
        }
    }
    for left in &report.not_needed {
        wrap(&mut out, "left alone: ", left);
    }
    not_checked(&mut out, &report.not_checked, true);
    out.push('\n');
    wrap(&mut out, "", &verdict_words(report));
    next_steps(&mut out, report, target);
    out
}

fn verdict_words(report: &RunReport) -> String {
    match report.verdict {
        RunVerdict::Healthy => "Nothing wrong was found in what was checked, and nothing was changed.".into(),
        RunVerdict::Planned => "This is what would be done. Nothing was changed.".into(),
        RunVerdict::Repaired => "Repaired: a fresh diagnosis no longer has these findings. Start Windows and try again what failed.".into(),
        RunVerdict::Fixed if tried_again(report, "done") => "Fixed: the update that had failed is installed.".into(),
        RunVerdict::Fixed => "Fixed: you said that it works now.".into(),
        RunVerdict::Waiting if tried_again(report, "done") => "Repaired, and the update is installed but for a restart, which finishes it.".into(),
        RunVerdict::Waiting if report.restart_needed => "What could be done before a restart is done.".into(),
        RunVerdict::Waiting => "What could be done here is done; the rest waits for the running Windows.".into(),
        RunVerdict::NotRepaired if tried_again(report, "failed") => {
            "The update still fails, with the code above. What was repaired stays repaired; something else is wrong as well.".into()
        }
        RunVerdict::NotRepaired if report.steps.iter().any(|step| step.state == "consent-needed") => "Nothing is done without your consent.".into(),
        RunVerdict::NotRepaired if report.verified.iter().any(|verified| verified.right) => {
            "Partly repaired: what was checked above is right again, the rest is as it was.".into()
        }
        RunVerdict::NotRepaired => "Not repaired.".into(),
        RunVerdict::Undetermined if report.run.is_some() => "Done as far as possible here. Start Windows and try again what failed.".into(),
        RunVerdict::Undetermined => "No proved cause for this was found, so nothing was changed.".into(),
        RunVerdict::Refused => "Refused; nothing was changed.".into(),
        RunVerdict::UndoFailed => "A step failed and could not be taken back completely. What is left is named above.".into(),
    }
}

/// Whether trying the update again ended so.
fn tried_again(report: &RunReport, state: &str) -> bool {
    report.steps.iter().rev().find(|step| step.cause == crate::retry::TRY_AGAIN).is_some_and(|step| step.state == state)
}

fn next_steps(out: &mut String, report: &RunReport, target: &str) {
    if let Some(run) = &report.run {
        line(out, &format!("Run {run}. To take it back: hresolve undo {target}"));
        if matches!(report.verdict, RunVerdict::Repaired | RunVerdict::Undetermined | RunVerdict::NotRepaired) && !report.next.is_empty() {
            line(out, &format!("Tried again? hresolve continue --worked {target}   or   hresolve continue --still-broken {target}"));
        }
    }
    if report.next.is_empty() || matches!(report.verdict, RunVerdict::Fixed | RunVerdict::Planned) {
        return;
    }
    out.push('\n');
    line(out, "Usual advice, no evidence here, in this order if it is still broken:");
    for rung in &report.next {
        wrap(out, "   ", &format!("{} – costs: {}", rung.title, rung.cost));
        let restart = if rung.restart { " --restart" } else { "" };
        line(out, &format!("     hresolve fix {target} --yes{restart} --only {}", rung.cause));
    }
}

/// An undo.
pub fn undo(undo: &UndoJson) -> String {
    let mut out = String::new();
    for step in &undo.steps {
        let says = match step.state.as_str() {
            "undone" => format!("{} {}", step.object, step.says),
            "kept" => format!("{} {}", step.object, step.says),
            "already" => format!("{} {} – nothing to do", step.object, step.says),
            _ => format!("{} was left alone: {}", step.object, step.says),
        };
        wrap(&mut out, if step.state == "conflict" { "conflict: " } else { "" }, &says);
    }
    for conflict in &undo.conflicts {
        wrap(&mut out, "by hand: ", conflict);
    }
    let words = match undo.verdict.as_str() {
        "undone" => format!("Run {} is undone.", undo.run),
        "nothing-to-undo" => format!("Run {} leaves nothing to undo; nothing was changed.", undo.run),
        _ => format!("Run {} is undone except for what is named above, which somebody else has changed since.", undo.run),
    };
    wrap(&mut out, "", &words);
    out
}

/// The list of kept runs.
pub fn runs(runs: &[RunSummary], folder: &str) -> String {
    if runs.is_empty() {
        return format!("No runs are kept in {folder}.\n");
    }
    let mut out = String::new();
    for run in runs {
        let asked = run.asked.as_deref().unwrap_or("no code");
        line(&mut out, &format!("{}  {:<22} {:>3} changes  {:>10}  {asked}", run.run, run.state, run.changes, size(run.size)));
    }
    out
}

/// Every Windows on the disks of this computer, what stands against using it, and what to type.
pub fn targets(all: &TargetsJson) -> String {
    let mut out = String::new();
    for one in &all.targets {
        match &one.windows {
            Some(windows) => line(&mut out, &format!("{}: {windows}", one.path)),
            None => line(&mut out, &one.path),
        }
        if one.usable && !one.why_not.is_empty() {
            line(&mut out, "   it can be looked at, and not repaired now:");
        }
        one.why_not.iter().for_each(|why| wrap(&mut out, "   - ", &why.says));
        // To be copied, so never wrapped.
        one.how.iter().for_each(|typed| line(&mut out, &format!("   > {typed}")));
        out.push('\n');
    }
    all.notes.iter().for_each(|note| wrap(&mut out, "note: ", note));
    match all.targets.iter().filter(|one| one.usable).count() {
        0 => line(&mut out, "No Windows that can be used now was found on this computer."),
        1 => line(&mut out, "1 Windows can be used now."),
        count => line(&mut out, &format!("{count} Windows can be used now.")),
    }
    out
}

fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} KB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// Writes a sentence after a prefix, wrapped; further lines are indented by the prefix's width.
pub fn wrap(out: &mut String, prefix: &str, text: &str) {
    let indent = " ".repeat(prefix.chars().count());
    let mut column = prefix.chars().count();
    out.push_str(prefix);
    let mut first = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !first && column + 1 + length > WIDTH {
            let _ = write!(out, "\n{indent}");
            column = indent.len();
        } else if !first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
        first = false;
    }
    out.push('\n');
}
