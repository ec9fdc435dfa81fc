//! What a typical reset script would change on a machine, counted one object at a time and only as far as the machine has it. The steps are those
//! that published scripts have in common. Not counted, because a practice machine does not hold what they change: the Winsock catalogue, the addresses
//! of the network, what registering some 36 libraries writes, and what DISM and sfc replace.

use model::{RegistryData, TargetKind, VolumePath};
use std::path::Path;
use target::{FolderTarget, Target};

const WINDOWS: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion";
const POLICIES: &str = "HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate";
const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";

/// The number of objects: values, folders and files.
pub(super) fn objects(folder: &Path) -> usize {
    let target = FolderTarget::open(folder, TargetKind::Folder).unwrap();
    // The folders of Windows Update and of the catalogues are renamed as a whole and count as one object each, and so does a job list.
    let renamed = ["Windows\\SoftwareDistribution", "Windows\\System32\\catroot2", "Windows\\WinSxS\\pending.xml"];
    let folders = renamed.iter().filter(|path| there(&target, path)).count();
    let queue = "ProgramData\\Microsoft\\Network\\Downloader";
    let jobs = target.list(&path(queue)).into_known().unwrap_or_default();
    let jobs = jobs.iter().map(|name| name.to_lowercase()).filter(|name| name.starts_with("qmgr") && name.ends_with(".dat")).count();
    // Four services are set to start by themselves; of two the security is replaced.
    let service = |name: &str| format!("{SERVICES}\\{name}");
    let started = ["wuauserv", "BITS", "CryptSvc", "TrustedInstaller"];
    let start = |name: &&&str| value(&target, &service(name), "Start").is_some_and(|data| data.as_dword() != Some(2));
    let security = ["wuauserv", "BITS"].iter().filter(|name| target.key(&service(name)).known().is_some()).count();
    let identity = ["SusClientId", "SusClientIDValidation", "PingID", "AccountDomainSid"];
    let identity = identity.iter().filter(|name| value(&target, &format!("{WINDOWS}\\WindowsUpdate"), name).is_some()).count();
    let proxy = usize::from(value(&target, &format!("{WINDOWS}\\Internet Settings\\Connections"), "WinHttpSettings").is_some());
    let policies = [POLICIES.to_owned(), format!("{POLICIES}\\AU")];
    let policies: usize = policies.iter().filter_map(|key| target.key(key).into_known()).map(|key| key.values.len()).sum();
    folders + jobs + started.iter().filter(start).count() + security + identity + proxy + policies
}

fn path(text: &str) -> VolumePath {
    VolumePath::parse(text).unwrap()
}

fn there(target: &dyn Target, text: &str) -> bool {
    target.entry(&path(text)).known().is_some()
}

fn value(target: &dyn Target, key: &str, name: &str) -> Option<RegistryData> {
    target.key(key).into_known()?.value(name).cloned()
}
