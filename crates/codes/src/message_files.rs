//! Which files of a Windows can hold its own words for a code, and under which number.
//!
//! Knowledge only; it reads nothing. A file stands here when a public source says that its message table holds that part of
//! the codes; general files come last, because the part of Windows that raised the code speaks of it best.

use crate::{Asked, Explanation, Kind, Wrapped};

/// A file and the message numbers to look for in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFile {
    /// The folder below the Windows folder.
    pub folder: &'static str,
    /// The file's name.
    pub name: &'static str,
    /// Any of these numbers is the code.
    pub ids: Vec<u32>,
}

const SYSTEM32: &str = "System32";

/// `winerror.h` compiled: every Win32 number and the HRESULTs of that header. It was kernel32's until Windows 7 split KernelBase off.
const SYSTEM: [(&str, &str); 2] = [(SYSTEM32, "kernel32.dll"), (SYSTEM32, "KernelBase.dll")];

/// Win32 numbers that the system's table does not have, from and to: where they are.
const WIN32: [(u32, u32, &str); 3] = [
    // Microsoft, "Looking Up Text for Error Code Numbers": NERR_BASE to MAX_NERR.
    (2100, 2999, "netmsg.dll"),
    // Microsoft, "WinHTTP Error Messages" and "Handling Errors" (WinINet): each has the table of its own numbers.
    (12000, 12999, "winhttp.dll"),
    (12000, 12999, "wininet.dll"),
];

/// HRESULTs by value, from and to: folder and file.
const HRESULT: [(u32, u32, &str, &str); 14] = [
    // Windows Update; its event source names wuaueng.dll as the file of its messages.
    (0x8024_0000, 0x8024_FFFF, SYSTEM32, "wuaueng.dll"),
    (0x8024_0000, 0x8024_FFFF, SYSTEM32, "wuapi.dll"),
    // BITS: bitsmsg.h is compiled into the service.
    (0x8020_0000, 0x8020_FFFF, SYSTEM32, "qmgr.dll"),
    // The servicing stack; programs that show its errors load it from the folder `servicing`.
    (0x800F_0000, 0x800F_FFFF, "servicing", "CbsMsg.dll"),
    (0x800F_0000, 0x800F_FFFF, SYSTEM32, "CbsMsg.dll"),
    (0x800F_0000, 0x800F_FFFF, SYSTEM32, "setupapi.dll"),
    // Delivery Optimization's own service.
    (0x80D0_0000, 0x80D0_FFFF, SYSTEM32, "dosvc.dll"),
    // WMI: "WMI Error Constants"; the numbers of wbemcli.h.
    (0x8004_1000, 0x8004_4FFF, "System32/wbem", "wmiutils.dll"),
    // nserror.h and asferr.h: 2000 to 2999 are ASF; mferror.h: from 14000.
    (0xC00D_0000, 0xC00D_07CF, SYSTEM32, "wmerror.dll"),
    (0xC00D_07D0, 0xC00D_0BB7, SYSTEM32, "asferror.dll"),
    (0xC00D_0BB8, 0xC00D_36AF, SYSTEM32, "wmerror.dll"),
    (0xC00D_36B0, 0xC00D_FFFF, SYSTEM32, "mferror.dll"),
    // slerror.h: activation.
    (0xC004_0000, 0xC004_FFFF, SYSTEM32, "slc.dll"),
    // Deployment image servicing.
    (0xC142_0000, 0xC142_FFFF, SYSTEM32, "DismApi.dll"),
];

