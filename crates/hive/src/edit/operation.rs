//! The operations an edit is made of.

use crate::error::Error;
use crate::walk::DEEPEST;

/// One operation; the paths and names are as the caller wrote them.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    CreateKey { path: String },
    SetValue { path: String, name: String, data_type: u32, data: Vec<u8> },
    DeleteValue { path: String, name: String },
    DeleteKey { path: String },
    SetSecurity { path: String, descriptor: Vec<u8> },
}

/// Most UTF-16 units in the name of a key.
const KEY_NAME: usize = 255;
/// Most UTF-16 units in the name of a value.
const VALUE_NAME: usize = 16_383;

/// The parts of a path in UTF-16 units.
pub(super) fn parts(path: &str) -> Result<Vec<Vec<u16>>, Error> {
    let parts: Vec<Vec<u16>> = path.split('\\').filter(|part| !part.is_empty()).map(|part| part.encode_utf16().collect()).collect();
    if parts.len() > DEEPEST {
        return Err(Error::TooDeep { offset: 0 });
    }
    parts.iter().try_for_each(|part| limit(part, KEY_NAME))?;
    Ok(parts)
}

/// The name of a value in UTF-16 units.
pub(super) fn value_name(name: &str) -> Result<Vec<u16>, Error> {
    let units: Vec<u16> = name.encode_utf16().collect();
    limit(&units, VALUE_NAME)?;
    Ok(units)
}

fn limit(units: &[u16], most: usize) -> Result<(), Error> {
    if units.len() <= most {
        return Ok(());
    }
    Err(Error::NameTooLong { name: String::from_utf16_lossy(units), expected: most, actual: units.len() })
}
