//! What the scan before an upgrade objects to: `CompatData_*.xml`, `ScanResult.xml` and `*_APPRAISER_HumanReadable.xml` of Windows Setup.
//!
//! The first two hold elements `Program`, `HardwareItem` and others, each with an inner `CompatibilityInfo` whose `BlockingType` is
//! `Hard` where the upgrade is refused, and `DriverPackage` elements with `Inf` and `BlockMigration`. The other file is a list of `Asset`
//! elements with `Property` elements of `Name` and `Value`; a file refused has `DT_ANY_FMC_BlockingApplication` with the value `True` beside
//! its path in `LowerCaseLongPathUnexpanded` (Microsoft, "How to use the Windows Setup compatibility scan logs to identify blocking
//! issues"; published scripts that read both). It can hold many megabytes, so one asset is looked at at a time.

use super::{decode, xml};

/// What a report objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// An installed program, by its name.
    Program(String),
    /// A demand on the computer, by its kind (`TPMVersion`), with the sentence about it.
    Requirement(String, String),
    /// A driver that cannot be taken along, by its published file (`oem14.inf`).
    Driver(String),
    /// A file: its path as it is written, and the program it belongs to, when that is said.
    File(String, Option<String>),
}

/// So many objections of one report are enough.
const MOST: usize = 64;

/// The objections of a `CompatData_*.xml` or `ScanResult.xml`, each with its line.
pub fn compat_data(bytes: &[u8]) -> Vec<(u64, Objection)> {
    let text = decode(bytes);
    let elements = xml::elements(&text).unwrap_or_default();
    let mut found = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        let attribute = |name: &str| element.attributes.get(name).map_or("", |value| value.trim());
        let objection = match element.name.as_str() {
            "DriverPackage" if attribute("BlockMigration").eq_ignore_ascii_case("true") => {
                inf(attribute("Inf")).map(|inf| (element.line, Objection::Driver(inf)))
            }
            "CompatibilityInfo" if attribute("BlockingType").eq_ignore_ascii_case("hard") => {
                let parent = elements.get(..at).unwrap_or_default().iter().rev().find(|other| other.depth + 1 == element.depth);
                let says = [attribute("Title"), attribute("Message")].into_iter().find(|says| !says.is_empty()).unwrap_or_default();
                parent.and_then(|parent| Some((parent.line, refused(parent, says)?)))
            }
            _ => None,
        };
        if let Some(objection) = objection.filter(|(_, new)| found.len() < MOST && !found.iter().any(|(_, known)| known == new)) {
            found.push(objection);
        }
    }
    found
}

fn refused(element: &xml::Element, says: &str) -> Option<Objection> {
    let attribute = |name: &str| element.attributes.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    match element.name.as_str() {
        "Program" => attribute("Name").map(Objection::Program),
        "HardwareItem" => attribute("HardwareType").map(|kind| Objection::Requirement(kind, says.to_owned())),
        _ => None,
    }
}

/// The file's name, in lower case, when it is one of a driver.
fn inf(text: &str) -> Option<String> {
    let name = text.trim_end_matches(':').to_lowercase();
    (name.ends_with(".inf") && !name.contains(['\\', '/'])).then_some(name)
}

/// The files that an `*_APPRAISER_HumanReadable.xml` objects to, each with its line.
pub fn appraiser(bytes: &[u8]) -> Vec<(u64, Objection)> {
    let text = decode(bytes);
    let mut found = Vec::new();
    let mut line = 1_u64;
    let mut rest: &str = &text;
    while let Some(at) = rest.find("<Asset") {
        let (before, from) = rest.split_at(at);
        line += before.matches('\n').count() as u64;
        // `<Assets>` is the list of them.
        let end = if from.starts_with("<Assets") { 7 } else { from.find("</Asset>").map_or(from.len(), |end| end + 8) };
        let (asset, after) = from.split_at(end);
        if asset.contains("DT_ANY_FMC_BlockingApplication")
            && found.len() < MOST
            && let Some(file) = file(asset)
        {
            found.push((line, file));
        }
        line += asset.matches('\n').count() as u64;
        rest = after;
    }
    found
}

fn file(asset: &str) -> Option<Objection> {
    let elements = xml::elements(asset)?;
    let value = |name: &str| {
        let named = |element: &&xml::Element| element.name == "Property" && element.attributes.get("Name").is_some_and(|there| there == name);
        elements.iter().find(named)?.attributes.get("Value").map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    value("DT_ANY_FMC_BlockingApplication").filter(|value| value.eq_ignore_ascii_case("true"))?;
    Some(Objection::File(value("LowerCaseLongPathUnexpanded")?, value("SdbAppName")))
}

#[cfg(test)]
mod tests {
    use super::{Objection, appraiser, compat_data};
    use crate::logs::text_tests;

    const REPORT: &str = "<?xml version=\"1.0\"?>\n<CompatReport>\n<Hardware><HardwareItem HardwareType=\"TPMVersion\"><CompatibilityInfo BlockingType=\"Hard\" Title=\"No TPM\"/></HardwareItem>\n\
        <HardwareItem HardwareType=\"Memory\"><CompatibilityInfo BlockingType=\"None\"/></HardwareItem></Hardware>\n\
        <DriverPackages><DriverPackage Inf=\"OEM14.inf\" BlockMigration=\"True\"/><DriverPackage Inf=\"oem15.inf\" BlockMigration=\"False\"/></DriverPackages>\n\
        <Programs><Program Name=\"Wall &amp; Paper\" Id=\"{1}\"><CompatibilityInfo BlockingType=\"Hard\" StatusDetail=\"WarnUpgrade\"/><Action Name=\"Dismiss\"/></Program>\n\
        <Program Name=\"Album\"><CompatibilityInfo BlockingType=\"Soft\"/></Program></Programs></CompatReport>";
    const ASSETS: &str = "<WicaRun><Assets>\n<Asset><PropertyList Type=\"Inventory\"><Property Name=\"LowerCaseLongPathUnexpanded\" Value=\"c:\\a\\b.exe\" Ordinal=\"1\"/></PropertyList>\n\
        <PropertyList><Property Name=\"SdbAppName\" Value=\"Shield\"/><Property Name=\"DT_ANY_FMC_BlockingApplication\" Value=\"True\"/></PropertyList></Asset>\n\
        <Asset><PropertyList><Property Name=\"LowerCaseLongPathUnexpanded\" Value=\"c:\\a\\c.exe\"/><Property Name=\"DT_ANY_FMC_BlockingApplication\" Value=\"False\"/></PropertyList></Asset></Assets></WicaRun>";

    #[test]
    fn what_is_refused_is_named_and_what_is_not_is_not() {
        let found = compat_data(REPORT.as_bytes());
        let objections: Vec<_> = found.iter().map(|(_, objection)| objection.clone()).collect();
        assert_eq!(
            objections,
            [
                Objection::Requirement("TPMVersion".into(), "No TPM".into()),
                Objection::Driver("oem14.inf".into()),
                Objection::Program("Wall & Paper".into())
            ]
        );
        assert_eq!(found.first().map(|(line, _)| *line), Some(3));
        assert_eq!(appraiser(ASSETS.as_bytes()), [(2, Objection::File("c:\\a\\b.exe".into(), Some("Shield".into())))]);
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("CompatData", &text_tests::seeds(REPORT, &[]), |bytes| assert!(compat_data(bytes).len() <= 64));
        text_tests::spoil("the appraiser's report", &text_tests::seeds(ASSETS, &[]), |bytes| assert!(appraiser(bytes).len() <= 64));
    }
}
