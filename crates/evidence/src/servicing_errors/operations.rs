//! A servicing log as a row of operations: sessions, and what runs at a start of Windows. Of each operation that did not end
//! well the first line that names an object counts; what comes after it is its echo.

use super::rules::{Counts, Rule, table};
use super::words::{Seen, Words};
use crate::logs::Entry;
use model::{ErrorCode, codes_in};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An object that a log names as the first thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) rule: &'static str,
    pub(crate) kind: &'static str,
    /// As the log spells it; empty when the line names none and the rule alone says what is meant.
    pub(crate) object: String,
    pub(crate) code: Option<ErrorCode>,
    /// Which of the logs.
    pub(crate) log: usize,
    pub(crate) line: u64,
    pub(crate) local: Option<String>,
    pub(crate) text: String,
    /// `session`, `startup` or `report`.
    pub(crate) phase: &'static str,
    /// The package that was being installed.
    pub(crate) package: Option<String>,
    operation: u32,
}

impl Named {
    /// What CheckSUR found; `None` for what is neither a package, a manifest nor a file of a component.
    pub(crate) fn of_readiness(damage: &crate::logs::checksur::Damage) -> Option<Named> {
        let file = damage.file.to_ascii_lowercase();
        let (rule, kind) = if file.starts_with("servicing\\packages\\") {
            ("package-manifest", "package")
        } else if file.starts_with("winsxs\\manifests\\") {
            ("component-manifest", "component")
        } else if file.starts_with("winsxs\\") && file.split('\\').count() == 3 {
            ("payload-missing", "file")
        } else {
            return None;
        };
        // A file of a component is found by its folder, the others by their name.
        let parts = if kind == "file" { 2 } else { 1 };
        let object = damage.file.rsplitn(parts + 1, '\\').take(parts).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\\");
        let text = format!("{} {}", damage.kind, damage.file).trim().to_owned();
        Some(Named { rule, kind, object, code: None, log: 0, line: damage.line, local: None, text, phase: "report", package: None, operation: 0 })
    }
}

impl Named {
    /// A command of DISM that found no source for the files that it needs.
    pub(crate) fn of_dism(command: &crate::logs::dism::Command) -> Named {
        Named {
            rule: "repair-source",
            kind: "key",
            object: String::new(),
            code: command.failed,
            log: 0,
            line: command.line,
            local: command.local.clone(),
            text: command.text.clone(),
            phase: "session",
            package: None,
            operation: 0,
        }
    }

    /// An operation at a start of Windows whose file was not found.
    pub(crate) fn of_pending(failed: &crate::logs::poqexec::Operation) -> Named {
        Named {
            rule: "pending-file",
            kind: "file",
            object: failed.source.clone(),
            code: Some(ErrorCode(failed.status)),
            log: 0,
            line: failed.line,
            local: None,
            text: failed.text.clone(),
            phase: "startup",
            package: None,
            operation: 0,
        }
    }
}

/// How the installation of a package ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageResult {
    /// `Name~token~arch~language~version`, or what else the log calls it.
    pub(crate) package: String,
    /// The number of the update, when the log tells.
    pub(crate) kb: Option<String>,
    pub(crate) code: ErrorCode,
    pub(crate) log: usize,
    pub(crate) line: u64,
    pub(crate) local: Option<String>,
    operation: u32,
}

/// What a single operation has shown so far.
#[derive(Debug, Default)]
struct Operation {
    startup: bool,
    /// It holds the work of a session, so a session that is only begun meanwhile does not end it.
    working: bool,
    failed: bool,
    ended_well: bool,
    code: Option<ErrorCode>,
    package: Option<String>,
    named: Vec<(Counts, Named)>,
}

/// Reads entries in their order, the oldest log first.
pub(crate) struct Operations {
    rules: Vec<Rule>,
    words: Words,
    number: u32,
    now: Operation,
    /// The component and the installer at work, named before they fail.
    component: String,
    named: Vec<Named>,
    listed: Vec<Named>,
    results: Vec<PackageResult>,
    kbs: BTreeMap<String, String>,
}

