//! A target that passes every question on to another one and keeps question and answer: what the probes ask is what is collected, so
//! the list of evidence is declared once, in the probes.

use super::collected::answers::{Answers, Content};
use crate::Now;
use crate::target::{Entry, Expanded, KeyView, Target};
use model::{CollectedPart, LeftOut, Reading, Room, TargetInfo, VolumePath, WhyNot, WindowsVersion};
use std::cell::RefCell;
use std::io::{self, Read};

/// A larger file is asked about but its content is not kept; databases are larger, logs are not.
const LARGEST_KEPT: usize = 64 << 20;

/// Records what is asked of a target.
pub struct Recording<'a> {
    below: &'a dyn Target,
    answers: RefCell<Answers>,
}

impl<'a> Recording<'a> {
    /// Nothing was asked yet.
    pub fn new(below: &'a dyn Target) -> Self {
        Recording { below, answers: RefCell::new(Answers::about(below)) }
    }

    /// Everything that was asked.
    pub fn into_answers(self) -> Answers {
        // How it was read is known only now.
        Answers { notes: self.below.notes(), ..self.answers.into_inner() }
    }

    /// Keeps a file that no probe asks for; of a log that is longer than `longest`, the last lines.
    pub fn keep(&self, path: &VolumePath, largest: u64, longest: usize) {
        if self
            .answers
            .borrow()
            .files
            .get(&path.to_string())
            .is_some_and(|answer| answer.known().is_some_and(|there| there.part == CollectedPart::Whole))
        {
            return;
        }
        match self.below.read(path, largest) {
            Reading::Known(bytes) => {
                let (bytes, part) = last_lines(bytes, longest);
                if part == CollectedPart::End {
                    self.leave_out(path, format!("only its last {} MB are here", longest >> 20));
                }
                self.content(path, Reading::Known(Content { bytes, part }));
            }
            Reading::Unreadable(why) => self.leave_out(path, why),
            Reading::Absent | Reading::NotCollected => {}
        }
    }

    /// Notes that something is not kept.
    pub fn leave_out(&self, path: &VolumePath, why: impl Into<String>) {
        self.answers.borrow_mut().left_out.push(LeftOut { what: path.with_drive(self.below.drive()), why: why.into() });
    }

    /// Keeps a content unless more of the file is there already.
    fn content(&self, path: &VolumePath, answer: Reading<Content>) {
        let mut answers = self.answers.borrow_mut();
        let more = |there: &Content| match &answer {
            Reading::Known(new) => new.part == CollectedPart::Whole || (there.part == new.part && new.bytes.len() > there.bytes.len()),
            _ => false,
        };
        let keep = match answers.files.get(&path.to_string()) {
            Some(Reading::Known(there)) => more(there),
            _ => true,
        };
        if keep {
            answers.files.put(path.to_string(), answer);
        }
    }
}

/// A file on its way to a probe; what passes is kept when the probe is done with it.
struct Kept<'a> {
    recording: &'a Recording<'a>,
    path: VolumePath,
    input: Box<dyn Read + 'a>,
    bytes: Vec<u8>,
    ended: bool,
    failed: Option<String>,
}

impl Read for Kept<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match self.input.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.failed = Some(error.to_string());
                return Err(error);
            }
            Ok(count) => count,
        };
        self.ended |= count == 0 && !into.is_empty();
        if self.bytes.len() <= LARGEST_KEPT {
            self.bytes.extend_from_slice(into.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        // A probe may have seen enough before the end.
        let mut block = vec![0; 1 << 16];
        while !self.ended && self.failed.is_none() && self.bytes.len() <= LARGEST_KEPT {
            if self.read(&mut block).is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
                break;
            }
        }
        let bytes = std::mem::take(&mut self.bytes);
        if let Some(why) = self.failed.take() {
            self.recording.content(&self.path, Reading::Unreadable(why));
        } else if bytes.len() > LARGEST_KEPT {
            self.recording.leave_out(&self.path, format!("it has more than {} MB, which is more than is collected of one file", LARGEST_KEPT >> 20));
        } else {
            self.recording.content(&self.path, Reading::Known(Content { bytes, part: CollectedPart::Whole }));
        }
    }
}

/// Passwords that stand in the registry as text (automatic logon) are never kept.
fn without_passwords(mut view: KeyView) -> KeyView {
    for (name, data) in &mut view.values {
        if name.to_ascii_lowercase().contains("password") && data.as_dword().is_none() {
            data.data.clear();
        }
    }
    view
}

/// The last lines of at most `longest` bytes; a line's end is one in UTF-16, too.
fn last_lines(mut bytes: Vec<u8>, longest: usize) -> (Vec<u8>, CollectedPart) {
    if bytes.len() <= longest {
        return (bytes, CollectedPart::Whole);
    }
    let wide = bytes.starts_with(&[0xff, 0xfe]);
    let mut from = bytes.len() - longest;
    let tail = bytes.get(from..).unwrap_or_default();
    from += tail.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1 + usize::from(wide));
    if wide {
        // Units start at even places, and the mark at the start says that they are units.
        from -= from % 2;
        let mut cut = vec![0xff, 0xfe];
        cut.extend_from_slice(bytes.get(from..).unwrap_or_default());
        return (cut, CollectedPart::End);
    }
    (bytes.split_off(from), CollectedPart::End)
}

