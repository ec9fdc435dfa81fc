//! Lines of the hosts file that send the names of update servers elsewhere. Nothing is asked on a network.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, NotChecked, Reading, Subject, Value, VolumePath};
use std::net::IpAddr;
use target::{Expanded, Target};

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "hosts-file.path", kind: FactKind::Text, meaning: "the path of the hosts file that Windows uses; only a file with such lines is told about" },
    FactDeclaration {
        name: "hosts-file.blocked",
        kind: FactKind::List,
        meaning: "the lines that send names of update servers to no address or to this computer, each as \"line 12: 0.0.0.0 name\"; absent when there are none",
    },
    FactDeclaration {
        name: "hosts-file.redirected",
        kind: FactKind::List,
        meaning: "the lines that send names of update servers to another address, which may be a cache that works; absent when there are none",
    },
    FactDeclaration {
        name: "hosts-file.others",
        kind: FactKind::Number,
        meaning: "how many other names the file gives an address; localhost, which Windows knows without the file, does not count",
    },
];

const UPDATE_HOSTS: &str = include_str!("../../../../knowledge/defaults/update-hosts.tsv");
const TCP: &str = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";
/// Lists against advertisements have some megabytes.
const LARGEST: u64 = 64 << 20;
/// So many lines are named; the rest is counted by the reader of the file.
const MOST_NAMED: usize = 40;

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    let Some(path) = place(target) else { return };
    let shown = path.with_drive(target.drive());
    let not_checked = |why: String| NotChecked { what: format!("hosts file ({shown})"), why, blocking: false };
    match target.read(&path, LARGEST) {
        Reading::Known(bytes) => facts.subjects.extend(subject(&shown, &read(&bytes))),
        Reading::Unreadable(why) => facts.not_checked.push(not_checked(why)),
        Reading::NotCollected => facts.not_checked.push(not_checked("it is not part of what was given".into())),
        // Windows works without one.
        Reading::Absent => {}
    }
}

/// `DataBasePath` says in which folder the file lies; programs have moved it.
fn place(target: &dyn Target) -> Option<VolumePath> {
    let usual = target.windows_folder().join("System32\\drivers\\etc");
    let folder = match target.value(TCP, "DataBasePath").into_known().and_then(|data| data.as_text()) {
        Some(data) => match target.expand(&data) {
            Expanded::Here(path) => path,
            Expanded::Elsewhere(..) | Expanded::Unknown(_) => return None,
        },
        None => usual,
    };
    Some(folder.join("hosts"))
}

/// When the hosts file was changed last, in seconds since 1970; the far future when hresolve set it aside.
pub(super) fn changed(target: &dyn Target) -> Option<i64> {
    let path = place(target)?;
    match target.entry(&path) {
        Reading::Known(entry) => Some(entry.modified),
        Reading::Absent => {
            let names = path.parent().and_then(|folder| target.list(&folder).into_known()).unwrap_or_default();
            names.iter().any(|name| name.to_ascii_lowercase().starts_with("hosts.hresolve-")).then_some(i64::from(u32::MAX))
        }
        Reading::NotCollected | Reading::Unreadable(_) => None,
    }
}

/// Whether the table knows a server by that name.
pub(super) fn is_microsofts(name: &str) -> bool {
    role(name).is_some()
}

/// What the lines amount to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Hosts {
    blocked: Vec<String>,
    redirected: Vec<String>,
    others: u64,
}

fn read(bytes: &[u8]) -> Hosts {
    let mut hosts = Hosts::default();
    let content = String::from_utf8_lossy(bytes);
    for (number, line) in (1..).zip(content.trim_start_matches('\u{feff}').lines()) {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
        for name in words {
            match role(name) {
                Some("update") if nowhere(address) => add(&mut hosts.blocked, number, address, name),
                Some("update") => add(&mut hosts.redirected, number, address, name),
                _ if address.is_loopback() && name.eq_ignore_ascii_case("localhost") => {}
                _ => hosts.others += 1,
            }
        }
    }
    hosts
}

