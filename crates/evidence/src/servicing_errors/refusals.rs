//! What the servicing stack was refused, looked up on the target itself: a hive that it could not load, a catalogue that it did not
//! believe, a driver that it could not install, a file that it may not or cannot read. The words for states are those of `objects`.

use super::objects::{Object, file, says, unclear, unseen};
use model::{Reading, RegistryData, VolumePath};
use target::{EntryKind, Expanded, Target};

const CONTROL: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Control";
/// The class of network adapters.
const ADAPTERS: &str = "Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}";
/// The hive of what settings the components have.
const SCHEMA: &str = "System32\\SMI\\Store\\Machine\\SCHEMA.DAT";
/// A larger catalogue than the largest of Microsoft's.
const LARGEST_CATALOGUE: u64 = 64 << 20;

/// The limit that somebody set for the size of the registry. Zero, or no value, is none.
pub(super) fn registry_limit(target: &dyn Target) -> Object {
    const NAME: &str = "RegistrySizeLimit";
    let key = target.key(CONTROL);
    let place = key.known().map_or_else(|| format!("{CONTROL}\\{NAME}"), |view| format!("{}\\{NAME}", view.path));
    let object = |state, says| Object { name: place.clone(), kind: "key", state, says };
    let reading = target.value(CONTROL, NAME);
    match reading.known().map(RegistryData::as_dword) {
        Some(Some(0)) => object("present", format!("{NAME} is 0: the registry is not limited")),
        Some(Some(limit)) => object("wrong", format!("{NAME} is {limit}: the registry is limited")),
        Some(None) => object("unclear", format!("{NAME} is no number")),
        None => object(unseen(&reading), says(&place, unseen(&reading))),
    }
}

/// A hive of servicing. COMPONENTS is never opened, so only its presence and its size are told; the log's words for the other hive
/// name no path.
pub(super) fn hive(target: &dyn Target, object: &str) -> Object {
    if object.is_empty() {
        return file(target, &target.windows_folder().join(SCHEMA));
    }
    let Expanded::Here(path) = target.expand(object) else { return unclear(object, "file", "Where it lies cannot be told") };
    let name = path.with_drive(target.drive());
    match target.entry(&path) {
        Reading::Known(entry) if entry.kind == EntryKind::File && entry.size == 0 => {
            Object { says: format!("{name} is empty"), name, kind: "file", state: "wrong" }
        }
        reading => Object { says: says(&name, unseen(&reading)), name, kind: "file", state: unseen(&reading) },
    }
}

/// A larger description than the largest of Microsoft's.
const LARGEST_DESCRIPTION: u64 = 32 << 20;

/// The description of a package that speaks of another one.
pub(super) fn package_mismatch(target: &dyn Target, object: &str) -> Object {
    let path = target.windows_folder().join("servicing\\Packages").join(&format!("{object}.mum"));
    let plain = file(target, &path);
    if plain.state != "present" {
        return plain;
    }
    let text = target.read(&path, LARGEST_DESCRIPTION).into_known().map(|bytes| crate::logs::decode(&bytes).into_owned());
    let wanted = object.split('~').next().unwrap_or(object);
    match text.as_deref().and_then(own_name) {
        Some(name) if name.eq_ignore_ascii_case(wanted) => {
            Object { state: "unclear", says: format!("{} speaks of its own package", plain.name), ..plain }
        }
        Some(name) => Object { state: "wrong", says: format!("{} describes another package, {name}", plain.name), ..plain },
        None => Object { state: "unclear", says: format!("{} is there; which package it describes cannot be told", plain.name), ..plain },
    }
}

/// The name in the first identity of a description; those after it are of its parts.
fn own_name(description: &str) -> Option<&str> {
    let (_, rest) = description.split_once("<assemblyIdentity")?;
    let (inside, _) = rest.split_once('>')?;
    let (_, name) = inside.split_once(" name=\"")?;
    name.split_once('"').map(|(name, _)| name)
}

