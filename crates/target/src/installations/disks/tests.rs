#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, reason = "tests make folders and images and start programs")]

use super::*;
use crate::lab;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::process::Command;

/// An invented computer: devices by their paths; a device without content may not be opened.
#[derive(Default)]
struct Invented {
    mounts: String,
    partitions: String,
    devices: BTreeMap<&'static str, Option<Vec<u8>>>,
    links: BTreeMap<&'static str, &'static str>,
    parts: Vec<&'static str>,
}

impl Disks for Invented {
    fn mounts(&self) -> String {
        self.mounts.clone()
    }
    fn partitions(&self) -> String {
        let lines: Vec<String> = self.partitions.split(' ').map(|name| format!("   8        1     524288 {name}\n")).collect();
        format!("major minor  #blocks  name\n\n{}", lines.concat())
    }
    fn real(&self, device: &str) -> String {
        (*self.links.get(device).unwrap_or(&device)).to_owned()
    }
    fn is_part_of_another(&self, device: &str) -> bool {
        self.parts.contains(&device)
    }
    fn open(&self, device: &str) -> io::Result<Box<dyn Device>> {
        match self.devices.get(device) {
            Some(Some(bytes)) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Some(None) => Err(io::ErrorKind::PermissionDenied.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn reasons(one: &Installation) -> Vec<&str> {
    one.why_not.iter().map(|why| why.reason.as_str()).collect()
}

fn put(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    if bytes.len() < at + what.len() {
        bytes.resize(at + what.len(), 0);
    }
    bytes[at..at + what.len()].copy_from_slice(what);
}

/// A record or a page with the numbers at the ends of its parts in their places.
fn torn_proof(mut bytes: Vec<u8>) -> Vec<u8> {
    let parts = bytes.len() / 512;
    put(&mut bytes, 4, &0x30_u16.to_le_bytes());
    put(&mut bytes, 6, &u16::try_from(parts + 1).unwrap().to_le_bytes());
    put(&mut bytes, 0x30, &7_u16.to_le_bytes());
    for part in 1..=parts {
        let kept = [bytes[512 * part - 2], bytes[512 * part - 1]];
        put(&mut bytes, 0x30 + 2 * part, &kept);
        put(&mut bytes, 512 * part - 2, &7_u16.to_le_bytes());
    }
    bytes
}

fn record(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 1024];
    put(&mut bytes, 0, b"FILE");
    put(&mut bytes, 0x14, &0x38_u16.to_le_bytes());
    let mut at = 0x38;
    for attribute in attributes {
        put(&mut bytes, at, attribute);
        at += attribute.len();
    }
    put(&mut bytes, at, &[0xff; 8]);
    torn_proof(bytes)
}

fn resident(kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    put(&mut bytes, 4, &u32::try_from((0x18 + content.len()).next_multiple_of(8)).unwrap().to_le_bytes());
    put(&mut bytes, 0x10, &u32::try_from(content.len()).unwrap().to_le_bytes());
    put(&mut bytes, 0x14, &0x18_u16.to_le_bytes());
    put(&mut bytes, 0x18, content);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// An NTFS volume of 250 GB in clusters of 4 KiB, with its table at the fourth and its journal at the sixth.
fn ntfs(label: &str, flags: u16, journal: Option<(u16, u16, u16)>) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    put(&mut bytes, 3, b"NTFS    ");
    put(&mut bytes, 0x0B, &512_u16.to_le_bytes());
    put(&mut bytes, 0x0D, &[8]);
    put(&mut bytes, 0x28, &488_281_250_u64.to_le_bytes());
    put(&mut bytes, 0x30, &4_u64.to_le_bytes());
    // 2 to the power of 10.
    put(&mut bytes, 0x40, &[0xF6]);
    let mut runs = vec![0; 0x48];
    put(&mut runs, 0, &0x80_u32.to_le_bytes());
    put(&mut runs, 4, &0x48_u32.to_le_bytes());
    put(&mut runs, 8, &[1]);
    put(&mut runs, 0x20, &0x40_u16.to_le_bytes());
    put(&mut runs, 0x40, &[0x21, 4, 6, 0]);
    put(&mut bytes, 4 * 4096 + 2 * 1024, &record(&[runs]));
    let name: Vec<u8> = label.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut information = vec![0; 12];
    put(&mut information, 10, &flags.to_le_bytes());
    put(&mut bytes, 4 * 4096 + 3 * 1024, &record(&[resident(0x60, &name), resident(0x70, &information)]));
    if let Some((version, user, flags)) = journal {
        // The older page says the opposite.
        for (place, age, user, flags) in [(0, 8_u64, user, flags), (4096, 3, !user, flags ^ 2)] {
            let mut page = vec![0; 4096];
            put(&mut page, 0, b"RSTR");
            put(&mut page, 0x18, &0x50_u16.to_le_bytes());
            put(&mut page, 0x1C, &version.to_le_bytes());
            put(&mut page, 0x50, &age.to_le_bytes());
            put(&mut page, 0x5C, &user.to_le_bytes());
            put(&mut page, 0x5E, &flags.to_le_bytes());
            put(&mut bytes, 6 * 4096 + place, &torn_proof(page));
        }
    } else {
        put(&mut bytes, 6 * 4096, &[0xff; 8192]);
    }
    bytes
}

#[test]
fn what_is_mounted_is_opened_and_says_why_it_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    lab::build("healthy-10-22h2", &place("my disk")).unwrap();
    lab::build("healthy-10-22h2", &place("asleep")).unwrap();
    fs::write(place("asleep").join("hiberfil.sys"), b"hibr").unwrap();
    lab::build("healthy-10-22h2", &place("cut")).unwrap();
    fs::write(place("cut").join("Windows/System32/config/SYSTEM"), b"regf").unwrap();
    fs::create_dir(place("data")).unwrap();
    let at = |name: &str| place(name).display().to_string().replace(' ', "\\040");
    let mounts = format!(
        "/dev/sda3 {} fuseblk rw,nosuid 0 0\n/dev/mapper/w {} fuseblk ro,nosuid 0 0\n/dev/sdb1 {} ntfs3 rw 0 0\n/dev/sdc1 {} ext4 rw 0 0\n\
         /dev/sda3 {} fuseblk rw 0 0\nserver:/x {} nfs rw 0 0\n",
        at("my disk"),
        at("asleep"),
        at("cut"),
        at("data"),
        at("asleep"),
        at("my disk"),
    );
    let links = [("/dev/mapper/w", "/dev/dm-0")].into();
    let all = look(&Invented { mounts, partitions: "sda3 dm-0 sdb1 sdc1".into(), links, ..Invented::default() });
    let [disk, asleep, cut] = all.found.as_slice() else { unreachable!("{all:#?}") };
    assert!(disk.usable && disk.why_not.is_empty(), "{disk:#?}");
    assert_eq!(disk.how, [format!("hresolve diagnose \"{}\"", place("my disk").display())]);
    assert_eq!(disk.windows.as_ref().unwrap().build, 19045);
    assert!(asleep.usable);
    assert_eq!(reasons(asleep), ["hibernated", "read-only"]);
    assert!(!cut.usable && cut.windows.is_none() && cut.how.is_empty());
    assert_eq!(reasons(cut), ["not-readable"]);
    assert!(cut.why_not[0].says.contains("SYSTEM"), "{cut:#?}");
}

#[test]
fn what_is_not_mounted_is_recognised_and_how_to_mount_it_is_said() {
    let signature = |text: &[u8]| {
        let mut bytes = vec![0; 4096];
        put(&mut bytes, 3, text);
        Some(bytes)
    };
    let asleep = ntfs("Windows", 1, Some((1, 0, 0)));
    let clean = ntfs("", 0, Some((1, 0xFFFF, 0)));
    let mut torn = ntfs("Torn", 1, None);
    torn[4 * 4096 + 3 * 1024 + 510] ^= 1;
    let computer = Invented {
        mounts: "/dev/sda9 /nowhere ntfs3 rw 0 0\n".into(),
        partitions: "sda sda1 sda2 sda3 sda4 sda5 sda6 sda7 sda8 sda9 sr0 nvme0n1p3".into(),
        devices: [
            ("/dev/sda", signature(b"\x90\x90\x90")),
            ("/dev/sda1", signature(b"MSDOS5.0")),
            ("/dev/sda2", signature(b"-FVE-FS-")),
            ("/dev/sda3", Some(asleep)),
            ("/dev/sda4", signature(b"ReFS\0\0\0\0")),
            ("/dev/sda5", Some(vec![0; 100])),
            ("/dev/sda6", Some(clean)),
            ("/dev/sda7", Some(torn)),
            ("/dev/sda8", signature(b"-FVE-FS-")),
            ("/dev/sda9", signature(b"-FVE-FS-")),
            ("/dev/sr0", signature(b"-FVE-FS-")),
            ("/dev/nvme0n1p3", None),
        ]
        .into(),
        // Unlocked already: what it became is looked at instead.
        parts: vec!["/dev/sda8"],
        ..Invented::default()
    };
    let all = look(&computer);
    let paths: Vec<&str> = all.found.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["/dev/sda2", "/dev/sda3", "/dev/sda4", "/dev/sda6", "/dev/sda7"]);
    assert!(all.found.iter().all(|one| !one.usable && one.windows.is_none()));
    let [bitlocker, asleep, refs, clean, torn] = all.found.as_slice() else { unreachable!("{all:#?}") };
    assert_eq!(reasons(bitlocker), ["bitlocker"]);
    assert_eq!(bitlocker.how[0], "sudo cryptsetup open --type bitlk /dev/sda2 sda2-unlocked");
    assert_eq!(bitlocker.how[2], "sudo mount -t ntfs-3g -o norecover /dev/mapper/sda2-unlocked /mnt/sda2");
    assert_eq!(reasons(asleep), ["not-mounted", "unclean-journal", "dirty-volume"]);
    assert!(asleep.why_not[0].says.contains("\"Windows\" (250.0 GB)"), "{asleep:#?}");
    assert_eq!(asleep.how[1], "sudo mount -t ntfs-3g -o ro,norecover /dev/sda3 /mnt/sda3");
    assert_eq!((reasons(refs), refs.how.is_empty()), (vec!["refs"], true));
    assert_eq!(reasons(clean), ["not-mounted"]);
    assert_eq!(clean.how[1], "sudo mount -t ntfs-3g -o norecover /dev/sda6 /mnt/sda6");
    // A torn record says nothing.
    assert!(reasons(torn) == ["not-mounted"] && !torn.why_not[0].says.contains("Torn"), "{torn:#?}");
    assert!(all.notes.len() == 1 && all.notes[0].contains("/dev/nvme0n1p3"), "{:?}", all.notes);
}

#[test]
fn a_journal_is_unclean_only_when_it_says_so() {
    for ((version, user, flags), unclean) in
        [((1, 0, 0), true), ((1, 0, 2), false), ((1, 0xFFFF, 0), false), ((1, 0xFFFF, 2), false), ((2, 0xFFFF, 2), true)]
    {
        let volume = volume::recognise(&mut Cursor::new(ntfs("x", 0, Some((version, user, flags))))).unwrap();
        assert!(matches!(volume, Some(Volume::Ntfs(ntfs)) if ntfs.unclean == unclean && !ntfs.dirty), "{version} {user} {flags}");
    }
}

#[test]
fn a_volume_cut_or_spoilt_anywhere_ends() {
    let whole = ntfs("Windows", 1, Some((1, 0, 0)));
    for length in (0..whole.len()).step_by(37) {
        let _ = volume::recognise(&mut Cursor::new(whole[..length].to_vec()));
    }
    for at in (0..512).chain(4 * 4096 + 2048..4 * 4096 + 4096).chain(6 * 4096..6 * 4096 + 256) {
        for value in [0, 1, 0x7f, 0x80, 0xf4, 0xff] {
            let mut spoilt = whole.clone();
            spoilt[at] = value;
            let _ = volume::recognise(&mut Cursor::new(spoilt));
        }
    }
}

/// What `mkntfs` and `ntfsfix` make, as they are known to do.
#[test]
fn a_real_ntfs_volume() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let made = fs::File::create(&image).and_then(|file| file.set_len(64 << 20)).is_ok()
        && Command::new("mkntfs").args(["-F", "-q", "-Q", "-L", "Wörld 7"]).arg(&image).output().is_ok_and(|done| done.status.success());
    if !made {
        println!("skipped: mkntfs is not installed (package ntfs-3g)");
        return;
    }
    let seen = || volume::recognise(&mut fs::File::open(&image).unwrap()).unwrap();
    let Some(Volume::Ntfs(clean)) = seen() else { unreachable!("not recognised") };
    assert_eq!((clean.label.as_str(), clean.dirty, clean.unclean), ("Wörld 7", false, false));
    assert!(clean.size <= 64 << 20 && clean.size > 63 << 20, "{}", clean.size);
    // It marks the volume for a check.
    if Command::new("ntfsfix").arg(&image).output().is_ok_and(|done| done.status.success()) {
        assert!(matches!(seen(), Some(Volume::Ntfs(ntfs)) if ntfs.dirty && ntfs.label == "Wörld 7"));
    }
}
