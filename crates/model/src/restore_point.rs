//! Windows' own restore point, made before steps that ask.

/// What became of the wish for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestorePoint {
    /// There is nothing of the kind here: no Windows runs.
    NotHere,
    /// It was made, and was seen afterwards in Windows' own list.
    Made {
        /// Its number in that list.
        number: u32,
    },
    /// Windows made no new one, because it makes one in 24 hours at most (or as long as is set); this is the newest.
    Recent {
        /// Its number.
        number: u32,
        /// When it was made, as Windows writes it.
        made: String,
    },
    /// There is none.
    Missing {
        /// Why, in a sentence.
        why: String,
    },
}

impl RestorePoint {
    /// In a sentence; `None` where there is nothing to say.
    pub fn says(&self) -> Option<String> {
        match self {
            RestorePoint::NotHere => None,
            RestorePoint::Made { number } => Some(format!("Windows made a restore point before (number {number}).")),
            RestorePoint::Recent { number, made } => {
                Some(format!("Windows makes restore points only so often and made no new one; the newest has the number {number}, of {made}."))
            }
            RestorePoint::Missing { why } => Some(format!("There is no restore point of Windows for this run: {why}.")),
        }
    }
}
