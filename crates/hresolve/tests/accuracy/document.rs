//! The document that shows the scores.

use super::{Repair, Score, View};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HEAD: &str = "# Accuracy

How often the right cause is found, what else is found, and what a repair changes, on every practice machine. Measured by a test that diagnoses, repairs and
undoes each machine in memory and compares with this page, so that any change for the worse is seen.

What these numbers are not: practice machines are made by the same people as the guides, from what sources say of each fault. They show that guides do not get in each
other's way and that nothing is found on look-alikes. How often a cause is met in the world, no source says.

Made from the program; do not edit. `HRESOLVE_BLESS=1 cargo test -p hresolve --test generated` writes it anew.
";

fn share(part: usize, whole: usize) -> String {
    format!("{part} of {whole} ({:.1} %)", if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 })
}

fn mean(numbers: &[usize]) -> f64 {
    if numbers.is_empty() { 0.0 } else { numbers.iter().sum::<usize>() as f64 / numbers.len() as f64 }
}

/// The whole document.
pub(super) fn text(scores: &[Score]) -> String {
    let mut out = String::from(HEAD);
    totals(&mut out, scores);
    logs_only(&mut out, scores);
    guides(&mut out, scores);
    machines(&mut out, scores);
    out
}

fn totals(out: &mut String, scores: &[Score]) {
    let sick: Vec<&Score> = scores.iter().filter(|score| score.sick).collect();
    let healthy: Vec<&Score> = scores.iter().filter(|score| !score.sick).collect();
    let coded: Vec<&View> = sick.iter().filter_map(|score| score.coded.as_ref()).collect();
    let plain: Vec<&View> = sick.iter().map(|score| &score.plain).collect();
    let several = sick.iter().filter(|score| score.causes.len() > 1).count();
    out.push_str("\n## In short\n\n| | `diagnose` | `diagnose` with the code that the owner came with |\n|---|---|---|\n");
    let mut row = |what: &str, of: fn(&View) -> bool| {
        let count = |views: &[&View]| share(views.iter().filter(|view| of(view)).count(), views.len());
        writeln!(out, "| {what} | {} | {} |", count(&plain), count(&coded)).unwrap();
    };
    row("sick machines with the right cause first", |view| view.first);
    row("… among the first three", |view| view.in_first_three);
    row("… with every cause in the list", |view| view.missed.is_empty());
    row("… with a finding on what is not wrong", |view| !view.not_there.is_empty());
    let repairs: Vec<&&Score> = sick.iter().filter(|score| score.objects > 0).collect();
    let objects: Vec<usize> = repairs.iter().map(|score| score.objects).collect();
    let script: Vec<usize> = repairs.iter().map(|score| score.reset_script).collect();
    writeln!(
        out,
        "\n* {} machines: {} sick ones, {several} of them with several causes, and {} healthy ones, most of which look like a fault. Findings on healthy machines: {}; \
         changes made to them: {}.",
        scores.len(),
        sick.len(),
        healthy.len(),
        healthy.iter().map(|score| score.plain.not_there.len()).sum::<usize>(),
        healthy.iter().map(|score| score.objects).sum::<usize>()
    )
    .unwrap();
    let count = |wanted: &Repair| sick.iter().filter(|score| score.repair == *wanted).count();
    writeln!(
        out,
        "* Repairs: {} verified by a fresh diagnosis, {} in part (the rest is for a person or for the running Windows), {} by hand only. Undone exactly: {}.",
        count(&Repair::Verified),
        count(&Repair::InPart),
        count(&Repair::ByHand),
        share(repairs.iter().filter(|score| score.undone).count(), repairs.len())
    )
    .unwrap();
    writeln!(
        out,
        "* Objects changed by a repair: {:.1} on average, {} at most. A typical reset script changes at least {:.1} on the same machines.",
        mean(&objects),
        objects.iter().max().unwrap_or(&0),
        mean(&script)
    )
    .unwrap();
    out.push_str(
        "\n\"Right\" is a cause with its object as the machine's own file says. Where several causes stand together any of them may come first. An object is one value, key, \
         file or folder; a folder that is renamed counts as one, whatever is in it. A reset script is counted by the steps that published ones have in common, each only as far \
         as this machine has what it changes: SoftwareDistribution, catroot2 and pending.xml renamed; the job lists `qmgr*.dat` deleted; wuauserv, BITS, CryptSvc and TrustedInstaller \
         set to start by themselves, the security of two of them replaced; the proxy of services, all update policies and the client's identity deleted. Not counted, because practice \
         machines do not hold it: Winsock, addresses, some 36 registered libraries, and what DISM and sfc replace. It is counted, not run: whether it would help is not said.\n",
    );
}

