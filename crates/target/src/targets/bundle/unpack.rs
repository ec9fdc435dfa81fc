//! A lone cabinet, wherever it lies: the servicing stack packs its older logs so. Limited as bundles are.

use super::blob::Spool;
use super::{cab, limits};
use std::io::{self, Read, Seek, SeekFrom};

/// Hands every file of a cabinet to `take`, with its name and its content.
///
/// # Errors
/// When it is damaged, holds more than is allowed, or has files that go on in another cabinet; those before were handed over.
pub(crate) fn cabinet(packed: &mut dyn Read, take: &mut dyn FnMut(&str, &mut dyn Read)) -> io::Result<()> {
    // A stream has no places to go to, so it is kept first; packed logs are small.
    let blob = Spool::default().keep(&mut packed.take(limits::LARGEST_MEMBER))?;
    let mut source = blob.source()?;
    let size = source.seek(SeekFrom::End(0))?;
    let (mut so_far, mut left_out) = (0_u64, None);
    cab::members(
        &mut source,
        &mut |member, content| {
            so_far = so_far.saturating_add(member.size);
            if so_far > limits::LARGEST_MEMBER || limits::is_bomb(size, so_far) {
                return Err(io::Error::other(format!("it takes {} unpacked, which is more than is read", limits::shown(so_far))));
            }
            take(&member.name, content);
            Ok(true)
        },
        &mut |name, why| left_out = Some(format!("{name:?} in it was left out: {why}")),
    )?;
    left_out.map_or(Ok(()), |why| Err(io::Error::other(why)))
}
