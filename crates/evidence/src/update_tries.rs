//! What it came to that Windows Update tried to install one update: what it proves, and in which words it is told.

use crate::code_names::code;
use crate::failures::same_update;
use model::{Failure, UpdateName, UpdateRecord, UpdateTry};

/// What trying again shows about a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// What had failed works.
    Works,
    /// It works after a restart, as far as can be told now.
    AfterRestart,
    /// It fails still.
    Fails,
    /// Nothing: it was not tried, or its end is not known.
    Nothing,
}

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryState {
    /// To its end, and well.
    Done,
    /// It was begun, and failed or its end is not known.
    Failed,
    /// Nothing was downloaded and nothing installed.
    Skipped,
}

impl TryState {
    /// The word in journals.
    pub fn outcome(self) -> &'static str {
        match self {
            TryState::Done => "done",
            TryState::Failed => "not-done",
            TryState::Skipped => "not-run",
        }
    }

    /// The word in reports.
    pub fn step(self) -> &'static str {
        match self {
            TryState::Done => "done",
            TryState::Failed => "failed",
            TryState::Skipped => "skipped",
        }
    }
}

/// A try, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryResult {
    /// What it shows.
    pub proof: Proof,
    /// How far it went.
    pub state: TryState,
    /// The same in sentences, without the last full stop.
    pub says: String,
}

/// Judges what became of it; `update` is how it was asked for.
pub fn judge_update(update: &UpdateName, tried: &UpdateTry) -> TryResult {
    let result = |proof, state, says: String| TryResult { proof, state, says };
    let nothing = |says: String| result(Proof::Nothing, TryState::Skipped, says);
    match tried {
        UpdateTry::NotOffered { incomplete } => {
            let unsure =
                incomplete.map(|why| format!("; Windows Update says that its search was not complete ({}), so this is not certain", code(why)));
            nothing(format!(
                "Windows Update offers no {update} to this computer, and none is installed: it may be superseded, withdrawn or not approved. Nothing was installed{}",
                unsure.unwrap_or_default()
            ))
        }
        UpdateTry::AlreadyInstalled { title } => nothing(format!("Windows Update says that {title} is installed, so there was nothing to install")),
        UpdateTry::Hidden { title } => nothing(format!("{title} is hidden: somebody does not want it. It was left hidden and not installed")),
        UpdateTry::Several { which } => nothing(format!(
            "Windows Update offers {} updates that are called {update}, and none was installed. Name one by its id: {}",
            which.len(),
            which.join("; ")
        )),
        UpdateTry::AsksForInput { title } => nothing(format!(
            "{title} may ask questions while it is installed, so it was not installed from here. Install it in the settings of Windows"
        )),
        UpdateTry::Busy => nothing("Windows is installing something else now, so nothing was installed. Try again when it has finished".into()),
        UpdateTry::RestartFirst => result(
            Proof::AfterRestart,
            TryState::Skipped,
            "Windows wants a restart before it installs anything, so nothing was installed. Restart, then try again".into(),
        ),
        UpdateTry::TooLong { stage, stopped } => {
            let then = if *stopped { "Windows was told to stop, and did" } else { "Windows was told to stop, and whether it did is not known" };
            result(Proof::Nothing, TryState::Failed, format!("{} did not end within the time limit. {then}", capital(stage.words())))
        }
        UpdateTry::Failed { stage, title, code: why } => {
            let of = if title.is_empty() { update.to_string() } else { title.clone() };
            // What could not be searched for was not tried.
            let proof = if *stage == model::UpdateStage::Search { Proof::Nothing } else { Proof::Fails };
            result(proof, TryState::Failed, format!("{} of {of} failed with {}", capital(stage.words()), code(*why)))
        }
        UpdateTry::Installed { title, restart, seen, licence, errors } => installed(title, *restart, *seen, *licence, *errors),
    }
}

