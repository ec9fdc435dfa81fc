//! A target that passes every question on to another one and tells somebody what is being read, so that a person who waits sees what
//! for. It changes no answer.

use crate::Now;
use crate::target::{Entry, Expanded, KeyView, Target};
use model::{Reading, Room, TargetInfo, UpdateRecord, VolumePath, WhyNot, WindowsVersion};
use std::io::{self, Read};

/// Is told what is being read: a path as people know it, and of a long file how many bytes of how many are done.
pub type Watcher = dyn Fn(&str, Option<(u64, u64)>);

/// Watches what is read of a target.
pub struct Watched<'a> {
    below: &'a dyn Target,
    watcher: &'a Watcher,
}

impl<'a> Watched<'a> {
    /// Over a target.
    pub fn new(below: &'a dyn Target, watcher: &'a Watcher) -> Self {
        Watched { below, watcher }
    }

    fn tell(&self, path: &VolumePath) -> String {
        let shown = path.with_drive(self.below.drive());
        (self.watcher)(&shown, None);
        shown
    }
}

impl Target for Watched<'_> {
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
        self.below.key(path)
    }

    fn key_tree(&self, path: &str) -> Reading<model::KeyTree> {
        self.below.key_tree(path)
    }

    fn source(&self) -> Option<&dyn crate::Source> {
        self.below.source()
    }

    fn entry(&self, path: &VolumePath) -> Reading<Entry> {
        self.below.entry(path)
    }

    fn read(&self, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
        self.tell(path);
        self.below.read(path, limit)
    }

    fn open(&self, path: &VolumePath) -> Reading<Box<dyn Read + '_>> {
        let shown = self.tell(path);
        let of = self.below.entry(path).into_known().map_or(0, |entry| entry.size);
        self.below.open(path).map(|below| Box::new(Counting { below, watcher: self.watcher, shown, done: 0, of }) as Box<dyn Read + '_>)
    }

    fn unpack(&self, path: &VolumePath, take: &mut dyn FnMut(&str, &mut dyn Read)) -> Reading<()> {
        self.tell(path);
        self.below.unpack(path, take)
    }

    fn read_start(&self, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
        self.below.read_start(path, length)
    }

    fn sha256(&self, path: &VolumePath) -> Reading<String> {
        self.tell(path);
        self.below.sha256(path)
    }

    fn list(&self, path: &VolumePath) -> Reading<Vec<String>> {
        self.below.list(path)
    }

    fn room(&self) -> Reading<Room> {
        self.below.room()
    }

    fn clock(&self) -> Reading<Now> {
        self.below.clock()
    }

    fn update_history(&self) -> Reading<Vec<UpdateRecord>> {
        self.below.update_history()
    }

    fn running(&self) -> Reading<u64> {
        self.below.running()
    }

    fn expand(&self, text: &str) -> Expanded {
        self.below.expand(text)
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

/// A stream that tells how far it is.
struct Counting<'a> {
    below: Box<dyn Read + 'a>,
    watcher: &'a Watcher,
    shown: String,
    done: u64,
    of: u64,
}

impl Read for Counting<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.below.read(into)?;
        self.done += count as u64;
        (self.watcher)(&self.shown, (self.of > 0).then_some((self.done, self.of)));
        Ok(count)
    }
}