/// More of anything than this is not kept.
const MOST: usize = 1000;
/// No single line that names an object is longer.
const LONG_LINE: usize = 4000;
/// Not applicable here: the answer to a question, not a failure.
const NOT_APPLICABLE: u32 = 0x800F_081E;
/// Lines that say that the operation at work has failed.
const FAILED: [&str; 12] = [
    "ollback",
    "olling back",
    "Doqe: Failed",
    "Doqi: Failed",
    "Startup: Failed",
    "Shtd: Failed",
    "Failed to process single phase execution",
    "Failed to execute execution chain",
    "Failed to perform operation",
    "Failed installing driver updates",
    "original failure status: 0x8",
    "Failed execution of queue item",
];
/// Other words that say where the log is. An entry without any of them and of the rules' words says nothing.
const TELLING: [&str; 9] = [
    "Starting TrustedInstaller",
    "Exec: Processing started",
    "initialized by client",
    "advanced installer",
    "System Update Readiness",
    "Exec: Processing complete",
    " finalized",
    "package change completion for package: ",
    "failure report for package: ",
];

impl Operations {
    pub(crate) fn new() -> Self {
        let rules = table();
        let own = FAILED.iter().chain(&TELLING).copied();
        Operations {
            words: Words::new(rules.iter().map(Rule::longest_text).chain(own)),
            rules,
            number: 0,
            now: Operation::default(),
            component: String::new(),
            named: Vec::new(),
            listed: Vec::new(),
            results: Vec::new(),
            kbs: BTreeMap::new(),
        }
    }

    /// One more entry.
    pub(crate) fn take(&mut self, log: usize, entry: &Entry) {
        let text = entry.text.as_str();
        let seen = self.words.seen(text);
        // A sentence that was wrapped when it was pasted is one line again.
        let whole = blanks(text);
        let seen_whole = if matches!(whole, Cow::Borrowed(_)) { seen } else { self.words.seen(&whole) };
        if seen.is_nothing() && seen_whole.is_nothing() {
            return;
        }
        if text.contains("Starting TrustedInstaller") {
            self.close();
            self.now.startup = true;
        } else if text.contains("Exec: Processing started") {
            self.close();
            self.now.working = true;
            self.now.package = field(text, "Package: ");
            if let (Some(package), Some(kb)) = (&self.now.package, field(text, "Identifier: "))
                && self.kbs.len() < MOST
            {
                self.kbs.insert(package.clone(), kb);
            }
        } else if text.contains("initialized by client") && !self.now.working && !self.now.startup {
            self.close();
        } else if text.contains("advanced installer") {
            self.component = between(text, "New component: ").unwrap_or_default();
        } else if text.contains("System Update Readiness") {
            self.listed.clear();
        }
        if text.contains('\n') {
            let mut fits = false;
            for (line, text) in (entry.line..).zip(text.lines()) {
                let text = blanks(text);
                fits |= self.line(log, line, &text, self.words.seen(&text), entry);
            }
            // One long line that was broken for reading.
            if !fits && whole.len() < LONG_LINE {
                self.line(log, entry.line, &whole, seen_whole, entry);
            }
        } else {
            self.line(log, entry.line, &whole, seen_whole, entry);
        }
        self.outcome(log, entry, &whole);
    }

