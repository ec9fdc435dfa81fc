//! Opening a machine, with its guides and its place for runs.

use diagnosis::Guide;
use model::ErrorCode;
use repair::{RunError, UndoError};
use std::fmt;
use std::path::Path;
use std::time::Duration;
use target::{OpenError, StateStore, StoreError, WritableTarget};

/// One opened machine.
pub struct Session {
    pub(crate) target: Box<dyn WritableTarget>,
    pub(crate) guides: Vec<Guide>,
    pub(crate) store: StateStore,
    pub(crate) open_ms: u64,
    /// Runs lie on the target itself, not in a folder that may hold those of other machines.
    pub(crate) runs_travel_with_the_disk: bool,
    /// The time zone that the person named; never inferred.
    pub(crate) time_zone: Option<String>,
    /// What time it is, as far as that was asked or said.
    pub(crate) clock: crate::clock::ClockCheck,
    /// After which time Windows' own programs are ended, when the person said so.
    pub(crate) operation_limit: Option<Duration>,
    /// Is told what is being read.
    pub(crate) watcher: Option<Box<target::Watcher>>,
}

/// Why a session cannot go on.
#[derive(Debug)]
pub enum SessionError {
    /// The target cannot be opened (exit 3).
    Open(OpenError),
    /// A run cannot begin or go on.
    Run(RunError),
    /// Undo cannot begin.
    Undo(UndoError),
    /// A run's folder cannot be used.
    Store(StoreError),
    /// The words of the call do not fit the machine (exit 2).
    Usage(String),
}

impl fmt::Display for SessionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Open(error) => write!(out, "{error}"),
            SessionError::Run(error) => write!(out, "{error}"),
            SessionError::Undo(error) => write!(out, "{error}"),
            SessionError::Store(error) => write!(out, "{error}"),
            SessionError::Usage(error) => write!(out, "{error}"),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<OpenError> for SessionError {
    fn from(error: OpenError) -> Self {
        SessionError::Open(error)
    }
}

impl From<RunError> for SessionError {
    fn from(error: RunError) -> Self {
        SessionError::Run(error)
    }
}

impl From<UndoError> for SessionError {
    fn from(error: UndoError) -> Self {
        SessionError::Undo(error)
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        SessionError::Store(error)
    }
}

impl Session {
    /// Opens a target: a path, or `lab:NAME` built below `scratch`. Runs are kept on the target, or in `state_dir`.
    ///
    /// # Errors
    /// When it is no Windows or cannot be read.
    pub fn open(text: &str, scratch: &Path, state_dir: Option<&Path>) -> Result<Session, OpenError> {
        let watch = target::Stopwatch::start();
        let target = target::open_writable(text, scratch)?;
        let store = state_dir.map_or_else(|| target.store(), StateStore::in_folder);
        Ok(Session {
            target,
            guides: diagnosis::embedded(),
            store,
            open_ms: watch.milliseconds(),
            runs_travel_with_the_disk: state_dir.is_none(),
            time_zone: None,
            clock: Default::default(),
            operation_limit: None,
            watcher: None,
        })
    }

    /// A session over a target that is open already, with its runs in `store`.
    pub fn over(target: Box<dyn WritableTarget>, store: StateStore) -> Session {
        Session {
            target,
            guides: diagnosis::embedded(),
            store,
            open_ms: 0,
            runs_travel_with_the_disk: true,
            time_zone: None,
            clock: Default::default(),
            operation_limit: None,
            watcher: None,
        }
    }

    /// The target, when the session is not needed any more.
    pub fn into_target(self) -> Box<dyn WritableTarget> {
        self.target
    }

    /// True when the target is the Windows that runs here.
    pub fn is_running_windows(&self) -> bool {
        self.target.info().kind == model::TargetKind::Live
    }

