//! Conditions of guides, in the three-valued logic that keeps "not looked at" apart from "no".

use model::{Facts, Reading, Subject, Value};
use serde::Deserialize;

/// The answer to a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// A fact it needs was not collected or could not be read.
    Unknown,
}

/// A condition as written in a guide: one question about a fact, or a combination.
///
/// Questions: `fact = word`, `fact != word`, `fact in [a, b]`, and `fact is known|absent|not-collected|unreadable`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// Every part holds.
    All {
        /// The parts.
        all: Vec<Condition>,
    },
    /// At least one part holds.
    Any {
        /// The parts.
        any: Vec<Condition>,
    },
    /// The part does not hold.
    Not {
        /// The part.
        not: Box<Condition>,
    },
    /// One question.
    Ask(Question),
}

/// One question about one fact.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Question {
    /// The fact's full name.
    pub fact: String,
    /// What is asked.
    pub test: Test,
}

/// What is asked about a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The value equals one of these.
    In(Vec<String>),
    /// The value is known and equals none of these, or there is none.
    NotIn(Vec<String>),
    /// There is a value.
    Known,
    /// The place was looked at and is empty.
    Absent,
    /// The place is not part of the target.
    NotCollected,
    /// Reading failed.
    Unreadable,
}

impl TryFrom<String> for Question {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words = |list: &str| -> Vec<String> {
            list.trim()
                .trim_start_matches('[')
                .trim_end_matches(']')
                .split(',')
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect()
        };
        let (fact, test) = if let Some((fact, word)) = text.split_once(" is ") {
            let test = match word.trim() {
                "known" => Test::Known,
                "absent" => Test::Absent,
                "not-collected" => Test::NotCollected,
                "unreadable" => Test::Unreadable,
                other => {
                    return Err(format!(
                        "\"is {other}\" is not a question; use known, absent, not-collected or unreadable, or \"= {other}\" for a value"
                    ));
                }
            };
            (fact, test)
        } else if let Some((fact, word)) = text.split_once(" != ") {
            (fact, Test::NotIn(vec![word.trim().to_owned()]))
        } else if let Some((fact, word)) = text.split_once(" = ") {
            (fact, Test::In(vec![word.trim().to_owned()]))
        } else if let Some((fact, list)) = text.split_once(" in ") {
            (fact, Test::In(words(list)))
        } else {
            return Err(format!(
                "{text:?} is not a condition; examples: \"service.start = 4\", \"service.file is absent\", \"folder.kind in [file, other]\""
            ));
        };
        Ok(Question { fact: fact.trim().to_owned(), test })
    }
}

impl Condition {
    /// The answer for one subject; `machine.…` facts are taken from the machine.
    pub fn holds(&self, facts: &Facts, subject: &Subject) -> Truth {
        match self {
            Condition::All { all } => all.iter().fold(Truth::True, |so_far, part| so_far.and(part.holds(facts, subject))),
            Condition::Any { any } => any.iter().fold(Truth::False, |so_far, part| so_far.or(part.holds(facts, subject))),
            Condition::Not { not } => not.holds(facts, subject).negated(),
            Condition::Ask(question) => question.holds(facts, subject),
        }
    }

    /// Every question in it, from left to right.
    pub fn questions(&self) -> Vec<&Question> {
        match self {
            Condition::All { all: parts } | Condition::Any { any: parts } => parts.iter().flat_map(Condition::questions).collect(),
            Condition::Not { not } => not.questions(),
            Condition::Ask(question) => vec![question],
        }
    }
}

