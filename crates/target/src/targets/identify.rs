//! Which Windows a machine is, from its registry.

use crate::target::Target;
use model::WindowsVersion;

const VERSION: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";

fn number(target: &dyn Target, key: &str, name: &str) -> Option<u32> {
    target.value(key, name).into_known().and_then(|data| data.as_dword())
}

fn text(target: &dyn Target, key: &str, name: &str) -> Option<String> {
    target.value(key, name).into_known().and_then(|data| data.as_text())
}

/// The version as the SOFTWARE hive says it, and the letter of the system drive; `None` when it names no build.
pub(super) fn by_software(target: &dyn Target, control_set: u32) -> Option<(WindowsVersion, char)> {
    let build = text(target, VERSION, "CurrentBuildNumber").or_else(|| text(target, VERSION, "CurrentBuild"))?.parse::<u32>().ok()?;
    // Windows 7 to 8.1 have only the text "6.1"; Windows 10 and 11 say "6.3" there and keep the truth in two numbers.
    let old = text(target, VERSION, "CurrentVersion").unwrap_or_default();
    let (old_major, old_minor) = old.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?))).unwrap_or((0, 0));
    let major = number(target, VERSION, "CurrentMajorVersionNumber").unwrap_or(if build >= 10240 { 10 } else { old_major });
    let minor = number(target, VERSION, "CurrentMinorVersionNumber").unwrap_or(if build >= 10240 { 0 } else { old_minor });
    let mut product = text(target, VERSION, "ProductName").unwrap_or_else(|| "Windows".into());
    // Windows 11 still writes "Windows 10" into ProductName; the build number tells.
    if build >= 22000 && !product.contains("Server") {
        product = product.replacen("Windows 10", "Windows 11", 1);
    }
    let arch =
        match text(target, &format!("HKLM\\SYSTEM\\ControlSet{control_set:03}\\Control\\Session Manager\\Environment"), "PROCESSOR_ARCHITECTURE") {
            Some(a) if a.eq_ignore_ascii_case("AMD64") => "x64".to_owned(),
            Some(a) => a.to_ascii_lowercase(),
            None => "unknown".to_owned(),
        };
    let drive = text(target, VERSION, "SystemRoot").and_then(|t| t.chars().next()).filter(char::is_ascii_alphabetic).unwrap_or('C');
    Some((WindowsVersion { product, major, minor, build, ubr: number(target, VERSION, "UBR"), arch, control_set }, drive.to_ascii_uppercase()))
}

/// Services that came with a version and were never brought to older ones. Update guides remove or add none of them, but a fault may
/// have, so one is not enough.
const SINCE: [(u32, u32, [&str; 6]); 2] = [
    (10, 0, ["DoSvc", "UsoSvc", "StateRepository", "CDPSvc", "DusmSvc", "TokenBroker"]),
    (6, 2, ["BrokerInfrastructure", "SystemEventsBroker", "LSM", "TimeBroker", "AppXSvc", "WSService"]),
];

/// Major and minor version by the services of a SYSTEM hive alone: the build stays 0. Unknown where that is not clear.
pub(super) fn by_services(target: &dyn Target, control_set: u32) -> WindowsVersion {
    let unknown = WindowsVersion { control_set, ..WindowsVersion::unknown() };
    let Some(services) = target.key(&format!("HKLM\\SYSTEM\\ControlSet{control_set:03}\\Services")).into_known() else { return unknown };
    let have = |names: &[&str]| names.iter().filter(|name| services.has_subkey(name)).count();
    match SINCE.iter().find(|(_, _, names)| have(names) >= 2) {
        // 8 and 8.1 cannot be told apart by this.
        Some((10, minor, _)) => WindowsVersion { major: 10, minor: *minor, ..unknown },
        _ => unknown,
    }
}
