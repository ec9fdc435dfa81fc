//! A guide: a Markdown document about one cause that people follow by hand and the program runs.

use crate::condition::Condition;
use crate::many::on_every_core;
use crate::step::StepSpec;
use crate::template;
use model::{ErrorCode, VersionRange};
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde::Deserialize;
use std::fmt;

include!(concat!(env!("OUT_DIR"), "/guides.rs"));

/// What the by-hand way means on versions that no guide names.
const OLDER: &str = "\nWindows 8 (8.0) is handled as 8.1; it has had no updates since January 2016, so install 8.1 first. Windows XP and Vista are not \
                     treated: Microsoft's servers no longer serve them, and XP calls the update service Automatic Updates.\n";

/// One guide, parsed.
#[derive(Debug, Clone)]
pub struct Guide {
    /// Permanent; the file's name.
    pub id: String,
    /// Path below the guides' folder.
    pub file: String,
    /// What is wrong, in one line.
    pub title: String,
    /// Codes that this cause produces.
    pub codes: Vec<ErrorCode>,
    /// Codes whose ladder includes this cause though it is not known to produce them.
    pub bears_on: Vec<ErrorCode>,
    /// Windows versions it applies to.
    pub windows: VersionRange,
    /// none, low, medium or high.
    pub risk: String,
    /// full, partly or none: what of it can be done on an offline Windows.
    pub offline: String,
    /// What doing it costs the person, for methods that cost something.
    pub cost: Option<String>,
    /// Rows of the cause catalogue.
    pub catalogue: Vec<String>,
    /// Titles and dates of sources.
    pub sources: Vec<String>,
    /// The kind of subject that it looks at, one finding for each.
    pub each: String,
    /// The thing that is wrong, with `{facts}`.
    pub object: String,
    /// Place in the order of treatment, least invasive first.
    pub order: u32,
    /// For a usual method without signs: its place on the ladder.
    pub usual: Option<u32>,
    /// draft or tested.
    pub status: String,
    /// The conditions.
    pub signs: Signs,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What must hold afterwards, besides that the signs are gone.
    pub done_when: Option<Condition>,
    /// What a person can look at where the program cannot, to know whether it is this cause.
    pub check: Option<Check>,
    /// The whole document without front matter.
    pub body: String,
}

/// The conditions by the confidence they give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signs {
    /// The object was looked at and is wrong.
    #[serde(default)]
    pub proved: Option<Condition>,
    /// One link was not seen.
    #[serde(default)]
    pub likely: Option<Condition>,
    /// Fits, as other things do.
    #[serde(default)]
    pub possible: Option<Condition>,
    /// Each that holds is shown as evidence against.
    #[serde(default)]
    pub against: Vec<Condition>,
    /// Facts that are shown as evidence besides those that the conditions ask about.
    #[serde(default)]
    pub show: Vec<String>,
}

/// A look that decides, for a person to take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// How long it takes.
    pub minutes: u32,
    /// What to look at, and what which outcome means; `{fact}` stands for a fact's value.
    pub text: String,
}

/// One step with its heading.
#[derive(Debug, Clone)]
pub struct Step {
    /// The heading above it.
    pub heading: String,
    /// The data that is run.
    pub spec: StepSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FrontMatter {
    id: String,
    title: String,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    bears_on: Vec<String>,
    windows: String,
    risk: String,
    offline: String,
    #[serde(default)]
    cost: Option<String>,
    #[serde(default)]
    catalogue: Vec<String>,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    each: Option<String>,
    #[serde(default)]
    object: String,
    #[serde(default)]
    order: Option<u32>,
    #[serde(default)]
    usual: Option<u32>,
    status: String,
}

/// Why a document is not a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuideError {
    /// The file.
    pub file: String,
    /// Line in it, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for GuideError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl std::error::Error for GuideError {}

/// Every guide that is built into the program. Broken ones cannot be built in: a test parses them all.
pub fn embedded() -> Vec<Guide> {
    on_every_core(GUIDES, |(file, text)| Guide::parse(file, text).ok()).into_iter().flatten().collect()
}

/// The built-in guides whose front matter names a code, with nothing but what the front matter says: no signs, no steps. So
/// explaining a code stays fast.
pub fn embedded_naming(code: ErrorCode) -> Vec<Guide> {
    let digits = format!("{:08X}", code.normal().0);
    let names = |text: &str| split_front_matter(text).is_some_and(|(front, ..)| front.to_ascii_uppercase().contains(&digits));
    let parsed = GUIDES.iter().filter(|(_, text)| names(text)).filter_map(|(file, text)| Guide::head(file, text).ok());
    parsed.map(|(guide, _)| guide).filter(|guide| guide.bears_on(code)).collect()
}

impl Guide {
    /// Parses a document; `file` is its path below the guides' folder.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(file: &str, text: &str) -> Result<Guide, GuideError> {
        let (mut guide, body_line) = Guide::head(file, text)?;
        let body = std::mem::take(&mut guide.body);
        let error = |line: usize, what: String| GuideError { file: file.into(), line, what };
        let mut heading = String::new();
        for block in blocks(&body) {
            let line = body_line + body.get(..block.at).unwrap_or_default().matches('\n').count();
            match block.kind.as_str() {
                "heading" => heading = block.text,
                "signs" => guide.signs = serde_saphyr::from_str(&block.text).map_err(|problem| error(line, problem.to_string()))?,
                "step" => {
                    let spec = serde_saphyr::from_str(&block.text).map_err(|problem| error(line, problem.to_string()))?;
                    guide.steps.push(Step { heading: heading.clone(), spec });
                }
                "done-when" => guide.done_when = Some(serde_saphyr::from_str(&block.text).map_err(|problem| error(line, problem.to_string()))?),
                "check" => guide.check = Some(serde_saphyr::from_str(&block.text).map_err(|problem| error(line, problem.to_string()))?),
                _ => {}
            }
        }
        guide.body = body;
        Ok(guide)
    }