fn logs_only(out: &mut String, scores: &[Score]) {
    let sick: Vec<&Score> = scores.iter().filter(|score| score.sick).collect();
    let telling: Vec<&&Score> = sick.iter().filter(|score| score.logs.failure).collect();
    let row = |what: &str, of: fn(&Score) -> bool| {
        let all = sick.iter().filter(|score| of(score)).count();
        format!("| {what} | {} | {} |\n", share(all, sick.len()), share(telling.iter().filter(|score| of(score)).count(), telling.len()))
    };
    out.push_str(
        "\n## Logs alone\n\nThe same machines, but only their logs were sent: no registry, no files of Windows. Most causes lie in the registry and leave no line in any log; then the honest \
         answer is that it cannot be said.\n\n| | all sick machines | those whose logs tell of a failure |\n|---|---|---|\n",
    );
    out.push_str(&row("right cause first", |score| score.logs.first));
    out.push_str(&row("only a possibility, called so", |score| score.logs.possible));
    out.push_str(&row("undetermined", |score| score.logs.undetermined));
    out.push_str(&row("a likely or proved finding on what is not wrong", |score| !score.logs.not_there.is_empty()));
    out.push_str(&row("called healthy", |score| score.logs.healthy));
    let healthy: Vec<&Score> = scores.iter().filter(|score| !score.sick).collect();
    let found: Vec<&str> = healthy.iter().filter(|score| !score.logs.not_there.is_empty()).map(|score| score.name.as_str()).collect();
    writeln!(
        out,
        "\nHealthy machines by their logs alone: {} looked at, something likely on {}: {}. Their logs tell of a failure and not of its end; that it was put right is seen in the \
         registry and the files, which were not sent. A finding counts as right here when its guide is right; the object is called as the log calls it.",
        healthy.len(),
        found.len(),
        found.join(", ")
    )
    .unwrap();
}

fn guides(out: &mut String, scores: &[Score]) {
    // Right first, among the first three, later, missed; by finding and view.
    let mut rows = BTreeMap::<&str, [usize; 5]>::new();
    for score in scores.iter().filter(|score| score.sick) {
        for cause in &score.causes {
            rows.entry(cause).or_default()[0] += 1;
        }
        for view in [Some(&score.plain), score.coded.as_ref()].into_iter().flatten() {
            for (cause, wrong_before) in &view.ranks {
                rows.entry(cause).or_default()[match wrong_before {
                    0 => 1,
                    1 | 2 => 2,
                    _ => 3,
                }] += 1;
            }
            for (cause, _) in &view.missed {
                rows.entry(cause).or_default()[4] += 1;
            }
        }
    }
    out.push_str(
        "\n## By guide\n\nFindings of all machines, with and without the code. \"Right first\": nothing wrong stands before it.\n\n| guide | machines | right first | one or two wrong ones before it | \
         more | missed |\n|---|---|---|---|---|---|\n",
    );
    for (guide, [machines, first, three, later, missed]) in rows {
        writeln!(out, "| `{guide}` | {machines} | {first} | {three} | {later} | {missed} |").unwrap();
    }
}

fn place(view: &View) -> &'static str {
    match (view.first, view.in_first_three, view.missed.is_empty()) {
        (_, _, false) => "missed",
        (true, ..) => "first",
        (_, true, _) => "in three",
        _ => "later",
    }
}

fn machines(out: &mut String, scores: &[Score]) {
    out.push_str(
        "\n## By machine\n\nWith several causes, \"first\" means that one of them is first and all are in the list.\n\n| machine | guides | alone | with its code | wrong findings | repair | undo | objects \
         changed | reset script | logs alone |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for score in scores.iter().filter(|score| score.sick) {
        let repair = match score.repair {
            Repair::Verified => "verified",
            Repair::InPart => "in part",
            Repair::ByHand => "by hand",
        };
        let logs = if score.logs.first {
            "first"
        } else if score.logs.undetermined {
            "undetermined"
        } else {
            "other"
        };
        let guides = score.causes.iter().map(|cause| format!("`{cause}`")).collect::<Vec<_>>().join(" ");
        writeln!(
            out,
            "| {} | {guides} | {} | {} | {} | {repair} | {} | {} | {} | {logs} |",
            score.name,
            place(&score.plain),
            score.coded.as_ref().map_or("–", place),
            score.plain.not_there.len() + score.coded.as_ref().map_or(0, |view| view.not_there.len()),
            if score.objects == 0 {
                "–"
            } else if score.undone {
                "exact"
            } else {
                "not exact"
            },
            score.objects,
            score.reset_script
        )
        .unwrap();
    }
    out.push_str("\n## Healthy machines\n\n| machine | findings | objects changed | findings by its logs alone |\n|---|---|---|---|\n");
    for score in scores.iter().filter(|score| !score.sick) {
        writeln!(out, "| {} | {} | {} | {} |", score.name, score.plain.not_there.len(), score.objects, score.logs.not_there.len()).unwrap();
    }
}