    /// Whether a rule fits. `text` has single blanks; `seen` are the words in it, of which those of the rules stand first.
    fn line(&mut self, log: usize, line: u64, text: &str, seen: Seen, entry: &Entry) -> bool {
        let possible = self.rules.iter().enumerate().filter(|(number, _)| seen.has(*number)).map(|(_, rule)| rule);
        let Some((rule, found)) = possible.filter_map(|rule| rule.fits(text).map(|found| (rule, found))).next() else { return false };
        let mut object = found.object;
        match rule.kind {
            "task" => object.clone_from(&self.component),
            "installer" if !self.component.is_empty() => object = format!("{object} of {}", self.component),
            _ => {}
        }
        let own = codes_in(text).into_iter().find(|code| code.0 >> 28 == 8);
        let named = Named {
            rule: rule.id,
            kind: rule.kind,
            object,
            code: found.code.or(own),
            log,
            line,
            local: entry.local.clone(),
            text: text.chars().take(400).collect(),
            phase: if rule.counts == Counts::Listed {
                "report"
            } else if self.now.startup {
                "startup"
            } else {
                "session"
            },
            package: None,
            operation: self.number,
        };
        if rule.counts == Counts::Listed {
            keep(&mut self.listed, named);
        } else if self.now.named.len() < MOST {
            self.now.named.push((rule.counts, named));
        }
        true
    }

    /// Whether the line says how the operation, or one of its packages, ended.
    fn outcome(&mut self, log: usize, entry: &Entry, text: &str) {
        if FAILED.iter().any(|words| text.contains(words)) {
            self.now.failed = true;
            let code = after(text, "HRESULT = ").and_then(|code| code.parse::<ErrorCode>().ok()).filter(|code| code.0 & 0x8000_0000 != 0);
            self.now.code = self.now.code.or(code);
        }
        let complete = text.contains("Exec: Processing complete");
        let finalized = text.contains("Session: ") && text.contains(" finalized");
        let reported = text.contains("package change completion for package: ");
        let report = text.contains("failure report for package: ");
        if !(complete || finalized || reported || report) {
            return;
        }
        let result = if reported || report { between_comma(text, " status: ") } else { after(text, "HRESULT = ").or_else(|| after(text, "hr: ")) };
        let Some(code) = result.and_then(|code| code.parse::<ErrorCode>().ok()) else { return };
        let failing = code.0 & 0x8000_0000 != 0;
        if failing {
            self.now.failed = true;
            self.now.code = self.now.code.or(Some(code));
        } else if complete || finalized {
            self.now.ended_well = true;
        }
        let package = if finalized { None } else { field(text, "ackage: ") };
        if let Some(package) = package.filter(|package| package.contains('~') && code.0 != NOT_APPLICABLE) {
            if complete {
                self.now.package = Some(package.clone());
            } else if failing && !self.now.named.is_empty() {
                // An excerpt, or a session cut short, says only at its end what it was about.
                self.now.package.get_or_insert_with(|| package.clone());
            }
            let kb = self.kbs.get(&package).cloned();
            let result = PackageResult { package, kb, code, log, line: entry.line, local: entry.local.clone(), operation: self.number };
            if !self.results.iter().any(|known| known.operation == result.operation && known.package == result.package && known.code == result.code)
                && self.results.len() < 20 * MOST
            {
                self.blame(&result);
                self.results.push(result);
            }
        }
        if complete || finalized {
            self.close();
        }
    }

    /// Errors of the start before belong to the package that is reported as failed with the same code.
    fn blame(&mut self, result: &PackageResult) {
        if result.code.0 & 0x8000_0000 == 0 {
            return;
        }
        let number = self.number;
        for named in self.named.iter_mut().filter(|named| named.package.is_none() && number - named.operation <= 3) {
            named.package = Some(result.package.clone());
        }
    }

    fn close(&mut self) {
        let ended = std::mem::take(&mut self.now);
        self.number += 1;
        self.component.clear();
        if ended.ended_well && !ended.failed {
            return;
        }
        let first = ended.named.iter().find(|(counts, _)| *counts == Counts::First).or(ended.named.first()).map(|(_, named)| named.rule);
        for (_, mut named) in ended.named {
            if Some(named.rule) == first {
                named.code = named.code.or(ended.code);
                named.package.clone_from(&ended.package);
                keep(&mut self.named, named);
            }
        }
    }

