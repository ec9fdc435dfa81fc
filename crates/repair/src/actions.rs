//! The alphabetical list that declares and registers every action.

use crate::Action;

pub use windows_operation::operation;

macro_rules! actions {
    ($($module:ident => $name:literal),* $(,)?) => {
        $(mod $module;)*
        /// Every action, in alphabetical order. Names are permanent.
        pub const ALL: &[Action] = &[$(Action {
            name: $name,
            settings: $module::SETTINGS,
            undo: $module::UNDO,
            describe: $module::describe,
            changes: $module::changes,
        }),*];
    };
}

actions!(
    add_to_list => "add-to-list",
    by_hand => "by-hand",
    copy_registry_key => "copy-registry-key",
    create_folder => "create-folder",
    delete_registry_key => "delete-registry-key",
    delete_registry_value => "delete-registry-value",
    in_windows => "in-windows",
    link_from_store => "link-from-store",
    rename_file => "rename-file",
    restart_windows => "restart-windows",
    restore_file => "restore-file",
    restore_folder => "restore-folder",
    set_aside => "set-aside",
    set_clock => "set-clock",
    set_registry_value => "set-registry-value",
    set_time_zone => "set-time-zone",
    windows_operation => "windows-operation",
);

#[cfg(test)]
#[allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "compares the list with the folder")]
mod tests {
    #[test]
    fn the_list_names_every_file_in_order() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/actions");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().replace(".rs", "").replace('_', "-")).collect();
        files.sort();
        let names: Vec<&str> = super::ALL.iter().map(|action| action.name).collect();
        assert_eq!(files, names);
    }

    #[test]
    fn words_are_instructions() {
        for action in super::ALL {
            let settings = action.settings.iter().map(|name| ((*name).to_owned(), "X".to_owned())).collect();
            let words = (action.describe)(&settings);
            assert!(!words.ends_with('.') && !words.contains('!'), "{words}");
            assert!(words.starts_with(char::is_uppercase), "{words}");
        }
    }
}
