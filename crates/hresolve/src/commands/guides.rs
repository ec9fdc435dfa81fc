//! `hresolve guides`: for contributors.

use crate::Outcome;
use crate::cli::{Global, GuidesCommand};
use crate::output::{self, Failure};
use diagnosis::{Guide, Lint};
use model::Diagnosis;
use session::{Expectation, Session, lab};
use std::path::{Path, PathBuf};

const TEMPLATE: &str = include_str!("guide-template.md");

pub(crate) fn run(command: GuidesCommand, global: &Global) -> Outcome {
    match command {
        GuidesCommand::List => list(global),
        GuidesCommand::New { id, folder } => new(&id, &folder),
        GuidesCommand::Lint { files } => lint(&files),
        GuidesCommand::Test => test(global),
        GuidesCommand::Facts => {
            for fact in evidence::declarations() {
                output::text(&format!("{} ({:?})\n    {}\n", fact.name, fact.kind, fact.meaning));
            }
            Ok(0)
        }
        GuidesCommand::Actions => {
            for action in repair::ALL {
                output::text(&format!("{}: {} (undo: {:?})\n", action.name, action.settings.join(", "), action.undo));
            }
            Ok(0)
        }
    }
}

fn list(global: &Global) -> Outcome {
    let guides = super::all_guides(global)?;
    if global.json {
        let list: Vec<serde_json::Value> = guides
            .iter()
            .map(|guide| {
                let codes: Vec<String> = guide.codes.iter().map(ToString::to_string).collect();
                serde_json::json!({ "id": guide.id, "title": guide.title, "codes": codes, "catalogue": guide.catalogue, "risk": guide.risk, "offline": guide.offline, "status": guide.status, "usual": guide.usual })
            })
            .collect();
        output::json_line(&serde_json::json!({ "schema": "hresolve/guides/1", "guides": list }));
    } else {
        for guide in &guides {
            let kind = if guide.usual.is_some() { "usual" } else { "cause" };
            output::text(&format!("{:<36} {kind}  {:<7} {}\n", guide.id, guide.status, guide.title));
        }
    }
    Ok(0)
}

fn new(id: &str, folder: &Path) -> Outcome {
    let Some((area, name)) = id.split_once('/').filter(|(area, name)| {
        [*area, *name].iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
    }) else {
        return Err(Failure::usage("Name area and id in lower case with dashes, for example services/update-service-tired."));
    };
    let file = folder.join(area).join(format!("{name}.md"));
    if file.exists() {
        return Err(Failure::usage(format!("{} is already there.", file.display())));
    }
    let written = std::fs::create_dir_all(folder.join(area)).and_then(|()| std::fs::write(&file, TEMPLATE.replace("ID", name)));
    written.map_err(|error| Failure::usage(format!("{} cannot be written: {error}.", file.display())))?;
    output::text(&format!(
        "Wrote {}. Next: a practice machine in machines/, then `hresolve guides lint {}` and `hresolve guides test`.\n",
        file.display(),
        file.display()
    ));
    Ok(0)
}

fn lint(files: &[PathBuf]) -> Outcome {
    let mut complaints: Vec<Lint> = Vec::new();
    let mut guides: Vec<Guide> = Vec::new();
    if files.is_empty() {
        guides = diagnosis::embedded();
    }
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{} cannot be read: {error}.", file.display())))?;
        match Guide::parse(&file.display().to_string(), &text) {
            Ok(guide) => guides.push(guide),
            Err(error) => complaints.push(Lint { file: error.file, what: format!("line {}: {}", error.line, error.what) }),
        }
    }
    let (facts, actions) = (evidence::declarations(), repair::names_and_settings());
    complaints.extend(guides.iter().flat_map(|guide| diagnosis::lint(guide, &facts, &actions)));
    for complaint in &complaints {
        output::text(&format!("{}: {}\n", complaint.file, complaint.what));
    }
    output::text(&format!("{} guides, {} complaints\n", guides.len(), complaints.len()));
    Ok(u8::from(!complaints.is_empty()))
}

/// Every machine is built, diagnosed and compared with its `expected.md`. As JSON with each diagnosis, so that what two builds of the program
/// say can be compared.
fn test(global: &Global) -> Outcome {
    let scratch = std::env::temp_dir().join(format!("hresolve-guides-test-{:08x}", session::now().unique));
    let mut answers: Vec<serde_json::Value> = Vec::new();
    let mut wrong = 0_usize;
    let machines = lab::machines();
    for machine in &machines {
        let (diagnosis, differences) = match tried(machine.name, &scratch) {
            Ok((diagnosis, differences)) => (Some(diagnosis), differences),
            Err(why) => (None, vec![format!("{}: {why}", machine.name)]),
        };
        wrong += usize::from(!differences.is_empty());
        if global.json {
            answers.push(serde_json::json!({ "machine": machine.name, "differences": differences, "diagnosis": diagnosis }));
            continue;
        }
        output::text(&format!("{:<34} {}\n", machine.name, if differences.is_empty() { "as expected" } else { "DIFFERENT" }));
        for difference in &differences {
            output::text(&format!("    {difference}\n"));
        }
    }
    let _ = std::fs::remove_dir_all(&scratch);
    if global.json {
        output::json_line(&serde_json::json!({ "schema": "hresolve/guides-test/1", "different": wrong, "machines": answers }));
    } else {
        output::text(&format!("{} machines, {wrong} different from what is expected\n", machines.len()));
    }
    Ok(u8::from(wrong > 0))
}

/// What is found on one machine, and how that differs from what is expected.
fn tried(name: &str, scratch: &Path) -> Result<(Diagnosis, Vec<String>), String> {
    let expectation = Expectation::parse(lab::expected(name).ok_or("expected.md is missing")?)?;
    let session = Session::open(&format!("lab:{name}"), scratch, None).map_err(|error| error.to_string())?;
    let diagnosis = session.diagnose(None).diagnosis;
    let differences = expectation.differences(&diagnosis);
    Ok((diagnosis, differences))
}
