//! The room on the Windows drive decides how sure it is that a full drive is the cause. No practice machine has a volume of its own, so the answer is
//! given to collected evidence; a mounted NTFS is asked in the tests of the command line.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make folders")]

use model::{Room, TargetKind};
use std::path::Path;
use target::{CollectedTarget, FolderTarget, Recording};

const GB: u64 = 1 << 30;

/// Cause and confidence of what is found when the machine has this room.
fn found(machine: &str, room: Option<u64>) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    target::lab::build(machine, folder.path()).unwrap();
    let whole = FolderTarget::open(folder.path(), TargetKind::Folder).unwrap();
    let recording = Recording::new(&whole);
    evidence::read_all(&recording);
    let mut answers = recording.into_answers();
    assert_eq!(answers.room, None, "a practice machine lies on the drive of whoever tests");
    answers.room = room.map(|free| Room { free, whole: 64 * GB });
    let (parts, _) = target::pack(&answers, "test", None);
    let collected = CollectedTarget::from_parts(Path::new("evidence"), &parts).unwrap();
    let facts = evidence::read_all(&collected);
    let found = diagnosis::find(&facts, &diagnosis::embedded(), target::Target::windows(&collected), None);
    found.into_iter().map(|one| (one.finding.cause, one.finding.confidence.as_str().to_owned())).collect()
}

#[test]
fn a_drive_that_is_full_now_is_proved_and_one_with_room_is_not() {
    for (free, confidence) in [
        (None, "likely"),
        (Some(0), "proved"),
        (Some(3 * GB - 1), "proved"),
        (Some(3 * GB), "likely"),
        (Some(20 * GB - 1), "likely"),
        (Some(20 * GB), "possible"),
    ] {
        assert_eq!(found("drive-full-10", free), [("drive-was-full".to_owned(), confidence.to_owned())], "{free:?} bytes free");
    }
}

#[test]
fn a_full_drive_alone_is_no_fault() {
    for machine in ["healthy-10-22h2", "healthy-drive-was-full-10"] {
        assert_eq!(found(machine, Some(GB)), [], "{machine}");
    }
}
