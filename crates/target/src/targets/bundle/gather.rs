//! Goes through a bundle once, whatever it is packed in, and keeps the files that have a place in Windows.
//!
//! Zip archives and folders are only listed: their files are read when they are asked for. The other archives can only be read from
//! their start, so what is wanted of them is unpacked in this one pass. Nothing is ever written outside of temporary files without names.

use super::blob::{Blob, Spool, Zip};
use super::recognise::{Recognised, by_content};
use super::{cab, limits, place, seven, tar};
use model::VolumePath;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

/// One file with a place.
pub(super) struct Filed {
    pub(super) path: VolumePath,
    /// The name in the bundle, with the archives around it.
    pub(super) origin: String,
    pub(super) size: u64,
    /// Seconds since 1970; without a zone where the archive has none.
    pub(super) modified: i64,
    pub(super) blob: Blob,
}

/// A registry hive or a log of one, whose place is seen later.
pub(super) struct Loose {
    pub(super) origin: String,
    /// The place that its own path names.
    pub(super) told: Option<VolumePath>,
    pub(super) size: u64,
    pub(super) modified: i64,
    pub(super) blob: Blob,
}

/// What is known of a member before its content.
struct Member<'a> {
    /// The name inside its container.
    name: &'a str,
    size: u64,
    /// Packed size where the container says it for each member.
    packed: Option<u64>,
    modified: i64,
}

/// A member's content: now or never, or whenever it is wanted.
enum Content<'a> {
    Now(&'a mut dyn Read),
    Later(Blob),
}

/// What was found.
#[derive(Default)]
pub(super) struct Gathered {
    /// By the upper-case form of the path.
    pub(super) files: BTreeMap<Vec<u16>, Filed>,
    /// Files that are registry hives by their content.
    pub(super) hives: Vec<Loose>,
    /// Logs of registry hives.
    pub(super) hive_logs: Vec<Loose>,
    /// Sentences about what was left out.
    pub(super) notes: Vec<String>,
    /// How many files there are that are nothing hresolve knows.
    pub(super) unknown: u64,
    skipped: u64,
    members: u64,
    unpacked: u64,
    spool: Spool,
    full: bool,
}

/// The upper-case form by which names are compared.
pub(super) fn upcase(path: &VolumePath) -> Vec<u16> {
    crate::names::upcase_name(&path.to_string())
}