    /// Adds guides that are not built in. They are followed like the others, but no step of theirs is ever made without consent.
    ///
    /// # Errors
    /// When one has the id of another.
    pub fn add_guides(&mut self, guides: Vec<Guide>) -> Result<(), SessionError> {
        for mut guide in guides {
            if self.guide(&guide.id).is_some() {
                return Err(SessionError::Usage(format!("{}: there is a guide with the id {} already.", guide.file, guide.id)));
            }
            for step in &mut guide.steps {
                step.spec.level = step.spec.level.lowered_to(model::Level::Ask);
            }
            self.guides.push(guide);
        }
        Ok(())
    }

    /// The guide with that id.
    pub fn guide(&self, id: &str) -> Option<&Guide> {
        self.guides.iter().find(|guide| guide.id == id)
    }

    /// The time zones that this Windows knows, from west to east; empty when their list cannot be read.
    pub fn time_zones(&self) -> Vec<evidence::TimeZone> {
        evidence::time_zones(self.target.as_target()).into_known().unwrap_or_default()
    }

    /// From now on missing files may come from here, too: a folder or an installation image.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn use_source(&mut self, path: &Path) -> Result<(), SessionError> {
        self.target.use_source(target::open_source(path).map_err(SessionError::Usage)?);
        Ok(())
    }

    /// From now on Windows' own programs are ended after this time, whatever they are at.
    pub fn limit_operations(&mut self, limit: Duration) {
        self.operation_limit = Some(limit);
    }

    /// Takes the person's word for the time zone, by its name in the list.
    ///
    /// # Errors
    /// When this Windows knows no such zone.
    pub fn choose_time_zone(&mut self, id: &str) -> Result<(), SessionError> {
        let known = self.time_zones().into_iter().find(|zone| target::names_equal(&zone.id, id));
        let zone = known.ok_or_else(|| SessionError::Usage(format!("This Windows knows no time zone {id:?}.")))?;
        self.time_zone = Some(zone.id);
        Ok(())
    }

    /// Has somebody told what is being read from now on: a path, and of a long file how many bytes of how many are done.
    pub fn watch(&mut self, watcher: Box<target::Watcher>) {
        self.watcher = Some(watcher);
    }

    /// Reads the target, watched when somebody wants to know.
    pub(crate) fn reading<T>(&self, read: impl FnOnce(&dyn target::Target) -> T) -> T {
        match &self.watcher {
            Some(watcher) => read(&target::Watched::new(self.target.as_target(), watcher.as_ref())),
            None => read(self.target.as_target()),
        }
    }

    /// Everything that is known about this machine now: what the probes read, and what the person said.
    pub(crate) fn facts(&self) -> model::Facts {
        self.target.look_anew();
        let mut facts = self.reading(|target| evidence::read_all(target));
        if let Some(zone) = &self.time_zone {
            evidence::choose_time_zone(&mut facts, zone);
        }
        self.compare_clock(&mut facts);
        facts
    }

    /// What this Windows itself says about a code: the messages in these files of its own.
    pub fn windows_says(&self, files: &[evidence::MessageFile]) -> evidence::WindowsSays {
        evidence::windows_says(self.target.as_target(), files)
    }

    /// Where this machine's runs are kept.
    pub fn runs_folder(&self) -> &Path {
        self.store.root()
    }

    /// The usual methods for a code, in the order of the ladder; all of them when no code is named.
    pub(crate) fn usual_methods(&self, asked: Option<ErrorCode>) -> Vec<&Guide> {
        let windows = self.target.windows();
        // A restart is no advice about a disk: nothing runs there.
        let runs = self.is_running_windows();
        let possible = |guide: &Guide| runs || !guide.steps.iter().any(|step| step.spec.action == crate::restart::RESTART);
        let fits = |guide: &&Guide| {
            possible(guide) && guide.usual.is_some() && guide.windows.contains(windows) && asked.is_none_or(|code| guide.bears_on(code))
        };
        let mut methods: Vec<&Guide> = self.guides.iter().filter(fits).collect();
        methods.sort_by_key(|guide| guide.usual);
        methods
    }
}
