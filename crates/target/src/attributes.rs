//! Extended attributes, by which ntfs-3g shows what Windows keeps about a file besides its content. The one place that knows that
//! other systems have none: there every file simply carries nothing.

#[cfg(unix)]
pub(crate) use xattr::{get, set};

/// The attribute of that name: none, on any file.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub(crate) fn get(_: &std::path::Path, _: &str) -> std::io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// # Errors
/// Always: nothing can be kept.
#[cfg(not(unix))]
pub(crate) fn set(_: &std::path::Path, _: &str, _: &[u8]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
