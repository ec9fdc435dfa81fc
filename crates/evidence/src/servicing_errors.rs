//! Servicing logs to named objects: which object the first error of a failed operation names, and which packages failed.
//!
//! `rules` is the table of lines, `operations` reads the log as a row of operations, `objects` and `refusals` look at the target. The first
//! two never see a target; none of them judges a cause.

pub(crate) mod dism;
mod objects;
mod operations;
mod refusals;
mod remedies;
mod rules;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use objects::look_up;
pub(crate) use operations::{Named, Operations, PackageResult, succeeded, supersedes};
pub(crate) use remedies::remedies;
