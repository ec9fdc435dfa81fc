//! What is read of a file that is open: all of it, its start, its checksum. Never more than was asked for.

use model::{Reading, VolumePath};
use std::fs::File;
use std::io::{ErrorKind, Read};

/// The whole content of at most `limit` bytes; larger is `Unreadable`.
pub(in crate::targets) fn whole(file: File, size: u64, path: &VolumePath, limit: u64) -> Reading<Vec<u8>> {
    if size > limit {
        return Reading::Unreadable(format!("{path} has {size} bytes, more than the {limit} that are read here"));
    }
    up_to(file, path, limit)
}

/// At most the first `length` bytes.
pub(in crate::targets) fn start(file: File, path: &VolumePath, length: usize) -> Reading<Vec<u8>> {
    up_to(file, path, length as u64)
}

fn up_to(file: File, path: &VolumePath, length: u64) -> Reading<Vec<u8>> {
    let mut bytes = Vec::new();
    match file.take(length).read_to_end(&mut bytes) {
        Ok(_) => Reading::Known(bytes),
        Err(error) => Reading::Unreadable(format!("{path}: {error}")),
    }
}

/// sha256 of a file of any size.
pub(in crate::targets) fn sha256(mut file: File, path: &VolumePath) -> Reading<String> {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    let mut block = vec![0_u8; 1 << 16];
    loop {
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(count) => hash.update(block.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Reading::Unreadable(format!("{path}: {error}")),
        }
    }
    Reading::Known(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
