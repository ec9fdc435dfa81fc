//! Whether content may become a file of this Windows: its version and architecture fit, and something that is part of this Windows
//! already names its hash.
//!
//! What names hashes: the manifest of the component (Windows 7, where it is plain XML), and the catalogs in `CatRoot` and
//! `servicing\Packages`, which list a digest for every file that they sign (of programs the Authenticode digest, "Windows Authenticode
//! Portable Executable Signature Format", Microsoft 2008; of other files that of all bytes). A catalog that is itself missing is
//! vouched for by its copy with the same name in `CatRoot`, and by listing the package's description beside it.
//!
//! The digest of a program is calculated here and not by the crate `authenticode`: that one brings readers of X.509 and CMS, and no signature
//! is verified here. A test compares with osslsigncode.

use crate::{Target, names_equal};
use base64::{Engine, engine::general_purpose::STANDARD};
use model::{FileOrigin, Reading, VolumePath};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Where Windows keeps the catalogs of its own files, below the Windows folder.
pub const CATALOGS: &str = "System32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}";
const PACKAGES: &str = "servicing\\Packages";
/// Larger catalogs do not exist; the largest known are a few megabytes.
const LARGEST_CATALOG: u64 = 64 << 20;
const LARGEST_MANIFEST: u64 = 16 << 20;

/// Content that is to become a file of this Windows.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it is to be put.
    pub place: VolumePath,
    /// Where it lies now.
    pub from: FileOrigin,
    /// The bytes.
    pub content: Vec<u8>,
}

/// Nothing, when this Windows vouches for all of these. Its catalogs, thousands of them, are read once at most.
///
/// # Errors
/// A sentence: what does not fit, or that nothing here names its hash.
pub fn proof(target: &dyn Target, candidates: &[Candidate]) -> Result<(), String> {
    let mut open: Vec<(&VolumePath, Vec<Vec<u8>>)> = Vec::new();
    for candidate in candidates {
        if !known_by_itself(target, candidate)? {
            let digests = digests(&candidate.content);
            if !own_catalog_lists(target, &candidate.place, &digests) {
                open.push((&candidate.place, digests));
            }
        }
    }
    if !open.is_empty() {
        let folder = target.windows_folder().join(CATALOGS);
        let names = match target.list(&folder) {
            Reading::Known(names) => names,
            Reading::Unreadable(why) => return Err(why),
            _ => Vec::new(),
        };
        for path in names.iter().map(|name| folder.join(name)).filter(is_catalog) {
            if let Reading::Known(catalog) = target.read(&path, LARGEST_CATALOG) {
                open.retain(|(_, digests)| !digests.iter().any(|digest| lists(&catalog, digest)));
            }
            if open.is_empty() {
                break;
            }
        }
    }
    match open.first() {
        None => Ok(()),
        Some((place, _)) => Err(format!(
            "no catalog of this Windows lists the hash of what would be put at {}, so it may be of another version",
            place.with_drive(target.drive())
        )),
    }
}

/// True when no catalog has to be asked: the component's manifest names the hash, or it is a catalog that its copy vouches for.
fn known_by_itself(target: &dyn Target, candidate: &Candidate) -> Result<bool, String> {
    let Candidate { place, from, content } = candidate;
    if content.is_empty() {
        return Err(format!("what would be put at {} is empty", place.with_drive(target.drive())));
    }
    let inside = place.components().get(target.windows_folder().components().len()..).unwrap_or_default();
    if let [store, component, ..] = inside
        && names_equal(store, "WinSxS")
    {
        architecture(component, content)?;
        if let (Some(file), 3) = (inside.get(2), inside.len())
            && let Some(wanted) = digest_in_manifest(target, component, file)
        {
            let fits = wanted == digest::<Sha256>(content) || wanted == digest::<Sha1>(content);
            return if fits { Ok(true) } else { Err(format!("the manifest of {component} names another hash for {file}")) };
        }
        // A folder of the same name holds the same version; from anywhere else the file itself must say it.
        if !of_component(from, component) {
            version(component, content)?;
        }
    }
    if is_catalog(place) { catalog_fits(target, place, content).map(|()| true) } else { Ok(false) }
}

fn digest<D: Digest>(content: &[u8]) -> Vec<u8> {
    D::digest(content).to_vec()
}

