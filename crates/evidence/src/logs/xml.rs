//! The little of XML that Windows writes into its result and settings files: elements with attributes and text.
//!
//! No library is used: there are two files, of known shape and a few kilobytes. There are no declared entities here, so
//! nothing can grow; comments, instructions and document types are passed over; what does not close is closed by the end.

use std::collections::BTreeMap;

/// One element, without its children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Its name, without a namespace's prefix.
    pub(crate) name: String,
    /// Line in the text, from 1.
    pub(crate) line: u64,
    /// How many elements it lies in.
    pub(crate) depth: usize,
    /// Attributes by name.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Its own text, trimmed.
    pub(crate) text: String,
}

const MOST: usize = 10_000;

/// Every element in the order of the file; `None` when there is none, so that the text is no XML.
pub(crate) fn elements(text: &str) -> Option<Vec<Element>> {
    let mut found: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = text;
    let mut line = 1_u64;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        if let Some(element) = open.last().and_then(|index| found.get_mut(*index)) {
            element.text.push_str(&plain(before));
        }
        line += before.matches('\n').count() as u64;
        let ending = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")]
            .iter()
            .find(|(start, _)| tag.starts_with(start))
            .map_or(">", |(_, end)| end);
        let end = if ending == ">" && !tag.starts_with("<!") { tag_end(tag) } else { tag.find(ending) };
        let Some(end) = end else { break };
        let inside = tag.get(1..end).unwrap_or_default();
        rest = tag.get(end + ending.len()..).unwrap_or_default();
        if let Some(data) = inside.strip_prefix("![CDATA[") {
            if let Some(element) = open.last().and_then(|index| found.get_mut(*index)) {
                element.text.push_str(data);
            }
        } else if inside.starts_with('/') {
            open.pop();
        } else if !inside.starts_with(['!', '?']) && found.len() < MOST {
            let whole = inside.strip_suffix('/').unwrap_or(inside);
            let (name, attributes) = whole.split_at(whole.find(char::is_whitespace).unwrap_or(whole.len()));
            let name = name.rsplit(':').next().unwrap_or(name).to_owned();
            found.push(Element { name, line, depth: open.len(), attributes: self::attributes(attributes), text: String::new() });
            if whole.len() == inside.len() {
                open.push(found.len() - 1);
            }
        }
        line += tag.get(..end).unwrap_or_default().matches('\n').count() as u64;
    }
    for element in &mut found {
        element.text = element.text.trim().to_owned();
    }
    (!found.is_empty()).then_some(found)
}

/// The `>` of a tag, not one in a quoted attribute.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    tag.char_indices()
        .find(|(_, c)| match (quote, c) {
            (None, '>') => true,
            (None, '"' | '\'') => {
                quote = Some(*c);
                false
            }
            (Some(open), c) if open == *c => {
                quote = None;
                false
            }
            _ => false,
        })
        .map(|(at, _)| at)
}

fn attributes(mut text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    while let Some((name, rest)) = text.split_once('=') {
        let rest = rest.trim_start();
        let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { break };
        let Some((value, after)) = rest.get(1..).and_then(|rest| rest.split_once(quote)) else { break };
        let name = name.trim().rsplit(':').next().unwrap_or_default();
        found.insert(name.to_owned(), plain(value));
        text = after;
        if found.len() >= 64 {
            break;
        }
    }
    found
}

/// The five entities of XML and characters by number.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let entity = from.get(1..).and_then(|inner| inner.find(';').filter(|end| *end <= 8).and_then(|end| inner.get(..end)));
        let character = entity.and_then(|name| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = name.strip_prefix('#')?;
                let code = number.strip_prefix('x').map_or_else(|| number.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
                char::from_u32(code)
            }
        });
        match (character, entity) {
            (Some(character), Some(entity)) => {
                out.push(character);
                rest = from.get(entity.len() + 2..).unwrap_or_default();
            }
            _ => {
                out.push('&');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::elements;
    use crate::logs::text_tests;

    const TEXT: &str = "<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY a \"&b;&b;\">]>\n<!-- <no> -->\n<A xmlns:x='u' y=\"1 &gt; 0\"><x:B z='>'/>\n t &amp; &a; &#x41;<C><![CDATA[<q>]]></C></A>";

    #[test]
    fn elements_attributes_and_texts() {
        let found = elements(TEXT).unwrap_or_default();
        let shown: Vec<_> = found.iter().map(|e| (e.name.as_str(), e.line, e.depth, e.text.as_str())).collect();
        assert!(shown.ends_with(&[("A", 4, 0, "t & &a; A"), ("B", 4, 1, ""), ("C", 5, 1, "<q>")]), "{shown:?}");
        let a = found.iter().find(|e| e.name == "A").map(|e| e.attributes.clone()).unwrap_or_default();
        assert_eq!(a.get("y").map(String::as_str), Some("1 > 0"));
        assert_eq!(elements("no xml"), None);
    }

    #[test]
    fn spoilt_input_ends_and_does_not_grow() {
        text_tests::spoil("xml", &text_tests::seeds(TEXT, &[]), |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let long: usize = elements(&text).unwrap_or_default().iter().map(|e| e.text.len()).sum();
            assert!(long <= text.len());
        });
    }
}
