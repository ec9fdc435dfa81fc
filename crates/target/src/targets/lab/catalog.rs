//! Catalogs as Windows keeps them: a certificate trust list in PKCS #7 (RFC 2315), here without a signature, with one entry for each
//! file (as `certutil -dump` and `openssl asn1parse` show published ones).

use crate::genuine;

const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
/// 1.3.6.1.4.1.311.10.1, the trust list; .12.1.1, of a catalog; .2.1.4, of one file; .2.1.15, a program; .2.1.25, any other file.
const TRUST_LIST: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0A, 0x01];
const CATALOG_LIST: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0C, 0x01, 0x01];
const CATALOG_MEMBER: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0C, 0x01, 0x03];
const INDIRECT_DATA: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04];
const ANY_FILE: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x19];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// A catalog that lists these contents, programs by their Authenticode digest.
pub(super) fn file(contents: &[&[u8]]) -> Vec<u8> {
    let members: Vec<u8> = contents.iter().flat_map(|content| member(&genuine::catalog_digest(content))).collect();
    let list = sequence(&[
        sequence(&[object(CATALOG_LIST)]),
        der(4, &[7; 16]),
        der(0x17, b"191207090900Z"),
        sequence(&[object(CATALOG_MEMBER)]),
        sequence(&[members]),
    ]);
    let signed = sequence(&[der(2, &[1]), der(0x31, &[]), sequence(&[object(TRUST_LIST), der(0xA0, &list)]), der(0x31, &[])]);
    sequence(&[object(SIGNED_DATA), der(0xA0, &signed)])
}

fn member(digest: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[object(SHA256), der(5, &[])]);
    let indirect = sequence(&[sequence(&[object(ANY_FILE)]), sequence(&[algorithm, der(4, digest)])]);
    sequence(&[der(4, digest), der(0x31, &sequence(&[object(INDIRECT_DATA), der(0x31, &indirect)]))])
}

fn object(identifier: &[u8]) -> Vec<u8> {
    der(6, identifier)
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

/// Tag, length and content (X.690, distinguished encoding).
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short @ 0..=127) => out.push(short),
        _ => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
            out.extend(bytes);
        }
    }
    out.extend(content);
    out
}
