//! Other people's libraries, in one long-lived Python process for each test thread.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{dump, places};

/// The three libraries.
pub(crate) const ALL: [&str; 3] = ["hivex", "dissect", "regipy"];

struct Helper {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Helper {
    fn start() -> std::io::Result<Self> {
        let python = std::env::var_os("HRESOLVE_ORACLE_PYTHON").unwrap_or_else(|| "python3".into());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle.py");
        let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Ok(Self { child, input, output: BufReader::new(output) })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Only the process started above.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

thread_local! {
    static HELPER: RefCell<Option<Helper>> = const { RefCell::new(None) };
}

/// Sends one request to `oracle.py` and gives its answer.
pub(crate) fn ask(request: &[&str]) -> Result<String, String> {
    HELPER.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Some(Helper::start().map_err(|error| format!("Python does not start: {error}"))?);
        }
        let helper = slot.as_mut().unwrap();
        let mut line = request.join("\t");
        line.push('\n');
        helper.input.write_all(line.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = String::new();
        helper.output.read_line(&mut answer).map_err(|error| error.to_string())?;
        match answer.trim_end().split_once(' ').unwrap_or((answer.trim_end(), "")) {
            ("ok", rest) => Ok(rest.to_owned()),
            (_, rest) => Err(rest.to_owned()),
        }
    })
}

/// Those of the libraries that can be loaded; the others are skipped with a line.
pub(crate) fn available(wanted: &[&'static str]) -> Vec<&'static str> {
    let loads = |library: &&&str| match ask(&["has", library]) {
        Ok(_) => true,
        Err(error) => {
            places::skip(&format!("{library}: {error}"));
            false
        }
    };
    wanted.iter().filter(loads).copied().collect()
}

/// Compares what a library reads in a file with what this crate reads in the same bytes.
pub(crate) fn compare(library: &str, path: &Path, bytes: &[u8]) -> Result<(), String> {
    let out = places::scratch(&format!("dump-{library}-{:?}", std::thread::current().id()));
    ask(&[library, path.to_str().unwrap(), out.to_str().unwrap()]).map_err(|error| format!("{library} fails: {error}"))?;
    let theirs = std::fs::read_to_string(out).unwrap();
    let ours = dump::dump(bytes);
    if ours == theirs {
        return Ok(());
    }
    let (line, (a, b)) = ours.lines().zip(theirs.lines()).enumerate().find(|(_, (a, b))| a != b).unwrap_or((0, ("", "")));
    let cut = |text: &str| text.chars().take(200).collect::<String>();
    let lines = (ours.lines().count(), theirs.lines().count());
    Err(format!("{library} differs (lines {lines:?}) at line {line}: ours {} theirs {}", cut(a), cut(b)))
}