fn add(list: &mut Vec<String>, number: usize, address: IpAddr, name: &str) {
    if list.len() < MOST_NAMED {
        list.push(format!("line {number}: {address} {name}"));
    }
}

/// An address at which no server of Microsoft's can be.
fn nowhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_loopback() || four.is_unspecified() || four.is_broadcast(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unspecified() || six.to_ipv4_mapped().is_some_and(|four| four.is_loopback() || four.is_unspecified()),
    }
}

/// What the table says about a name.
fn role(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let fits = |pattern: &str| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end) && name.len() > end.len(),
        None => name == pattern,
    };
    let rows = UPDATE_HOSTS.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.filter_map(|row| row.split_once('\t')).find(|(pattern, _)| fits(pattern)).and_then(|(_, rest)| rest.split('\t').next())
}

fn subject(shown: &str, hosts: &Hosts) -> Option<Subject> {
    if hosts.blocked.is_empty() && hosts.redirected.is_empty() {
        return None;
    }
    let mut subject = Subject::new("hosts-file", shown);
    subject.put("hosts-file.path", fact(text(shown), format!("The hosts file is {shown}"), shown, "file"));
    for (name, lines, what) in [
        ("hosts-file.blocked", &hosts.blocked, "to no address or to this computer"),
        ("hosts-file.redirected", &hosts.redirected, "to another address"),
    ] {
        let at = lines.first().and_then(|line| line.split(':').next()).unwrap_or("lines").to_owned();
        let reading = if lines.is_empty() { Reading::Absent } else { Reading::Known(Value::List(lines.clone())) };
        subject.put(name, fact(reading, format!("The hosts file sends names of update servers {what}: {}", lines.join("; ")), shown, at));
    }
    let says = format!("The hosts file has {} other name(s) with an address", hosts.others);
    subject.put("hosts-file.others", fact(Reading::Known(Value::Number(hosts.others)), says, shown, "lines"));
    Some(subject)
}

#[cfg(test)]
mod tests {
    use super::{read, role};

    #[test]
    fn only_names_that_updates_need_and_addresses_that_lead_nowhere_block() {
        let hosts = read(
            b"\xef\xbb\xbf# 0.0.0.0 fe2.update.microsoft.com\r\n127.0.0.1 localhost\r\n0.0.0.0\tdownload.windowsupdate.com FE2.Update.Microsoft.com. # blocked\r\n\
              :: dl.delivery.mp.microsoft.com\r\n192.168.1.5 download.windowsupdate.com\r\n0.0.0.0 update.microsoft.com ctldl.windowsupdate.com\r\n\
              0.0.0.0 fe2.update.microsoft.com.akadns.net\r\n10.0.0.1 printer\r\nnot-an-address download.windowsupdate.com\r\n0.0.0.0",
        );
        let blocked = ["line 3: 0.0.0.0 download.windowsupdate.com", "line 3: 0.0.0.0 FE2.Update.Microsoft.com.", "line 4: :: dl.delivery.mp.microsoft.com"];
        assert_eq!(hosts.blocked, blocked);
        assert_eq!(hosts.redirected, ["line 5: 192.168.1.5 download.windowsupdate.com"]);
        assert_eq!(hosts.others, 4, "two names that stop nothing, one at another company's servers, the printer");
    }

    #[test]
    fn the_first_row_that_fits_counts() {
        for (name, wanted) in [
            ("sls.update.microsoft.com", Some("update")),
            ("statsfe2.update.microsoft.com", Some("other")),
            ("windowsupdate.com", Some("skipped")),
            ("xwindowsupdate.com", None),
            ("download.windowsupdate.com.example.org", None),
            ("www.microsoft.com", None),
        ] {
            assert_eq!(role(name), wanted, "{name}");
        }
    }

    #[test]
    fn any_bytes_are_read() {
        for byte in 0..=255u8 {
            let hosts = read(&[b'0', b'.', byte, b'\n', byte, 0, 0xff, b' ', byte]);
            assert!(hosts.blocked.is_empty() && hosts.redirected.is_empty());
        }
    }
}
