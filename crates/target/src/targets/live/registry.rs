//! The live registry, 64-bit view: the few calls that are needed, each with its answer as a reading or an error of Windows.
//!
//! Never changes owners or rights of a key that is there: what Windows refuses is refused here.

use crate::names_equal;
use crate::target::{KeyView, LARGEST_TREE};
use crate::{HiveName, RegistryPath};
use model::{KeyTree, Reading, RegistryData};
use std::io;
use windows::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_KEY_DELETED, ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS, ERROR_PATH_NOT_FOUND, ERROR_SUCCESS,
    FILETIME, WIN32_ERROR,
};
use windows::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, OBJECT_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
};
use windows::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, HKEY_USERS, KEY_CREATE_SUB_KEY, KEY_READ, KEY_SET_VALUE, KEY_WOW64_64KEY, REG_CREATE_KEY_DISPOSITION,
    REG_CREATED_NEW_KEY, REG_OPEN_CREATE_OPTIONS, REG_OPTION_NON_VOLATILE, REG_OPTION_OPEN_LINK, REG_SAM_FLAGS, REG_VALUE_TYPE, RegCloseKey,
    RegCreateKeyExW, RegDeleteKeyExW, RegDeleteValueW, RegEnumKeyExW, RegEnumValueW, RegFlushKey, RegGetKeySecurity, RegOpenKeyExW, RegQueryInfoKeyW,
    RegSetKeySecurity, RegSetValueExW,
};
use windows::core::{HSTRING, PCWSTR, PWSTR};

/// Names of keys have at most 255 units, names of values at most 16,383; with room for the terminator.
const LONGEST_NAME: usize = 16_384;
/// What of a key's security is read and set: the owner of the audit rules needs a privilege that nothing else here does.
const SECURITY: OBJECT_SECURITY_INFORMATION =
    OBJECT_SECURITY_INFORMATION(OWNER_SECURITY_INFORMATION.0 | GROUP_SECURITY_INFORMATION.0 | DACL_SECURITY_INFORMATION.0);
/// `WRITE_OWNER | WRITE_DAC | READ_CONTROL`, to give a key of our own making the security that it had.
const KEY_SECURITY: REG_SAM_FLAGS = REG_SAM_FLAGS(0x000E_0000);
/// `DELETE`
const KEY_DELETE: REG_SAM_FLAGS = REG_SAM_FLAGS(0x0001_0000);

/// An open key; closed when dropped.
struct Key(HKEY);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is closed once. What Windows answers helps nobody any more.
        let _ = unsafe { RegCloseKey(self.0) };
    }
}

fn error(code: WIN32_ERROR) -> io::Error {
    io::Error::from_raw_os_error(i32::try_from(code.0).unwrap_or(i32::MAX))
}

fn done(code: WIN32_ERROR) -> io::Result<()> {
    if code == ERROR_SUCCESS { Ok(()) } else { Err(error(code)) }
}

fn is_absent(error: &io::Error) -> bool {
    [ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_KEY_DELETED].iter().any(|code| error.raw_os_error() == i32::try_from(code.0).ok())
}

/// A path as one of the roots that Windows has ready, and the rest.
fn place(path: &RegistryPath) -> (HKEY, String) {
    let (root, hive) = match path.hive {
        HiveName::System => (HKEY_LOCAL_MACHINE, "SYSTEM"),
        HiveName::Software => (HKEY_LOCAL_MACHINE, "SOFTWARE"),
        HiveName::Default => (HKEY_USERS, ".DEFAULT"),
    };
    (root, if path.inside.is_empty() { hive.to_owned() } else { format!("{hive}\\{}", path.inside) })
}

