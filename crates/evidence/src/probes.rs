//! The alphabetical list that declares and registers every probe.

use crate::Probe;

macro_rules! probes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every probe, in alphabetical order.
        pub const ALL: &[Probe] = &[$(Probe { name: stringify!($name), facts: $name::FACTS, run: $name::run }),*];
    };
}

probes!(
    clock,
    connections,
    databases,
    defender_programs,
    delivery_cache,
    driver_logs,
    environment,
    event_channels,
    events,
    failed_codes,
    firewall_rules,
    folders,
    hosts_file,
    installer_packages,
    launch_blocks,
    log_errors,
    machine,
    missing_services,
    needed_folders,
    pending,
    policies,
    profile_values,
    proxies,
    recovery_updates,
    room_on_drive,
    services,
    servicing_stack,
    setup_logs,
    signature_support,
    taken_files,
    tls_settings,
    update_history,
    update_logs,
    update_parts,
    update_servers,
    updates,
    upgrade_offer,
    user_folders,
);

/// By what the update of a failure can be asked for; `None` when it names none.
pub(crate) fn update_of(failure: &model::Failure, history: &[model::UpdateRecord]) -> Option<model::UpdateName> {
    update_history::name_of(failure, history)
}

/// Adds to the facts which time zone the person named.
pub fn choose_time_zone(facts: &mut model::Facts, zone: &str) {
    clock::choose_zone(facts, zone);
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "compares the list with the folder")]
mod tests {
    #[test]
    fn the_list_names_every_file_in_order() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probes");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().replace(".rs", "")).collect();
        files.sort();
        let names: Vec<&str> = super::ALL.iter().map(|probe| probe.name).collect();
        assert_eq!(files, names);
    }

    #[test]
    fn fact_names_begin_with_their_subject_and_are_unique() {
        let mut names: Vec<&str> = crate::declarations().iter().map(|d| d.name).collect();
        assert!(names.iter().all(|name| name.contains('.')));
        let count = names.len();
        names.dedup();
        assert_eq!(count, names.len());
    }
}
