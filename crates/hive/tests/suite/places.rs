//! Where test data is, and what happens when it is not there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::oracle;

/// Says that a test is skipped, or fails it when oracles are required.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var("HRESOLVE_REQUIRE_ORACLES").as_deref() != Ok("1"), "required but missing: {why}");
    println!("skipped: {why}");
}

/// A file below `registry/` of the shared data.
pub(crate) fn registry(name: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("HRESOLVE_SHARED_DATA").map_or_else(default, PathBuf::from);
    let path = root.join("registry").join(name);
    if !path.exists() {
        skip(&format!("{} is not there (HRESOLVE_SHARED_DATA)", path.display()));
        return None;
    }
    Some(path)
}

/// The content of a file below `registry/` of the shared data.
pub(crate) fn read(name: &str) -> Option<Vec<u8>> {
    registry(name).map(|path| fs::read(path).unwrap())
}

/// A packed real hive, unpacked once: regipy's by its name, dissect.regf's as `dissect/SYSTEM`.
pub(crate) fn unpacked(name: &str) -> Option<PathBuf> {
    let packed = match name.strip_prefix("dissect/") {
        None => registry(&format!("regipy/{name}.xz"))?,
        Some(name) => {
            let Some(folder) = std::env::var_os("HRESOLVE_DISSECT_REGF_DATA") else {
                skip("HRESOLVE_DISSECT_REGF_DATA is not set");
                return None;
            };
            PathBuf::from(folder).join(format!("{name}.gz"))
        }
    };
    let path = scratch(&format!("unpacked-{}", name.replace('/', "-")));
    if !path.exists() {
        let part = scratch(&format!("part-{}-{:?}", name.replace('/', "-"), std::thread::current().id()));
        if let Err(error) = oracle::ask(&["unpack", packed.to_str().unwrap(), part.to_str().unwrap()]) {
            skip(&format!("{} cannot be unpacked: {error}", packed.display()));
            return None;
        }
        fs::rename(part, &path).unwrap();
    }
    Some(path)
}

/// The folder of `nt_hive2`'s test data.
pub(crate) fn nt_hive2() -> Option<PathBuf> {
    let folder = std::env::var_os("HRESOLVE_NT_HIVE2").map(PathBuf::from);
    if folder.is_none() {
        skip("HRESOLVE_NT_HIVE2 is not set");
    }
    folder
}

/// A file of this test run's own.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
