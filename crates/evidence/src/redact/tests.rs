//! Words, forms and places, on text of our own.

use super::{Redactor, Rewrite, Secret, bytes, lower};
use model::RegistryData;
use std::collections::HashMap;

/// Knows these words: kind, word, stand-in, guarded.
fn knows(words: &[(&'static str, &str, &str, bool)]) -> Redactor {
    let mut secrets: HashMap<char, Vec<Secret>> = HashMap::new();
    for (kind, word, stand_in, guarded) in words {
        let word: Vec<char> = word.chars().map(lower).collect();
        secrets.entry(word[0]).or_default().push(Secret { word, stand_in: (*stand_in).into(), kind, guarded: *guarded });
    }
    for list in secrets.values_mut() {
        list.sort_by_key(|secret| std::cmp::Reverse(secret.word.len()));
    }
    Redactor { secrets, seen: std::cell::RefCell::default() }
}

fn anna() -> Redactor {
    knows(&[
        ("user", "Anna", "user1", false),
        ("user", "Anna Muster", "user2", false),
        ("user", "Anna%20Muster", "user2", false),
        ("user", "AnnaMu~1", "USER2~1", false),
        ("user", "update", "user3", true),
        ("computer", "DESKTOP-7", "computer1", false),
    ])
}

#[test]
fn words_are_replaced_in_every_form_and_nowhere_else() {
    let redactor = anna();
    for (text, wanted) in [
        ("C:\\Users\\anna\\x", "C:\\Users\\user1\\x"),
        ("C:\\\\Users\\\\ANNA\\\\x", "C:\\\\Users\\\\user1\\\\x"),
        ("file:///C:/Users/Anna%20Muster/x", "file:///C:/Users/user2/x"),
        ("C%3A%5CUsers%5Canna%5Cx", "C%3A%5CUsers%5Cuser1%5Cx"),
        ("C:\\Users\\ANNAMU~1\\x", "C:\\Users\\USER2~1\\x"),
        ("desktop-7\\Anna Muster: anna", "computer1\\user2: user1"),
        ("Hannah, annas, Annapolis, 1anna", "Hannah, annas, Annapolis, 1anna"),
        ("anna_backup (anna).zip\nanna", "user1_backup (user1).zip\nuser1"),
    ] {
        assert_eq!(redactor.text(text), wanted);
    }
}

#[test]
fn a_word_of_windows_is_replaced_only_where_it_names_a_person() {
    let redactor = anna();
    for (text, wanted) in [
        ("Windows Update failed, update KB1", "Windows Update failed, update KB1"),
        ("C:\\Users\\Update\\Desktop, C:\\\\Users\\\\update", "C:\\Users\\user3\\Desktop, C:\\\\Users\\\\user3"),
        ("C%3A%5CUsers%5Cupdate", "C%3A%5CUsers%5Cuser3"),
        ("DESKTOP-7\\update", "computer1\\user3"),
        ("\\Windows\\update", "\\Windows\\update"),
    ] {
        assert_eq!(redactor.text(text), wanted);
    }
}

#[test]
fn numbers_and_addresses_are_known_by_their_form() {
    let redactor = anna();
    for (text, wanted) in [
        ("S-1-5-21-1004336348-1177238915-682003330-1001", "S-1-5-21-1-1-1-1001"),
        ("[Device Install - USB\\VID_0781&PID_5581\\4C530001230101112233]", "[Device Install - USB\\VID_0781&PID_5581\\serial1]"),
        ("USBSTOR#Disk&Ven_A&Prod_B&Rev_1#4C530001230101112233&0#{53f5}", "USBSTOR#Disk&Ven_A&Prod_B&Rev_1#serial1&0#{53f5}"),
        ("usb\\\\vid_0781&pid_5581&mi_00\\\\A.1-b_2 x", "usb\\\\vid_0781&pid_5581&mi_00\\\\serial2 x"),
        ("USB\\VID_046D&PID_C52B\\5&1234abcd&0&1", "USB\\VID_046D&PID_C52B\\5&1234abcd&0&1"),
        ("PCI\\VEN_8086&DEV_1234\\0000001234", "PCI\\VEN_8086&DEV_1234\\0000001234"),
        ("vid_0781&pid_5581.inf, oem1.inf\\vid", "vid_0781&pid_5581.inf, oem1.inf\\vid"),
        ("s-1-5-21-1004336348-1177238915-682003330_Classes", "S-1-5-21-1-1-1_Classes"),
        ("S-1-5-21-9-9-9-500 S-1-5-18 S-1-12-1-1-2-3-4", "S-1-5-21-2-2-2-500 S-1-5-18 S-1-12-1-3-3-3-3"),
        ("mail a.b@contoso.com, A.B@CONTOSO.COM.", "mail person1@example.org, person1@example.org."),
        ("@%SystemRoot%\\system32\\x.dll,-100", "@%SystemRoot%\\system32\\x.dll,-100"),
        ("from 192.168.1.20 to 8.8.4.4:53, 192.168.1.20.", "from ip1 to ip2:53, ip1."),
        ("10.0.19041.3570 127.0.0.1 0.0.0.0 255.255.255.0 1.2.3", "10.0.19041.3570 127.0.0.1 0.0.0.0 255.255.255.0 1.2.3"),
        ("Version=6.1.1.1 x_10.0.0.1_none ~~10.0.0.1", "Version=6.1.1.1 x_10.0.0.1_none ~~10.0.0.1"),
        ("fe80::1c2d:3e4f:5a6b:7c8d ::1 12:30:45 std::x", "ip3 ::1 12:30:45 std::x"),
        ("00-15-5D-01-02-03 00:15:5d:01:02:03", "mac1 mac1"),
        ("00155d01-0203-4444-5555-666677778888", "00155d01-0203-4444-5555-666677778888"),
    ] {
        assert_eq!(redactor.text(text), wanted);
    }
    let counts = redactor.counts();
    assert_eq!([counts.get("sid"), counts.get("mail"), counts.get("address"), counts.get("mac")], [Some(&4), Some(&2), Some(&4), Some(&2)]);
}

#[test]
fn registry_values_of_every_kind() {
    let redactor = anna();
    let value = |name: &str, data: RegistryData| redactor.value(name, &data);
    assert_eq!(value("x", RegistryData::text(2, "C:\\Users\\Anna")), RegistryData::text(2, "C:\\Users\\user1"));
    assert_eq!(value("x", RegistryData::list(&["anna", "b"])), RegistryData::list(&["user1", "b"]));
    assert_eq!(value("ProductId", RegistryData::text(1, "00330-80000")), RegistryData::text(1, "id1"));
    assert_eq!(value("RegOwner", RegistryData::text(1, "Anna")), RegistryData::text(1, "user1"));
    assert_ne!(value("RegOwner", RegistryData::text(1, "Bertha")), RegistryData::text(1, "Bertha"));
    assert_eq!(value("DigitalProductId", RegistryData { kind: 3, data: vec![1, 2] }).data, [0, 0]);
    let wide: Vec<u8> = "1 anna".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let covered: Vec<u8> = "1 xxxx".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(value("Blob", RegistryData { kind: 3, data: wide }).data, covered);
    let sid = [1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 9, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7, 0xe9, 3, 0, 0];
    assert_eq!(value("Sid", RegistryData { kind: 3, data: sid.to_vec() }).data[12..], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0xe9, 3, 0, 0]);
    assert_eq!(value("x", RegistryData::dword(7)), RegistryData::dword(7));
}

#[test]
fn texts_keep_their_encoding_and_other_files_are_not_spoilt() {
    let redactor = anna();
    let wide = |text: &str| -> Vec<u8> { [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect() };
    assert_eq!(bytes::rewritten(&redactor, &wide("an anna\r\n")), Some(wide("an user1\r\n")));
    assert_eq!(bytes::rewritten(&redactor, b"gr\xfc\xdfe anna"), Some(b"gr\xfc\xdfe user1".to_vec()));
    assert_eq!(bytes::rewritten(&redactor, b"MZ\0\x01 nobody"), Some(b"MZ\0\x01 nobody".to_vec()));
    assert_eq!(bytes::rewritten(&redactor, b"MZ\0\x01 anna"), None);
    assert_eq!(bytes::rewritten(&redactor, &[&[0][..], &wide("anna")[2..]].concat()), None);
}