fn installed(title: &str, restart: bool, seen: Option<bool>, licence: bool, errors: Option<u32>) -> TryResult {
    let licence = if licence { ". Its licence was accepted for that" } else { "" };
    let (proof, state, says) = match (errors, restart, seen) {
        (Some(why), ..) => (
            Proof::Nothing,
            TryState::Failed,
            format!("Windows Update says that {title} was installed, but that something of it failed with {}", code(why)),
        ),
        (None, true, _) => (Proof::AfterRestart, TryState::Done, format!("{title} was installed; a restart finishes it")),
        (None, false, Some(true)) => (Proof::Works, TryState::Done, format!("{title} was installed, and a search finds it installed")),
        (None, false, Some(false)) => (
            Proof::Nothing,
            TryState::Failed,
            format!("Windows Update says that {title} was installed, but a search afterwards does not find it installed"),
        ),
        (None, false, None) => (
            Proof::Nothing,
            TryState::Failed,
            format!("Windows Update says that {title} was installed, but could not be asked afterwards whether it is"),
        ),
    };
    TryResult { proof, state, says: format!("{says}{licence}") }
}

/// By what the update of a failure can be asked for; `None` when it names none.
pub fn update_of(failure: &Failure, history: &[UpdateRecord]) -> Option<UpdateName> {
    crate::probes::update_of(failure, history)
}

/// Whether both tell of the same update, by number, id or title.
pub fn is_same_update(one: &str, other: &str) -> bool {
    same_update(one, other)
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::{Proof, judge_update};
    use model::{UpdateName, UpdateStage, UpdateTry};

    fn judged(tried: &UpdateTry) -> (Proof, &'static str, String) {
        let result = judge_update(&UpdateName::Article(5_034_441), tried);
        (result.proof, result.state.step(), result.says)
    }

    fn installed(restart: bool, seen: Option<bool>, errors: Option<u32>) -> UpdateTry {
        UpdateTry::Installed { title: "T".into(), restart, seen, licence: false, errors }
    }

    #[test]
    fn only_what_a_search_finds_installed_works() {
        for (tried, proof, outcome) in [
            (installed(false, Some(true), None), Proof::Works, "done"),
            (installed(true, None, None), Proof::AfterRestart, "done"),
            (installed(false, Some(false), None), Proof::Nothing, "failed"),
            (installed(false, None, None), Proof::Nothing, "failed"),
            (installed(false, Some(true), Some(0x8007_0643)), Proof::Nothing, "failed"),
            (UpdateTry::AlreadyInstalled { title: "T".into() }, Proof::Nothing, "skipped"),
            (UpdateTry::NotOffered { incomplete: None }, Proof::Nothing, "skipped"),
            (UpdateTry::Hidden { title: "T".into() }, Proof::Nothing, "skipped"),
            (UpdateTry::RestartFirst, Proof::AfterRestart, "skipped"),
            (UpdateTry::TooLong { stage: UpdateStage::Install, stopped: false }, Proof::Nothing, "failed"),
        ] {
            let (is, word, says) = judged(&tried);
            assert_eq!((is, word), (proof, outcome), "{says}");
        }
    }

    #[test]
    fn a_failure_names_its_code() {
        let failed = |stage| UpdateTry::Failed { stage, title: "T".into(), code: 0x800F_0922 };
        let (proof, _, says) = judged(&failed(UpdateStage::Install));
        assert_eq!(proof, Proof::Fails);
        assert_eq!(says, "The installation of T failed with 0x800F0922 (CBS_E_INSTALLERS_FAILED)");
        let service = UpdateTry::Failed { stage: UpdateStage::Search, title: String::new(), code: 0x8007_0422 };
        let (proof, _, says) = judged(&service);
        assert_eq!((proof, says.as_str()), (Proof::Nothing, "The search of KB5034441 failed with 0x80070422 (ERROR_SERVICE_DISABLED)"));
    }
}
