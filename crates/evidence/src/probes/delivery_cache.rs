//! Where policy tells Delivery Optimization to keep its cache.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject};
use target::{Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "delivery-cache.key", kind: FactKind::Text, meaning: "the policy's registry key" },
    FactDeclaration { name: "delivery-cache.drive", kind: FactKind::Text, meaning: "the data of DOModifyCacheDrive" },
    FactDeclaration { name: "delivery-cache.state", kind: FactKind::Text, meaning: "missing-drive, missing-folder, other-drive, here or unclear" },
];

const KEYS: [&str; 2] = ["HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\DeliveryOptimization", "HKLM\\SOFTWARE\\Microsoft\\PolicyManager\\current\\device\\DeliveryOptimization"];
const VALUE: &str = "DOModifyCacheDrive";

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for key in KEYS {
        let Reading::Known(view) = target.key(key) else { continue };
        let Some(wanted) = view.value(VALUE).and_then(model::RegistryData::as_text) else { continue };
        let (state, says) = place(target, &wanted);
        let mut subject = Subject::new("delivery-cache", format!("{}\\{VALUE}", view.path));
        subject.put("delivery-cache.key", fact(text(&view.path), &view.path, "SOFTWARE", "key"));
        subject.put("delivery-cache.drive", fact(text(&wanted), format!("{VALUE} tells Windows to keep downloads on {wanted}"), "SOFTWARE", VALUE));
        subject.put("delivery-cache.state", fact(text(state), says, "SYSTEM", "MountedDevices"));
        facts.subjects.push(subject);
    }
}

fn place(target: &dyn Target, wanted: &str) -> (&'static str, String) {
    // The policy takes a variable, a drive letter with or without colon, or a folder.
    let path = if wanted.len() == 1 && wanted.chars().all(|c| c.is_ascii_alphabetic()) { format!("{wanted}:\\") } else { wanted.to_owned() };
    match target.expand(&path) {
        Expanded::Here(folder) => match target.entry(&folder) {
            Reading::Absent => ("missing-folder", format!("{} does not exist", folder.with_drive(target.drive()))),
            Reading::Known(_) => ("here", format!("{} exists", folder.with_drive(target.drive()))),
            _ => ("unclear", format!("{} could not be looked at", folder.with_drive(target.drive()))),
        },
        Expanded::Elsewhere(letter, _) => match drive_known(target, letter) {
            Reading::Known(false) => ("missing-drive", format!("this Windows knows no drive {letter}:")),
            Reading::Known(true) => ("other-drive", format!("drive {letter}: is known to this Windows, but cannot be looked at from here")),
            _ => ("unclear", format!("whether there is a drive {letter}: could not be told")),
        },
        Expanded::Unknown(why) => ("unclear", why),
    }
}

/// Whether Windows has ever given this letter to a volume (`HKLM\SYSTEM\MountedDevices`). Letters of removed disks stay listed,
/// so a known letter proves nothing, an unknown one that there is no such drive.
pub(super) fn drive_known(target: &dyn Target, letter: char) -> Reading<bool> {
    match target.key("HKLM\\SYSTEM\\MountedDevices") {
        Reading::Known(view) if view.values.is_empty() => Reading::NotCollected,
        Reading::Known(view) => Reading::Known(view.value(&format!("\\DosDevices\\{letter}:")).is_some()),
        Reading::Absent => Reading::NotCollected,
        Reading::NotCollected => Reading::NotCollected,
        Reading::Unreadable(why) => Reading::Unreadable(why),
    }
}
