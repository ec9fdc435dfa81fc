//! Updates as Windows Update itself speaks of them: by what one is named, what its history says, and what became of trying one again.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// By what one update is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum UpdateName {
    /// The number of its article, as in `KB5034441`. It stays when an update is published again.
    Article(u32),
    /// The update's own id, a GUID in lower case without braces. Drivers and apps have no article.
    Id(String),
}

impl UpdateName {
    /// What is accepted, for people.
    pub const FORMS: &'static str = "a KB number such as KB5034441, or an update's id such as 01234567-89ab-cdef-0123-456789abcdef";

    /// The first article that a text names: `KB` and six to eight digits.
    pub fn in_text(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        upper.match_indices("KB").find_map(|(at, _)| {
            let digits: String = upper.get(at + 2..)?.chars().take_while(char::is_ascii_digit).collect();
            (6..=8).contains(&digits.len()).then(|| digits.parse().ok().map(UpdateName::Article)).flatten()
        })
    }

    /// The update of that id; `None` when it is no GUID, or the one of no update.
    pub fn of_id(text: &str) -> Option<Self> {
        let id = text.trim().trim_start_matches('{').trim_end_matches('}').to_ascii_lowercase();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        let digits = id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        (lengths == [8, 4, 4, 4, 12] && digits && id.bytes().any(|byte| !matches!(byte, b'-' | b'0'))).then_some(UpdateName::Id(id))
    }
}

impl fmt::Display for UpdateName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpdateName::Article(number) => write!(out, "KB{number}"),
            UpdateName::Id(id) => write!(out, "{id}"),
        }
    }
}

impl FromStr for UpdateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.get(..2).filter(|start| start.eq_ignore_ascii_case("kb")).and_then(|_| text.get(2..));
        let article = digits.filter(|digits| (6..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
        match article.and_then(|digits| digits.parse().ok()) {
            Some(number) => Ok(UpdateName::Article(number)),
            None => UpdateName::of_id(text).ok_or_else(|| format!("{text:?} names no update; it takes {}", Self::FORMS)),
        }
    }
}

impl TryFrom<String> for UpdateName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<UpdateName> for String {
    fn from(name: UpdateName) -> Self {
        name.to_string()
    }
}

/// How an attempt ended, by the number that Windows Update gives it (`OperationResultCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateResult {
    /// 2
    Succeeded,
    /// 3: something of it failed, and Windows calls the whole done.
    SucceededWithErrors,
    /// 4
    Failed,
    /// 5: ended before it was done.
    Aborted,
    /// 0 (not started), 1 (going on) and what is not documented.
    Open,
}

impl UpdateResult {
    /// From the number.
    pub fn of(number: i32) -> Self {
        match number {
            2 => UpdateResult::Succeeded,
            3 => UpdateResult::SucceededWithErrors,
            4 => UpdateResult::Failed,
            5 => UpdateResult::Aborted,
            _ => UpdateResult::Open,
        }
    }
}

/// One line of Windows Update's own history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRecord {
    /// The update's title, in the language of Windows.
    pub title: String,
    /// Its id; `None` where the history holds none.
    pub id: Option<UpdateName>,
    /// It was removed, not installed.
    pub removed: bool,
    /// How it ended.
    pub result: UpdateResult,
    /// The code of the result, as the agent tells it; 0 for a success.
    pub code: u32,
    /// The code before the agent translated it into one of its own; 0 when there is none.
    pub unmapped: u32,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
}

/// At what an attempt was when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStage {
    /// Reaching the agent, or searching.
    Search,
    /// Downloading.
    Download,
    /// Installing.
    Install,
}

impl UpdateStage {
    /// What it is called in sentences: "the search".
    pub fn words(self) -> &'static str {
        match self {
            UpdateStage::Search => "the search",
            UpdateStage::Download => "the download",
            UpdateStage::Install => "the installation",
        }
    }
}

/// What became of having Windows install one named update. Titles are in the language of Windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateTry {
    /// Nothing of that name is offered to this computer and nothing is installed: superseded, withdrawn, not approved, or for another Windows.
    NotOffered {
        /// The search says that it is not whole, with this code.
        incomplete: Option<u32>,
    },
    /// It is installed; whether since the failure only the history can tell.
    AlreadyInstalled {
        /// Its title.
        title: String,
    },
    /// Somebody hid it; it stays hidden.
    Hidden {
        /// Its title.
        title: String,
    },
    /// Several that are offered have this name; none was tried.
    Several {
        /// Title and id of each.
        which: Vec<String>,
    },
    /// It may ask questions while it is installed, which only a person can answer.
    AsksForInput {
        /// Its title.
        title: String,
    },
    /// Windows is installing something else.
    Busy,
    /// Windows wants a restart before it installs anything.
    RestartFirst,
    /// The time limit was over. Windows was told to stop.
    TooLong {
        /// At what.
        stage: UpdateStage,
        /// Windows did stop.
        stopped: bool,
    },
    /// It failed, or could not be tried.
    Failed {
        /// At what.
        stage: UpdateStage,
        /// Its title, when it was found.
        title: String,
        /// The agent's code; 0 when it gives none.
        code: u32,
    },
    /// The agent says that it succeeded.
    Installed {
        /// Its title.
        title: String,
        /// A restart has to finish it.
        restart: bool,
        /// A search afterwards says that it is installed; `None` when it was not or could not be asked.
        seen: Option<bool>,
        /// Its licence was accepted for this.
        licence: bool,
        /// The agent calls it done though something of it failed, with this code.
        errors: Option<u32>,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{UpdateName, UpdateResult};

    #[test]
    fn a_name_reads_back_as_it_is_written() {
        for (typed, name) in [
            ("KB5034441", "KB5034441"),
            (" kb890830 ", "KB890830"),
            ("{01234567-89AB-CDEF-0123-456789ABCDEF}", "01234567-89ab-cdef-0123-456789abcdef"),
        ] {
            let read: UpdateName = typed.parse().unwrap();
            assert_eq!(read.to_string(), name);
            assert_eq!(name.parse::<UpdateName>().unwrap(), read);
        }
        // An apostrophe would end a word of a search.
        for wrong in [
            "",
            "KB",
            "KB12345",
            "KB123456789",
            "5034441",
            "KB50344x1",
            "01234567-89ab-cdef-0123-456789abcde'",
            "ä",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert!(wrong.parse::<UpdateName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_article_of_a_title_is_its_name() {
        let named = |text: &str| UpdateName::in_text(text).map(|name| name.to_string());
        assert_eq!(named("2024-01 Update (KB5034441) KB1234567").as_deref(), Some("KB5034441"));
        assert_eq!(named("Intel - System - 10.1.1.42"), None);
        assert_eq!(UpdateResult::of(9), UpdateResult::Open);
    }
}
