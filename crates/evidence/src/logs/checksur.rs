//! `Windows\Logs\CBS\CheckSUR.log` and `CheckSUR.persist.log` of Windows 7 and 8: what the System Update Readiness Tool found.
//!
//! Damage is listed as `(f)<TAB>kind<TAB>code<TAB>file<TAB>identity`, with `(fix)` after what was mended; a missing payload as
//! `(f)<TAB>CSI Payload File Missing<TAB>0x00000000<TAB>file<TAB>folder in WinSxS`. At the end there is a summary, and under
//! "Unavailable repair files" the files for which no replacement was found. Where people paste the log, blanks stand for the tabs.
//! Source: Microsoft, "Advanced guidelines for diagnosing and fixing servicing corruption".

use super::{Lines, MOST_PROBLEMS, Problem};
use std::io::{self, Read};

/// One damaged or missing file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Line in the file, from 1.
    pub line: u64,
    /// What the tool calls it, for example `CBS MUM Missing`; empty in the list of unavailable files.
    pub kind: String,
    /// The file below the Windows folder, with backslashes.
    pub file: String,
}

/// All damage of the newest run in the log that was not mended.
///
/// # Errors
/// Those of reading.
pub fn parse(input: &mut dyn Read) -> io::Result<(Vec<Damage>, Vec<Problem>)> {
    let mut lines = Lines::new(input);
    let (mut found, mut problems): (Vec<Damage>, Vec<Problem>) = (Vec::new(), Vec::new());
    let mut listing = false;
    while let Some((line, text)) = lines.next_line()? {
        let text = text.trim();
        if text.starts_with("Checking System Update Readiness") {
            // A later run looked at everything again.
            found.clear();
            listing = false;
        } else if text.starts_with("Unavailable repair files") {
            listing = true;
        } else if let Some(rest) = text.strip_prefix("(f)") {
            match (kind(rest), file(rest)) {
                (Some(kind), Some(file)) => add(&mut found, line, &kind, &file),
                _ if problems.len() < MOST_PROBLEMS => problems.push(Problem { line, what: "no file is named in this line".into() }),
                _ => {}
            }
        } else if let Some(rest) = text.strip_prefix("(fix)") {
            let mended = file(rest);
            found.retain(|damage| mended.as_ref().is_none_or(|file| !damage.file.eq_ignore_ascii_case(file)));
        } else if listing && is_file(text) {
            add(&mut found, line, "", &clean(text));
        }
    }
    Ok((found, problems))
}

/// The words before the code.
fn kind(rest: &str) -> Option<String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let code = words.iter().position(|word| word.len() == 10 && word.starts_with("0x"))?;
    Some(words.get(..code)?.join(" "))
}

/// The file below the Windows folder: as it stands there, or a file's name with its folder in WinSxS behind it.
fn file(rest: &str) -> Option<String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let whole = words.iter().find(|word| is_file(word)).map(|word| clean(word));
    whole.or_else(|| {
        let [name, folder] = words.windows(2).find_map(|pair| <[&str; 2]>::try_from(pair).ok().filter(|[_, folder]| is_component(folder)))?;
        Some(format!("winsxs\\{folder}\\{name}"))
    })
}

fn is_file(text: &str) -> bool {
    let start = text.get(..10).unwrap_or_default().to_ascii_lowercase();
    start.starts_with("servicing\\") || start.starts_with("winsxs\\") || start.starts_with("servicing/") || start.starts_with("winsxs/")
}

/// The name of a folder in WinSxS: `amd64_name_31bf3856ad364e35_6.1.7600.16385_none_0123456789abcdef`.
fn is_component(word: &str) -> bool {
    let mut parts = word.rsplit('_');
    let hash = parts.next().is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hash && parts.nth(1).is_some_and(|version| version.split('.').count() == 4) && !word.contains(['\\', '/', ':'])
}

fn clean(file: &str) -> String {
    file.replace('/', "\\")
}

fn add(found: &mut Vec<Damage>, line: u64, kind: &str, file: &str) {
    if !found.iter().any(|damage| damage.file.eq_ignore_ascii_case(file)) {
        found.push(Damage { line, kind: kind.into(), file: file.into() });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::parse;
    use crate::logs::text_tests;

    const LOG: &str = "=================================\r\nChecking System Update Readiness.\r\nBinary Version 6.1.7601.22471\r\n\r\n\
        Checking Windows Servicing Packages\r\n\
        (f)\tCBS MUM Missing\t0x00000002\tservicing\\Packages\\Package_for_KB4000001~31bf3856ad364e35~amd64~~6.1.1.0.mum\t\t\r\n\
        (f)\tCSI Winning Component Key Missing\t0x00000000\tx\ty\r\n\
        (f)\tCBS MUM Corrupt\t0x00000000\tservicing\\Packages\\Package_for_KB4000002~31bf3856ad364e35~amd64~~6.1.1.0.mum\t\tzero\r\n\
        (fix)\tCBS MUM Corrupt\tCBS File Replaced\tservicing\\Packages\\Package_for_KB4000002~31bf3856ad364e35~amd64~~6.1.1.0.mum\tx\r\n\
        (f)\tCSI Payload File Missing\t0x00000000\tone.dll\tx86_one_31bf3856ad364e35_6.0.6000.16386_none_abfb5fd109dad8b8\tservicing_x\r\n\
        (f)\tCSI Payload File Missing\t0x00000000\tbootmgr\tx86_boot_31bf3856ad364e35_6.0.6000.16386_none_c0f2f087b6457236\r\n\
        (fix)\tCSI Payload File Missing\t0x00000000\tbootmgr\tx86_boot_31bf3856ad364e35_6.0.6000.16386_none_c0f2f087b6457236\r\n\
        Summary:\r\nFound 3 errors\r\nUnavailable repair files:\r\n\twinsxs\\manifests\\amd64_x_31bf3856ad364e35_6.1.7601.17514_none_0123456789abcdef.manifest\r\n";

    #[test]
    fn what_is_damaged_and_not_mended() {
        for log in [LOG.to_owned(), LOG.replace('\t', " ")] {
            let (found, problems) = parse(&mut log.as_bytes()).unwrap();
            let files: Vec<&str> = found.iter().map(|damage| damage.file.as_str()).collect();
            assert_eq!(files.len(), 3, "{files:?}");
            assert!(files[0].ends_with("KB4000001~31bf3856ad364e35~amd64~~6.1.1.0.mum") && files[2].ends_with("89abcdef.manifest"));
            assert_eq!(files[1], "winsxs\\x86_one_31bf3856ad364e35_6.0.6000.16386_none_abfb5fd109dad8b8\\one.dll");
            assert_eq!((found[0].line, found[0].kind.as_str(), problems.len()), (6, "CBS MUM Missing", 1));
            let again = format!("{log}Checking System Update Readiness.\r\nSummary:\r\nNo errors detected\r\n");
            assert_eq!(parse(&mut again.as_bytes()).unwrap().0, [], "the newest run counts");
        }
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("CheckSUR.log", &text_tests::seeds(LOG, &["msdocs-cases/06-checksur-mum-missing.log"]), |bytes| {
            assert!(parse(&mut &bytes[..]).unwrap().0.len() < 50);
        });
    }

    #[test]
    fn a_cut_log_gives_what_is_before_the_cut() {
        for cut in 0..LOG.len() {
            assert!(parse(&mut &LOG.as_bytes()[..cut]).unwrap().0.len() <= 4);
        }
    }
}
