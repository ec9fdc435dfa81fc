//! Commands of DISM that failed: what the servicing log does not tell any more, or never does (which command it was).

use super::operations::Named;
use crate::failures::kb;
use crate::logs::dism::{Command, has_option, option};
use model::{ErrorCode, Failure};

/// Commands that change this Windows, with the phase in which their failures are told.
const CHANGES: [(&str, &str); 11] = [
    ("restorehealth", "repair"),
    ("startcomponentcleanup", "servicing"),
    ("add-package", "servicing"),
    ("remove-package", "servicing"),
    ("enable-feature", "servicing"),
    ("disable-feature", "servicing"),
    ("add-capability", "servicing"),
    ("remove-capability", "servicing"),
    ("apply-unattend", "servicing"),
    ("set-edition", "servicing"),
    ("cleanup-image", "servicing"),
];
/// Answers to a wrong question: a bad option, no rights, no such feature or package, not applicable, stopped by the person.
const ANSWERS: [u32; 6] = [0x8007_0057, 0x8007_02E4, 0x800F_080C, 0x800F_0805, 0x800F_081E, 0x8007_04C7];
/// No source had the files that are needed.
const SOURCE: [u32; 4] = [0x800F_081F, 0x800F_0906, 0x800F_0907, 0x800F_0954];

/// What a command was meant to do: its word, and the package or feature; `None` when it changes nothing here.
fn purpose(command: &Command) -> Option<(&'static str, &'static str, String)> {
    let given = &command.line_given;
    let (word, phase) = CHANGES.into_iter().find(|(word, _)| has_option(given, word) || (given.is_empty() && command.name == *word))?;
    let about = ["packagepath", "packagename", "featurename", "capabilityname"].iter().find_map(|name| option(given, name)).unwrap_or_default();
    let about = about.rsplit(['\\', '/']).next().unwrap_or_default();
    let shown = format!("DISM {word} {about}").trim_end().to_owned();
    Some((word, phase, kb(about).map_or_else(|| shown.clone(), |kb| format!("{kb} {shown}"))))
}

/// One failure for each command and code; the same command that ended well later settles it.
pub(crate) fn failures(commands: &[Command], source: &str) -> Vec<(Failure, Named)> {
    let mut found: Vec<(Failure, Named)> = Vec::new();
    for command in commands.iter().filter(|command| command.online) {
        let Some((_, phase, subject)) = purpose(command) else { continue };
        let local = command.local.clone().unwrap_or_default();
        let Some(code) = command.failed else {
            let same = |(failure, _): &&mut (Failure, Named)| command.ended && failure.subject == subject;
            found.iter_mut().filter(same).for_each(|(failure, _)| failure.resolved = true);
            continue;
        };
        if ANSWERS.contains(&code.0) {
            continue;
        }
        let (code, at) = (code.to_string(), format!("line {}", command.line));
        match found.iter_mut().find(|(old, _)| old.code == code && old.subject == subject) {
            Some((old, named)) => {
                *old = Failure { last: local, count: old.count + 1, resolved: false, at, ..old.clone() };
                *named = Named::of_dism(command);
            }
            None => {
                let failure = Failure {
                    id: 0,
                    operation: "update".into(),
                    code,
                    subject,
                    phase: phase.into(),
                    first: local.clone(),
                    last: local,
                    count: 1,
                    resolved: false,
                    transient: false,
                    source: source.into(),
                    at,
                };
                found.push((failure, Named::of_dism(command)));
            }
        }
    }
    found
}

/// True for a failure for want of a source.
pub(crate) fn wants_source(failure: &Failure) -> bool {
    failure.code.parse::<ErrorCode>().is_ok_and(|code| SOURCE.contains(&code.0))
}

#[cfg(test)]
mod tests {
    use super::{failures, wants_source};
    use crate::logs::dism::Command;
    use model::ErrorCode;

    fn command(given: &str, failed: Option<u32>) -> Command {
        let local = Some("2026-01-02T03:04:05".to_owned());
        Command { line_given: given.into(), online: true, ended: true, failed: failed.map(ErrorCode), local, ..Command::default() }
    }

    const REPAIR: &str = "dism /online /cleanup-image /restorehealth";

    #[test]
    fn the_same_command_that_ends_well_later_settles_it() {
        let bad = command(REPAIR, Some(0x800F_081F));
        let one = failures(&[bad.clone(), bad.clone()], "x");
        assert_eq!((one.len(), one[0].0.count, one[0].0.resolved, one[0].0.phase.as_str()), (1, 2, false, "repair"));
        assert!(wants_source(&one[0].0));
        let good = command(&format!("{REPAIR} /source:D:\\"), None);
        assert!(failures(&[bad.clone(), good.clone()], "x")[0].0.resolved);
        assert!(!failures(&[good.clone(), bad.clone()], "x")[0].0.resolved);
        // Cut off, or a check only: it says nothing.
        assert!(!failures(&[bad.clone(), Command { ended: false, ..good.clone() }], "x")[0].0.resolved);
        assert!(!failures(&[bad, command("dism /online /cleanup-image /checkhealth", None)], "x")[0].0.resolved);
    }

    #[test]
    fn other_images_questions_and_wrong_options_are_no_failures() {
        for quiet in [
            Command { online: false, ..command("dism /image:D:\\ /add-package /packagepath:x.cab", Some(0x800F_0922)) },
            command("dism /online /get-packages", Some(0x8000_4005)),
            command(REPAIR, Some(0x8007_0057)),
            command("dism /online /enable-feature /featurename:NoSuch", Some(0x800F_080C)),
        ] {
            assert_eq!(failures(&[quiet], "x"), []);
        }
        let package = failures(&[command("dism /online /add-package /packagepath:D:\\windows10.0-kb5034441-x64.cab", Some(0x800F_0922))], "x");
        assert!(package[0].0.subject.starts_with("KB5034441 "));
    }
}