    /// What is left: objects whose package was not installed later, and how packages ended.
    pub(crate) fn finish(mut self) -> (Vec<Named>, Vec<PackageResult>) {
        self.close();
        let results = self.results;
        let later = |named: &Named| {
            let package = named.package.as_deref();
            package.is_some_and(|package| results.iter().any(|result| result.operation > named.operation && succeeded(result, package)))
        };
        let mut named: Vec<Named> = self.named.into_iter().filter(|named| !later(named)).collect();
        for one in self.listed {
            keep(&mut named, one);
        }
        (named, results)
    }
}

/// Whether a result says that this package, or a newer one of the same name, was installed.
pub(crate) fn succeeded(result: &PackageResult, package: &str) -> bool {
    result.code.0 & 0x8000_0000 == 0 && supersedes(&result.package, package)
}

/// Whether `newer` is `package` itself or a newer version of it. Every servicing stack update has its number in its name
/// (`Package_for_ServicingStack_3266~…`), and each contains those before it.
pub(crate) fn supersedes(newer: &str, package: &str) -> bool {
    const STACK: &str = "package_for_servicingstack_";
    let parts = |identity: &str| {
        let (name, version) = identity.rsplit_once('~')?;
        let name = name.to_ascii_lowercase();
        let rest = name.strip_prefix(STACK).map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        Some((rest.map_or_else(|| name.clone(), |rest| format!("{STACK}{rest}")), numbers(version)))
    };
    match (parts(newer), parts(package)) {
        (Some((there, new)), Some((name, old))) => there == name && new >= old,
        _ => newer.eq_ignore_ascii_case(package),
    }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// Keeps the mention of an object in the newest operation, in the place of its first; of one operation the first line, because
/// those after it only hand the code on.
fn keep(list: &mut Vec<Named>, named: Named) {
    let known = list.iter().position(|known| known.rule == named.rule && known.object.eq_ignore_ascii_case(&named.object));
    if let Some(at) = known {
        if list.get(at).is_some_and(|known| is_echo(known, &named)) {
            return;
        }
        // At its old place: the order of first mentions stays.
        list.push(named);
        list.swap_remove(at);
    } else if list.len() < MOST {
        list.push(named);
    }
}

/// A later line of the same operation, or one between the end of a session and its closing words.
fn is_echo(known: &Named, named: &Named) -> bool {
    let behind = known.operation + 1 == named.operation && named.phase == "session" && known.package.is_some() && named.package.is_none();
    known.operation == named.operation || behind
}

/// Every run of blanks as one blank; the text itself where it is so already.
fn blanks(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let odd = |byte: &u8| !byte.is_ascii() || byte.is_ascii_control();
    let twice = |two: &[u8; 2]| two == b"  ";
    if bytes.starts_with(b" ") || bytes.ends_with(b" ") || bytes.iter().any(odd) || bytes.array_windows().any(twice) {
        return Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Cow::Borrowed(text)
}

fn after<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(words)?;
    rest.split(|c: char| !c.is_ascii_alphanumeric()).next()
}

/// The same, but only as a field of a list: `, status: 0x…` and not `download status: 0x…`.
fn between_comma<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    after(text, &format!(",{words}"))
}

/// The value of a field, up to a comma, a blank or a bracket.
fn field(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(name)?;
    let value = rest.split([',', ' ', '[', '\n']).next().unwrap_or_default().trim_end_matches('.');
    (!value.is_empty()).then(|| value.to_owned())
}

/// The first name of an identity in quotes: `New component: [l:1 ml:2]'Name, Culture=…'`.
fn between(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(name)?;
    let (_, quoted) = rest.split_once(['\'', '"'])?;
    let value = quoted.split([',', '\'', '"']).next().unwrap_or_default();
    (!value.is_empty()).then(|| value.to_owned())
}
