//! For tests of parsers: real logs that are not part of the project, and input that is cut and spoilt in every place.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout, reason = "test")]

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

/// What is spoilt: our own text, and slices of published logs. `names` are files or folders below `logs` of the shared data.
pub(crate) fn seeds(own: &str, names: &[&str]) -> Vec<Vec<u8>> {
    let mut seeds = vec![own.as_bytes().to_vec()];
    for name in names {
        // A folder of small logs: every file in it, one folder down.
        match shared_files(name) {
            Some(files) => files.iter().for_each(|file| seeds.extend(slices(file))),
            None => eprintln!("skipped: {name} is not there"),
        }
    }
    seeds
}

fn shared_files(name: &str) -> Option<Vec<Vec<u8>>> {
    let folder = std::env::var_os("HRESOLVE_SHARED_DATA")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(), std::path::PathBuf::from);
    let path = folder.join("logs").join(name);
    if path.is_file() {
        return std::fs::read(path).ok().map(|bytes| vec![bytes]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).ok()?.flatten() {
        let inner = std::fs::read_dir(entry.path()).map_or_else(|_| vec![entry.path()], |inner| inner.flatten().map(|one| one.path()).collect());
        files.extend(inner.iter().filter_map(|path| std::fs::read(path).ok()));
    }
    files.sort();
    Some(files)
}

/// A small log whole; of a large one the neighbourhood of lines that tell of errors, so that many copies can be tried.
fn slices(log: &[u8]) -> Vec<Vec<u8>> {
    const LONGEST: usize = 3000;
    if log.len() <= LONGEST {
        return vec![log.to_vec()];
    }
    let words: [&[u8]; 5] = [b"!!!", b"FAILURE", b"Error", b"exit(0x", b"REBOOT"];
    let mut slices = Vec::new();
    for word in words {
        let hits: Vec<usize> = log.windows(word.len()).enumerate().filter(|(_, there)| *there == word).map(|(at, _)| at).collect();
        for at in [hits.first(), hits.get(hits.len() / 2)].into_iter().flatten() {
            let from = at.saturating_sub(LONGEST / 2);
            slices.push(log.get(from..(from + LONGEST).min(log.len())).unwrap_or_default().to_vec());
        }
    }
    slices
}

/// How many spoilt copies are tried; `HRESOLVE_ROUNDS` multiplies it, 50 makes 100,000.
fn rounds() -> usize {
    2000 * std::env::var("HRESOLVE_ROUNDS").ok().and_then(|text| text.parse::<usize>().ok()).unwrap_or(1)
}

/// Gives each seed cut at every length, and copies of all of them with bytes changed, left out and doubled by a fixed row of numbers.
/// None may take more than two seconds; what was tried is printed.
pub(crate) fn spoil(name: &str, seeds: &[Vec<u8>], mut each: impl FnMut(&[u8])) {
    let mut slowest = std::time::Duration::ZERO;
    let mut one = |bytes: &[u8]| {
        let start = std::time::Instant::now();
        each(bytes);
        let took = start.elapsed();
        assert!(took < std::time::Duration::from_secs(2), "{name}: {took:?}");
        slowest = slowest.max(took);
    };
    for bytes in seeds {
        (0..=bytes.len()).for_each(|cut| one(bytes.get(..cut).unwrap_or_default()));
    }
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap_or_default()
    };
    for round in 0..rounds() {
        let mut copy = seeds.get(round % seeds.len().max(1)).cloned().unwrap_or_default();
        for _ in 0..=next(8) {
            let at = next(copy.len());
            match next(4) {
                0 => copy.get_mut(at..).and_then(<[u8]>::first_mut).into_iter().for_each(|byte| *byte = u8::try_from(next(256)).unwrap_or_default()),
                1 => drop(copy.drain(at..(at + 1 + next(20)).min(copy.len()).max(at))),
                2 => copy.insert(at, b"\n\r\t\0[]<>!{}\"&;="[next(15)]),
                _ => {
                    let again: Vec<u8> = copy.get(at..(at + next(60)).min(copy.len())).unwrap_or_default().to_vec();
                    copy.splice(at..at, again);
                }
            }
        }
        one(&copy);
    }
    let cuts: usize = seeds.iter().map(|bytes| bytes.len() + 1).sum();
    println!("{name}: {} spoilt copies and {cuts} cuts of {} texts, slowest {slowest:?}", rounds(), seeds.len());
}
