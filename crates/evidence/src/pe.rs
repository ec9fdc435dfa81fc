//! Just enough of the PE format to tell a program from a damaged file (Microsoft, "PE Format").

/// True when the bytes begin like a Windows program or library: `MZ`, and `PE\0\0` where the header says.
pub(crate) fn looks_like_program(start: &[u8]) -> bool {
    let offset = start.get(60..64).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes);
    start.starts_with(b"MZ")
        && offset
            .and_then(|at| usize::try_from(at).ok())
            .and_then(|at| start.get(at..at.checked_add(4)?))
            .is_some_and(|signature| signature == b"PE\0\0")
}
