//! A service that is kept from running while a folder in which it works gets another name.

use serde::{Deserialize, Serialize};

/// How a service was before it was kept from running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldService {
    /// Its name, as in the registry.
    pub name: String,
    /// Its key, with the control set's number.
    pub key: String,
    /// Its start type as stored (2 automatic, 3 by hand, 4 disabled).
    pub start: u32,
    /// Whether it ran.
    pub runs: bool,
}