impl Gathered {
    /// Goes through a folder, an archive or a lone file.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub(super) fn from(path: &Path) -> io::Result<Gathered> {
        let mut all = Gathered::default();
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            all.folder(path, "", 0)?;
        } else if metadata.is_file() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            // The link that a person names is followed; its name may say what the file is.
            let real = path.canonicalize()?;
            let blob = Blob::Path(real);
            if by_content(&blob.start(limits::HEAD as u64)?) == Some(Recognised::Archive) {
                all.archive(&blob, metadata.len(), &name, 1);
            } else {
                let modified = metadata.modified().ok().map_or(0, crate::targets::folder::unix_seconds);
                all.member("", &Member { name: &name, size: metadata.len(), packed: None, modified }, Content::Later(blob), 0);
            }
        } else {
            return Err(io::Error::other("it is neither a file nor a folder"));
        }
        if all.skipped > 0 {
            all.notes.push(format!("{} more sentences like these are not shown.", all.skipped));
        }
        Ok(all)
    }

    fn skip(&mut self, origin: &str, why: &str) {
        self.note(format!("{} of the bundle was left out: {why}.", quoted(origin)));
    }

    fn note(&mut self, says: String) {
        if self.notes.len() < limits::MOST_NOTES {
            self.notes.push(says);
        } else {
            self.skipped += 1;
        }
    }

    /// True while more members may come.
    fn count(&mut self, container: &str) -> bool {
        self.members += 1;
        if self.members > limits::MOST_MEMBERS && !self.full {
            self.full = true;
            self.notes.push(format!(
                "The bundle holds more than {} files. Those after them were not looked at{}.",
                limits::MOST_MEMBERS,
                within(container)
            ));
        }
        !self.full
    }

    fn folder(&mut self, folder: &Path, prefix: &str, depth: u32) -> io::Result<()> {
        let mut entries: Vec<_> = std::fs::read_dir(folder)?.take(2 * limits::MOST_MEMBERS as usize).flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            if !self.count("") {
                break;
            }
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.skip(&name, &error.to_string());
                    continue;
                }
            };
            if metadata.is_symlink() {
                self.skip(&name, "it is a link, and links in bundles are not followed");
            } else if metadata.is_dir() && depth >= limits::DEEPEST_FOLDER {
                self.skip(&name, &format!("it lies below more than {} folders", limits::DEEPEST_FOLDER));
            } else if metadata.is_dir() {
                if let Err(error) = self.folder(&entry.path(), &format!("{name}/"), depth + 1) {
                    self.skip(&name, &error.to_string());
                }
            } else if metadata.is_file() {
                let modified = metadata.modified().ok().map_or(0, crate::targets::folder::unix_seconds);
                let member = Member { name: &name, size: metadata.len(), packed: None, modified };
                self.member("", &member, Content::Later(Blob::Path(entry.path())), 0);
            } else {
                self.skip(&name, "it is a pipe, a socket or a device");
            }
        }
        Ok(())
    }

    /// One file: finds its place and keeps it when it has one. `archives` is how many archives lie around it.
    fn member(&mut self, container: &str, member: &Member, content: Content, archives: u32) {
        let origin = if container.is_empty() { member.name.to_owned() } else { format!("{container}: {}", member.name) };
        if let Err(why) = self.try_member(&origin, member, content, archives) {
            self.skip(&origin, &why);
        }
    }

    fn try_member(&mut self, origin: &str, member: &Member, mut content: Content, archives: u32) -> Result<(), String> {
        let name = place::parts(member.name)?;
        let size = member.size;
        if size > limits::LARGEST_MEMBER {
            return Err(format!("it has {}, more than {}", limits::shown(size), limits::shown(limits::LARGEST_MEMBER)));
        }
        if member.packed.is_some_and(|packed| limits::is_bomb(packed, size)) {
            return Err(format!("it would be more than {} times as large unpacked", limits::HIGHEST_RATIO));
        }
        let told = place::by_path(&name);
        let is_hive = |path: &VolumePath| path.parent().is_some_and(|parent| crate::names_equal(parent.file_name(), "config"));
        // Rotated logs lie packed among the others; what else is packed in Windows is not for us.
        let may_be_archive =
            told.as_ref().is_none_or(|path| path.parent().is_some_and(|parent| place::holds_logs(&parent)) && has_archive_name(path.file_name()));
        if told.as_ref().is_some_and(|path| !may_be_archive && !is_hive(path)) {
            return self.keep(origin, member, content, told);
        }
        let start = match &mut content {
            Content::Later(blob) => blob.start(limits::HEAD as u64),
            Content::Now(reader) => {
                let mut start = Vec::new();
                reader.take(limits::HEAD as u64).read_to_end(&mut start).map(|_| start)
            }
        };
        let start = start.map_err(|error| error.to_string())?;
        let mut whole;
        let content = match content {
            Content::Now(reader) => {
                whole = io::Cursor::new(start.clone()).chain(reader);
                Content::Now(&mut whole)
            }
            Content::Later(blob) => Content::Later(blob),
        };
        match by_content(&start) {
            Some(Recognised::Archive) if archives > limits::MOST_NESTED => {
                Err(format!("it is packed in more than {} archives, one in the other", limits::MOST_NESTED + 1))
            }
            Some(Recognised::Archive) => {
                let blob = self.unpacked(content, size).map_err(|error| error.to_string())?;
                self.archive(&blob, size, origin, archives + 1);
                Ok(())
            }
            Some(Recognised::OtherArchive(kind)) => {
                Err(format!("it is packed as {kind}, which hresolve does not unpack. Unpack it and name the folder"))
            }
            Some(kind @ (Recognised::Hive | Recognised::HiveLog)) => {
                if member.packed.is_some() {
                    // Hives are read whole, so they count although they are still packed.
                    self.unpacked = self.unpacked.saturating_add(size);
                    self.within_limit().map_err(|error| error.to_string())?;
                }
                let blob = self.settled(content).map_err(|error| error.to_string())?;
                let loose = Loose { origin: origin.to_owned(), told, size, modified: member.modified, blob };
                if kind == Recognised::Hive {
                    self.hives.push(loose)
                } else {
                    self.hive_logs.push(loose)
                }
                Ok(())
            }
            Some(Recognised::Report(event)) => {
                let path = told.or_else(|| place::of_report(&event, origin));
                self.keep(origin, member, content, path)
            }
            Some(Recognised::At(path)) => {
                // An event log tells its channel; of other logs the name says more (CbsPersist_2024….log).
                let named = match path.file_name().ends_with(".evtx") {
                    // Windows sets full event logs aside under such names.
                    true if name.file_name().starts_with("Archive-") => event_log(name.file_name()),
                    true => None,
                    false => place::by_name(name.file_name()),
                };
                self.keep(origin, member, content, told.or(named).or(Some(path)))
            }
            None => self.keep(origin, member, content, told.or_else(|| place::by_name(name.file_name())).or_else(|| event_log(name.file_name()))),
        }
    }

    /// Puts a file at its place, or counts it when it has none.
    fn keep(&mut self, origin: &str, member: &Member, content: Content, path: Option<VolumePath>) -> Result<(), String> {
        let Some(path) = path else {
            self.unknown += 1;
            return Ok(());
        };
        let key = upcase(&path);
        if let Some(there) = self.files.get(&key) {
            let newer = (member.modified, member.size) > (there.modified, there.size);
            let (used, left) = if newer { (origin, there.origin.as_str()) } else { (there.origin.as_str(), origin) };
            let says = format!(
                "Two files of the bundle belong at {}: {}, the newer or larger one, was used, and {} was not.",
                path.with_drive('C'),
                quoted(used),
                quoted(left)
            );
            self.note(says);
            if !newer {
                return Ok(());
            }
        }
        let blob = self.settled(content).map_err(|error| error.to_string())?;
        self.files.insert(key, Filed { path, origin: origin.to_owned(), size: member.size, modified: member.modified, blob });
        Ok(())
    }

    /// Content that can be read again: unpacked now where it comes only once.
    fn settled(&mut self, content: Content) -> io::Result<Blob> {
        match content {
            Content::Later(blob) => Ok(blob),
            Content::Now(reader) => self.spool.keep(reader),
        }
    }

    /// Content in which can be gone to and fro.
    fn unpacked(&mut self, content: Content, size: u64) -> io::Result<Blob> {
        match content {
            Content::Later(blob @ Blob::Zipped { .. }) => {
                self.unpacked = self.unpacked.saturating_add(size);
                self.within_limit()?;
                // A size that lies does not make it longer.
                blob.with(|reader| self.spool.keep(&mut reader.take(size)))
            }
            Content::Later(blob) => Ok(blob),
            Content::Now(reader) => self.spool.keep(reader),
        }
    }

    fn within_limit(&self) -> io::Result<()> {
        if self.unpacked <= limits::LARGEST_IN_ALL {
            return Ok(());
        }
        Err(io::Error::other(format!("the bundle would take more than {} unpacked", limits::shown(limits::LARGEST_IN_ALL))))
    }

    /// Goes through an archive. One that breaks off gives what came before.
    fn archive(&mut self, blob: &Blob, packed: u64, origin: &str, archives: u32) {
        if let Err(error) = self.try_archive(blob, packed, origin, archives) {
            self.note(format!("The archive {} could not be read to its end: {error}. What came before that was used.", quoted(origin)));
        }
    }

    fn try_archive(&mut self, blob: &Blob, packed: u64, origin: &str, archives: u32) -> io::Result<()> {
        let start = blob.start(8)?;
        if start.starts_with(b"PK") {
            return self.zip(blob, origin, archives);
        }
        if start.starts_with(b"7z") {
            let mut passage = Passage { container: origin, packed, so_far: 0, archives };
            return seven::members(blob.source()?, &mut |member, content| {
                self.passing(
                    &mut passage,
                    &Member { name: &member.name, size: member.size, packed: None, modified: member.modified },
                    member.is_file,
                    content,
                )
            });
        }
        if start.starts_with(b"MSCF") {
            let mut skipped = Vec::new();
            let mut passage = Passage { container: origin, packed, so_far: 0, archives };
            let ended = cab::members(
                &mut blob.source()?,
                &mut |member, content| {
                    let modified = dos_time(member.date, member.time);
                    self.passing(&mut passage, &Member { name: &member.name, size: member.size, packed: None, modified }, true, content)
                },
                &mut |name, why| skipped.push((format!("{origin}: {name}"), why.to_owned())),
            );
            for (name, why) in skipped {
                self.skip(&name, &why);
            }
            return ended;
        }
        if start.starts_with(b"\x1f\x8b") {
            let mut inner = BufReader::new(flate2::read::MultiGzDecoder::new(BufReader::new(blob.source()?)));
            let mut head = Vec::new();
            (&mut inner).take(512).read_to_end(&mut head)?;
            let is_tar = tar::is_tar(&head);
            let mut whole = io::Cursor::new(head).chain(inner);
            if is_tar {
                return self.tar(&mut whole, packed, origin, archives);
            }
            let name = Path::new(origin).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let name = name.rsplit(": ").next().unwrap_or_default();
            let name = name.strip_suffix(".gz").unwrap_or(name).to_owned();
            // How long it is, is known at its end only.
            let mut metered = Metered { inner: &mut whole, packed, so_far: 0, most: limits::LARGEST_MEMBER };
            let blob = self.spool.keep(&mut metered)?;
            let size = metered.so_far;
            self.unpacked = self.unpacked.saturating_add(size);
            self.within_limit()?;
            self.member(origin, &Member { name: &name, size, packed: None, modified: 0 }, Content::Later(blob), archives);
            return Ok(());
        }
        self.tar(&mut blob.source()?, packed, origin, archives)
    }

    fn tar(&mut self, source: &mut dyn Read, packed: u64, origin: &str, archives: u32) -> io::Result<()> {
        // Long names are unpacked too, so the whole stream counts.
        let mut metered = Metered { inner: source, packed, so_far: 0, most: limits::LARGEST_IN_ALL };
        let mut passage = Passage { container: origin, packed, so_far: 0, archives };
        tar::members(&mut metered, &mut |member, content| {
            self.passing(
                &mut passage,
                &Member { name: &member.name, size: member.size, packed: None, modified: member.modified },
                member.is_file,
                content,
            )
        })
    }

    /// A member whose content passes by now; false when no more shall come.
    ///
    /// # Errors
    /// When the archive unpacks to more than is allowed.
    fn passing(&mut self, passage: &mut Passage, member: &Member, is_file: bool, content: &mut dyn Read) -> io::Result<bool> {
        if !self.count(passage.container) {
            return Ok(false);
        }
        // What is not wanted is unpacked as well, because the next one lies behind it.
        passage.so_far = passage.so_far.saturating_add(member.size);
        if limits::is_bomb(passage.packed, passage.so_far) {
            return Err(io::Error::other(format!("it is more than {} times as large unpacked", limits::HIGHEST_RATIO)));
        }
        self.unpacked = self.unpacked.saturating_add(member.size);
        self.within_limit()?;
        if !is_file {
            self.skip(&format!("{}: {}", passage.container, member.name), "it is a link or a device");
        } else if !member.name.ends_with(['/', '\\']) {
            self.member(passage.container, member, Content::Now(content), passage.archives);
        }
        Ok(true)
    }

    fn zip(&mut self, blob: &Blob, origin: &str, archives: u32) -> io::Result<()> {
        let archive = Zip::new(BufReader::new(blob.source()?)).map_err(io::Error::other)?;
        let count = archive.len();
        let archive = Rc::new(RefCell::new(archive));
        for index in 0..count {
            if !self.count(origin) {
                break;
            }
            let (name, size, packed, modified, ordinary, encrypted, is_folder) = {
                let mut archive = archive.borrow_mut();
                let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
                let name = entry.name().map_err(io::Error::other)?.into_owned();
                let modified = entry.last_modified().map_or(0, |time| dos_time(time.datepart(), time.timepart()));
                let is_folder = entry.is_dir() || name.ends_with(['/', '\\']);
                (name, entry.size(), entry.compressed_size(), modified, entry.is_file(), entry.encrypted(), is_folder)
            };
            if is_folder {
                continue;
            }
            let full = format!("{origin}: {name}");
            if !ordinary {
                self.skip(&full, "it is a link or a device");
            } else if encrypted {
                self.skip(&full, "it is protected by a password. Unpack it and name the folder");
            } else {
                let content = Content::Later(Blob::Zipped { archive: Rc::clone(&archive), index });
                self.member(origin, &Member { name: &name, size, packed: Some(packed), modified }, content, archives);
            }
        }
        Ok(())
    }
}