fn open_at(root: HKEY, path: &str, options: REG_OPEN_CREATE_OPTIONS, access: REG_SAM_FLAGS) -> io::Result<Key> {
    let mut key = HKEY::default();
    // SAFETY: the path is a terminated string that lives through the call, and `key` takes one handle.
    done(unsafe { RegOpenKeyExW(root, &HSTRING::from(path), Some(options.0), access | KEY_WOW64_64KEY, &raw mut key) })?;
    Ok(Key(key))
}

fn open(path: &RegistryPath, access: REG_SAM_FLAGS) -> io::Result<Key> {
    let (root, inside) = place(path);
    open_at(root, &inside, REG_OPEN_CREATE_OPTIONS(0), access)
}

/// One key with all its values; `shown` is the path that the view bears.
pub(super) fn key(path: &RegistryPath, shown: &str) -> Reading<KeyView> {
    let (root, inside) = place(path);
    key_at(root, &inside, shown)
}

/// A key of a person whose hive Windows has loaded, because they are signed in; `None` when it is not loaded.
pub(super) fn key_of_user(user: &str, inside: &str, shown: &str) -> Option<Reading<KeyView>> {
    open_at(HKEY_USERS, user, REG_OPEN_CREATE_OPTIONS(0), KEY_READ).ok()?;
    Some(key_at(HKEY_USERS, &format!("{user}\\{inside}"), shown))
}

fn key_at(root: HKEY, inside: &str, shown: &str) -> Reading<KeyView> {
    match open_at(root, inside.trim_end_matches('\\'), REG_OPEN_CREATE_OPTIONS(0), KEY_READ).and_then(|key| view(&key, shown)) {
        Ok(view) => Reading::Known(view),
        Err(error) if is_absent(&error) => Reading::Absent,
        Err(error) => Reading::Unreadable(format!("{shown}: {error}")),
    }
}

fn view(key: &Key, shown: &str) -> io::Result<KeyView> {
    let last_written = info(key)?.last_written;
    Ok(KeyView { path: shown.to_owned(), subkeys: subkeys(key)?, values: values(key)?, last_written })
}

/// What Windows says of a key as a whole.
struct Info {
    class: u32,
    longest_data: u32,
    last_written: u64,
}

fn info(key: &Key) -> io::Result<Info> {
    let (mut class, mut longest_data, mut written) = (0_u32, 0_u32, FILETIME::default());
    // SAFETY: every pointer is to a local of the right type; no buffer for the class is given, so only its length is told.
    let answer = unsafe {
        RegQueryInfoKeyW(
            key.0,
            None,
            Some(&raw mut class),
            None,
            None,
            None,
            None,
            None,
            None,
            Some(&raw mut longest_data),
            None,
            Some(&raw mut written),
        )
    };
    // Without a buffer a class name is "more data"; its length is told all the same.
    if answer != ERROR_MORE_DATA {
        done(answer)?;
    }
    Ok(Info { class, longest_data, last_written: u64::from(written.dwHighDateTime) << 32 | u64::from(written.dwLowDateTime) })
}

fn subkeys(key: &Key) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut buffer = vec![0_u16; 256];
    for index in 0.. {
        let mut length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        // SAFETY: the buffer has `length` units.
        let answer = unsafe { RegEnumKeyExW(key.0, index, Some(PWSTR(buffer.as_mut_ptr())), &raw mut length, None, None, None, None) };
        if answer == ERROR_NO_MORE_ITEMS {
            break;
        }
        done(answer)?;
        names.push(String::from_utf16_lossy(buffer.get(..length as usize).unwrap_or_default()));
    }
    Ok(names)
}

