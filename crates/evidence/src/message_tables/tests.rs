//! Programs made here by hand, whole and damaged, and Wine's own as somebody else's.

mod library;
mod wine;

use super::{Message, as_shown, messages};
use library::{library, program, table};

fn sample() -> Vec<u8> {
    let english = table(&[(2, &["The file is missing.\r\n", "The path %1 is missing.\r\n"]), (0x8024_0007, &["Bad index.\r\n"])]);
    let german = table(&[(2, &["Die Datei fehlt.\r\n"])]);
    library(&[(0x407, german), (0x409, english)])
}

#[test]
fn every_message_of_every_language_is_read() {
    let read = messages(&sample(), &|_| true);
    let message = |id, language, text: &str| Message { id, language, text: text.into() };
    assert_eq!(read.problems, [""; 0]);
    assert_eq!(
        read.found,
        [
            message(2, 0x407, "Die Datei fehlt."),
            message(2, 0x409, "The file is missing."),
            message(3, 0x409, "The path %1 is missing."),
            message(0x8024_0007, 0x409, "Bad index."),
        ]
    );
    assert_eq!(messages(&sample(), &|id| id == 3).found.len(), 1);
}

#[test]
fn programs_of_32_bits_are_read_too() {
    let read = messages(&program(&[(0x409, table(&[(2, &["Narrow."])]))], false), &|_| true);
    assert_eq!((read.found.len(), read.problems.len()), (1, 0), "{read:?}");
}

#[test]
fn texts_are_shown_as_format_message_gives_them() {
    for (raw, wanted) in [
        ("One.\r\n", "One."),
        ("One%0\r\nnot this", "One"),
        ("One%nTwo%rThree", "One\nTwo\nThree"),
        ("%1!s! and %12 stay, %%, %!, %., % %b.", "%1!s! and %12 stay, %, !, .,   ."),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("tab%tx%z%", "tab\txz%"),
        ("\u{1b}[31mred%\u{7}", "\u{fffd}[31mred\u{fffd}"),
        ("end\0garbage", "end"),
    ] {
        assert_eq!(as_shown(raw), wanted, "{raw:?}");
    }
}

#[test]
fn a_program_without_messages_is_no_problem_and_other_files_are_one() {
    let mut none = sample();
    none[512 + 16] = 16; // a version resource instead
    let read = messages(&none, &|_| true);
    assert!(read.found.is_empty() && read.problems.is_empty(), "{read:?}");
    for other in [&b""[..], b"MZ", b"text", &[0; 4096]] {
        assert_eq!(messages(other, &|_| true).problems.len(), 1);
    }
}

#[test]
fn a_file_cut_anywhere_gives_what_is_left_and_says_so() {
    let whole = sample();
    let all = messages(&whole, &|_| true).found;
    assert_eq!(all.len(), 4);
    for length in 0..whole.len() {
        let read = messages(&whole[..length], &|_| true);
        assert!(!read.problems.is_empty(), "cut at {length}: nothing is said");
        assert!(read.found.iter().all(|message| all.contains(message)), "cut at {length}: {:?}", read.found);
    }
}

#[test]
fn every_flipped_byte_ends_and_invents_no_mass_of_text() {
    let whole = sample();
    let mut different = 0;
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut spoilt = whole.clone();
            spoilt[at] ^= flip;
            let read = messages(&spoilt, &|_| true);
            let text: usize = read.found.iter().map(|message| message.text.len()).sum();
            different += usize::from(read.found.len() != 4);
            assert!(text <= 8 * whole.len() && read.problems.len() <= whole.len(), "byte {at}");
        }
    }
    assert!(different > 100, "the flips reached nothing: {different}");
}

#[test]
fn overlapping_tables_end_soon() {
    // Each of many blocks claims every number there is and points at the same entries.
    let mut greedy = 5000_u32.to_le_bytes().to_vec();
    for _ in 0..5000 {
        for number in [0, u32::MAX, 4 + 12 * 5000] {
            greedy.extend(number.to_le_bytes());
        }
    }
    greedy.extend([4, 0, 1, 0].repeat(5000));
    let file = library(&[(0x409, greedy)]);
    let read = messages(&file, &|_| true);
    assert!(read.found.len() <= file.len(), "{}", read.found.len());
    assert!(read.problems.iter().any(|problem| problem.contains("overlap")), "{:?}", read.problems.first());
}

#[test]
fn damage_costs_only_its_block() {
    let mut spoilt = table(&[(2, &["First."]), (100, &["Second."])]);
    let at = usize::try_from(u32::from_le_bytes([spoilt[12], spoilt[13], spoilt[14], spoilt[15]])).unwrap_or_default();
    spoilt[at] = 0; // the length of the first entry
    let read = messages(&library(&[(0x409, spoilt)]), &|_| true);
    assert_eq!(read.found.iter().map(|message| message.id).collect::<Vec<_>>(), [100]);
    assert_eq!(read.problems.len(), 1);
    assert!(read.problems.iter().all(|problem| problem.contains("0x00000002") && problem.contains("en-US")), "{:?}", read.problems);
}
