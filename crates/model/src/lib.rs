//! The nouns of hresolve: readings, facts, codes, findings, levels, changes, verdicts.
//!
//! Data only: nothing here reads a machine, a clock or an environment, and nothing changes anything.

mod change;
mod collected_events;
mod collection;
mod confidence;
mod diagnosis;
mod error_code;
mod fact;
mod finding;
mod held_service;
mod installation;
mod level;
mod operation;
mod reading;
mod restore_point;
mod text_units;
mod time_zone;
mod timeline;
mod update;
mod utc;
mod volume_path;
mod why_not;
mod windows;

pub use change::{Change, FileOrigin, KeyTree, Observed, RegistryData, registry_type};
pub use collected_events::{CollectedEvent, CollectedEvents, CoveredEvents};
pub use collection::{CollectedEntry, CollectedFile, CollectedKey, CollectedKind, CollectedPart, Collection, LeftOut, Room};
pub use confidence::Confidence;
pub use diagnosis::{Diagnosis, NextCheck, TargetInfo, Timing, Verdict};
pub use error_code::{ErrorCode, codes_in};
pub use fact::{Fact, FactDeclaration, FactKind, Facts, Subject, Value};
pub use finding::{Evidence, Failure, Finding, Here, NotChecked, StepView, UndoKind};
pub use held_service::HeldService;
pub use installation::{Installation, Obstacle};
pub use level::Level;
pub use operation::{GrownLog, Operated, Operation};
pub use reading::Reading;
pub use restore_point::RestorePoint;
pub use text_units::TextUnits;
pub use time_zone::ZoneRules;
pub use timeline::{Clock, SinceUsed, TimelineEntry, TimelineWindow};
pub use update::{UpdateName, UpdateRecord, UpdateResult, UpdateStage, UpdateTry};
pub use utc::{days, span, utc};
pub use volume_path::VolumePath;
pub use why_not::WhyNot;
pub use windows::{TargetKind, VersionRange, WindowsVersion};
