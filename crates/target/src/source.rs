//! Where missing files may come from besides the machine itself: what a person names with `--source`.

use crate::target::LARGEST_HELD;
use crate::targets::folder::Paths;
use model::{Reading, VolumePath};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Files of another Windows of the same build. Nothing in it is trusted: whoever uses a file compares version, architecture and hash.
pub trait Source {
    /// What the person named.
    fn name(&self) -> String;

    /// The content of a file by its name in the source.
    fn read(&self, name: &str) -> Reading<Vec<u8>>;

    /// The name in the source of the file that stands at this path of a Windows (`\Windows\WinSxS\…`). Looked for in this order: the same
    /// path; below a Windows folder that was named itself; and, as an unpacked update holds them, component folders and packages
    /// directly in it.
    fn find(&self, path: &VolumePath, windows: &VolumePath) -> Option<String> {
        let inside = path.components().get(windows.components().len()..)?.join("\\");
        let unpacked = ["WinSxS\\", "servicing\\Packages\\"].iter().find_map(|store| {
            let (start, rest) = inside.split_at_checked(store.len())?;
            crate::names_equal(start, store).then(|| rest.to_owned())
        });
        let names = [Some(format!("Windows\\{inside}")), Some(inside.clone()), unpacked];
        names.into_iter().flatten().find(|name| self.has(name))
    }

    /// Whether there is such a file.
    fn has(&self, name: &str) -> bool;

    /// The folder of this Windows that Windows' own programs can take files from (the one that holds `WinSxS`); `None` when it holds none.
    fn windows_folder(&self) -> Option<PathBuf> {
        None
    }
}

/// Opens what a person named: a folder (a mounted installation image, a Windows, an unpacked update) or a WIM or ESD file.
///
/// # Errors
/// A sentence: it is not there, or it is a file of a kind that cannot be opened here.
pub fn open_source(path: &Path) -> Result<std::rc::Rc<dyn Source>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("The source {} cannot be opened: {error}.", path.display()))?;
    if metadata.is_dir() {
        return Ok(std::rc::Rc::new(FolderSource { given: path.to_owned(), paths: Paths::new(path.to_owned()) }));
    }
    let mut start = [0_u8; 8];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
    if read.is_err() || &start != b"MSWIM\0\0\0" {
        return Err(format!(
            "The source {} is neither a folder nor an install.wim or install.esd. Mount or unpack it, and name the folder.",
            path.display()
        ));
    }
    WimSource::open(path).map(|source| std::rc::Rc::new(source) as std::rc::Rc<dyn Source>)
}

struct FolderSource {
    given: PathBuf,
    paths: Paths,
}

impl FolderSource {
    fn path(name: &str) -> Option<VolumePath> {
        VolumePath::parse(name).ok()
    }
}

impl Source for FolderSource {
    fn name(&self) -> String {
        self.given.display().to_string()
    }

    fn read(&self, name: &str) -> Reading<Vec<u8>> {
        Self::path(name).map_or(Reading::Absent, |path| self.paths.read(&path, LARGEST_HELD))
    }

    fn has(&self, name: &str) -> bool {
        Self::path(name).is_some_and(|path| matches!(self.paths.locate(&path, true), Reading::Known(real) if real.is_file()))
    }

    fn windows_folder(&self) -> Option<PathBuf> {
        let folder = |name: &str| match self.paths.locate(&Self::path(name)?, true) {
            Reading::Known(real) if real.is_dir() => Some(real),
            _ => None,
        };
        // Named as they are on the disk; the store's own parent is the Windows folder.
        let store = folder("Windows\\WinSxS").or_else(|| folder("WinSxS"))?;
        store.parent().map(Path::to_owned)
    }
}

/// An installation image, read by wimlib, which knows every compression that Microsoft has used.
struct WimSource {
    given: PathBuf,
    images: u32,
}

const WIMLIB: &str = "wimlib-imagex";

impl WimSource {
    fn open(path: &Path) -> Result<Self, String> {
        let told = run(&["info", &path.to_string_lossy()])?;
        let count = told.lines().find_map(|line| line.strip_prefix("Image Count:")?.trim().parse().ok());
        let images = count.ok_or_else(|| format!("{WIMLIB} does not say how many images {} holds.", path.display()))?;
        Ok(WimSource { given: path.to_owned(), images })
    }

    /// The image that a name such as `2:Windows\\System32\\x.dll` begins with.
    fn inside(name: &str) -> Option<(&str, String)> {
        let (image, path) = name.split_once(':')?;
        Some((image, format!("/{}", path.replace('\\', "/"))))
    }
}

impl Source for WimSource {
    fn name(&self) -> String {
        self.given.display().to_string()
    }

    fn read(&self, name: &str) -> Reading<Vec<u8>> {
        let Some((image, path)) = Self::inside(name) else { return Reading::Absent };
        let arguments = ["extract", &self.given.to_string_lossy(), image, &path, "--to-stdout", "--no-acls"];
        match bytes(&arguments) {
            Ok(content) => Reading::Known(content),
            Err(why) => Reading::Unreadable(why),
        }
    }

    fn has(&self, name: &str) -> bool {
        let Some((image, path)) = Self::inside(name) else { return false };
        run(&["dir", &self.given.to_string_lossy(), image, &format!("--path={path}")]).is_ok()
    }

    fn find(&self, path: &VolumePath, windows: &VolumePath) -> Option<String> {
        let inside = path.components().get(windows.components().len()..)?.join("\\");
        (1..=self.images).map(|image| format!("{image}:Windows\\{inside}")).find(|name| self.has(name))
    }
}

fn run(arguments: &[&str]) -> Result<String, String> {
    bytes(arguments).map(|out| String::from_utf8_lossy(&out).into_owned())
}

/// What the program wrote, or a sentence. It asks nothing: it has no input.
fn bytes(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let ran = Command::new(WIMLIB).args(arguments).env("WIMLIB_IMAGEX_IGNORE_CASE", "1").stdin(Stdio::null()).output();
    let output = ran.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("Reading an installation image needs {WIMLIB} (package wimtools), which is not installed."),
        _ => format!("{WIMLIB} could not be started: {error}."),
    })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{WIMLIB}: {}", said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it failed and said nothing")))
}