fn values(key: &Key) -> io::Result<Vec<(String, RegistryData)>> {
    let mut all = Vec::new();
    let mut name = vec![0_u16; LONGEST_NAME];
    let mut data = vec![0_u8; info(key)?.longest_data as usize];
    let mut index = 0;
    loop {
        let mut units = u32::try_from(name.len()).unwrap_or(u32::MAX);
        let mut bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let mut kind = 0_u32;
        // SAFETY: both buffers have the sizes that are said.
        let answer = unsafe {
            RegEnumValueW(
                key.0,
                index,
                Some(PWSTR(name.as_mut_ptr())),
                &raw mut units,
                None,
                Some(&raw mut kind),
                Some(data.as_mut_ptr()),
                Some(&raw mut bytes),
            )
        };
        if answer == ERROR_NO_MORE_ITEMS {
            return Ok(all);
        }
        if answer == ERROR_MORE_DATA && (bytes as usize) > data.len() {
            // Somebody wrote a longer value since.
            data.resize(bytes as usize, 0);
            continue;
        }
        done(answer)?;
        let shown = String::from_utf16_lossy(name.get(..units as usize).unwrap_or_default());
        all.push((shown, RegistryData { kind, data: data.get(..bytes as usize).unwrap_or_default().to_vec() }));
        index += 1;
    }
}

/// A key with everything below it, security included.
pub(super) fn tree(path: &RegistryPath, shown: &str) -> Reading<KeyTree> {
    let (root, inside) = place(path);
    match tree_at(root, &inside, &mut { LARGEST_TREE }) {
        Ok(Ok(tree)) => Reading::Known(tree),
        Ok(Err(why)) => Reading::Unreadable(format!("{shown} {why}")),
        Err(error) if is_absent(&error) => Reading::Absent,
        Err(error) => Reading::Unreadable(format!("{shown}: {error}")),
    }
}

