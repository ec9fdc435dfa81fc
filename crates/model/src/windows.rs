//! Which Windows a target is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of target was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The running Windows.
    Live,
    /// A mounted Windows volume.
    Folder,
    /// A disk image.
    Image,
    /// Logs that somebody sent.
    Bundle,
    /// A practice machine.
    Lab,
}

/// The version facts of one Windows installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WindowsVersion {
    /// The product as people know it: "Windows 11 Pro" also where the registry still says 10.
    pub product: String,
    /// `CurrentMajorVersionNumber`, 6 for Windows 7 to 8.1.
    #[serde(skip)]
    pub major: u32,
    /// Minor version: 1 = 7, 2 = 8, 3 = 8.1.
    #[serde(skip)]
    pub minor: u32,
    /// The build number, for example 19045.
    pub build: u32,
    /// The update build revision, when the registry has it.
    pub ubr: Option<u32>,
    /// `x86`, `x64` or `arm64`.
    pub arch: String,
    /// The number of the control set that the next boot uses.
    pub control_set: u32,
}

impl WindowsVersion {
    /// A Windows of which nothing is known. A version with a build of 0 is one of which only major and minor are known.
    pub fn unknown() -> Self {
        WindowsVersion { product: "Windows".into(), major: 0, minor: 0, build: 0, ubr: None, arch: "unknown".into(), control_set: 0 }
    }

    /// The lowest and the highest version that this may be.
    fn bounds(&self) -> ((u32, u32, u32), (u32, u32, u32)) {
        match (self.major, self.build) {
            // Nothing older than Windows 7 is known here.
            (0, 0) => ((6, 1, u32::MAX), (u32::MAX, u32::MAX, u32::MAX)),
            (major, 0) => ((major, self.minor, 0), (major, self.minor, u32::MAX)),
            (major, build) => ((major, self.minor, build), (major, self.minor, build)),
        }
    }
}

impl fmt::Display for WindowsVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.build == 0 {
            return write!(out, "a Windows of unknown version");
        }
        write!(out, "{} (build {}", self.product, self.build)?;
        if let Some(ubr) = self.ubr {
            write!(out, ".{ubr}")?;
        }
        write!(out, ", {})", self.arch)
    }
}

/// A range of Windows versions as written in tables: `6.1`, `6.2-6.3`, `10.0`, `10.0.17134-`, `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRange {
    low: (u32, u32, u32),
    high: (u32, u32, u32),
}

impl VersionRange {
    /// Parses a range; both ends are inclusive, a missing part means "any".
    ///
    /// # Errors
    /// A sentence naming what is not a version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (low, high) = match text.split_once('-') {
            Some((low, high)) => (low.trim(), high.trim()),
            None => (text, text),
        };
        Ok(VersionRange { low: parse_version(low, 0)?, high: parse_version(high, u32::MAX)? })
    }

    /// True when that Windows lies in the range, whichever of those that it may be it is.
    pub fn contains(&self, windows: &WindowsVersion) -> bool {
        let (lowest, highest) = windows.bounds();
        self.contains_version(lowest) && self.contains_version(highest)
    }

    /// The same for major, minor and build alone.
    pub fn contains_version(&self, version: (u32, u32, u32)) -> bool {
        self.low <= version && version <= self.high
    }
}

fn parse_version(text: &str, missing: u32) -> Result<(u32, u32, u32), String> {
    let mut parts = [missing; 3];
    if !text.is_empty() {
        let given: Vec<&str> = text.split('.').collect();
        if given.len() > 3 {
            return Err(format!("{text:?} has more than three parts; a version is major.minor.build"));
        }
        for (slot, part) in parts.iter_mut().zip(given) {
            *slot = part.parse().map_err(|_| format!("{text:?} is not a version such as 6.1 or 10.0.19045"))?;
        }
    }
    Ok((parts[0], parts[1], parts[2]))
}

#[cfg(test)]
mod tests {
    use super::{VersionRange, WindowsVersion};

    fn windows(major: u32, minor: u32, build: u32) -> WindowsVersion {
        WindowsVersion { product: String::new(), major, minor, build, ubr: None, arch: "x64".into(), control_set: 1 }
    }

    #[test]
    fn ranges() {
        let contains = |range: &str, w: &WindowsVersion| VersionRange::parse(range).map(|r| r.contains(w));
        assert_eq!(contains("6.1", &windows(6, 1, 7601)), Ok(true));
        assert_eq!(contains("6.2-6.3", &windows(6, 3, 9600)), Ok(true));
        assert_eq!(contains("6.2-6.3", &windows(10, 0, 10240)), Ok(false));
        assert_eq!(contains("10.0.17134-", &windows(10, 0, 16299)), Ok(false));
        assert_eq!(contains("10.0.17134-", &windows(10, 0, 26100)), Ok(true));
        assert_eq!(contains("-10.0.17763", &windows(6, 1, 7601)), Ok(true));
        assert_eq!(contains("-", &windows(6, 1, 7601)), Ok(true));
        assert!(VersionRange::parse("ten").is_err());
    }

    #[test]
    fn an_unknown_version_lies_only_where_every_version_lies() {
        let contains = |range: &str, w: &WindowsVersion| VersionRange::parse(range).is_ok_and(|r| r.contains(w));
        let unknown = WindowsVersion::unknown();
        assert!(contains("-", &unknown) && contains("6.1-", &unknown));
        let some_10 = windows(10, 0, 0);
        assert!(contains("10.0", &some_10) && contains("6.1-", &some_10) && contains("10.0-", &some_10));
        for range in ["-10.0.17763", "10.0", "6.1-6.3", "6.2-"] {
            assert!(!contains(range, &unknown), "{range}");
        }
        for range in ["10.0-10.0.19045", "10.0.17763-", "-10.0.17134", "6.1-6.3"] {
            assert!(!contains(range, &some_10), "{range}");
        }
    }
}
