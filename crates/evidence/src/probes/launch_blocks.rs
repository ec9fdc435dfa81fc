//! "Debuggers" that stand in front of programs of Windows Update: Windows starts them instead of the program.

use crate::probe::{fact, text};
use model::{FactDeclaration, FactKind, Facts, Reading, Subject};
use target::Target;

/// What this probe delivers.
pub(super) const FACTS: &[FactDeclaration] = &[
    FactDeclaration { name: "launch-block.program", kind: FactKind::Text, meaning: "the program of Windows Update, for example UsoClient.exe" },
    FactDeclaration { name: "launch-block.key", kind: FactKind::Text, meaning: "its key below Image File Execution Options" },
    FactDeclaration { name: "launch-block.debugger", kind: FactKind::Text, meaning: "what is started instead" },
    FactDeclaration { name: "launch-block.kind", kind: FactKind::Text, meaning: "block, or debugger (a developer's debugger by its name)" },
];

const OPTIONS: &str = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options";
/// Programs that search, download, install or announce updates (cause catalogue NF-10, and what blockers' sources name).
const PROGRAMS: [&str; 16] = [
    "MoNotificationUx.exe",
    "MoUsoCoreWorker.exe",
    "MusNotification.exe",
    "MusNotificationUx.exe",
    "MusNotifyIcon.exe",
    "SIHClient.exe",
    "TiWorker.exe",
    "TrustedInstaller.exe",
    "upfc.exe",
    "UsoClient.exe",
    "usocoreworker.exe",
    "WaaSMedic.exe",
    "WaaSMedicAgent.exe",
    "wuauclt.exe",
    "wuaucltcore.exe",
    "wusa.exe",
];
/// Programs that do run what they were called for.
const DEBUGGERS: [&str; 7] = ["vsjitdebugger", "windbg", "windbgx", "cdb", "ntsd", "appverif", "gflags"];

pub(super) fn run(target: &dyn Target, facts: &mut Facts) {
    for program in PROGRAMS {
        let Reading::Known(view) = target.key(&format!("{OPTIONS}\\{program}")) else { continue };
        let Some(debugger) = view.value("Debugger").and_then(model::RegistryData::as_text).filter(|line| !line.trim().is_empty()) else { continue };
        let name = first_word(&debugger);
        let kind = if DEBUGGERS.contains(&name.as_str()) { "debugger" } else { "block" };
        let says = format!("Instead of {program} Windows starts {debugger:?}").replace("\\\\", "\\");
        let mut subject = Subject::new("launch-block", program);
        subject.put("launch-block.program", fact(text(program), program, "SOFTWARE", "key"));
        subject.put("launch-block.key", fact(text(&view.path), &view.path, "SOFTWARE", "key"));
        subject.put("launch-block.debugger", fact(text(&debugger), &says, "SOFTWARE", "Debugger"));
        subject.put("launch-block.kind", fact(text(kind), says, "SOFTWARE", "Debugger"));
        facts.subjects.push(subject);
    }
}

/// The program that a command line names, without folder and ending, in lower case.
fn first_word(line: &str) -> String {
    let line = line.trim();
    let program = match line.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or(rest),
        None => match line.to_ascii_lowercase().find(".exe") {
            Some(at) => line.get(..at).unwrap_or(line),
            None => line.split_whitespace().next().unwrap_or(line),
        },
    };
    let name = program.rsplit(['\\', '/']).next().unwrap_or(program).to_ascii_lowercase();
    name.strip_suffix(".exe").unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn the_program_of_a_command_line() {
        for (line, program) in [
            ("null", "null"),
            ("\"C:\\Program Files\\Debugging Tools\\windbg.exe\" -g", "windbg"),
            ("C:\\Program Files\\x y\\ntsd.exe -d", "ntsd"),
            ("systray.exe", "systray"),
            ("%windir%\\System32\\taskkill.exe", "taskkill"),
        ] {
            assert_eq!(first_word(line), program, "{line}");
        }
    }
}