/// The signature file of a package. Whether its signature is right cannot be told here; that it is cut short, or no signature, can.
pub(super) fn catalogue(target: &dyn Target, object: &str) -> Object {
    // `\\?\C:\Windows\Servicing\…`; where a page made a link of it, the path stands there twice.
    let path = object.rsplit("\\\\?\\").next().unwrap_or(object);
    let Expanded::Here(path) = target.expand(path) else { return unclear(object, "file", "Where it lies cannot be told") };
    let plain = file(target, &path);
    if plain.state != "present" {
        return plain;
    }
    let (start, size) = (target.read_start(&path, 8).into_known(), target.entry(&path).into_known().map(|entry| entry.size));
    match start.zip(size).map(|(start, size)| frame(&start, size)) {
        Some(Frame::Whole) | None => {
            Object { state: "unclear", says: format!("{} is there; its signature cannot be checked here", plain.name), ..plain }
        }
        Some(Frame::CutShort(wanted)) => {
            Object { state: "wrong", says: format!("{} ends too early: it should have {wanted} bytes", plain.name), ..plain }
        }
        Some(Frame::Other) => Object { state: "wrong", says: format!("{} does not begin as a signature does", plain.name), ..plain },
    }
}

/// What the first bytes of a signature file say about the whole.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Whole,
    /// So many bytes it should have.
    CutShort(u64),
    Other,
}

/// A signature (PKCS #7) is one DER sequence: the byte 0x30, the length of the rest, the rest (X.690, 8.1). A file of the component
/// store that is kept compressed begins with `DC` instead, and then nothing can be told.
fn frame(start: &[u8], size: u64) -> Frame {
    let (Some(first), Some(length)) = (start.first(), start.get(1)) else { return Frame::Other };
    if start.starts_with(b"DC") {
        return Frame::Whole;
    }
    if *first != 0x30 {
        return Frame::Other;
    }
    let more = usize::from(length & 0x7F);
    let total = match (length & 0x80 != 0, start.get(2..2 + more)) {
        (false, _) => 2 + u64::from(*length),
        (true, Some(bytes)) if (1..=4).contains(&more) => bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)) + 2 + more as u64,
        _ => return Frame::Other,
    };
    if total > LARGEST_CATALOGUE {
        Frame::Other
    } else if size < total {
        Frame::CutShort(total)
    } else {
        Frame::Whole
    }
}

/// The description of a driver (INF) that an update could not install: in the driver store and in the INF folder.
pub(super) fn driver_description(target: &dyn Target, inf: &str) -> Object {
    let store = target.windows_folder().join("System32\\DriverStore\\FileRepository");
    let start = format!("{}_", inf.to_ascii_lowercase());
    let folders = target.list(&store).into_known().unwrap_or_default();
    let kept = folders.iter().filter(|name| name.to_lowercase().starts_with(&start)).map(|name| store.join(name).join(inf));
    let all: Vec<VolumePath> = kept.chain([target.windows_folder().join("INF").join(inf)]).collect();
    // No published name belongs to what Windows has not installed yet, so only what is there and empty is wrong.
    all.iter().map(|path| file(target, path)).find(|object| object.state == "wrong").unwrap_or_else(|| {
        unclear(inf, "inf", &format!("Its files are not empty; why {inf} was refused, the log of drivers (setupapi.dev.log) may tell"))
    })
}

/// A path at which something stands that Windows could not read. An ordinary file there is read to its end.
pub(super) fn unreadable(target: &dyn Target, object: &str, as_link: bool) -> Object {
    let Expanded::Here(path) = target.expand(object) else { return unclear(object, "file", "Where it lies cannot be told") };
    let name = path.with_drive(target.drive());
    let object = |state, says: String| Object { name: name.clone(), kind: "file", state, says };
    match target.entry(&path) {
        Reading::Known(entry) => match entry.kind {
            EntryKind::Link(to) | EntryKind::Reparse(to) if as_link => {
                object("wrong", format!("{name} is no ordinary file but refers to something else ({to})"))
            }
            EntryKind::File if !as_link => match target.sha256(&path) {
                Reading::Unreadable(why) => object("wrong", format!("{name} is there, but cannot be read: {why}")),
                _ => object("unclear", format!("{name} can be read from here; whether it is whole cannot be told")),
            },
            _ => object("unclear", format!("{name} is there")),
        },
        reading => object(unseen(&reading), says(&name, unseen(&reading))),
    }
}

