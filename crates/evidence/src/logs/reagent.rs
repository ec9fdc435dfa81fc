//! `System32\Recovery\ReAgent.xml`: where the recovery environment lies and whether it is on (what `reagentc /info` shows).

use super::{decode, xml};

/// The settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReAgent {
    /// `InstallState`: 1 on, 0 off.
    pub on: Option<bool>,
    /// Where `Winre.wim` is when it is on: folder on its partition, `\Recovery\WindowsRE`; empty when there is none.
    pub location: String,
    /// The byte offset of that partition on its disk; 0 when there is none.
    pub offset: u64,
    /// The image's folder before it was put in its place.
    pub staged: String,
}

/// Parses the file; `None` when it is not a settings file of the recovery environment.
pub fn parse(bytes: &[u8]) -> Option<ReAgent> {
    let text = decode(bytes);
    let elements = xml::elements(&text)?;
    elements.iter().find(|element| element.name == "WindowsRE")?;
    let mut found = ReAgent::default();
    for element in &elements {
        let attribute = |name: &str| element.attributes.get(name).cloned().unwrap_or_default();
        match element.name.as_str() {
            "InstallState" => found.on = attribute("state").parse::<u32>().ok().map(|state| state != 0),
            "WinreLocation" => (found.location, found.offset) = (attribute("path"), attribute("offset").parse().unwrap_or(0)),
            "ImageLocation" => found.staged = attribute("path"),
            _ => {}
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{ReAgent, parse};
    use crate::logs::text_tests;

    const XML: &str = "<?xml version='1.0' encoding='utf-8'?>\r\n<WindowsRE version=\"2.0\">\r\n  <WinreBCD id=\"{00000000-0000-0000-0000-000000000000}\"/>\r\n\
          <WinreLocation path=\"\\Recovery\\WindowsRE\" id=\"0\" offset=\"511101108224\" guid=\"{11111111-2222-3333-4444-555555555555}\"/>\r\n\
          <ImageLocation path=\"\" id=\"0\" offset=\"0\" guid=\"{00000000-0000-0000-0000-000000000000}\"/>\r\n  <InstallState state=\"1\"/>\r\n</WindowsRE>";

    #[test]
    fn the_settings() {
        let wanted = ReAgent { on: Some(true), location: "\\Recovery\\WindowsRE".into(), offset: 511_101_108_224, staged: String::new() };
        assert_eq!(parse(XML.as_bytes()), Some(wanted));
        assert_eq!(parse(b"<x/>"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("ReAgent.xml", &text_tests::seeds(XML, &[]), |bytes| drop(parse(bytes)));
    }
}
