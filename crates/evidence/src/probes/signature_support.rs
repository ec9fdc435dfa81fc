//! Whether Windows 7 has the two updates of 2019 with which it understands updates that are signed with SHA-2 alone.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "signature-support.state",
        kind: FactKind::Text,
        meaning: "Windows 7 only: whole, sha-2-missing (KB4474419 is not installed), stack-missing (only KB4490628 is not; a later servicing stack does as well) or unclear (no package is listed)",
    },
    FactDeclaration { name: "signature-support.missing", kind: FactKind::Text, meaning: "which of the two updates is not installed; absent when none" },
];

const PACKAGES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages";
/// Support for SHA-2 signatures, and the servicing stack that goes with it (Microsoft's KB4472027).
const SIGNATURES: &str = "KB4474419";
const STACK: &str = "KB4490628";
/// Superseded, installed, permanent: states of packages whose files are in use or were until newer ones took their place
/// (Microsoft's chart of servicing states, 2015-10-12).
const THERE: [u32; 3] = [0x50, 0x70, 0x80];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let windows = target.windows();
    if (windows.major, windows.minor) != (6, 1) {
        return;
    }
    let mut subject = Subject::new("signature-support", "signature support");
    let packages = target.key(PACKAGES).map(|view| view.subkeys);
    let state = match &packages {
        Reading::Known(names) if !names.is_empty() => {
            let missing: Vec<&str> = [SIGNATURES, STACK].into_iter().filter(|number| !installed(target, names, number)).collect();
            let first = missing.first().map_or(Reading::Absent, |number| text(*number));
            let says = if missing.is_empty() { "Both updates are installed".to_owned() } else { format!("{} is not installed", missing.join(" and ")) };
            subject.put("signature-support.missing", fact(first, &says, "SOFTWARE", "Packages"));
            let word = match missing.first() {
                None => "whole",
                Some(number) if *number == SIGNATURES => "sha-2-missing",
                Some(_) => "stack-missing",
            };
            fact(text(word), format!("Of {} packages that are listed, {says}", names.len()), "SOFTWARE", "Packages")
        }
        Reading::Known(_) | Reading::Absent => fact(text("unclear"), "The registry lists no package", "SOFTWARE", "Packages"),
        other => fact(other.clone().and_then(|_| Reading::NotCollected), "", "SOFTWARE", "Packages"),
    };
    subject.put("signature-support.state", state);
    facts.subjects.push(subject);
}

/// Whether a package of the update is installed: `Package_for_KB4474419~…`, or one of its parts, `Package_1_for_KB4474419~…`.
fn installed(target: &dyn Target, names: &[String], number: &str) -> bool {
    let of_update = |name: &&String| {
        let rest = name.split_once("_for_").map_or("", |(_, rest)| rest);
        rest.get(..number.len()).is_some_and(|start| start.eq_ignore_ascii_case(number)) && !rest.as_bytes().get(number.len()).is_some_and(u8::is_ascii_digit)
    };
    let state = |name: &String| target.value(&format!("{PACKAGES}\\{name}"), "CurrentState").into_known().and_then(|data| data.as_dword());
    names.iter().filter(of_update).any(|name| state(name).is_some_and(|state| THERE.contains(&state)))
}
