//! `hresolve demo`: the ordinary diagnose, fix, diagnose on a practice machine in a kept temporary folder.

use super::diagnose::exit_code;
use super::quoted;
use crate::Outcome;
use crate::cli::Global;
use crate::output::{self, Failure};
use crate::terminal::Person;
use model::ErrorCode;
use session::{Diagnosed, FixRequest, RunReport, RunVerdict, Session, lab};
use std::path::Path;

/// Which machine shows a code best; other codes get the machine with the fewest faults.
const BEST: [(&str, &str); 1] = [("0x80070002", "wu10man-prefix-10")];
const USUAL_CODE: &str = "0x80070002";

pub(crate) fn run(code: Option<&str>, random: bool, global: &Global) -> Outcome {
    let code: ErrorCode = code.unwrap_or(USUAL_CODE).parse().map_err(Failure::usage)?;
    let folder = std::env::temp_dir().join(format!("hresolve-demo-{:08x}", session::now().unique));
    let drawn = if random { draw(&folder)? } else { vec![build(code, &folder)?] };
    let asked = (!random).then_some(code);
    let target = folder.display().to_string();
    let say = |text: &str| {
        if !global.json {
            output::text(text);
        }
    };
    say(&format!(
        "A practice machine was built in {target}\n\n== hresolve diagnose {}{}\n",
        asked.map(|code| format!("{code} ")).unwrap_or_default(),
        quoted(&target)
    ));
    let mut session = Session::open(&target, &folder, global.state_dir.as_deref())?;
    let before = session.diagnose(asked);
    say(&session::reports::text::diagnosis(&before, global.verbose));
    if random {
        say(&format!("\nThe faults that had been put in: {}\n", if drawn.is_empty() { "none".into() } else { drawn.join(", ") }));
    }
    say(&format!("\n== hresolve fix {}--yes {}\n", asked.map(|code| format!("{code} ")).unwrap_or_default(), quoted(&target)));
    let report = session.fix(&FixRequest { asked, yes: true, ..FixRequest::default() }, &mut Person::agreeing(), session::now())?;
    say(&session::reports::text::run(&report, &quoted(&target)));
    say(&format!("\n== hresolve diagnose {}\n", quoted(&target)));
    let after = session.diagnose(None);
    say(&session::reports::text::diagnosis(&after, false));
    let guide = before.found.first().map_or("0x80070002", |found| found.finding.cause.as_str());
    say(&format!(
        "\nThe machine stays in {target}\nTake the repair back:  hresolve undo {}\nRead the guide:        hresolve guide {guide}\n\
         This is an invented machine; how to try real data is in docs/try-real-data.md\n",
        quoted(&target)
    ));
    if global.json {
        output::json_line(&serde_json::json!({
            "schema": "hresolve/demo/1", "folder": target, "faults": drawn, "before": before.diagnosis, "run": report, "after": after.diagnosis
        }));
    }
    Ok(verdict(&report, &after))
}

/// A demo ends well when the machine was repaired, or was healthy from the start.
fn verdict(report: &RunReport, after: &Diagnosed) -> u8 {
    match report.verdict {
        RunVerdict::Repaired | RunVerdict::Healthy if after.found.is_empty() => 0,
        RunVerdict::Repaired | RunVerdict::Healthy => exit_code(after),
        other => other.exit_code(),
    }
}

fn lab_failure(error: &impl ToString) -> Failure {
    Failure { exit: 3, says: format!("The practice machine could not be built: {}", error.to_string()) }
}

/// The machine for a code.
fn build(code: ErrorCode, folder: &Path) -> Result<String, Failure> {
    let machines = lab::machines();
    let fits = |machine: &&lab::MachineInfo| machine.sick && machine.code.parse::<ErrorCode>().is_ok_and(|its| its.normal() == code.normal());
    let best = BEST.iter().find(|(its, _)| its.parse::<ErrorCode>().is_ok_and(|its| its == code)).map(|(_, name)| *name);
    let mut fitting: Vec<&lab::MachineInfo> = machines.iter().filter(fits).collect();
    fitting.sort_by_key(|machine| (Some(machine.name) != best, lab::expected(machine.name).map_or(0, |text| text.matches("- cause:").count())));
    let Some(machine) = fitting.first() else {
        let mut known: Vec<&str> = machines.iter().filter(|machine| machine.sick && !machine.code.is_empty()).map(|machine| machine.code).collect();
        known.sort_unstable();
        known.dedup();
        return Err(Failure::usage(format!("There is no practice machine for {code} yet. There are machines for {}.", known.join(", "))));
    };
    lab::build(machine.name, folder).map_err(|error| lab_failure(&error))?;
    Ok(machine.name.to_owned())
}

/// A Windows with fewer faults than this to draw from would show the same ones again and again.
const ENOUGH_TO_DRAW_FROM: usize = 10;

/// One to three faults by chance, on a Windows by chance.
fn draw(folder: &Path) -> Result<Vec<String>, Failure> {
    let machines = lab::machines();
    let mut chance = Chance(u64::from(session::now().unique) << 32 | u64::from(session::now().unique));
    let bases: Vec<&str> = machines
        .iter()
        .filter(|machine| machine.base.is_none())
        .filter(|machine| machines.iter().filter(|other| other.sick && other.base == Some(machine.name)).count() >= ENOUGH_TO_DRAW_FROM)
        .map(|machine| machine.name)
        .collect();
    let base = bases.get(chance.below(bases.len())).copied().unwrap_or("healthy-10-22h2");
    let sick: Vec<&str> = machines.iter().filter(|machine| machine.sick && machine.base == Some(base)).map(|machine| machine.name).collect();
    let wanted = 1 + chance.below(3);
    let mut drawn: Vec<&str> = Vec::new();
    for _ in 0..20 {
        let Some(next) = sick.get(chance.below(sick.len())) else { break };
        let mut with: Vec<&str> = drawn.clone();
        with.push(next);
        if drawn.len() < wanted && !drawn.contains(next) && lab::can_combine(base, &with) {
            drawn = with;
        }
    }
    lab::build_combined(base, &drawn, folder).map_err(|error| lab_failure(&error))?;
    Ok(drawn.into_iter().map(str::to_owned).collect())
}

/// A small generator of chance (xorshift64*, Vigna 2016); picks practice faults, nothing else.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 |= 1;
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}