    /// The front matter and the text below it, with the line where that begins.
    fn head(file: &str, text: &str) -> Result<(Guide, usize), GuideError> {
        let error = |line: usize, what: String| GuideError { file: file.into(), line, what };
        let (front, body, body_line) =
            split_front_matter(text).ok_or_else(|| error(1, "a guide begins with front matter between two lines of ---".into()))?;
        let front: FrontMatter = serde_saphyr::from_str(front).map_err(|problem| error(2, problem.to_string()))?;
        let codes =
            |list: &[String]| -> Result<Vec<ErrorCode>, GuideError> { list.iter().map(|code| code.parse().map_err(|what| error(1, what))).collect() };
        let range = front.windows.trim().strip_prefix(">=").map_or_else(|| front.windows.clone(), |low| format!("{}-", low.trim()));
        let guide = Guide {
            codes: codes(&front.codes)?,
            bears_on: codes(&front.bears_on)?,
            windows: VersionRange::parse(&range).map_err(|what| error(1, what))?,
            id: front.id,
            file: file.into(),
            title: front.title,
            risk: front.risk,
            offline: front.offline,
            cost: front.cost,
            catalogue: front.catalogue,
            sources: front.sources,
            each: front.each.unwrap_or_else(|| "machine".into()),
            object: front.object,
            order: front.order.unwrap_or(100),
            usual: front.usual,
            status: front.status,
            signs: Signs::default(),
            steps: Vec::new(),
            done_when: None,
            check: None,
            body: body.into(),
        };
        Ok((guide, body_line))
    }

    /// The document for people: without front matter and without the blocks that only the program reads.
    pub fn document(&self) -> String {
        let mut out = format!("# {}\n\n", self.title);
        let mut skipping = false;
        for line in self.body.lines() {
            if !skipping && ["```signs", "```step", "```done-when", "```check"].contains(&line.trim()) {
                skipping = true;
            } else if skipping {
                skipping = line.trim() != "```";
            } else {
                out.push_str(line);
                out.push('\n');
            }
        }
        // Removing a block leaves two blank lines where one is enough.
        while out.contains("\n\n\n") {
            out = out.replace("\n\n\n", "\n\n");
        }
        // What decides stands in a block, because the program says it, too.
        if let (Some(check), Some(at)) = (&self.check, out.find("\n## ")) {
            let minutes = if check.minutes == 1 { "one minute".to_owned() } else { format!("about {} minutes", check.minutes) };
            out.insert_str(at, &format!("\n**To be sure** ({minutes}): {}\n", template::named(check.text.trim())));
        }
        if self.windows.contains_version((6, 1, 7601)) {
            out.push_str(OLDER);
        }
        out
    }

    /// Headings of the second level, each with what stands below it, fenced blocks included.
    pub(crate) fn sections(&self) -> Vec<(String, String)> {
        let mut sections = vec![(String::new(), String::new())];
        let mut fenced = false;
        for line in self.body.lines() {
            fenced ^= line.trim_start().starts_with("```");
            match line.strip_prefix("## ").filter(|_| !fenced) {
                Some(heading) => sections.push((heading.trim().replace('`', ""), String::new())),
                None => {
                    if let Some((_, text)) = sections.last_mut() {
                        text.push_str(line);
                        text.push('\n');
                    }
                }
            }
        }
        sections
    }

    /// True when the person's code belongs to this guide's ladder.
    pub fn bears_on(&self, code: ErrorCode) -> bool {
        self.codes.iter().chain(&self.bears_on).any(|known| known.normal() == code.normal())
    }

    /// True when this cause produces the code.
    pub fn produces(&self, code: ErrorCode) -> bool {
        self.codes.iter().any(|known| known.normal() == code.normal())
    }
}

fn split_front_matter(text: &str) -> Option<(&str, &str, usize)> {
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let end = rest.find("\n---")?;
    let front = rest.get(..end)?;
    let body = rest.get(end + 4..)?;
    let body = body.get(body.find('\n')? + 1..)?;
    let line = text.len().checked_sub(body.len()).and_then(|at| text.get(..at))?.matches('\n').count() + 1;
    Some((front, body, line))
}

struct Block {
    kind: String,
    text: String,
    at: usize,
}

/// Headings and fenced blocks with a name, in order.
fn blocks(body: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new(body).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(Block { kind: "heading".into(), text: String::new(), at: range.start }),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(name))) => {
                open = Some(Block { kind: name.to_string(), text: String::new(), at: range.start })
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(block) = &mut open {
                    block.text.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_) | TagEnd::CodeBlock) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{GUIDES, Guide};

    #[test]
    fn every_embedded_guide_parses() {
        let problems: Vec<String> = GUIDES.iter().filter_map(|(file, text)| Guide::parse(file, text).err()).map(|e| e.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new());
        assert!(!GUIDES.is_empty());
    }

    #[test]
    fn ids_are_unique_and_name_the_file() {
        let mut ids = Vec::new();
        for (file, text) in GUIDES {
            let guide = Guide::parse(file, text).unwrap();
            assert!(file.ends_with(&format!("/{}.md", guide.id)), "{file} has the id {}", guide.id);
            ids.push(guide.id);
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn errors_name_their_line() {
        let text =
            "---\nid: x\ntitle: t\nwindows: \">= 6.1\"\nrisk: low\noffline: full\nstatus: draft\n---\nwords\n\n```signs\nproved: nonsense\n```\n";
        let error = Guide::parse("a/x.md", text).unwrap_err();
        assert_eq!(error.line, 11, "{error}");
    }
}
