//! Every Windows error code: what it is called, how it is made, what it means, and where it stands in a text.
//!
//! Pure: the tables are built in (`knowledge/codes`), bytes come in and bytes go out. It never reads a file and never says
//! what is wrong with a machine; a code is not a cause.

mod anatomy;
mod annotate;
mod explanation;
mod json;
mod message_files;
mod spelling;
mod table;

pub use anatomy::{Anatomy, Wrapped, facility};
pub use annotate::{annotate, named_in};
pub use explanation::{Explanation, Extend, Named, explain};
pub use json::{Explained, ExplanationJson, LookedJson, WindowsSaysJson};
pub use message_files::{MessageFile, message_files};
pub use spelling::{Asked, read, spellings};
pub use table::{Kind, Known, Meaning, by_name, entries, known, meaning, name_of};
