//! The bytes of one member, wherever they are now; read as often as needed, never written.

use super::limits;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::rc::Rc;

/// What archives are read from.
pub(in crate::targets) trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// An opened zip archive.
pub(super) type Zip = zip::ZipArchive<BufReader<Box<dyn Source>>>;

/// The bytes of one member.
#[derive(Clone)]
pub(super) enum Blob {
    /// Unpacked, in memory.
    Memory(Rc<[u8]>),
    /// Unpacked, in a file without a name.
    Spooled(Rc<RefCell<File>>),
    /// A file of the bundle's folder.
    Path(PathBuf),
    /// Still packed.
    Zipped {
        /// The archive.
        archive: Rc<RefCell<Zip>>,
        /// The member's number.
        index: usize,
    },
}

impl Blob {
    /// Lends the bytes from the first one on.
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut dyn Read) -> io::Result<T>) -> io::Result<T> {
        match self {
            Blob::Zipped { archive, index } => {
                let mut archive = archive.try_borrow_mut().map_err(io::Error::other)?;
                read(&mut archive.by_index(*index).map_err(io::Error::other)?)
            }
            _ => read(&mut self.source()?),
        }
    }

    /// At most `limit` bytes from the start.
    pub(super) fn start(&self, limit: u64) -> io::Result<Vec<u8>> {
        self.with(|content| {
            let mut bytes = Vec::new();
            content.take(limit).read_to_end(&mut bytes)?;
            Ok(bytes)
        })
    }

    /// The bytes as a stream, in memory that does not grow with them: a zipped member is unpacked first, to a temporary file when it
    /// is large.
    pub(super) fn stream(&self) -> io::Result<Box<dyn Read>> {
        let unpacked = match self {
            Blob::Zipped { .. } => self.with(|content| Spool::for_a_stream().keep(&mut content.take(limits::LARGEST_MEMBER)))?,
            other => other.clone(),
        };
        Ok(Box::new(unpacked.source()?))
    }

    /// The bytes with seeking; a zipped member has to be unpacked first.
    pub(super) fn source(&self) -> io::Result<Box<dyn Source>> {
        match self {
            Blob::Memory(bytes) => Ok(Box::new(Cursor::new(Rc::clone(bytes)))),
            Blob::Spooled(file) => Ok(Box::new(Shared { file: Rc::clone(file), at: 0 })),
            Blob::Path(path) => {
                // Opening a pipe would wait for ever, and what was a file when it was listed may be a link now.
                if !std::fs::symlink_metadata(path)?.is_file() {
                    return Err(io::Error::other("it is not a file any more"));
                }
                Ok(Box::new(File::open(path)?))
            }
            Blob::Zipped { .. } => Err(io::Error::other("a packed file has no places to go to")),
        }
    }
}

/// One of several readers of a file that has only one place.
struct Shared {
    file: Rc<RefCell<File>>,
    at: u64,
}

impl Read for Shared {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(self.at))?;
        let count = file.read(bytes)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.file.borrow().metadata()?.len().checked_add_signed(by),
        };
        self.at = from.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// Where unpacked members are kept: in memory, and in temporary files when that is full.
#[derive(Default)]
pub(super) struct Spool {
    in_memory: u64,
}

impl Spool {
    /// For one that is read once from start to end, where memory is no gain.
    fn for_a_stream() -> Spool {
        Spool { in_memory: limits::MEMORY_IN_ALL - limits::STREAM_IN_MEMORY }
    }

    /// Keeps what is left of the content.
    pub(super) fn keep(&mut self, content: &mut dyn Read) -> io::Result<Blob> {
        let room = limits::LARGEST_IN_MEMORY.min(limits::MEMORY_IN_ALL.saturating_sub(self.in_memory));
        let mut bytes = Vec::new();
        content.take(room + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= room {
            self.in_memory += bytes.len() as u64;
            return Ok(Blob::Memory(bytes.into()));
        }
        let mut file = tempfile::tempfile()?;
        file.write_all(&bytes)?;
        drop(bytes);
        io::copy(content, &mut file)?;
        Ok(Blob::Spooled(Rc::new(RefCell::new(file))))
    }
}