/// A path that was refused or in use at that time. What stands there does not tell who may read it.
pub(super) fn refused(target: &dyn Target, object: &str) -> Object {
    let Expanded::Here(path) = target.expand(object) else { return unclear(object, "file", "It is not on this drive") };
    let name = path.with_drive(target.drive());
    let reading = target.entry(&path);
    let state = unseen(&reading);
    let kind = if matches!(reading.known(), Some(entry) if entry.kind == EntryKind::Folder) { "folder" } else { "file" };
    Object { says: says(&name, state), name, kind, state }
}

/// The log in which NTFS notes several changes that belong together.
pub(super) fn file_transactions(target: &dyn Target) -> Object {
    unclear(&format!("the transaction log of {}:", target.drive()), "device", "The transaction log of a drive cannot be looked at from here")
}

/// The folder in which the registry notes its transactions, with what fills it: how many network adapters are recorded.
pub(super) fn registry_transactions(target: &dyn Target) -> Object {
    let path = target.windows_folder().join("System32\\config\\TxR");
    let number = |name: &&String| name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit());
    let adapters =
        target.key(&format!("HKLM\\SYSTEM\\CurrentControlSet\\{ADAPTERS}")).into_known().map(|view| view.subkeys.iter().filter(number).count());
    let told = adapters.map_or_else(
        || "how many network adapters are recorded cannot be told".to_owned(),
        |count| format!("{count} network adapters are recorded here, present or not"),
    );
    unclear(&path.with_drive(target.drive()), "folder", &format!("How full the logs of transactions were at that time cannot be seen now; {told}"))
}

#[cfg(test)]
mod tests {
    use super::{Frame, frame, own_name};

    #[test]
    fn the_first_identity_of_a_description_is_its_own() {
        let text = r#"<assembly><assemblyIdentity language="neutral" name="Package_for_KB1" version="6.1.1.2"/><package><parent><assemblyIdentity name="Other"/>"#;
        assert_eq!(own_name(text), Some("Package_for_KB1"));
        for other in ["", "<assemblyIdentity", "<assemblyIdentity version=\"1\"/>", "<assemblyIdentity name=\"x"] {
            assert_eq!(own_name(other), None, "{other}");
        }
    }

    #[test]
    fn the_frame_of_a_signature() {
        for (start, size, wanted) in [
            (&[0x30, 0x82, 0x21, 0x0A, 6, 9][..], 0x210E, Frame::Whole),
            (&[0x30, 0x82, 0x21, 0x0A, 6, 9], 0x210D, Frame::CutShort(0x210E)),
            (&[0x30, 0x83, 1, 0, 0, 6, 9], 65_541, Frame::Whole),
            (&[0x30, 0x83, 1, 0, 0, 6, 9], 65_540, Frame::CutShort(65_541)),
            (&[0x30, 0x0A, 6, 9], 12, Frame::Whole),
            // More after the end is no sign: some are padded.
            (&[0x30, 0x0A, 6, 9], 16, Frame::Whole),
            (b"MZ\x90\0", 100, Frame::Other),
            (b"DCS\x01", 100, Frame::Whole),
            // No length, an endless one, one that is too long to be meant, nothing.
            (&[0x30], 1, Frame::Other),
            (&[0x30, 0x80, 6, 9], 100, Frame::Other),
            (&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 6, 9], 100, Frame::Other),
            (&[0x30, 0x82, 0x21], 3, Frame::Other),
            (&[], 0, Frame::Other),
        ] {
            assert_eq!(frame(start, size), wanted, "{start:x?} {size}");
        }
    }
}
