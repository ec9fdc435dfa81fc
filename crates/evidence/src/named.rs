//! What an error line of a log names: rules that recognise the object in the words of the line, each with an id that guides ask
//! for, and what stands in that place now. Nothing here judges; a line that no rule knows names nothing.

pub(crate) mod drivers;
pub(crate) mod look_up;
pub(crate) mod setup;
