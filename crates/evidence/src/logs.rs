//! Log parsers: bytes in, entries and problems out. A bad line costs only itself.

pub mod reporting_events;
