//! Diagnosis: facts and guides in, ranked findings out.
//!
//! Pure: no target, no file, no clock. Guides are embedded when the program is built.

mod condition;
mod find;
mod guide;
mod lint;
mod many;
mod next_check;
mod step;
mod template;

pub use condition::{Condition, Truth};
pub use find::{Choice, Found, PlannedStep, find, is_right, same_subject, still_wrong, usual_steps};
pub use guide::{Check, Guide, GuideError, embedded, embedded_naming};
pub use lint::{Lint, lint};
pub use many::on_every_core;
pub use next_check::next_check;
pub use step::StepSpec;

/// Markdown as HTML. Raw HTML in it is shown as text: reports hold words from other people's machines.
pub fn html(markdown: &str) -> String {
    use pulldown_cmark::{Event, Options, Parser};
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    out
}
