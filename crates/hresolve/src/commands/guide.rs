//! `hresolve guide`: a guide, or a code's whole ladder, as a document to follow by hand.

use crate::Outcome;
use crate::cli::Global;
use crate::output::{self, Failure};
use diagnosis::Guide;
use model::ErrorCode;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct GuideJson {
    schema: &'static str,
    about: String,
    guides: Vec<String>,
    markdown: String,
}

pub(crate) fn run(about: &str, file: Option<&Path>, global: &Global) -> Outcome {
    let guides = super::all_guides(global)?;
    let (title, chosen) = choose(&guides, about)?;
    let text = document(&title, &chosen);
    let text = match file.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("html") => page(&title, &text),
        Some("md") | None => text,
        Some(other) => return Err(Failure::usage(format!("A guide can be .md or .html, not .{other}."))),
    };
    if let Some(file) = file {
        std::fs::write(file, text).map_err(|error| Failure::usage(format!("{} cannot be written: {error}.", file.display())))?;
    } else if global.json {
        output::json_line(&GuideJson {
            schema: "hresolve/guide/1",
            about: about.into(),
            guides: chosen.iter().map(|guide| guide.id.clone()).collect(),
            markdown: text,
        });
    } else {
        output::text(&text);
    }
    Ok(0)
}

/// One guide by its id, or every guide of a code's ladder in the order of treatment, usual methods last.
fn choose<'a>(guides: &'a [Guide], about: &str) -> Result<(String, Vec<&'a Guide>), Failure> {
    if let Some(guide) = guides.iter().find(|guide| guide.id == about) {
        return Ok((guide.title.clone(), vec![guide]));
    }
    let code: ErrorCode = about
        .parse()
        .map_err(|_| Failure::usage(format!("{about:?} is neither an error code nor the id of a guide; `hresolve guides list` lists the guides.")))?;
    let mut ladder: Vec<&Guide> = guides.iter().filter(|guide| guide.bears_on(code)).collect();
    ladder.sort_by_key(|guide| (guide.usual.is_some(), guide.usual, guide.order));
    if ladder.is_empty() {
        return Err(Failure { exit: 1, says: format!("There is no guide for {code} yet.") });
    }
    Ok((format!("What to do about {code}"), ladder))
}

fn document(title: &str, guides: &[&Guide]) -> String {
    if let [one] = guides {
        return one.document();
    }
    let mut out = format!("# {title}\n\nA code is not a cause. Check each of these in this order; do what fits, then try again what failed.\n\n");
    for (number, guide) in (1..).zip(guides) {
        out.push_str(&format!(
            "{number}. {}{}\n",
            guide.title,
            if guide.usual.is_some() { " – usual advice, only when nothing above was found" } else { "" }
        ));
    }
    for guide in guides {
        out.push('\n');
        // Each guide's headings go one level down, below the ladder's own title.
        for line in guide.document().lines() {
            out.push_str(&if line.starts_with('#') { format!("#{line}\n") } else { format!("{line}\n") });
        }
    }
    out
}

/// A Markdown document as a page that stands alone.
pub(crate) fn page(title: &str, markdown: &str) -> String {
    let body = diagnosis::html(markdown);
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
         <style>body{{max-width:46rem;margin:2rem auto;padding:0 1rem;font:1rem/1.55 system-ui,sans-serif;color:#1b1b1b;background:#fff}}\
         code,pre{{font-family:ui-monospace,monospace;font-size:.92em;background:#f2f2f2;border-radius:3px}}code{{padding:.1em .25em}}\
         pre{{padding:.7rem;overflow-x:auto}}h1,h2,h3{{line-height:1.25}}h2{{margin-top:2.2rem}}\
         @media(prefers-color-scheme:dark){{body{{color:#e6e6e6;background:#161616}}code,pre{{background:#262626}}a{{color:#8ab4f8}}}}</style></head>\n<body>\n{body}</body></html>\n"
    )
}