/// Every digest under which a catalog may list this content: of all bytes, and of a program the Authenticode digest; SHA-256 and SHA-1.
pub fn digests(content: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![digest::<Sha256>(content), digest::<Sha1>(content)];
    if let Some(parts) = authenticode_parts(content) {
        let mut sha256 = Sha256::new();
        let mut sha1 = Sha1::new();
        for part in parts {
            sha256.update(part);
            sha1.update(part);
        }
        // The digest is over a length that is a multiple of eight, as the signature begins at one.
        let rest = content.len() % 8;
        if rest != 0 && certificate_table(content).is_none_or(|(at, _)| at == 0) {
            let padding = [0_u8; 8];
            let padding = padding.get(..8 - rest).unwrap_or_default();
            let (mut padded256, mut padded1) = (sha256.clone(), sha1.clone());
            padded256.update(padding);
            padded1.update(padding);
            all.extend([padded256.finalize().to_vec(), padded1.finalize().to_vec()]);
        }
        all.extend([sha256.finalize().to_vec(), sha1.finalize().to_vec()]);
    }
    all
}

/// The digest under which a catalog of today lists this content.
pub(crate) fn catalog_digest(content: &[u8]) -> Vec<u8> {
    let all = digests(content);
    let program = all.len() > 2;
    let number = if program { all.len() - 2 } else { 0 };
    all.into_iter().nth(number).unwrap_or_default()
}

fn u16_at(content: &[u8], at: usize) -> Option<u16> {
    content.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(content: &[u8], at: usize) -> Option<usize> {
    content.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes).and_then(|number| usize::try_from(number).ok())
}

/// Where the optional header begins, when this is a program.
fn optional_header(content: &[u8]) -> Option<usize> {
    let header = u32_at(content, 0x3C)?;
    (content.get(..2)? == b"MZ" && content.get(header..header + 4)? == b"PE\0\0").then_some(header + 24)
}

/// The entry of the certificate table in the data directories: where it stands, and the offset and length that it holds.
fn certificate_entry(content: &[u8]) -> Option<(usize, (usize, usize))> {
    let optional = optional_header(content)?;
    let directories = optional + if u16_at(content, optional)? == 0x20B { 112 } else { 96 };
    let entry = directories + 4 * 8;
    Some((entry, (u32_at(content, entry)?, u32_at(content, entry + 4)?)))
}

fn certificate_table(content: &[u8]) -> Option<(usize, usize)> {
    certificate_entry(content).map(|(_, table)| table)
}

/// The parts of a program over which its Authenticode digest is made: all but the checksum, the entry of the certificate table, and that
/// table itself.
fn authenticode_parts(content: &[u8]) -> Option<[&[u8]; 4]> {
    let checksum = optional_header(content)? + 64;
    let (entry, (table, length)) = certificate_entry(content)?;
    let end = if table == 0 { content.len() } else { table };
    let after = if table == 0 { content.len() } else { table.checked_add(length)? };
    Some([content.get(..checksum)?, content.get(checksum + 4..entry)?, content.get(entry + 8..end)?, content.get(after..)?])
}

/// The machine that a program is for must be that of its component.
fn architecture(component: &str, content: &[u8]) -> Result<(), String> {
    let Some(optional) = optional_header(content) else { return Ok(()) };
    let machine = u16_at(content, optional - 20);
    let wanted: &[u16] = match component.split('_').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "amd64" => &[0x8664],
        "x86" | "wow64" => &[0x014C],
        "arm64" => &[0xAA64, 0x8664],
        "arm" => &[0x01C4],
        // `msil` is for every machine.
        _ => return Ok(()),
    };
    match machine {
        Some(machine) if wanted.contains(&machine) => Ok(()),
        _ => Err(format!("what would be put into {component} is for another kind of processor")),
    }
}

fn of_component(from: &FileOrigin, component: &str) -> bool {
    let name = match from {
        FileOrigin::Volume(path) => path.to_string(),
        FileOrigin::Source(name) => name.replace('/', "\\"),
    };
    name.split('\\').any(|part| names_equal(part, component))
}

/// A file's own version must be that of the component: `<arch>_<name>_<token>_<version>_<language>_<hash>`.
fn version(component: &str, content: &[u8]) -> Result<(), String> {
    // VS_FIXEDFILEINFO: signature, version of the structure, then the file's version in two numbers, higher first.
    const SIGNATURE: [u8; 8] = [0xBD, 0x04, 0xEF, 0xFE, 0, 0, 1, 0];
    let wanted = component.rsplit('_').nth(2).unwrap_or_default();
    let at = memchr::memmem::find(content, &SIGNATURE).ok_or("it has no version that could be compared with the component's")?;
    let number = |at| u16_at(content, at).ok_or("its version is cut short");
    let there = format!("{}.{}.{}.{}", number(at + 10)?, number(at + 8)?, number(at + 14)?, number(at + 12)?);
    if there == wanted { Ok(()) } else { Err(format!("it is of version {there}, and version {wanted} is needed")) }
}

