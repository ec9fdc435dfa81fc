//! Talking with a person at a terminal; without one nobody is ever asked.

use crate::output;
use model::{Finding, StepView};
use session::Ui;
use std::io::{BufRead, IsTerminal, Write};

/// The person at the terminal, if there is one.
pub(crate) struct Person {
    here: bool,
    quiet: bool,
    /// Is told how far things are wherever that is written to.
    told: bool,
    /// Says yes to everything: the demo, on a machine of its own making.
    agrees: bool,
}

impl Person {
    /// Whoever sits at standard input and standard error; nobody with `--json`.
    pub(crate) fn at_terminal(quiet: bool, json: bool) -> Self {
        Person { here: !json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal(), quiet: quiet || json, told: false, agrees: false }
    }

    /// With `--verbose` progress is written into files and pipes as well; it goes to standard error, never into an answer.
    pub(crate) fn telling(mut self, verbose: bool) -> Self {
        self.told = verbose;
        self
    }

    /// Somebody who agrees to every step: only for practice machines.
    pub(crate) fn agreeing() -> Self {
        Person { here: false, quiet: true, told: false, agrees: true }
    }

    /// True when somebody can be asked.
    pub(crate) fn is_here(&self) -> bool {
        self.here
    }

    /// Asks a question with an answer in one line; empty when nobody answers.
    pub(crate) fn ask(&self, question: &str) -> String {
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "{question} ");
        let _ = out.flush();
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        answer.trim().to_lowercase()
    }

    /// Asks until the answer is yes or no. The end of input answers no.
    fn agrees_to(&self, question: &str) -> bool {
        loop {
            match self.ask(&format!("{question} [y]es / [n]o:")).as_str() {
                "y" | "yes" => return true,
                "n" | "no" | "" => return false,
                _ => {}
            }
        }
    }
}

impl Ui for Person {
    fn consent(&mut self, finding: &Finding, steps: &[StepView]) -> Option<bool> {
        if self.agrees {
            return Some(true);
        }
        if !self.here {
            return None;
        }
        output::note("");
        output::note(&format!("{}: {}", finding.object, finding.title));
        for step in steps {
            output::note(&format!("  {}", step.says));
        }
        Some(self.agrees_to("Do this?"))
    }

    fn time_zone(&mut self, zones: &[session::TimeZone]) -> Option<String> {
        if !self.here || zones.is_empty() {
            return None;
        }
        output::note(&crate::commands::time_zone::numbered(zones));
        loop {
            match self.ask("Which time zone does this computer stand in? Its number, or nothing to leave it:").as_str() {
                // The end of input answers nothing.
                "" => return None,
                answer => match answer.parse::<usize>().ok().and_then(|number| zones.get(number.checked_sub(1)?)) {
                    Some(zone) => return Some(zone.id.clone()),
                    None => output::note(&format!("Type a number from 1 to {}.", zones.len())),
                },
            }
        }
    }

    fn without_restore_point(&mut self, says: &str) -> Option<bool> {
        if !self.here {
            return None;
        }
        output::note(says);
        Some(self.agrees_to("Go on without one? hresolve's own undo does not need it."))
    }

    fn try_again(&mut self, says: &str) -> Option<bool> {
        if !self.here {
            return None;
        }
        output::note("");
        output::note(says);
        Some(self.agrees_to("Try it now?"))
    }

    fn may_ask(&mut self, hosts: &[String]) -> Option<bool> {
        if !self.here {
            return None;
        }
        output::note(&format!(
            "To see whether this computer's clock is right, these would be asked what time it is, and told nothing else:\n  {}",
            hosts.join("\n  ")
        ));
        Some(self.agrees_to("Ask them?"))
    }

    fn time(&mut self, clock: &str) -> Option<String> {
        if !self.here {
            return None;
        }
        output::note(&format!("This computer's clock says {clock}. Nobody could be asked whether that is right."));
        let answer = self.ask("What time is it now? As 2026-11-23 14:05, or nothing to leave the clock as it is:");
        // The end of input answers nothing.
        (!answer.is_empty()).then_some(answer)
    }

    fn progress(&mut self, says: &str) {
        if self.told || (!self.quiet && std::io::stderr().is_terminal()) {
            output::note(&format!("… {says}"));
        }
    }
}
