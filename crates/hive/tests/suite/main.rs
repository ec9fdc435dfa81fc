//! The tests of the crate from outside: rules, other people's libraries, real hives, damage.
//!
//! Data and libraries that are not there are skipped with a line that says so; `HRESOLVE_REQUIRE_ORACLES=1` makes that fail.
//! * `HRESOLVE_SHARED_DATA`: the folder with `registry/`; default `../shared/data` beside the workspace
//! * `HRESOLVE_ORACLE_PYTHON`: a Python with regipy and dissect.regf; default `python3`
//! * `HRESOLVE_NT_HIVE2`: the folder `tests/data` of the crate `nt_hive2` (GPL, never part of this project)
//! * `HRESOLVE_DISSECT_REGF_DATA`: the folder `tests/_data` of the source package of `dissect.regf`
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test may fail loudly, and these read files and start other people's programs"
)]

mod damage;
mod dump;
mod lists;
mod logs;
mod mutate;
mod oracle;
mod places;
mod random;
mod raw;
mod real;
mod recovery;
mod rules;
mod security;
mod values;