/// The digest that a plain manifest names for a file of its component.
fn digest_in_manifest(target: &dyn Target, component: &str, file: &str) -> Option<Vec<u8>> {
    let path = target.windows_folder().join("WinSxS\\Manifests").join(&format!("{component}.manifest"));
    let bytes = target.read(&path, LARGEST_MANIFEST).into_known()?;
    // Packed manifests (Windows 8 and later) begin with DCM and are not text.
    digest_named(std::str::from_utf8(&bytes).ok()?, file)
}

fn digest_named(manifest: &str, file: &str) -> Option<Vec<u8>> {
    manifest.split("<file ").skip(1).find_map(|element| {
        let element = element.split("</file>").next()?;
        let name = element.split("name=\"").nth(1)?.split('"').next()?;
        if !names_equal(name, file) {
            return None;
        }
        STANDARD.decode(element.split("DigestValue>").nth(1)?.split('<').next()?.trim()).ok()
    })
}

fn is_catalog(path: &VolumePath) -> bool {
    path.file_name().to_ascii_lowercase().ends_with(".cat")
}

/// A catalog of a package: its copy in `CatRoot` is the same, and it lists the description beside it when that is there.
fn catalog_fits(target: &dyn Target, place: &VolumePath, content: &[u8]) -> Result<(), String> {
    let shown = place.with_drive(target.drive());
    let kept = target.windows_folder().join(CATALOGS).join(place.file_name());
    if target.read(&kept, LARGEST_CATALOG).known().is_none_or(|there| there != content) {
        return Err(format!("{} is not there or differs, so nothing vouches for {shown}", kept.with_drive(target.drive())));
    }
    let stem = place.file_name().get(..place.file_name().len() - 4).unwrap_or_default();
    let described = place.parent().map(|folder| folder.join(&format!("{stem}.mum")));
    match described.map(|path| target.read(&path, LARGEST_MANIFEST)) {
        Some(Reading::Known(description)) if !digests(&description).iter().any(|digest| lists(content, digest)) => {
            Err(format!("what would be put at {shown} does not list the package's description"))
        }
        _ => Ok(()),
    }
}

/// A catalog is DER; a digest in it is an octet string of its length.
fn lists(catalog: &[u8], digest: &[u8]) -> bool {
    let mut wanted = vec![4, u8::try_from(digest.len()).unwrap_or(0)];
    wanted.extend(digest);
    memchr::memmem::find(catalog, &wanted).is_some()
}

/// Whether the catalog beside a package's description lists it.
fn own_catalog_lists(target: &dyn Target, place: &VolumePath, digests: &[Vec<u8>]) -> bool {
    let stem = place.file_name().rsplit_once('.').map_or(place.file_name(), |(stem, _)| stem);
    let path = target.windows_folder().join(PACKAGES).join(&format!("{stem}.cat"));
    matches!(target.read(&path, LARGEST_CATALOG), Reading::Known(catalog) if digests.iter().any(|digest| lists(&catalog, digest)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test")]
mod tests {
    use super::{digest, digest_named, digests, lists};

    #[test]
    fn a_manifest_names_the_digest_of_each_of_its_files() {
        // In the form of Windows 7; the digest is the SHA-256 of nothing.
        let file = |name: &str, value: &str| {
            format!(
                "<file name=\"{name}\" sourceName=\"{name}\"><asmv2:hash xmlns:dsig=\"http://www.w3.org/2000/09/xmldsig#\"><dsig:DigestMethod \
                 Algorithm=\"http://www.w3.org/2000/09/xmldsig#sha256\" /><dsig:DigestValue>{value}</dsig:DigestValue></asmv2:hash></file>"
            )
        };
        let manifest = format!(
            "<assembly>{}{}{}</assembly>",
            file("first.dll", "aGVsbG8="),
            file("Second.dll", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            file("spoilt.dll", "no base64!")
        );
        assert_eq!(digest_named(&manifest, "first.dll").as_deref(), Some(&b"hello"[..]));
        assert_eq!(digest_named(&manifest, "second.DLL"), Some(digest::<sha2::Sha256>(b"")));
        assert_eq!(digest_named(&manifest, "spoilt.dll"), None);
        assert_eq!(digest_named(&manifest, "third.dll"), None);
    }

    #[test]
    fn what_is_no_program_has_two_digests() {
        assert_eq!(digests(b"text").len(), 2);
        assert_eq!(digests(b"MZ").len(), 2);
    }

    #[test]
    fn a_digest_counts_only_as_a_whole_octet_string() {
        let digest = [7_u8; 32];
        let mut catalog = vec![1, 2, 4, 32];
        catalog.extend(digest);
        assert!(lists(&catalog, &digest));
        catalog[3] = 31;
        assert!(!lists(&catalog, &digest));
    }
}
