//! The disks of a computer that runs Linux: what is mounted, and the volumes that are not. Nothing is mounted here and no device is
//! written; of a volume that is not mounted only what says of which kind it is, and how it was left, is read.

use super::volume::{self, Ntfs, Volume};
use super::{Installations, holds_windows, in_folder};
use model::{Installation, Obstacle, WhyNot};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// What can be read at any place.
pub(super) trait Device: Read + Seek {}
impl<T: Read + Seek> Device for T {}

/// What the system says about its disks.
pub(super) trait Disks {
    /// The table of what is mounted, as in `/proc/self/mounts`.
    fn mounts(&self) -> String;
    /// The table of disks and partitions, as in `/proc/partitions`.
    fn partitions(&self) -> String;
    /// A device's own path, where another one leads to it.
    fn real(&self, device: &str) -> String;
    /// Another device is made of it: an unlocked volume, a part of an array.
    fn is_part_of_another(&self, device: &str) -> bool;
    /// Opens a device for reading.
    fn open(&self, device: &str) -> io::Result<Box<dyn Device>>;
}

/// The computer that this program runs on.
pub(super) struct ThisComputer;

impl Disks for ThisComputer {
    fn mounts(&self) -> String {
        fs::read_to_string("/proc/self/mounts").unwrap_or_default()
    }

    fn partitions(&self) -> String {
        fs::read_to_string("/proc/partitions").unwrap_or_default()
    }

    fn real(&self, device: &str) -> String {
        fs::canonicalize(device).map_or_else(|_| device.to_owned(), |real| real.display().to_string())
    }

    fn is_part_of_another(&self, device: &str) -> bool {
        let name = device.trim_start_matches("/dev/").replace('/', "!");
        fs::read_dir(Path::new("/sys/class/block").join(name).join("holders")).is_ok_and(|mut holders| holders.next().is_some())
    }

    fn open(&self, device: &str) -> io::Result<Box<dyn Device>> {
        Ok(Box::new(fs::File::open(device)?))
    }
}

/// One line of the table of what is mounted.
struct Mount {
    device: String,
    at: PathBuf,
    kind: String,
    read_only: bool,
}

/// Of another computer, or mounted only when somebody looks: asking could keep the person waiting.
const AFAR: [&str; 7] = ["autofs", "cifs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"];
/// Memory, disc drives and floppy drives.
const NO_DISKS: [&str; 5] = ["fd", "ram", "sr", "zd", "zram"];

/// Looks at everything that is mounted, and at every volume that is not.
pub(super) fn look(disks: &dyn Disks) -> Installations {
    let mut all = Installations::default();
    let mut mounted = BTreeSet::new();
    for mount in mounts(&disks.mounts()) {
        let again = mount.device.starts_with("/dev/") && !mounted.insert(disks.real(&mount.device));
        if again || AFAR.contains(&mount.kind.as_str()) || !holds_windows(&mount.at) {
            continue;
        }
        let mut one = in_folder(&mount.at);
        if one.usable && mount.read_only {
            one.why_not.push((&WhyNot::ReadOnly { why: "it is mounted read-only".into() }).into());
        }
        all.found.push(one);
    }
    let mut denied = Vec::new();
    for name in partitions(&disks.partitions()) {
        let device = disks.real(&format!("/dev/{name}"));
        if mounted.contains(&device) || disks.is_part_of_another(&device) {
            continue;
        }
        match disks.open(&device).and_then(|mut open| volume::recognise(&mut *open)) {
            Ok(volume) => all.found.extend(volume.map(|volume| not_mounted(&device, &volume))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => denied.push(device),
            // Named in the table and not there: in a container.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => all.notes.push(format!("{device} cannot be read: {error}. Whether a Windows is on it was not seen.")),
        }
    }
    if !denied.is_empty() {
        all.notes.push(format!(
            "What is not mounted can be looked at by the superuser only, so whether a Windows is on {} was not seen. Try again with sudo.",
            denied.join(", ")
        ));
    }
    all
}

fn mounts(table: &str) -> impl Iterator<Item = Mount> {
    table.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, at, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let read_only = options.split(',').any(|option| option == "ro");
        Some(Mount { device: plain(device), at: PathBuf::from(plain(at)), kind: kind.to_owned(), read_only })
    })
}

/// The kernel writes white space and backslashes in a name as three octal digits.
fn plain(word: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].iter().fold(word.to_owned(), |word, (code, text)| word.replace(code, text))
}

/// The names in the table of partitions; above them stand a line of headings and an empty one.
fn partitions(table: &str) -> impl Iterator<Item = &str> {
    let is_disk = |name: &&str| {
        let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
        !NO_DISKS.contains(&letters)
    };
    table.lines().skip(2).filter_map(|line| line.split_whitespace().nth(3)).filter(is_disk)
}

fn not_mounted(device: &str, volume: &Volume) -> Installation {
    let name = device.rsplit('/').next().unwrap_or(device);
    let folder = format!("/mnt/{name}");
    let (why_not, how) = match volume {
        Volume::Ntfs(ntfs) => (ntfs_obstacles(ntfs), mounting(device, &folder, ntfs.unclean)),
        Volume::BitLocker => {
            let says = "This volume is encrypted with BitLocker, so whether a Windows is on it was not seen. Unlock it with its recovery key of 48 \
                        digits (cryptsetup 2.3 or later asks for it; dislocker can do it, too), then mount it.";
            let unlocked = format!("/dev/mapper/{name}-unlocked");
            let mut how = vec![format!("sudo cryptsetup open --type bitlk {device} {name}-unlocked")];
            how.extend(mounting(&unlocked, &folder, false));
            (vec![Obstacle::new("bitlocker", says)], how)
        }
        Volume::Refs => {
            let says = "This volume has the file system ReFS, which only Windows can read. Run hresolve on that Windows itself or in its recovery \
                        environment.";
            (vec![Obstacle::new("refs", says)], Vec::new())
        }
    };
    Installation { path: device.to_owned(), windows: None, usable: false, why_not, how }
}

fn ntfs_obstacles(ntfs: &Ntfs) -> Vec<Obstacle> {
    let label = if ntfs.label.is_empty() { String::new() } else { format!(" {:?}", ntfs.label) };
    let size = format!("{}.{} GB", ntfs.size / 1_000_000_000, ntfs.size / 100_000_000 % 10);
    let says = format!("This NTFS volume{label} ({size}) is not mounted, so whether a Windows is on it was not seen. Mount it and name the folder.");
    let mut why_not = vec![Obstacle::new("not-mounted", says)];
    if ntfs.unclean {
        why_not.push(Obstacle::new(
            "unclean-journal",
            "Its journal is not closed: a Windows on it is asleep (hibernation, Fast Startup) or was cut off. Changes made now could be lost or \
             could damage it, so mount it for reading only; to repair, first start that Windows and choose Shut down while holding Shift.",
        ));
    }
    if ntfs.dirty {
        why_not.push(Obstacle::new(
            "dirty-volume",
            "Windows has marked it for a check. Before anything is changed on it, start that Windows and let it check the drive, or run chkdsk /f \
             in its recovery environment.",
        ));
    }
    why_not
}

fn mounting(device: &str, folder: &str, for_reading: bool) -> Vec<String> {
    let options = if for_reading { "ro,norecover" } else { "norecover" };
    vec![
        format!("sudo mkdir -p {folder}"),
        format!("sudo mount -t ntfs-3g -o {options} {device} {folder}"),
        format!("sudo hresolve diagnose {folder}"),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests;
