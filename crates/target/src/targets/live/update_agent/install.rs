//! One update: searched for by its name, looked at, downloaded, installed, and searched for again. Judged by codes alone.

use super::job::{self, Job, Stop};
use super::{progress, session};
use crate::targets::live::update_terms::{self, Search};
use model::{UpdateName, UpdateResult, UpdateStage, UpdateTry};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use windows::Win32::Foundation::{VARIANT_BOOL, VARIANT_FALSE, VARIANT_TRUE};
use windows::Win32::System::Com::{CLSCTX_INPROC_SERVER, CoCreateInstance};
use windows::Win32::System::UpdateAgent::{
    ISearchResult, IUpdate, IUpdateCollection, IUpdateInstaller, IUpdateInstaller2, IUpdateSearcher, IUpdateSession, UpdateCollection,
    daInstallation, daOptionalInstallation,
};
use windows::Win32::System::Variant::VARIANT;
use windows::core::{BSTR, HRESULT, Interface, Result};

/// `WU_E_INVALID_CRITERIA`: this agent does not know the form of the search.
const UNKNOWN_FORM: HRESULT = HRESULT(0x8024_0032_u32.cast_signed());
/// `WU_E_INSTALL_NOT_ALLOWED`: something else is being installed.
const BUSY: HRESULT = HRESULT(0x8024_0016_u32.cast_signed());
/// How long the search afterwards may take.
const LAST_LOOK: Duration = Duration::from_secs(90);

/// What the searches gave.
struct Found {
    updates: Vec<IUpdate>,
    /// A search said that it was not whole.
    incomplete: Option<u32>,
}

/// Searches for it, downloads it and installs it, until `until`.
pub(super) fn install(name: &UpdateName, until: Instant, tell: &dyn Fn(String)) -> UpdateTry {
    tried(name, until, tell).unwrap_or_else(|ended| ended)
}

/// The error is an end before the installation.
fn tried(name: &UpdateName, until: Instant, tell: &dyn Fn(String)) -> std::result::Result<UpdateTry, UpdateTry> {
    let at_search = |stop: Stop| ended(UpdateStage::Search, "", stop);
    let session = session().map_err(|error| at_search(error.into()))?;
    // SAFETY: COM is ready on this thread, and the session lives as long as this function.
    let searcher = unsafe { session.CreateUpdateSearcher() }.map_err(|error| at_search(error.into()))?;
    tell(format!("Windows Update searches for {name}"));
    let found = search(&searcher, name, until).map_err(at_search)?;
    let update = the_one(found)?;
    let title = title(&update);
    let failed = |stage: UpdateStage| {
        let title = title.clone();
        move |stop: Stop| ended(stage, &title, stop)
    };
    // SAFETY: as above.
    let installer = unsafe { session.CreateUpdateInstaller() }.map_err(|error| failed(UpdateStage::Install)(error.into()))?;
    may_install(&update, &installer, &title)?;
    let licence = accept_licence(&update).map_err(|error| failed(UpdateStage::Download)(error.into()))?;
    if licence {
        tell(format!("The licence of {title} was accepted"));
    }
    let updates = alone(&update).map_err(|error| failed(UpdateStage::Download)(error.into()))?;
    download(&session, &update, &updates, until, &title, tell).map_err(failed(UpdateStage::Download))?;
    let installed = run_installer(&installer, &updates, until, &title, tell).map_err(failed(UpdateStage::Install))?;
    let seen = if installed.restart { None } else { look(&searcher, &update, tell) };
    Ok(UpdateTry::Installed { title, restart: installed.restart, seen, licence, errors: installed.errors })
}

/// How it ended before it was done.
fn ended(stage: UpdateStage, title: &str, stop: Stop) -> UpdateTry {
    match stop {
        Stop::Code(error) if error.code() == BUSY => UpdateTry::Busy,
        Stop::Code(error) => UpdateTry::Failed { stage, title: title.to_owned(), code: error.code().0.cast_unsigned() },
        Stop::TooLong { stopped } => UpdateTry::TooLong { stage, stopped },
    }
}