impl Question {
    /// The answer for one subject.
    pub fn holds(&self, facts: &Facts, subject: &Subject) -> Truth {
        // A fact that the probe did not deliver was not looked at.
        let reading = lookup(&self.fact, facts, subject).map_or(&Reading::NotCollected, |fact| &fact.reading);
        let plain = |yes: bool| if yes { Truth::True } else { Truth::False };
        match (&self.test, reading) {
            (Test::Known, reading) => plain(reading.known().is_some()),
            (Test::Absent, reading) => plain(reading.is_absent()),
            (Test::NotCollected, reading) => plain(matches!(reading, Reading::NotCollected)),
            (Test::Unreadable, reading) => plain(matches!(reading, Reading::Unreadable(_))),
            (Test::In(wanted), Reading::Known(value)) => plain(wanted.iter().any(|word| equals(value, word))),
            (Test::NotIn(wanted), Reading::Known(value)) => plain(!wanted.iter().any(|word| equals(value, word))),
            (Test::In(_), Reading::Absent) => Truth::False,
            (Test::NotIn(_), Reading::Absent) => Truth::True,
            (Test::In(_) | Test::NotIn(_), Reading::NotCollected | Reading::Unreadable(_)) => Truth::Unknown,
        }
    }
}

/// The fact of that name about the subject or, for `machine.…`, about the machine.
pub(crate) fn lookup<'a>(name: &str, facts: &'a Facts, subject: &'a Subject) -> Option<&'a model::Fact> {
    subject.get(name).or_else(|| facts.machine().filter(|_| name.starts_with("machine.")).and_then(|machine| machine.get(name)))
}

fn equals(value: &Value, word: &str) -> bool {
    match value {
        Value::Text(text) => text.eq_ignore_ascii_case(word),
        Value::Number(number) => word.parse() == Ok(*number),
        Value::Bool(yes) => word == if *yes { "yes" } else { "no" },
        Value::List(items) => items.iter().any(|item| item.eq_ignore_ascii_case(word)),
    }
}

impl Truth {
    fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    fn or(self, other: Truth) -> Truth {
        self.negated().and(other.negated()).negated()
    }

    fn negated(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{Condition, Question, Truth};
    use model::{Fact, Facts, Reading, Subject, Value};

    fn put(subject: &mut Subject, name: &'static str, reading: Reading<Value>) {
        subject.put(name, Fact { reading, says: String::new(), source: String::new(), at: String::new() });
    }

    fn ask(text: &str, subject: &Subject) -> Truth {
        Question::try_from(text.to_owned()).unwrap().holds(&Facts::default(), subject)
    }

    #[test]
    fn not_looked_at_is_never_no() {
        let mut subject = Subject::new("x", "x");
        put(&mut subject, "x.number", Reading::Known(Value::Number(4)));
        put(&mut subject, "x.gone", Reading::Absent);
        put(&mut subject, "x.torn", Reading::Unreadable("why".into()));
        for (question, answer) in [
            ("x.number = 4", Truth::True),
            ("x.number != 4", Truth::False),
            ("x.number in [3, 4]", Truth::True),
            ("x.number is known", Truth::True),
            ("x.gone is absent", Truth::True),
            ("x.gone = 4", Truth::False),
            ("x.torn = 4", Truth::Unknown),
            ("x.torn is absent", Truth::False),
            ("x.never-read = 4", Truth::Unknown),
            ("x.never-read is absent", Truth::False),
            ("x.never-read is not-collected", Truth::True),
        ] {
            assert_eq!(ask(question, &subject), answer, "{question}");
        }
    }

    #[test]
    fn combinations() {
        let subject = Subject::new("x", "x");
        let parse = |text: &str| serde_saphyr::from_str::<Condition>(text).unwrap();
        let unknown = "x.a = 1";
        let no = "x.a is absent";
        let yes = "x.a is not-collected";
        for (text, answer) in [
            (format!("all: [{yes}, {unknown}]"), Truth::Unknown),
            (format!("all: [{no}, {unknown}]"), Truth::False),
            (format!("any: [{yes}, {unknown}]"), Truth::True),
            (format!("any: [{no}, {unknown}]"), Truth::Unknown),
            (format!("not: {unknown}"), Truth::Unknown),
            (format!("not: {{ any: [{no}] }}"), Truth::True),
        ] {
            assert_eq!(parse(&text).holds(&Facts::default(), &subject), answer, "{text}");
        }
    }

    #[test]
    fn bad_questions_are_refused() {
        for text in ["service.start", "a is wrong", ""] {
            assert!(Question::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