/// The inner error, a sentence's end, says what could not be made again if it were removed.
fn tree_at(root: HKEY, inside: &str, left: &mut usize) -> io::Result<Result<KeyTree, String>> {
    if *left == 0 {
        return Ok(Err(format!("holds more than {LARGEST_TREE} keys")));
    }
    *left -= 1;
    // A link is looked at itself: what it leads to is not below this key.
    let key = open_at(root, inside, REG_OPTION_OPEN_LINK, KEY_READ)?;
    let name = || inside.rsplit('\\').next().unwrap_or_default().to_owned();
    if info(&key)?.class > 0 {
        return Ok(Err(format!("holds {}, which has a class name", name())));
    }
    let values = values(&key)?;
    if values.iter().any(|(name, data)| names_equal(name, "SymbolicLinkValue") && data.kind == 6) {
        return Ok(Err(format!("holds {}, which is a link to another key", name())));
    }
    let mut whole = KeyTree { security: Some(security(&key)?), values, subkeys: Vec::new() };
    for name in subkeys(&key)? {
        match tree_at(root, &format!("{inside}\\{name}"), left)? {
            Ok(below) => whole.subkeys.push((name, below)),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(whole))
}

fn security(key: &Key) -> io::Result<Vec<u8>> {
    let mut size = 0_u32;
    // SAFETY: without a buffer only the size is told.
    let answer = unsafe { RegGetKeySecurity(key.0, SECURITY, None, &raw mut size) };
    if answer != ERROR_INSUFFICIENT_BUFFER {
        done(answer)?;
    }
    let mut bytes = vec![0_u8; size as usize];
    // SAFETY: the buffer has `size` bytes.
    done(unsafe { RegGetKeySecurity(key.0, SECURITY, Some(PSECURITY_DESCRIPTOR(bytes.as_mut_ptr().cast())), &raw mut size) })?;
    bytes.truncate(size as usize);
    Ok(bytes)
}

pub(super) fn set_value(path: &RegistryPath, name: &str, data: &RegistryData) -> io::Result<()> {
    let key = open(path, KEY_SET_VALUE)?;
    // SAFETY: the name is a terminated string and the data a slice; both live through the call.
    done(unsafe { RegSetValueExW(key.0, &HSTRING::from(name), None, REG_VALUE_TYPE(data.kind), Some(&data.data)) })
}

pub(super) fn delete_value(path: &RegistryPath, name: &str) -> io::Result<()> {
    let key = open(path, KEY_SET_VALUE)?;
    // SAFETY: the name is a terminated string that lives through the call.
    done(unsafe { RegDeleteValueW(key.0, &HSTRING::from(name)) })
}

/// Makes a key that is not there; one that is there is an error.
pub(super) fn create_key(path: &RegistryPath) -> io::Result<()> {
    let (root, inside) = place(path);
    create_at(root, &inside, KEY_READ).map(|_| ())
}

fn create_at(root: HKEY, inside: &str, access: REG_SAM_FLAGS) -> io::Result<Key> {
    let (above, name) = inside.rsplit_once('\\').unwrap_or(("", inside));
    // The call would make every key above as well, so the one above is opened first.
    let above = open_at(root, above, REG_OPEN_CREATE_OPTIONS(0), KEY_CREATE_SUB_KEY)?;
    let (mut key, mut what) = (HKEY::default(), REG_CREATE_KEY_DISPOSITION::default());
    // SAFETY: all strings are terminated and live through the call; `key` takes one handle.
    done(unsafe {
        RegCreateKeyExW(
            above.0,
            &HSTRING::from(name),
            None,
            PCWSTR::null(),
            REG_OPTION_NON_VOLATILE,
            access | KEY_WOW64_64KEY,
            None,
            &raw mut key,
            Some(&raw mut what),
        )
    })?;
    let key = Key(key);
    if what == REG_CREATED_NEW_KEY { Ok(key) } else { Err(io::Error::new(io::ErrorKind::AlreadyExists, "the key exists already")) }
}

/// Makes a key with everything below it. Security comes first, so that no moment is open that was not open before.
pub(super) fn put_tree(path: &RegistryPath, tree: &KeyTree) -> io::Result<()> {
    let (root, inside) = place(path);
    put_at(root, &inside, tree)
}

fn put_at(root: HKEY, inside: &str, tree: &KeyTree) -> io::Result<()> {
    let key = create_at(root, inside, KEY_READ | KEY_SET_VALUE | KEY_CREATE_SUB_KEY | KEY_SECURITY)?;
    for (name, data) in &tree.values {
        // SAFETY: as in `set_value`.
        done(unsafe { RegSetValueExW(key.0, &HSTRING::from(name.as_str()), None, REG_VALUE_TYPE(data.kind), Some(&data.data)) })?;
    }
    for (name, below) in &tree.subkeys {
        put_at(root, &format!("{inside}\\{name}"), below)?;
    }
    if let Some(wanted) = &tree.security {
        let mut bytes = wanted.clone();
        // SAFETY: a self-relative descriptor that Windows itself gave, or that a hive held; Windows checks it.
        done(unsafe { RegSetKeySecurity(key.0, SECURITY, PSECURITY_DESCRIPTOR(bytes.as_mut_ptr().cast())) })?;
    }
    Ok(())
}

/// Removes a key with everything below it, the deepest first. A link is removed itself, never what it leads to.
pub(super) fn delete_tree(path: &RegistryPath) -> io::Result<()> {
    let (root, inside) = place(path);
    delete_at(root, &inside)
}

fn delete_at(root: HKEY, inside: &str) -> io::Result<()> {
    let names = subkeys(&open_at(root, inside, REG_OPTION_OPEN_LINK, KEY_READ | KEY_DELETE)?)?;
    for name in names {
        delete_at(root, &format!("{inside}\\{name}"))?;
    }
    // SAFETY: the path is a terminated string that lives through the call.
    done(unsafe { RegDeleteKeyExW(root, &HSTRING::from(inside), KEY_WOW64_64KEY.0, None) })
}

/// Waits until what was changed in a hive is on the disk.
pub(super) fn flush(hive: HiveName) -> io::Result<()> {
    let key = open(&RegistryPath { hive, inside: String::new() }, KEY_READ)?;
    // SAFETY: the handle is open.
    done(unsafe { RegFlushKey(key.0) })
}
