//! Which of many words stand in a text, found in one pass: a servicing log of a gigabyte has millions of lines, and nearly none of
//! them holds what a rule asks for.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// More words than this have no place in [`Seen`]; a test counts them.
pub(super) const MOST: usize = 128;

/// The words, by their numbers.
pub(super) struct Words(Option<AhoCorasick>);

/// Which words were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(u128);

impl Words {
    /// Numbered in their order, from 0. An empty word stands in every text.
    pub(super) fn new(words: impl Iterator<Item = &'static str>) -> Words {
        let automaton = AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(AhoCorasickKind::DFA)).build(words);
        Words(automaton.ok().filter(|automaton| automaton.patterns_len() <= MOST))
    }

    /// Every word that stands in the text; all of them when there are too many to be searched for.
    pub(super) fn seen(&self, text: &str) -> Seen {
        let Some(automaton) = &self.0 else { return Seen(u128::MAX) };
        Seen(automaton.find_overlapping_iter(text).fold(0, |seen, found| seen | 1 << found.pattern().as_usize()))
    }
}

impl Seen {
    /// Whether the word of that number was seen.
    pub(super) fn has(self, number: usize) -> bool {
        number >= MOST || self.0 >> number & 1 == 1
    }

    /// Whether no word was.
    pub(super) fn is_nothing(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn words_in_words_are_seen_too() {
        let words = Words::new(["Failed", "Failed to", "ed to find", "", "x"].into_iter());
        let seen = words.seen("It Failed to find");
        let found: Vec<bool> = (0..5).map(|number| seen.has(number)).collect();
        assert_eq!(found, [true, true, true, true, false]);
        assert!(Words::new(["a", "b"].into_iter()).seen("c").is_nothing());
        assert!(Words::new((0..200).map(|_| "a")).seen("c").has(150), "too many words are not searched for");
    }
}
