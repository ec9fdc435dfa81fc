//! The digest under which catalogs list programs, compared with another implementation of Authenticode.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read files and start programs"
)]

use std::path::Path;
use std::process::Command;
use target::{catalog_digests, lab};

fn ran(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Signs the file with a key made for this test and gives what osslsigncode then calculates over it.
fn signed_digest(folder: &Path, content: &[u8]) -> Option<(Vec<u8>, String)> {
    let at = |name: &str| folder.join(name).display().to_string();
    let (plain, signed, key, certificate) = (at("plain.exe"), at("signed.exe"), at("key.pem"), at("certificate.pem"));
    std::fs::write(&plain, content).unwrap();
    let _ = std::fs::remove_file(&signed);
    ran("openssl", &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &certificate, "-days", "2", "-subj", "/CN=test"])?;
    ran("osslsigncode", &["sign", "-h", "sha256", "-certs", &certificate, "-key", &key, "-in", &plain, "-out", &signed])?;
    let told = ran("osslsigncode", &["verify", "-in", &signed, "-CAfile", &certificate])?;
    let digest = told.lines().find_map(|line| line.strip_prefix("Calculated message digest")).and_then(|line| line.split(':').nth(1));
    Some((std::fs::read(&signed).ok()?, digest?.trim().to_ascii_lowercase()))
}

#[test]
fn another_implementation_calculates_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let machine = tempfile::tempdir().unwrap();
    lab::build("healthy-10-22h2", machine.path()).unwrap();
    let program = std::fs::read(machine.path().join("Windows/explorer.exe")).unwrap();
    // Whole, and with a length that is no multiple of eight.
    for extra in [0, 3] {
        let content = [program.clone(), vec![7; extra]].concat();
        let Some((signed, digest)) = signed_digest(folder.path(), &content) else {
            println!("SKIPPED: openssl or osslsigncode is not installed, so Authenticode digests are not compared");
            return;
        };
        let digests = |content: &[u8]| -> Vec<String> {
            catalog_digests(content).iter().map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect()).collect()
        };
        assert_ne!(signed, content);
        assert!(digests(&signed).contains(&digest), "signed, {extra} bytes more: {digest} is not in {:?}", digests(&signed));
        assert!(digests(&content).contains(&digest), "unsigned, {extra} bytes more: {digest} is not in {:?}", digests(&content));
        let mut changed = content.clone();
        changed[0x400] ^= 1;
        assert!(!digests(&changed).contains(&digest), "a changed byte gives the same digest");
    }
}
