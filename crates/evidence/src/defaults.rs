//! The right state of services and svchost groups per Windows version, from `knowledge/defaults`.

use model::{VersionRange, WindowsVersion};

const SERVICES: &str = include_str!("../../../knowledge/defaults/services.tsv");
const GROUPS: &str = include_str!("../../../knowledge/defaults/svchost-groups.tsv");

/// The right state of one service on one Windows version.
#[derive(Debug, Clone)]
pub(crate) struct ServiceDefault {
    /// The service's key name.
    pub(crate) service: &'static str,
    /// `update`, `base`, `driver` or `related`.
    pub(crate) role: &'static str,
    /// Accepted start values with "delayed", the one to restore first.
    pub(crate) start: Vec<(u32, bool)>,
    /// Accepted `ImagePath` data, the default first.
    pub(crate) image: Vec<&'static str>,
    /// Accepted `ServiceDll` data, the default first; empty when the service has none.
    pub(crate) dll: Vec<&'static str>,
    /// Names in `DependOnService`.
    pub(crate) depends: Vec<&'static str>,
    /// True when the row is sourced; a row from memory never drives an automatic change.
    pub(crate) sourced: bool,
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1).map(|line| line.split('\t').map(str::trim).collect())
}

fn alternatives(cell: &'static str) -> Vec<&'static str> {
    cell.split('|').map(str::trim).filter(|part| !part.is_empty() && *part != "-").collect()
}

/// The services that are known for this Windows version.
pub(crate) fn services(windows: &WindowsVersion) -> Vec<ServiceDefault> {
    rows(SERVICES)
        .filter_map(|row| {
            let [service, range, role, start, _kind, image, dll, depends, _account, tag, ..] = row.as_slice() else { return None };
            if !VersionRange::parse(range).ok()?.contains(windows) {
                return None;
            }
            let start = start
                .split('|')
                .filter_map(|one| {
                    let one = one.trim();
                    Some((one.trim_end_matches('d').parse().ok()?, one.ends_with('d')))
                })
                .collect();
            Some(ServiceDefault {
                service,
                role,
                start,
                image: alternatives(image),
                dll: alternatives(dll),
                depends: depends.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "-").collect(),
                sourced: *tag == "S",
            })
        })
        .collect()
}

/// True when that service is known to belong to that svchost group on this Windows version.
pub(crate) fn belongs_to_group(windows: &WindowsVersion, group: &str, service: &str) -> bool {
    rows(GROUPS).any(|row| {
        let [name, range, members, tag, ..] = row.as_slice() else { return false };
        *tag == "S"
            && name.eq_ignore_ascii_case(group)
            && VersionRange::parse(range).is_ok_and(|range| range.contains(windows))
            && members.split(',').any(|member| member.trim().eq_ignore_ascii_case(service))
    })
}

/// Every cell of the tables: words that Windows itself uses.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    rows(SERVICES).chain(rows(GROUPS)).flatten()
}

#[cfg(test)]
mod tests {
    use model::{VersionRange, WindowsVersion};

    #[test]
    fn every_row_is_whole() {
        for row in super::rows(super::SERVICES) {
            assert!(row.len() >= 10, "{row:?}");
            assert!(VersionRange::parse(row[1]).is_ok(), "{row:?}");
            assert!(matches!(row[2], "update" | "base" | "driver" | "related"), "{row:?}");
            assert!(row[3].split('|').all(|s| matches!(s.trim().trim_end_matches('d'), "0" | "1" | "2" | "3" | "4")), "{row:?}");
            assert!(matches!(row[9], "S" | "K"), "{row:?}");
        }
        for row in super::rows(super::GROUPS) {
            assert!(row.len() >= 4 && VersionRange::parse(row[1]).is_ok(), "{row:?}");
        }
    }

    #[test]
    fn versions_have_one_row_a_service() {
        for (major, minor, build) in
            [(6, 1, 7601), (6, 2, 9200), (6, 3, 9600), (10, 0, 10240), (10, 0, 14393), (10, 0, 17763), (10, 0, 19045), (10, 0, 26100)]
        {
            let windows = WindowsVersion { product: String::new(), major, minor, build, ubr: None, arch: "x64".into(), control_set: 1 };
            let services = super::services(&windows);
            let mut names: Vec<String> = services.iter().map(|s| s.service.to_lowercase()).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(count, names.len(), "two rows for one service on {major}.{minor}.{build}");
            assert!(names.contains(&"wuauserv".to_owned()));
        }
    }
}