fn search(searcher: &IUpdateSearcher, name: &UpdateName, until: Instant) -> std::result::Result<Found, Stop> {
    let mut found = Found { updates: Vec::new(), incomplete: None };
    for Search { criteria, may_be_unknown } in update_terms::searches(name) {
        let result = match run_search(searcher, &criteria, until) {
            Err(Stop::Code(error)) if may_be_unknown && error.code() == UNKNOWN_FORM => continue,
            result => result?,
        };
        found.incomplete = found.incomplete.or(incomplete(&result)?);
        // SAFETY: the result lives as long as this function, here and below.
        let updates = unsafe { result.Updates() }?;
        // SAFETY: as above.
        for at in 0..unsafe { updates.Count() }? {
            // SAFETY: the place is one of the collection.
            let update = unsafe { updates.get_Item(at) }?;
            if is_meant(&update, name)? {
                found.updates.push(update);
            }
        }
        if !found.updates.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// One search, waited for.
fn run_search(searcher: &IUpdateSearcher, criteria: &str, until: Instant) -> std::result::Result<ISearchResult, Stop> {
    // SAFETY: the text and the callback live as long as the agent needs them; no state is given.
    let job = unsafe { searcher.BeginSearch(&BSTR::from(criteria), &progress::of_search(), &VARIANT::default()) }?;
    let (_, nothing) = mpsc::channel();
    job::wait(&job, until, &nothing, &|_| {})?;
    // SAFETY: the job is complete.
    let result = unsafe { searcher.EndSearch(&job) };
    job.clean_up();
    Ok(result?)
}

/// The code with which a search says that it is not whole. A failed one is an error.
fn incomplete(result: &ISearchResult) -> Result<Option<u32>> {
    // SAFETY: the result lives as long as this function, here and below.
    let code = UpdateResult::of(unsafe { result.ResultCode() }?.0);
    if code == UpdateResult::Succeeded {
        return Ok(None);
    }
    // SAFETY: as above; the first warning of those that there are.
    let warning = unsafe { result.Warnings().and_then(|warnings| warnings.get_Item(0)).and_then(|warning| warning.HResult()) };
    let warning = warning.unwrap_or_default();
    match code {
        UpdateResult::SucceededWithErrors => Ok(Some(warning.cast_unsigned())),
        _ => Err(windows::core::Error::from_hresult(if warning < 0 { HRESULT(warning) } else { windows::Win32::Foundation::E_FAIL })),
    }
}

fn is_meant(update: &IUpdate, name: &UpdateName) -> Result<bool> {
    // SAFETY: the update lives as long as this function, and so does what it hands out.
    unsafe {
        let action = update.DeploymentAction()?;
        if action != daInstallation && action != daOptionalInstallation {
            return Ok(false);
        }
        let list = update.KBArticleIDs()?;
        let articles: Vec<String> = (0..list.Count()?).filter_map(|at| list.get_Item(at).ok()).map(|article| article.to_string()).collect();
        Ok(update_terms::is_meant(name, &articles, &id(update)))
    }
}

fn id(update: &IUpdate) -> String {
    // SAFETY: as above.
    unsafe { update.Identity().and_then(|identity| identity.UpdateID()) }.map(|id| id.to_string()).unwrap_or_default()
}

fn title(update: &IUpdate) -> String {
    // SAFETY: as above.
    unsafe { update.Title() }.map(|title| title.to_string()).unwrap_or_default()
}

/// An answer of yes or no; what is not answered is no.
fn yes(answer: Result<VARIANT_BOOL>) -> bool {
    answer.is_ok_and(VARIANT_BOOL::as_bool)
}

/// The update that can be installed; the error says why there is none.
fn the_one(found: Found) -> std::result::Result<IUpdate, UpdateTry> {
    // SAFETY: the updates live as long as this function, here and below.
    let (installed, offered): (Vec<IUpdate>, Vec<IUpdate>) = found.updates.into_iter().partition(|update| yes(unsafe { update.IsInstalled() }));
    // SAFETY: as above.
    let (hidden, shown): (Vec<IUpdate>, Vec<IUpdate>) = offered.into_iter().partition(|update| yes(unsafe { update.IsHidden() }));
    let mut shown = shown.into_iter();
    match (shown.next(), shown.len()) {
        (Some(update), 0) => Ok(update),
        (Some(first), _) => {
            let which = std::iter::once(first).chain(shown).map(|update| format!("{} ({})", title(&update), id(&update))).collect();
            Err(UpdateTry::Several { which })
        }
        (None, _) => Err(match (hidden.first(), installed.first()) {
            (Some(update), _) => UpdateTry::Hidden { title: title(update) },
            (None, Some(update)) => UpdateTry::AlreadyInstalled { title: title(update) },
            (None, None) => UpdateTry::NotOffered { incomplete: found.incomplete },
        }),
    }
}

/// Whether it can be installed now without anybody at the screen.
fn may_install(update: &IUpdate, installer: &IUpdateInstaller, title: &str) -> std::result::Result<(), UpdateTry> {
    // SAFETY: both live as long as this function.
    let (asks, busy, restart) = unsafe {
        let asks = update.InstallationBehavior().and_then(|behaviour| behaviour.CanRequestUserInput());
        (yes(asks), yes(installer.IsBusy()), yes(installer.RebootRequiredBeforeInstallation()))
    };
    match (asks, restart, busy) {
        (true, ..) => Err(UpdateTry::AsksForInput { title: title.to_owned() }),
        (_, true, _) => Err(UpdateTry::RestartFirst),
        (_, _, true) => Err(UpdateTry::Busy),
        _ => Ok(()),
    }
}

/// True when there was a licence to accept. Windows downloads nothing whose licence is open.
fn accept_licence(update: &IUpdate) -> Result<bool> {
    // SAFETY: the update lives as long as this function.
    unsafe {
        if update.EulaAccepted()?.as_bool() {
            return Ok(false);
        }
        update.AcceptEula()?;
    }
    Ok(true)
}

/// A collection of this one update.
fn alone(update: &IUpdate) -> Result<IUpdateCollection> {
    // SAFETY: COM is ready on this thread, and both live as long as this function.
    unsafe {
        let updates: IUpdateCollection = CoCreateInstance(&UpdateCollection, None, CLSCTX_INPROC_SERVER)?;
        updates.Add(update)?;
        Ok(updates)
    }
}

fn download(
    session: &IUpdateSession,
    update: &IUpdate,
    updates: &IUpdateCollection,
    until: Instant,
    title: &str,
    tell: &dyn Fn(String),
) -> std::result::Result<(), Stop> {
    // SAFETY: everything lives as long as this function, here and below; the agent keeps its own hold of the callbacks.
    if yes(unsafe { update.IsDownloaded() }) {
        return Ok(());
    }
    tell(format!("Windows Update downloads {title}"));
    let (send, percents) = mpsc::channel();
    let (tells, ends) = progress::of_download(send);
    // SAFETY: as above.
    let (downloader, job) = unsafe {
        let downloader = session.CreateUpdateDownloader()?;
        downloader.SetUpdates(updates)?;
        let job = downloader.BeginDownload(&tells, &ends, &VARIANT::default())?;
        (downloader, job)
    };
    job::wait(&job, until, &percents, &|percent| tell(format!("{title}: {percent} % downloaded")))?;
    // SAFETY: as above; the job is complete.
    let result = unsafe { downloader.EndDownload(&job) };
    job.clean_up();
    let result = result?;
    // SAFETY: as above; there is one update.
    let (code, own) = unsafe { (result.ResultCode()?.0, result.GetUpdateResult(0).and_then(|own| own.HResult())) };
    // SAFETY: as above.
    judge(code, own, unsafe { result.HResult() }).map(|_| ()).map_err(Stop::Code)
}

/// What an installation came to.
struct Installed {
    restart: bool,
    errors: Option<u32>,
}

fn run_installer(
    installer: &IUpdateInstaller,
    updates: &IUpdateCollection,
    until: Instant,
    title: &str,
    tell: &dyn Fn(String),
) -> std::result::Result<Installed, Stop> {
    tell(format!("Windows Update installs {title}"));
    let (send, percents) = mpsc::channel();
    let (tells, ends) = progress::of_installation(send);
    // SAFETY: everything lives as long as this function, here and below; the agent keeps its own hold of the callbacks.
    let job = unsafe {
        installer.SetAllowSourcePrompts(VARIANT_FALSE)?;
        if let Ok(second) = installer.cast::<IUpdateInstaller2>() {
            second.SetForceQuiet(VARIANT_TRUE)?;
        }
        installer.SetUpdates(updates)?;
        installer.BeginInstall(&tells, &ends, &VARIANT::default())?
    };
    job::wait(&job, until, &percents, &|percent| tell(format!("{title}: {percent} % installed")))?;
    // SAFETY: as above; the job is complete.
    let result = unsafe { installer.EndInstall(&job) };
    job.clean_up();
    let result = result?;
    // SAFETY: as above; there is one update.
    let own = unsafe { result.GetUpdateResult(0) };
    // SAFETY: as above.
    let (code, whole) = unsafe { (result.ResultCode()?.0, result.HResult()) };
    // SAFETY: as above.
    let errors = judge(code, own.as_ref().map_err(Clone::clone).and_then(|own| unsafe { own.HResult() }), whole)?;
    // SAFETY: as above.
    let restart = unsafe { yes(result.RebootRequired()) || own.is_ok_and(|own| yes(own.RebootRequired())) };
    Ok(Installed { restart, errors })
}

/// A result as success, with the code of what failed all the same, or as an error. The code of the update itself says more than the one of the
/// whole.
fn judge(result: i32, own: Result<i32>, whole: Result<i32>) -> Result<Option<u32>> {
    let code = own.ok().filter(|code| *code != 0).or(whole.ok()).unwrap_or_default();
    match UpdateResult::of(result) {
        UpdateResult::Succeeded => Ok(None),
        UpdateResult::SucceededWithErrors => Ok(Some(code.cast_unsigned())),
        // Windows calls it failed; a code of success would say otherwise.
        _ if code >= 0 => Err(windows::Win32::Foundation::E_FAIL.into()),
        _ => Err(windows::core::Error::from_hresult(HRESULT(code))),
    }
}

/// Whether a search of now finds it installed; `None` when that cannot be asked.
fn look(searcher: &IUpdateSearcher, update: &IUpdate, tell: &dyn Fn(String)) -> Option<bool> {
    let own = id(update);
    let criteria = update_terms::installed_search(&own)?;
    tell("Windows Update is asked whether it is installed now".into());
    let result = run_search(searcher, &criteria, Instant::now() + LAST_LOOK).ok()?;
    // SAFETY: the result lives as long as this function, here and below.
    let updates = unsafe { result.Updates() }.ok()?;
    // SAFETY: as above.
    let count = unsafe { updates.Count() }.ok()?;
    let there = (0..count).any(|at| {
        // SAFETY: the place is one of the collection.
        unsafe { updates.get_Item(at) }.is_ok_and(|found| id(&found).eq_ignore_ascii_case(&own) && yes(unsafe { found.IsInstalled() }))
    });
    Some(there)
}
