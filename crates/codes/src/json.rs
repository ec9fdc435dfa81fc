//! The explanation as JSON: `hresolve/explanation/1`.

use crate::{Anatomy, Explanation};
use serde::{Deserialize, Serialize};

/// `hresolve/explanation/1`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
pub struct ExplanationJson {
    /// `hresolve/explanation/1`
    schema: String,
    /// One for each code that was asked about, in the order of asking.
    codes: Vec<CodeJson>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
struct CodeJson {
    /// `0x80070002`
    value: String,
    /// Every spelling that reads back as this value.
    spellings: Vec<String>,
    /// The likeliest first; empty: unknown.
    names: Vec<NameJson>,
    anatomy: AnatomyJson,
    /// What went wrong, in plain words.
    meaning: Option<String>,
    /// What to try first.
    advice: Option<String>,
    /// When it arises: scan, download, servicing …
    phase: Option<String>,
    /// Ids of the guides to causes that produce this code.
    causes: Vec<String>,
    /// The second half of a setup error.
    extend: Option<ExtendJson>,
    /// For an unknown code: the nearest known ones of the same facility.
    nearest: Vec<NearestJson>,
    /// What the Windows that was named says itself, in its languages; null: no Windows was named. See `windows_looked` when empty.
    windows_says: Option<Vec<WindowsSaysJson>>,
    /// Where its words were looked for; null: no Windows was named.
    windows_looked: Option<Vec<LookedJson>>,
}

/// A text of a Windows about a code.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
pub struct WindowsSaysJson {
    /// The file that holds it: `C:\\Windows\\System32\\en-US\\kernel32.dll.mui`
    pub file: String,
    /// `en-US`
    pub language: String,
    /// As Windows shows it; inserts (`%1`) stay, because what belongs there is not known.
    pub text: String,
}

/// A file in which words were looked for.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
pub struct LookedJson {
    /// `C:\\Windows\\System32\\kernel32.dll`
    pub file: String,
    /// `text`, `no-text`, `absent`, `not-collected`, `unreadable`
    pub found: String,
    /// Why it is unreadable, or what in it is damaged.
    pub problems: Vec<String>,
}

/// A code with everything that is shown about it.
#[derive(Debug)]
pub struct Explained<'a> {
    /// The explanation.
    pub explanation: &'a Explanation,
    /// Ids of the guides to causes that produce the code.
    pub causes: Vec<String>,
    /// What a Windows says, and where its words were looked for, when one was named.
    pub windows: Option<(Vec<WindowsSaysJson>, Vec<LookedJson>)>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
struct NameJson {
    name: String,
    family: String,
    header: String,
    kind: String,
    /// Why it is meant, or how else it would be.
    why: String,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
struct AnatomyJson {
    failure: bool,
    customer: bool,
    facility: u16,
    facility_name: Option<String>,
    code: u16,
    wraps: Option<WrapsJson>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
struct WrapsJson {
    kind: String,
    value: String,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
struct ExtendJson {
    value: String,
    phase: Option<String>,
    operation: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq, schemars::JsonSchema)]
struct NearestJson {
    value: String,
    name: String,
}

impl ExplanationJson {
    /// The answer.
    pub fn of<'a>(explained: impl Iterator<Item = Explained<'a>>) -> Self {
        ExplanationJson { schema: "hresolve/explanation/1".into(), codes: explained.map(code_json).collect() }
    }
}

fn code_json(explained: Explained) -> CodeJson {
    let Explained { explanation, causes, windows } = explained;
    let (windows_says, windows_looked) = windows.unzip();
    let Anatomy { failure, customer, facility, code, wraps, .. } = explanation.anatomy;
    CodeJson {
        value: hex(explanation.value),
        spellings: crate::spellings(explanation.value),
        names: explanation
            .names
            .iter()
            .map(|named| NameJson {
                name: named.known.name.into(),
                family: named.known.family.into(),
                header: named.known.header.into(),
                kind: named.known.kind.word().into(),
                why: named.why.clone(),
            })
            .collect(),
        anatomy: AnatomyJson {
            failure,
            customer,
            facility,
            facility_name: crate::facility(facility).map(|(name, _)| name.into()),
            code,
            wraps: wraps.map(|wraps| WrapsJson { kind: wraps.kind.word().into(), value: hex(wraps.value) }),
        },
        meaning: explanation.meaning.map(|meaning| meaning.says.into()),
        advice: explanation.meaning.map(|meaning| meaning.advice.into()),
        phase: explanation.meaning.map(|meaning| meaning.stage.into()),
        causes,
        extend: explanation.extend.as_ref().map(|extend| ExtendJson {
            value: format!("0x{:X}", extend.value),
            phase: extend.phase.map(|(name, _)| name.into()),
            operation: extend.operation.map(|(name, _)| name.into()),
        }),
        nearest: explanation.nearest.iter().map(|known| NearestJson { value: hex(known.value), name: known.name.into() }).collect(),
        windows_says,
        windows_looked,
    }
}

fn hex(value: u32) -> String {
    format!("0x{value:08X}")
}