impl Target for Recording<'_> {
    fn info(&self) -> TargetInfo {
        self.below.info()
    }

    fn windows(&self) -> &WindowsVersion {
        self.below.windows()
    }

    fn drive(&self) -> char {
        self.below.drive()
    }

    fn key(&self, path: &str) -> Reading<KeyView> {
        let answer = self.below.key(path);
        let mut answers = self.answers.borrow_mut();
        // A path that no hive holds gets the same answer from everybody.
        if let Ok(question) = answers.key_question(path) {
            answers.keys.put(question, answer.clone().map(without_passwords));
        }
        answer
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        let answer = self.below.entry(path);
        self.answers.borrow_mut().entries.put(path.to_string(), answer.clone());
        answer
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        let answer = self.below.read(path, limit);
        match &answer {
            Reading::Known(bytes) if bytes.len() > LARGEST_KEPT => {
                self.leave_out(path, format!("it has {} MB, more than is collected of one file", bytes.len() >> 20));
            }
            _ => self.content(path, answer.clone().map(|bytes| Content { bytes, part: CollectedPart::Whole })),
        }
        answer
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        match self.below.open(path) {
            Reading::Known(input) => {
                Reading::Known(Box::new(Kept { recording: self, path: path.clone(), input, bytes: Vec::new(), ended: false, failed: None }))
            }
            Reading::Unreadable(why) => {
                self.content(path, Reading::Unreadable(why.clone()));
                Reading::Unreadable(why)
            }
            Reading::Absent => {
                self.content(path, Reading::Absent);
                Reading::Absent
            }
            Reading::NotCollected => Reading::NotCollected,
        }
    }

    /// What is packed is kept unpacked, as files below the cabinet's path: in a cabinet nothing could be replaced.
    fn unpack(&self, path: &VolumePath, take: &mut dyn FnMut(&str, &mut dyn Read)) -> Reading<()> {
        let answer = self.below.unpack(path, &mut |name, content| {
            // The name is a stranger's.
            let inside = name.rsplit(['/', '\\']).next().unwrap_or_default();
            let path = path.join(inside);
            let mut kept = Kept { recording: self, path, input: Box::new(content), bytes: Vec::new(), ended: false, failed: None };
            take(name, &mut kept);
        });
        match &answer {
            Reading::Unreadable(why) => self.content(path, Reading::Unreadable(why.clone())),
            Reading::Absent => self.content(path, Reading::Absent),
            Reading::Known(()) | Reading::NotCollected => {}
        }
        answer
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        let answer = self.below.read_start(path, length);
        let part = |bytes: &[u8]| if bytes.len() < length { CollectedPart::Whole } else { CollectedPart::Start };
        self.content(path, answer.clone().map(|bytes| Content { part: part(&bytes), bytes }));
        answer
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        let answer = self.below.sha256(path);
        self.answers.borrow_mut().hashes.put(path.to_string(), answer.clone());
        answer
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        let answer = self.below.list(path);
        self.answers.borrow_mut().lists.put(path.to_string(), answer.clone());
        answer
    }

    fn room(&self) -> Reading<Room> {
        let answer = self.below.room();
        self.answers.borrow_mut().room = answer.known().copied();
        answer
    }

    fn clock(&self) -> Reading<Now> {
        self.below.clock()
    }

    fn running(&self) -> Reading<u64> {
        self.below.running()
    }

    fn expand(&self, text: &str) -> Expanded {
        // By the keys that are asked here, so that they are kept.
        super::folder::expand_on(self, text)
    }

    fn why_not(&self) -> Vec<WhyNot> {
        self.below.why_not()
    }

    fn notes(&self) -> Vec<String> {
        self.below.notes()
    }

    fn windows_folder(&self) -> VolumePath {
        self.below.windows_folder()
    }
}

#[cfg(test)]
mod tests {
    use super::{CollectedPart, last_lines, without_passwords};
    use crate::KeyView;
    use model::RegistryData;

    #[test]
    fn a_password_is_not_kept() {
        let values = vec![("DefaultPassword".to_owned(), RegistryData::text(1, "x")), ("PasswordAge".to_owned(), RegistryData::dword(7))];
        let view = KeyView { path: String::new(), subkeys: Vec::new(), values, last_written: 0 };
        let kept: Vec<usize> = without_passwords(view).values.iter().map(|(_, data)| data.data.len()).collect();
        assert_eq!(kept, [0, 4]);
    }

    #[test]
    fn a_long_log_is_cut_at_a_line() {
        assert_eq!(last_lines(b"one\ntwo\nthree\n".to_vec(), 8), (b"three\n".to_vec(), CollectedPart::End));
        assert_eq!(last_lines(b"one\n".to_vec(), 8), (b"one\n".to_vec(), CollectedPart::Whole));
        let wide: Vec<u8> = "\u{feff}one\ntwo\nsix\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cut: Vec<u8> = "\u{feff}six\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for longest in 10..=13 {
            assert_eq!(last_lines(wide.clone(), longest).0, cut, "{longest}");
        }
    }
}
