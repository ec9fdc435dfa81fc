//! Whether an address is this computer itself, and who else decides about its settings.

use model::{Reading, RegistryData};
use std::net::IpAddr;
use target::Target;

const SERVICES: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services";

/// Whether a host, without port, is the computer that names it: by a name or an address that always means that, or by its own name.
pub(crate) fn is_this_computer(target: &dyn Target, host: &str) -> bool {
    if host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified()) {
        return true;
    }
    let own = target.value("HKLM\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName", "ComputerName");
    own.into_known().and_then(|data| data.as_text()).is_some_and(|own| own.eq_ignore_ascii_case(host))
}

/// Which organisation decides about this computer, told without its update policies: a domain, device management, an account of an
/// organisation, or a program that manages computers. `Absent` when there is no sign of any.
pub(crate) fn organisation(target: &dyn Target) -> Reading<String> {
    let text = |key: &str, name: &str| target.value(key, name).map(|data: RegistryData| data.as_text().unwrap_or_default());
    let tcpip = format!("{SERVICES}\\Tcpip\\Parameters");
    for name in ["NV Domain", "Domain"] {
        match text(&tcpip, name) {
            Reading::Known(domain) if !domain.trim().is_empty() => return Reading::Known(format!("the domain {domain}")),
            Reading::NotCollected => return Reading::NotCollected,
            Reading::Unreadable(why) => return Reading::Unreadable(why),
            _ => {}
        }
    }
    // Only members of a domain start Netlogon by themselves.
    let member = target.value(&format!("{SERVICES}\\Netlogon"), "Start").into_known().and_then(|start| start.as_dword()) == Some(2);
    let joined = |key: &str| target.key(key).into_known().is_some_and(|view| !view.subkeys.is_empty());
    let enrolled = target.key("HKLM\\SOFTWARE\\Microsoft\\Enrollments").into_known().is_some_and(|view| {
        let provider = |name: &String| text(&format!("HKLM\\SOFTWARE\\Microsoft\\Enrollments\\{name}"), "ProviderID").into_known();
        view.subkeys.iter().filter_map(provider).any(|id| !id.is_empty())
    });
    let found = if member {
        "a domain"
    } else if joined("HKLM\\SYSTEM\\CurrentControlSet\\Control\\CloudDomainJoin\\JoinInfo") {
        "an organisation's account (CloudDomainJoin)"
    } else if enrolled {
        "device management (MDM)"
    } else if target.key(&format!("{SERVICES}\\CcmExec")).known().is_some() {
        "Configuration Manager"
    } else {
        return Reading::Absent;
    };
    Reading::Known(found.into())
}
