//! What the object of a change looks like now, by reading only: the same for every kind of target.

use crate::names_equal;
use crate::target::{EntryKind, Target};
use model::{Change, KeyTree, Observed, Reading, RegistryData, VolumePath};

/// Compares the object of a change with its old and its new state.
pub(crate) fn observe<T: Target + ?Sized>(target: &T, change: &Change) -> Reading<Observed> {
    match change {
        Change::SetValue { key, name, old, new } => value(target, key, name, old.as_ref(), Some(new)),
        Change::DeleteValue { key, name, old } => value(target, key, name, Some(old), None),
        Change::CreateKey { key } => exists(target.key(key).map(|_| ())),
        Change::RemoveKey { key, tree } => match key_tree(target, key, tree) {
            Reading::Known(Observed::New) => Reading::Known(Observed::Old),
            Reading::Known(Observed::Old) => Reading::Known(Observed::New),
            other => other,
        },
        Change::PutKey { key, tree } => key_tree(target, key, tree),
        Change::PutFile { path, sha256, .. } => match target.sha256(path) {
            Reading::Known(now) if now == *sha256 => Reading::Known(Observed::New),
            Reading::Known(_) => Reading::Known(Observed::Other("a different file stands there".into())),
            Reading::Absent => match target.entry(path) {
                Reading::Known(_) => Reading::Known(Observed::Other("something that is not a file stands there".into())),
                other => exists(other.map(|_| ())),
            },
            other => exists(other.map(|_| ())),
        },
        Change::SetClock { from, to, running } => clock(target, *from, *to, *running),
        Change::Rename { from, to, identity } => rename(target, from, to, identity.as_deref()),
        Change::CreateFolder { path } => match target.entry(path) {
            Reading::Known(entry) if entry.kind == EntryKind::Folder => Reading::Known(Observed::New),
            Reading::Known(_) => Reading::Known(Observed::Other("something that is not a folder stands there".into())),
            other => exists(other.map(|_| ())),
        },
        Change::HardLink { path, sha256, .. } => match target.sha256(path) {
            Reading::Known(now) if now == *sha256 => Reading::Known(Observed::New),
            Reading::Known(_) => Reading::Known(Observed::Other("a different file stands there".into())),
            other => exists(other.map(|_| ())),
        },
    }
}

/// The clock against what it would say by now with and without the change. Windows corrects a clock by small steps all the time; the difference
/// that is worth a change is several times larger.
fn clock<T: Target + ?Sized>(target: &T, from: i64, to: i64, running: u64) -> Reading<Observed> {
    const SLACK: u64 = 60;
    target.clock().and_then(|now| {
        target.running().map(|ran| {
            let now = i64::try_from(now.unix).unwrap_or(i64::MAX);
            let passed = ran.checked_sub(running).and_then(|passed| i64::try_from(passed / 1000).ok());
            let close = |then: i64| passed.is_some_and(|passed| then.saturating_add(passed).abs_diff(now) <= SLACK);
            match (close(to), close(from)) {
                (true, _) => Observed::New,
                (_, true) => Observed::Old,
                _ => Observed::Other(format!(
                    "it says {}; since it was set, Windows was started anew or somebody else has set it, so what it says now is left as it is",
                    model::utc(now)
                )),
            }
        })
    })
}

fn exists(reading: Reading<()>) -> Reading<Observed> {
    match reading {
        Reading::Known(()) => Reading::Known(Observed::New),
        Reading::Absent => Reading::Known(Observed::Old),
        Reading::NotCollected => Reading::NotCollected,
        Reading::Unreadable(why) => Reading::Unreadable(why),
    }
}

/// `New` when the key is there with exactly this below it, `Old` when there is none.
fn key_tree<T: Target + ?Sized>(target: &T, key: &str, wanted: &KeyTree) -> Reading<Observed> {
    match target.key_tree(key) {
        Reading::Known(now) if same_tree(&now, wanted) => Reading::Known(Observed::New),
        Reading::Known(_) => Reading::Known(Observed::Other("the key holds something else".into())),
        other => exists(other.map(|_| ())),
    }
}

/// Whether two keys hold the same, in whatever order; security counts where both sides know it.
fn same_tree(one: &KeyTree, other: &KeyTree) -> bool {
    let known_security = one.security.is_none() || other.security.is_none() || one.security == other.security;
    let has_value = |(name, data): &(String, RegistryData)| other.values.iter().any(|(there, now)| names_equal(there, name) && now == data);
    let has_key = |(name, below): &(String, KeyTree)| other.subkeys.iter().any(|(there, now)| names_equal(there, name) && same_tree(below, now));
    known_security
        && one.values.len() == other.values.len()
        && one.subkeys.len() == other.subkeys.len()
        && one.values.iter().all(has_value)
        && one.subkeys.iter().all(has_key)
}

/// A registry value against what it was and what it should be; `None` stands for "no such value".
pub(crate) fn value<T: Target + ?Sized>(
    target: &T,
    key: &str,
    name: &str,
    old: Option<&RegistryData>,
    new: Option<&RegistryData>,
) -> Reading<Observed> {
    let now = match target.key(key) {
        Reading::Known(view) => view.value(name).cloned(),
        // A value that was not there before the key was made is not there either.
        Reading::Absent if old.is_none() => return Reading::Known(Observed::Old),
        Reading::Absent => return Reading::Known(Observed::Other(format!("the key {key} is gone"))),
        Reading::NotCollected => return Reading::NotCollected,
        Reading::Unreadable(why) => return Reading::Unreadable(why),
    };
    let now = now.as_ref();
    Reading::Known(match () {
        () if now == new => Observed::New,
        () if now == old => Observed::Old,
        () => Observed::Other(now.map_or("the value is gone".into(), |data| format!("it is {}", data.show()))),
    })
}

fn rename<T: Target + ?Sized>(target: &T, from: &VolumePath, to: &VolumePath, identity: Option<&str>) -> Reading<Observed> {
    let ours = |path: &VolumePath| -> Reading<bool> {
        match (target.entry(path), identity) {
            (Reading::Known(entry), Some(identity)) => match entry.kind {
                EntryKind::File => target.sha256(path).map(|hash| hash == identity),
                EntryKind::Link(to) => Reading::Known(to == identity),
                EntryKind::Folder | EntryKind::Reparse(_) | EntryKind::Other => Reading::Known(false),
            },
            (Reading::Known(_), None) => Reading::Known(true),
            (Reading::Unreadable(why), _) => Reading::Unreadable(why),
            _ => Reading::Absent,
        }
    };
    let shown = |path: &VolumePath| path.with_drive(target.drive());
    let other = |what: String| Reading::Known(Observed::Other(what));
    match (ours(from), ours(to)) {
        (Reading::Unreadable(why), _) | (_, Reading::Unreadable(why)) => Reading::Unreadable(why),
        // When something new stands at the old name (Windows made its folder anew), the change is still in force.
        (_, Reading::Known(true)) => Reading::Known(Observed::New),
        (Reading::Known(true), _) => Reading::Known(Observed::Old),
        (_, Reading::Known(false)) => other(format!("something else stands at {}", shown(to))),
        (Reading::Known(false), _) => other(format!("something else stands at {}", shown(from))),
        _ => other(format!("neither {} nor {} is there", shown(from), shown(to))),
    }
}

/// True when one path is the other or lies below it, as Windows compares names.
pub(crate) fn is_within(path: &VolumePath, folder: &VolumePath) -> bool {
    path.components().len() >= folder.components().len()
        && path.components().iter().zip(folder.components()).all(|(one, other)| names_equal(one, other))
}