/// The files to read, the most particular first. Empty for a device's problem code and a database error, whose words are no messages
/// under that number.
///
/// Left out on purpose: `msimsg.dll`, whose 1603 is a message of the installer's log and not the Win32 number 1603; and files whose
/// low numbers are events, which would give a Win32 number foreign words.
pub fn message_files(asked: &Asked, explanation: &Explanation) -> Vec<MessageFile> {
    let value = explanation.value;
    let kernel = |name, id| vec![MessageFile { folder: SYSTEM32, name, ids: vec![id] }];
    match asked.kind.or(explanation.names.first().map(|named| named.known.kind)) {
        Some(Kind::Problem | Kind::Phase | Kind::Operation | Kind::Esent) => return Vec::new(),
        // bugcodes.h is compiled into the kernel.
        Some(Kind::BugCheck) => return kernel("ntoskrnl.exe", value),
        Some(Kind::NtStatus) if value <= 0xFFFF => return kernel("ntdll.dll", value),
        _ => {}
    }
    let wrapped = Wrapped::of(value);
    let win32 = match wrapped {
        Some(Wrapped { kind: Kind::Win32, value }) => Some(value),
        _ => (value <= 0xFFFF).then_some(value),
    };
    let mut files = Vec::new();
    for (from, to, folder, name) in HRESULT {
        if (from..=to).contains(&value) {
            files.push(MessageFile { folder, name, ids: vec![value] });
        }
    }
    for (from, to, name) in WIN32 {
        if let Some(number) = win32.filter(|number| (from..=to).contains(number)) {
            files.push(MessageFile { folder: SYSTEM32, name, ids: vec![number] });
        }
    }
    // ntstatus.h is compiled into ntdll. What is unknown may be one when its severity bits allow it.
    let status = match wrapped {
        Some(Wrapped { kind: Kind::NtStatus, value }) => Some(value),
        _ => {
            let named = explanation.names.iter().any(|named| named.known.kind == Kind::NtStatus);
            let possible = explanation.names.is_empty() && matches!(value >> 28, 0x4 | 0x8 | 0xC);
            (value > 0xFFFF && (named || possible)).then_some(value)
        }
    };
    files.extend(status.into_iter().flat_map(|id| kernel("ntdll.dll", id)));
    let mut ids: Vec<u32> = win32.into_iter().collect();
    if value > 0xFFFF {
        ids.insert(0, value);
    }
    files.extend(SYSTEM.map(|(folder, name)| MessageFile { folder, name, ids: ids.clone() }));
    files
}

#[cfg(test)]
mod tests {
    use super::message_files;
    use crate::{explain, read};

    fn files(text: &str) -> Vec<(String, Vec<u32>)> {
        let asked = read(text);
        let files = asked.first().map(|asked| message_files(asked, &explain(asked))).unwrap_or_default();
        files.into_iter().map(|file| (file.name.to_owned(), file.ids)).collect()
    }

    fn names(text: &str) -> Vec<String> {
        files(text).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_code_is_looked_for_where_it_can_be_and_nowhere_else() {
        assert_eq!(names("0x80240007"), ["wuaueng.dll", "wuapi.dll", "kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("2"), ["kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("0x80072EE7"), ["winhttp.dll", "wininet.dll", "kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("NERR_UserNotFound"), ["netmsg.dll", "kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("0xC0000034"), ["ntdll.dll", "kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("0x800F0922"), ["CbsMsg.dll", "CbsMsg.dll", "setupapi.dll", "kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("0xC00D36B4"), ["mferror.dll", "kernel32.dll", "KernelBase.dll"]);
        assert_eq!(names("INACCESSIBLE_BOOT_DEVICE"), ["ntoskrnl.exe"]);
        assert!(names("Code 39").is_empty());
        // No such problem is known; what Windows says about the Win32 error 99 would be about another thing.
        assert!(names("Code 99").is_empty());
        assert!(names("0xFFFFFC06").is_empty());
    }

    #[test]
    fn wraps_are_looked_for_under_what_they_wrap() {
        assert_eq!(files("0x80070002"), [("kernel32.dll".into(), vec![0x8007_0002, 2]), ("KernelBase.dll".into(), vec![0x8007_0002, 2])]);
        assert!(files("0xD0000034").contains(&("ntdll.dll".into(), vec![0xC000_0034])));
    }
}
