//! Which hive a registry path lies in, and where.

use std::fmt;

/// The hives that hresolve reads. The others (SAM, SECURITY, COMPONENTS, DRIVERS, BCD) are never written and not read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HiveName {
    /// `HKLM\SYSTEM`
    System,
    /// `HKLM\SOFTWARE`
    Software,
    /// `HKU\.DEFAULT`
    Default,
}

impl HiveName {
    /// Every hive, the two that must exist first.
    pub const ALL: [HiveName; 3] = [HiveName::System, HiveName::Software, HiveName::Default];

    /// The file's name below `System32\config`.
    pub fn file_name(self) -> &'static str {
        match self {
            HiveName::System => "SYSTEM",
            HiveName::Software => "SOFTWARE",
            HiveName::Default => "DEFAULT",
        }
    }

    /// The hive with that file name.
    pub fn from_file_name(name: &str) -> Option<HiveName> {
        HiveName::ALL.into_iter().find(|hive| hive.file_name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for HiveName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.file_name())
    }
}

/// A registry path taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryPath {
    /// The hive.
    pub hive: HiveName,
    /// The rest, relative to the hive's root, without a leading backslash.
    pub inside: String,
}

impl RegistryPath {
    /// Parses `HKLM\SYSTEM\CurrentControlSet\Services\x` or its long spelling; `CurrentControlSet` becomes the numbered set. Only `\` parts
    /// names, as in Windows: `/` is a letter of a name like any other (event channels are named `Microsoft-…/Operational`).
    ///
    /// # Errors
    /// A sentence when the path lies in no hive that hresolve reads.
    pub fn parse(text: &str, control_set: u32) -> Result<Self, String> {
        let trimmed = text.trim_start_matches('\\');
        let (root, rest) = trimmed.split_once('\\').unwrap_or((trimmed, ""));
        let (first, inside) = rest.split_once('\\').unwrap_or((rest, ""));
        let machine = root.eq_ignore_ascii_case("HKLM") || root.eq_ignore_ascii_case("HKEY_LOCAL_MACHINE");
        let users = root.eq_ignore_ascii_case("HKU") || root.eq_ignore_ascii_case("HKEY_USERS");
        let hive = match () {
            () if machine && first.eq_ignore_ascii_case("SYSTEM") => HiveName::System,
            () if machine && first.eq_ignore_ascii_case("SOFTWARE") => HiveName::Software,
            () if users && first.eq_ignore_ascii_case(".DEFAULT") => HiveName::Default,
            () => return Err(format!("{text} lies in no registry hive that hresolve reads (HKLM\\SYSTEM, HKLM\\SOFTWARE, HKU\\.DEFAULT)")),
        };
        let inside = match inside.split_once('\\') {
            Some((set, rest)) if hive == HiveName::System && set.eq_ignore_ascii_case("CurrentControlSet") => {
                format!("ControlSet{control_set:03}\\{rest}")
            }
            None if hive == HiveName::System && inside.eq_ignore_ascii_case("CurrentControlSet") => format!("ControlSet{control_set:03}"),
            _ => inside.to_owned(),
        };
        Ok(RegistryPath { hive, inside: inside.trim_end_matches('\\').to_owned() })
    }
}

/// The user's number and the rest of a path into a person's own hive: `HKU\S-1-5-21-…\Software`. Such hives are read and never written, so
/// they are no [`RegistryPath`].
pub(crate) fn of_user(text: &str) -> Option<(&str, &str)> {
    let (root, rest) = text.split_once('\\')?;
    let (user, inside) = rest.split_once('\\').unwrap_or((rest, ""));
    let users = root.eq_ignore_ascii_case("HKU") || root.eq_ignore_ascii_case("HKEY_USERS");
    (users && is_person(user)).then_some((user, inside))
}

/// Local and domain accounts, and those of Entra ID; not the accounts of services.
fn is_person(user: &str) -> bool {
    ["S-1-5-21-", "S-1-12-1-"].iter().any(|start| user.starts_with(start)) && user.chars().skip(1).all(|c| c == '-' || c.is_ascii_digit())
}

impl fmt::Display for RegistryPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = match self.hive {
            HiveName::System => "HKLM\\SYSTEM",
            HiveName::Software => "HKLM\\SOFTWARE",
            HiveName::Default => "HKU\\.DEFAULT",
        };
        if self.inside.is_empty() { out.write_str(root) } else { write!(out, "{root}\\{}", self.inside) }
    }
}

#[cfg(test)]
mod tests {
    use super::RegistryPath;

    #[test]
    fn current_control_set_is_resolved() {
        let shown = |text| RegistryPath::parse(text, 2).map(|p| p.to_string());
        assert_eq!(shown("HKLM\\SYSTEM\\CurrentControlSet\\Services\\wuauserv"), Ok("HKLM\\SYSTEM\\ControlSet002\\Services\\wuauserv".into()));
        assert_eq!(shown("hkey_local_machine\\software\\Microsoft"), Ok("HKLM\\SOFTWARE\\Microsoft".into()));
        assert_eq!(shown("HKLM\\SOFTWARE\\Channels\\A/Operational"), Ok("HKLM\\SOFTWARE\\Channels\\A/Operational".into()));
        assert!(shown("HKLM/SOFTWARE/Microsoft").is_err());
        assert!(shown("HKLM\\SAM\\SAM").is_err());
        assert!(shown("HKCU\\Software").is_err());
    }

    #[test]
    fn people_are_no_registry_path() {
        let shown = |text| RegistryPath::parse(text, 2).map(|p| p.to_string());
        assert_eq!(super::of_user("HKU\\S-1-5-21-1-2-3-1001\\Network\\H"), Some(("S-1-5-21-1-2-3-1001", "Network\\H")));
        for none in ["HKU\\.DEFAULT\\Software", "HKU\\S-1-5-18\\Software", "HKU\\S-1-5-21-1_Classes\\x", "HKLM\\S-1-5-21-1\\x"] {
            assert_eq!(super::of_user(none), None);
        }
        assert!(shown("HKU\\S-1-5-21-1-2-3-1001\\Software").is_err(), "never written");
    }
}
