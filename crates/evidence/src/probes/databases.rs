//! The ESE databases that updating stands on: the update client's `DataStore.edb`, the catalogues' `catdb`, and the download service's
//! `qmgr.db` (Windows 10 and later; the older `qmgr0.dat` and `qmgr1.dat` are none).

use crate::ese::{self, Damage, STATE_DIRTY};
use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, Subject, VolumePath};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "database.name", kind: FactKind::Text, meaning: "datastore, catalog or downloads" },
    FactDeclaration { name: "database.path", kind: FactKind::Text, meaning: "the database file's path" },
    FactDeclaration { name: "database.folder", kind: FactKind::Text, meaning: "the folder to set aside when it is damaged" },
    FactDeclaration {
        name: "database.state",
        kind: FactKind::Text,
        meaning: "closed, open-with-logs (normal after an unclean shutdown), open (the same, and its logs were not seen), logs-missing, empty, header-damaged, pages-damaged, or unreadable; absent when there is no such file",
    },
];

/// Reading a database whole is limited: larger ones are only looked at by their header.
const LARGEST: u64 = 1 << 30;
const START: usize = 1 << 16;

struct Place {
    name: &'static str,
    file: VolumePath,
    logs: VolumePath,
    folder: VolumePath,
}

fn places(target: &dyn Target) -> Vec<Place> {
    let store = target.windows_folder().join("SoftwareDistribution").join("DataStore");
    let catroot = target.windows_folder().join("System32").join("catroot2");
    let mut places = vec![Place { name: "datastore", file: store.join("DataStore.edb"), logs: store.join("Logs"), folder: store }];
    // Catalogues of the system and of applications (KB822798 names both).
    for set in ["{F750E6C3-38EE-11D1-85E5-00C04FC295EE}", "{127D0A1D-4EF2-11D1-8608-00C04FC295EE}"] {
        places.push(Place { name: "catalog", file: catroot.join(set).join("catdb"), logs: catroot.clone(), folder: catroot.clone() });
    }
    if let Ok(folder) = VolumePath::parse("\\ProgramData\\Microsoft\\Network\\Downloader") {
        places.push(Place { name: "downloads", file: folder.join("qmgr.db"), logs: folder.clone(), folder });
    }
    places
}

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for place in places(target) {
        let shown = place.file.with_drive(target.drive());
        let (state, says) = match target.read_start(&place.file, START) {
            // An absent database is made anew; no fault.
            Reading::Absent => continue,
            Reading::NotCollected => {
                facts.not_checked.push(NotChecked { what: shown, why: "it is not part of what was given".into(), blocking: false });
                continue;
            }
            Reading::Unreadable(why) => {
                facts.not_checked.push(NotChecked { what: shown, why, blocking: false });
                continue;
            }
            Reading::Known(start) => judge(target, &place, &start, facts),
        };
        let mut subject = Subject::new("database", &shown);
        let folder = place.folder.with_drive(target.drive());
        subject.put("database.name", fact(text(place.name), &shown, &shown, "name"));
        subject.put("database.path", fact(text(&shown), &shown, &shown, "name"));
        subject.put("database.folder", fact(text(&folder), &folder, &shown, "folder"));
        subject.put("database.state", fact(text(state), format!("{shown}: {says}"), &shown, "header and pages"));
        facts.subjects.push(subject);
    }
}

fn judge(target: &dyn Target, place: &Place, start: &[u8], facts: &mut Facts) -> (&'static str, String) {
    let header = match ese::header(start) {
        Ok(header) => header,
        Err(Damage::Empty) => return ("empty", "the file has no content".into()),
        Err(Damage::Header(why)) => return ("header-damaged", format!("both copies of the header are damaged ({why})")),
    };
    let mut seen = true;
    if header.state == STATE_DIRTY {
        let missing = missing_logs(target, place, header.required_logs);
        seen = missing.is_some();
        if let Some(missing) = missing.filter(|missing| !missing.is_empty()) {
            let shown: Vec<String> = missing.iter().map(|number| format!("{number:#x}")).collect();
            return ("logs-missing", format!("it was not closed properly, and the logs it needs are gone (generation {})", shown.join(", ")));
        }
    }
    match target.read(&place.file, LARGEST) {
        Reading::Known(bytes) => {
            let bad: Vec<String> = ese::bad_pages(&bytes, &header).iter().map(u32::to_string).collect();
            if !bad.is_empty() {
                return ("pages-damaged", format!("the checksum of page {} is wrong", bad.join(", ")));
            }
        }
        Reading::Unreadable(why) => {
            facts.not_checked.push(NotChecked { what: format!("pages of {}", place.file.with_drive(target.drive())), why, blocking: false });
        }
        Reading::NotCollected => {
            let what = format!("pages of {}", place.file.with_drive(target.drive()));
            facts.not_checked.push(NotChecked { what, why: "only the file's start is part of what was given".into(), blocking: false });
        }
        Reading::Absent => {}
    }
    if header.state == STATE_DIRTY && !seen {
        ("open", "it was not closed properly, and whether the logs that it needs are there was not seen".into())
    } else if header.state == STATE_DIRTY {
        ("open-with-logs", "it was not closed properly, but its logs are there; Windows repairs this by itself".into())
    } else {
        ("closed", "it was closed properly and its checksums are right".into())
    }
}

/// Which of the needed log generations are in no log file of the folder; `None` when the folder was not seen.
fn missing_logs(target: &dyn Target, place: &Place, (low, high): (u32, u32)) -> Option<Vec<u32>> {
    if low == 0 || high < low {
        return Some(Vec::new());
    }
    // A part of a machine does not show which logs are not there.
    let names = match target.list(&place.logs) {
        Reading::Known(names) => names,
        Reading::Absent => Vec::new(),
        Reading::NotCollected | Reading::Unreadable(_) => return None,
    };
    let there: Vec<u32> = names
        .iter()
        .filter(|name| name.get(name.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".log")))
        .filter_map(|name| target.read_start(&place.logs.join(name), 64).into_known())
        .filter_map(|start| ese::log_generation(&start))
        .collect();
    // A healthy database needs a handful; a damaged number must not make a list of billions.
    Some((low..=high).take(64).filter(|wanted| !there.contains(wanted)).collect())
}
