//! `{service.key}` in a guide's texts stands for the value of that fact.

use crate::condition::lookup;
use model::{Facts, Subject, Value};

/// The text with every `{fact}` replaced.
///
/// # Errors
/// The name of the first fact that has no value on this machine.
pub(crate) fn fill(text: &str, facts: &Facts, subject: &Subject) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = from.split_once('}') else {
            // A lone brace is text (GUIDs in paths are written with both and no dot).
            out.push('{');
            rest = from;
            continue;
        };
        if !name.contains('.') {
            if name == "name" {
                out.push_str(&subject.name);
            } else {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        } else {
            match lookup(name, facts, subject).and_then(|fact| fact.reading.known()) {
                // Lists are handed on one item a line, so that no item's own comma can split it.
                Some(Value::List(items)) => out.push_str(&items.join("\n")),
                Some(value) => out.push_str(&value.to_string()),
                None => return Err(name.to_owned()),
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The text for a reader without a machine: `{connection.host}` becomes `‹connection host›`.
pub(crate) fn named(text: &str) -> String {
    names(text).into_iter().fold(text.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), &format!("‹{}›", name.replace(['.', '-'], " "))))
}

/// The names of all facts that a text refers to.
pub(crate) fn names(text: &str) -> Vec<&str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).filter(|name| name.contains('.')).collect()
}
