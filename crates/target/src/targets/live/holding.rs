//! Keeping services away from a folder while it gets another name.
//!
//! A service that works in a folder keeps Windows from renaming it, and one that is only stopped may be started again at any moment.
//! So each is disabled first, then stopped, and afterwards gets its start type back and runs again when it ran before.

use super::services;
use super::system::LiveTarget;
use crate::TargetError;
use crate::observe::is_within;
use crate::target::Target;
use model::{Change, HeldService, RegistryData, VolumePath};
use std::path::PathBuf;

/// Folders below the Windows folder, and the services that work in them. Sources: Microsoft's "Additional resources for Windows Update" (which
/// stops these before it renames the two folders), and the folder that Delivery Optimization keeps in SoftwareDistribution.
const WORK_IN: &[(&str, &[&str])] =
    &[("SoftwareDistribution", &["wuauserv", "BITS", "UsoSvc", "DoSvc"]), ("System32\\catroot2", &["CryptSvc", "wuauserv", "BITS"])];
/// `SERVICE_DISABLED`
const DISABLED: u32 = 4;

/// The services that would keep these changes from being made, as they are now; in the order in which they can be stopped.
pub(super) fn in_the_way(target: &LiveTarget, changes: &[Change]) -> Result<Vec<HeldService>, TargetError> {
    let mut names: Vec<String> = Vec::new();
    for change in changes {
        let Change::Rename { from, to, .. } = change else { continue };
        for (folder, services) in WORK_IN {
            let folder = target.windows_folder().join(folder);
            let touches = |path: &VolumePath| is_within(path, &folder) || is_within(&folder, path);
            if touches(from) || touches(to) {
                names.extend(services.iter().map(|name| (*name).to_owned()));
            }
        }
    }
    let mut held: Vec<HeldService> = Vec::new();
    for name in names {
        let failed = |source| TargetError::Io { doing: "ask the service manager about", path: PathBuf::from(&name), source };
        for name in services::running_dependents(&name).map_err(failed)?.into_iter().chain([name.clone()]) {
            if held.iter().any(|one| crate::names_equal(&one.name, &name)) {
                continue;
            }
            let Some(runs) = services::runs(&name).map_err(failed)? else { continue };
            let Some(start) = start_of(target, &name) else { continue };
            held.push(HeldService { key: key_of(target, &name), name, start, runs });
        }
    }
    Ok(held)
}

/// Disables each, then stops those that run. When one refuses, the caller lets all go again.
pub(super) fn hold(target: &mut LiveTarget, held: &[HeldService]) -> Result<(), TargetError> {
    for service in held.iter().filter(|service| service.start != DISABLED) {
        target
            .through_manager(&service.key, "Start", || services::set_start(&service.name, DISABLED).map(|_| ()))
            .map_err(failed("disable for a moment the service", service))?;
    }
    held.iter().filter(|service| service.runs).try_for_each(|service| services::stop(&service.name).map_err(failed("stop the service", service)))
}

/// Gives each its start type back and has those run again that ran, the last that was stopped first. All are tried, whatever happens to one.
pub(super) fn let_go(target: &mut LiveTarget, held: &[HeldService]) -> Result<(), TargetError> {
    let mut first_failure = Ok(());
    for service in held.iter().rev() {
        let mut done = put_start_back(target, service);
        if done.is_ok() && service.runs {
            done = services::start(&service.name).map_err(failed("start again the service", service));
        }
        first_failure = first_failure.and(done);
    }
    first_failure
}

/// The start type goes back through the manager, and is read back as it was stored. One that somebody else has changed meanwhile stays.
fn put_start_back(target: &LiveTarget, service: &HeldService) -> Result<(), TargetError> {
    if start_of(target, &service.name) != Some(DISABLED) || !(2..DISABLED).contains(&service.start) {
        return Ok(());
    }
    target
        .through_manager(&service.key, "Start", || services::set_start(&service.name, service.start).map(|_| ()))
        .map_err(failed("give its start type back to the service", service))?;
    if start_of(target, &service.name) != Some(service.start) {
        // The manager took it and the registry does not show it, so it is written there.
        let (_, path) = target.registry_path(&key_of(target, &service.name)).map_err(|why| TargetError::Refused { why })?;
        super::registry::set_value(&path, "Start", &RegistryData::dword(service.start))
            .map_err(failed("give its start type back to the service", service))?;
    }
    match start_of(target, &service.name) {
        Some(now) if now == service.start => Ok(()),
        now => Err(TargetError::Unexpected {
            object: format!("the service {}", service.name),
            found: format!("its start type is {}, not {} as before", now.map_or("unreadable".into(), |now| now.to_string()), service.start),
        }),
    }
}

fn key_of(target: &LiveTarget, service: &str) -> String {
    format!("HKLM\\SYSTEM\\ControlSet{:03}\\Services\\{service}", target.windows.control_set)
}

fn start_of(target: &LiveTarget, service: &str) -> Option<u32> {
    target.value(&key_of(target, service), "Start").into_known().and_then(|data| data.as_dword())
}

fn failed<'a>(doing: &'static str, service: &'a HeldService) -> impl Fn(std::io::Error) -> TargetError + 'a {
    move |source| TargetError::Io { doing, path: PathBuf::from(&service.name), source }
}
