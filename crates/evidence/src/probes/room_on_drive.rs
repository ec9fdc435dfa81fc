//! How much room the Windows drive has, and large leftovers that may be removed. Facts of the machine.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Room, Value, VolumePath};
use target::{EntryKind, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration {
        name: "machine.room",
        kind: FactKind::Text,
        meaning: "the room on the Windows drive: little (less than 3 GB), some (less than an upgrade wants, 20 GB, of a 32-bit Windows 16 GB) or enough; not collected where the files do not lie on a Windows volume",
    },
    FactDeclaration {
        name: "machine.large-leftovers",
        kind: FactKind::List,
        meaning: "files of 1 GB and more that Windows left and does not need: memory dumps, logs of servicing, what packing them left in Windows\\Temp; absent when there are none",
    },
];

const GB: u64 = 1 << 30;
/// The least with which a cumulative update works.
const UPDATE: u64 = 3 * GB;
/// From so many bytes on, packing a log into a cabinet fails, is tried again, and leaves a piece each time.
const PACKABLE: u64 = 2 * GB;
/// A folder of more files is not counted to its end.
const MOST_FILES: usize = 5_000;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Some(at) = facts.subjects.iter().position(|subject| subject.kind == "machine") else { return };
    let drive = format!("{}:", target.drive());
    let (reading, says) = room(target, &drive);
    let leftovers = leftovers(target);
    let Some(machine) = facts.subjects.get_mut(at) else { return };
    machine.put("machine.room", fact(reading, says, &drive, "free space"));
    let says = match leftovers.known() {
        Some(Value::List(found)) => format!("Large leftovers: {}", found.join("; ")),
        _ => String::new(),
    };
    machine.put("machine.large-leftovers", fact(leftovers, says, &drive, "sizes of files"));
}

fn room(target: &dyn Target, drive: &str) -> (Reading<Value>, String) {
    let upgrade = if target.windows().arch == "x86" { 16 * GB } else { 20 * GB };
    match target.room() {
        Reading::Known(Room { free, whole }) => {
            let state = match free {
                ..UPDATE => "little",
                _ if free < upgrade => "some",
                _ => "enough",
            };
            (text(state), format!("Of {} on {drive} {} are free now", shown(whole), shown(free)))
        }
        Reading::Absent | Reading::NotCollected => (Reading::NotCollected, "How much room the drive has could not be seen".into()),
        Reading::Unreadable(why) => (Reading::Unreadable(why.clone()), why),
    }
}

/// `8.3 GB`, as Windows counts.
fn shown(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) / GB;
    format!("{}.{} GB", tenths / 10, tenths % 10)
}

/// What is there of the known kinds; not collected when one of the folders could not be listed.
fn leftovers(target: &dyn Target) -> Reading<Value> {
    let windows = target.windows_folder();
    let mut found: Vec<(u64, String)> = Vec::new();
    let dump = windows.join("MEMORY.DMP");
    found.extend(size(target, &dump).map(|bytes| (bytes, format!("{} (a memory dump, {})", dump.with_drive(target.drive()), shown(bytes)))));
    let (logs, temporary) = (windows.join("Logs\\CBS"), windows.join("Temp"));
    let mut packed_in_vain = (0_u64, 0_usize);
    for (folder, is_log) in [(&logs, true), (&temporary, false)] {
        let names = match target.list(folder) {
            Reading::Known(names) => names,
            Reading::Absent => continue,
            Reading::NotCollected => return Reading::NotCollected,
            Reading::Unreadable(why) => return Reading::Unreadable(why),
        };
        for name in names.iter().filter(|name| if is_log { is_servicing_log(name) } else { is_piece(name) }).take(MOST_FILES) {
            let path = folder.join(name);
            let Some(bytes) = size(target, &path) else { continue };
            if is_log {
                let why = if bytes >= PACKABLE { "a log of servicing that Windows cannot pack, and tries to again and again" } else { "a log of servicing" };
                found.push((bytes, format!("{} ({why}, {})", path.with_drive(target.drive()), shown(bytes))));
            } else {
                packed_in_vain = (packed_in_vain.0.saturating_add(bytes), packed_in_vain.1 + 1);
            }
        }
    }
    let (bytes, count) = packed_in_vain;
    found.push((bytes, format!("{count} files {}\\cab_… (left where logs were packed in vain, {})", temporary.with_drive(target.drive()), shown(bytes))));
    found.retain(|(bytes, _)| *bytes >= GB);
    found.sort_by(|one, other| other.cmp(one));
    if found.is_empty() { Reading::Absent } else { Reading::Known(Value::List(found.into_iter().map(|(_, says)| says).collect())) }
}

fn size(target: &dyn Target, path: &VolumePath) -> Option<u64> {
    target.entry(path).into_known().filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.size)
}

fn is_servicing_log(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "cbs.log" || name.starts_with("cbspersist_")
}

/// `cab_5328_2`: what `makecab` leaves when it fails.
fn is_piece(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.strip_prefix("cab_").is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::{GB, is_piece, is_servicing_log, shown};

    #[test]
    fn names_and_sizes() {
        assert!(is_piece("cab_5328_2") && is_piece("CAB_1"));
        assert!(!is_piece("cab_") && !is_piece("cab_old.txt") && !is_piece("mycab_1_2"));
        assert!(is_servicing_log("CbsPersist_20161004072204.log") && is_servicing_log("CBS.log"));
        assert!(!is_servicing_log("DeepClean.log"));
        assert_eq!(shown(8 * GB + GB / 2), "8.5 GB");
        assert_eq!(shown(0), "0.0 GB");
    }
}
