//! People's own hives, `NTUSER.DAT` in their profiles: read when a key in them is asked for, replayed in memory, never written.

use super::hives::HiveFile;
use super::paths::Paths;
use crate::target::{Expanded, KeyView, Target};
use model::Reading;

const PROFILES: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList";
const HIVE: &str = "NTUSER.DAT";

/// A key of the user with that number; absent when there is no such profile or no such key.
pub(in crate::targets) fn key(target: &dyn Target, paths: &Paths, user: &str, inside: &str, shown: &str) -> Reading<KeyView> {
    let profile = target.value(&format!("{PROFILES}\\{user}"), "ProfileImagePath");
    profile.and_then(|profile| {
        let folder = match target.expand(&profile.as_text().unwrap_or_default()) {
            Expanded::Here(folder) => folder,
            // The profile lies on a drive that is not here.
            Expanded::Elsewhere(..) | Expanded::Unknown(_) => return Reading::NotCollected,
        };
        target.entry(&folder.join(HIVE)).and_then(|_| match HiveFile::open(paths, &folder, HIVE) {
            // Its newest state is unknown, and nobody needs an old one.
            Ok(hive) => hive.not_writable().map_or_else(|| hive.key(inside, shown), Reading::Unreadable),
            Err(error) => Reading::Unreadable(error.to_string()),
        })
    })
}
