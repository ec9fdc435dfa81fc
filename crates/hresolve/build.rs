//! Gives the Windows program its manifest; for other systems there is nothing to do.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a build script asks the environment and talks to cargo")]

use embed_manifest::manifest::{ActiveCodePage, ExecutionLevel, Setting, SupportedOS};
use embed_manifest::{embed_manifest, empty_manifest};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return Ok(());
    }
    // Nothing else is in it: a library that it named and a rescue system lacks would keep the program from starting there.
    let manifest = empty_manifest()
        // Reading needs no rights of an administrator; a change asks for them when it comes to that.
        .requested_execution_level(ExecutionLevel::AsInvoker)
        .active_code_page(ActiveCodePage::Utf8)
        .long_path_aware(Setting::Enabled)
        // The last is also that of Windows 11.
        .supported_os(SupportedOS::Windows7..=SupportedOS::Windows10);
    Ok(embed_manifest(manifest)?)
}