/// A stranger's name, without control characters that would reach the terminal.
pub(super) fn quoted(name: &str) -> String {
    format!("{name:?}").replace("\\\\", "\\")
}

fn within(container: &str) -> String {
    if container.is_empty() { String::new() } else { format!(" (in {container:?})") }
}

fn has_archive_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".zip", ".7z", ".cab", ".tar", ".tgz", ".gz"].iter().any(|ending| name.ends_with(ending))
}

/// An event log whose channel cannot be read (empty, damaged) keeps its name.
fn event_log(name: &str) -> Option<VolumePath> {
    name.to_ascii_lowercase().ends_with(".evtx").then(|| VolumePath::parse(&format!("Windows\\System32\\winevt\\Logs\\{name}")).ok()).flatten()
}

/// Seconds since 1970 of a date and time as DOS wrote them, taken as if they were UTC.
fn dos_time(date: u16, time: u16) -> i64 {
    let (year, month, day) = (1980 + i64::from(date >> 9), i64::from(date >> 5 & 15), i64::from(date & 31));
    let (hour, minute, second) = (i64::from(time >> 11), i64::from(time >> 5 & 63), i64::from(time & 31) * 2);
    // Days since 1970 of a date in the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let of_era = (y % 400) * 365 + (y % 400) / 4 - (y % 400) / 100 + (153 * m + 2) / 5 + day - 1;
    let days = y / 400 * 146_097 + of_era - 719_468;
    days * 86_400 + hour * 3600 + minute * 60 + second
}

/// On the way through an archive that is read from its start.
struct Passage<'a> {
    container: &'a str,
    /// The archive's own size.
    packed: u64,
    /// Bytes unpacked so far.
    so_far: u64,
    archives: u32,
}

/// Stops what unpacks to more than is allowed.
struct Metered<'a> {
    inner: &'a mut dyn Read,
    packed: u64,
    so_far: u64,
    most: u64,
}

impl Read for Metered<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.so_far = self.so_far.saturating_add(count as u64);
        if limits::is_bomb(self.packed, self.so_far) {
            return Err(io::Error::other(format!("it is more than {} times as large unpacked", limits::HIGHEST_RATIO)));
        }
        if self.so_far > self.most {
            return Err(io::Error::other(format!("it takes more than {} unpacked", limits::shown(self.most))));
        }
        Ok(count)
    }
}
