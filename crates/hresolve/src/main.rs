//! hresolve: the command line.
//!
//! A front end only: it reads words, calls the session, and writes what came back.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a front end reads arguments, the environment and files that the person names"
)]

mod cli;
mod commands;
mod elevation;
mod output;
mod progress;
mod terminal;
mod window;
mod words;

use clap::Parser;
use output::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Started by a double-click; stays until the end, whatever happens before.
    let mut _window = window::Window::of_double_click();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; clap knows the difference.
            if error.use_stderr() && std::env::args().any(|word| word == "--json") {
                output::failure(&Failure::usage(error.to_string().trim().to_owned()), true);
                return ExitCode::from(2);
            }
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if cli.global.own_window && session::host::start_in_own_window(&window::kept_open(std::env::args_os().skip(1))) {
        return ExitCode::SUCCESS;
    }
    if cli.global.keep_window {
        _window = Some(window::Window);
    }
    let json = cli.global.json;
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::failure(&failure, json);
            ExitCode::from(failure.exit)
        }
    }
}

/// A shorthand for what every command gives: an exit code, or a failure with its own.
type Outcome = Result<u8, Failure>;
