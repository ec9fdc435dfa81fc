//! What to look at next where several causes fit and none is proved: the cheapest look that decides.

use crate::condition::{Condition, Truth, lookup};
use crate::find::Found;
use crate::guide::Guide;
use crate::template;
use model::{Confidence, Facts, NextCheck, Reading, Subject};

/// Minutes to bring something that was not given: a log, a hive, the disk itself.
const TO_BRING: u32 = 5;

/// The cheapest look that decides between two findings that fit the same code, or whether a single one is right. `None` when what was found
/// is proved, or a proved cause explains the same.
pub fn next_check(found: &[Found], guides: &[Guide], facts: &Facts) -> Option<NextCheck> {
    let open = found.iter().filter(|one| one.finding.confidence != Confidence::Proved);
    let explained = |one: &Found| found.iter().any(|other| other.finding.confidence == Confidence::Proved && compete(one, other));
    let mut looks: Vec<(bool, u32, NextCheck)> = Vec::new();
    for one in open.filter(|one| !explained(one)) {
        let Some((minutes, says)) = look(one, guides, facts) else { continue };
        let rival = found.iter().find(|other| other.finding != one.finding && compete(one, other));
        let between = std::iter::once(one).chain(rival).map(|found| found.finding.cause.clone()).collect();
        looks.push((rival.is_none(), minutes, NextCheck { between, minutes, says }));
    }
    // Where two compete comes first; `min_by_key` keeps the first of equals, which is the better finding.
    looks.into_iter().min_by_key(|(alone, minutes, _)| (*alone, *minutes)).map(|(_, _, check)| check)
}

/// Both could be the cause of the same: they produce a code in common, or are about the same thing.
fn compete(one: &Found, other: &Found) -> bool {
    let (one, other) = (&one.finding, &other.finding);
    one.subject == other.subject || one.codes.iter().any(|code| other.codes.contains(code))
}

/// The cheapest look that decides one finding: what its guide says, or what the program would need to see itself.
fn look(found: &Found, guides: &[Guide], facts: &Facts) -> Option<(u32, String)> {
    let guide = guides.iter().find(|guide| guide.id == found.finding.cause)?;
    let subject = facts.subject(&guide.each, &found.finding.subject)?;
    let told = guide.check.as_ref().and_then(|check| Some((check.minutes, template::fill(check.text.trim(), facts, subject).ok()?)));
    let own = guide.signs.proved.as_ref().and_then(|proved| unseen(proved, facts, subject)).map(|says| (TO_BRING, says));
    told.into_iter().chain(own).min_by_key(|(minutes, _)| *minutes)
}

/// What a condition asks for that could not be seen, when nothing speaks against it.
fn unseen(proved: &Condition, facts: &Facts, subject: &Subject) -> Option<String> {
    if proved.holds(facts, subject) != Truth::Unknown {
        return None;
    }
    let question = proved.questions().into_iter().find(|question| question.holds(facts, subject) == Truth::Unknown)?;
    let fact = lookup(&question.fact, facts, subject)?;
    match &fact.reading {
        Reading::NotCollected => {
            Some(format!("{} was not given; with it, or on the computer itself or its disk, hresolve looks for itself", fact.source))
        }
        Reading::Unreadable(why) => Some(format!("{} could not be read ({why}); copy it anew", fact.source)),
        Reading::Known(_) | Reading::Absent => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::next_check;
    use crate::{Guide, find};
    use model::{Fact, Facts, Reading, Subject, Value, WindowsVersion};

    fn guide(id: &str, code: &str, fact: &str, minutes: u32) -> Guide {
        let text = format!(
            "---\nid: {id}\ntitle: t\ncodes: [{code}]\nwindows: \">= 6.1\"\nrisk: low\noffline: full\neach: thing\nobject: o\nstatus: draft\n---\n\n\
             ```signs\nproved: thing.seen = {fact}\nlikely: thing.name = x\n```\n\n```check\nminutes: {minutes}\ntext: look at {{thing.name}}\n```\n"
        );
        Guide::parse(&format!("a/{id}.md"), &text).unwrap()
    }

    fn facts(seen: Reading<Value>) -> Facts {
        let mut subject = Subject::new("thing", "x");
        let fact = |reading, source: &str| Fact { reading, says: "says".into(), source: source.into(), at: String::new() };
        subject.put("thing.name", fact(Reading::Known(Value::Text("x".into())), "SYSTEM"));
        subject.put("thing.seen", fact(seen, "the log"));
        Facts { subjects: vec![subject], ..Facts::default() }
    }

    fn windows() -> WindowsVersion {
        let mut windows = WindowsVersion::unknown();
        (windows.major, windows.minor, windows.build) = (10, 0, 19045);
        windows
    }

    #[test]
    fn the_cheaper_look_between_two_is_named() {
        let guides = [guide("slow", "0x80070002", "yes", 9), guide("fast", "0x80070002", "yes", 2)];
        let facts = facts(Reading::NotCollected);
        let found = find(&facts, &guides, &windows(), None);
        let check = next_check(&found, &guides, &facts).unwrap();
        assert_eq!((check.minutes, check.says.as_str()), (2, "look at x"));
        assert_eq!(check.between, ["fast", "slow"]);
    }

    #[test]
    fn what_was_not_given_is_asked_for_when_that_is_cheaper() {
        let guides = [guide("slow", "0x80070002", "yes", 9)];
        let facts = facts(Reading::NotCollected);
        let check = next_check(&find(&facts, &guides, &windows(), None), &guides, &facts).unwrap();
        assert!(check.says.starts_with("the log was not given"), "{}", check.says);
        assert_eq!(check.between, ["slow"]);
    }

    #[test]
    fn nothing_is_asked_where_a_proved_cause_explains_the_same() {
        let guides = [guide("seen", "0x80070002", "yes", 1), guide("other", "0x80070002", "no", 1)];
        let facts = facts(Reading::Known(Value::Bool(true)));
        let found = find(&facts, &guides, &windows(), None);
        assert_eq!(found.len(), 2);
        assert_eq!(next_check(&found, &guides, &facts), None);
    }
}
