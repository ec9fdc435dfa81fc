//! For tests of parsers: real logs that are not part of the project, and input that is cut and spoilt in every place.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "test")]

/// A published log below `logs` of the shared data; `None`, and a line that says so, where it is not there.
pub(crate) fn shared(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("HRESOLVE_SHARED_DATA")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(), std::path::PathBuf::from);
    let path = folder.join("logs").join(name);
    let read = std::fs::read(&path).ok();
    if read.is_none() {
        assert!(std::env::var_os("HRESOLVE_REQUIRE_ORACLES").is_none(), "{} is not there", path.display());
        eprintln!("skipped: {} is not there", path.display());
    }
    read
}

/// Gives the text cut at every length, and with bytes changed, left out and doubled by a fixed row of numbers.
pub(crate) fn spoil(bytes: &[u8], mut each: impl FnMut(&[u8])) {
    for cut in 0..=bytes.len() {
        each(bytes.get(..cut).unwrap_or_default());
    }
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap_or_default()
    };
    for _ in 0..2000 {
        let mut copy = bytes.to_vec();
        for _ in 0..=next(8) {
            let at = next(copy.len());
            match next(4) {
                0 => copy.get_mut(at..).and_then(<[u8]>::first_mut).into_iter().for_each(|byte| *byte = u8::try_from(next(256)).unwrap_or_default()),
                1 => drop(copy.drain(at..(at + 1 + next(20)).min(bytes.len()).min(copy.len()).max(at))),
                2 => copy.insert(at, b"\n\r\t\0[]<>!{}\"&;="[next(15)]),
                _ => {
                    let again: Vec<u8> = copy.get(at..(at + next(60)).min(copy.len())).unwrap_or_default().to_vec();
                    copy.splice(at..at, again);
                }
            }
        }
        each(&copy);
    }
}
