//! What can be said about one code: all its names with the likeliest first, how it is made, what it means.

use crate::table::{self, Known, Meaning};
use crate::{Anatomy, Asked, Kind, Wrapped};

/// A name with the reason for its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The entry of the table.
    pub known: Known,
    /// Why it is meant, or why it is less likely.
    pub why: String,
}

/// The second half of a setup error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extend {
    /// The number, for example 0x2000C.
    pub value: u32,
    /// The phase: its name and what it is.
    pub phase: Option<(&'static str, &'static str)>,
    /// The operation: its name and what it is.
    pub operation: Option<(&'static str, &'static str)>,
}

/// One code explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The number.
    pub value: u32,
    /// The parts of the number. Small numbers of other lists (a stop code, a device's problem) have parts that say nothing.
    pub anatomy: Anatomy,
    /// Every name, the likeliest first. Empty: it has no public name.
    pub names: Vec<Named>,
    /// What the likeliest name with a meaning means.
    pub meaning: Option<Meaning>,
    /// The setup phase and operation that were given with it.
    pub extend: Option<Extend>,
    /// For an unknown code: the nearest that are known, of the same facility.
    pub nearest: Vec<Known>,
}

impl Explanation {
    /// True when there is a name or a meaning.
    pub fn is_known(&self) -> bool {
        !self.names.is_empty() || self.meaning.is_some()
    }
}

/// Explains a code.
pub fn explain(asked: &Asked) -> Explanation {
    let mut names = candidates(asked);
    names.sort_by_key(|(rank, _)| *rank);
    let names: Vec<Named> = names.into_iter().map(|(_, named)| named).collect();
    Explanation {
        value: asked.value,
        anatomy: Anatomy::of(asked.value),
        meaning: meaning(&names, asked.value),
        nearest: if names.is_empty() && meaning(&names, asked.value).is_none() { table::neighbours(asked.value, 3) } else { Vec::new() },
        names,
        extend: asked.extend.map(extend),
    }
}

/// The meaning that goes with the likeliest name: its own, or that of the same code in its other form (an HRESULT and what it
/// wraps). Never that of another thing with the same number.
fn meaning(names: &[Named], value: u32) -> Option<Meaning> {
    // A few codes have no public name, but it is known what they mean.
    let Some(Named { known: first, .. }) = names.first() else { return table::meaning(value, Kind::Hresult) };
    let own = table::meaning(first.value, first.kind);
    own.or_else(|| Wrapped::of(value).and_then(|wrapped| table::meaning(wrapped.value, wrapped.kind))).or_else(|| match first.kind {
        Kind::Win32 | Kind::NtStatus => table::meaning(value, Kind::Hresult),
        _ => None,
    })
}

/// Smaller is likelier. Same rank: the order of the table stays.
type Rank = u8;

fn candidates(asked: &Asked) -> Vec<(Rank, Named)> {
    let own = table::known(asked.value).filter(|known| !matches!(known.kind, Kind::Phase | Kind::Operation)).map(|known| {
        let (rank, why) = rank(&known, asked);
        (rank, Named { known, why })
    });
    let wrapped = Wrapped::of(asked.value).into_iter().flat_map(|wrapped| {
        table::known(wrapped.value).filter(move |known| known.kind == wrapped.kind).map(move |known| {
            let why = match wrapped.kind {
                Kind::Win32 => format!("an HRESULT that wraps the Win32 error {}", wrapped.value),
                _ => format!("an HRESULT that wraps the NTSTATUS 0x{:08X}", wrapped.value),
            };
            (1, Named { known, why })
        })
    });
    own.chain(wrapped).collect()
}

fn rank(known: &Known, asked: &Asked) -> (Rank, String) {
    match asked.name {
        Some(name) if name == known.name => return (0, "as it was asked for".into()),
        None if asked.kind == Some(known.kind) => return (0, "as it was asked for".into()),
        _ => {}
    }
    let small = asked.value < 0x1_0000;
    match known.kind {
        Kind::Hresult if Wrapped::of(asked.value).is_some() => (2, "also the name of the HRESULT as it stands".into()),
        Kind::Hresult => (if small { 6 } else { 1 }, "the HRESULT as it stands".into()),
        Kind::Win32 if small => (2, "a Win32 number without its HRESULT wrap".into()),
        Kind::Win32 => (3, "a Win32 number of that value".into()),
        // Status codes begin with C (errors), 8 (warnings) or 4; HRESULTs of the same value are rarer in logs when both exist.
        Kind::NtStatus => (if small { 5 } else { 2 }, "a status of the Windows kernel (NTSTATUS)".into()),
        Kind::Esent => (2, format!("an error of the ESE database engine, which writes it as {}", asked.value.cast_signed())),
        Kind::BugCheck => (if asked.hexadecimal { 3 } else { 4 }, "as the stop code of a blue screen".into()),
        Kind::Problem => (if asked.hexadecimal { 4 } else { 3 }, format!("as the problem code of a device (Code {})", asked.value)),
        Kind::Phase | Kind::Operation => (9, String::new()),
    }
}

fn extend(value: u32) -> Extend {
    let part = |number: u32, kind: Kind| {
        let name = table::known(number).find(|known| known.kind == kind).map(|known| known.name)?;
        Some((name, table::meaning(number, kind).map_or("", |meaning| meaning.says)))
    };
    Extend { value, phase: part(value >> 16, Kind::Phase), operation: part(value & 0xFFFF, Kind::Operation) }
}

#[cfg(test)]
mod tests {
    use super::explain;
    use crate::{Asked, Kind, read};

    fn first(text: &str) -> Option<&'static str> {
        explain(read(text).first()?).names.first().map(|named| named.known.name)
    }

    #[test]
    fn the_likeliest_name_comes_first() {
        assert_eq!(first("0x80070002"), Some("ERROR_FILE_NOT_FOUND"));
        assert_eq!(first("2"), Some("ERROR_FILE_NOT_FOUND"));
        assert_eq!(first("0xC0000034"), Some("STATUS_OBJECT_NAME_NOT_FOUND"));
        assert_eq!(first("Code 39"), Some("CM_PROB_DRIVER_FAILED_LOAD"));
        assert_eq!(first("0x800F0922"), Some("CBS_E_INSTALLERS_FAILED"));
        assert_eq!(first("E_ACCESSDENIED"), Some("E_ACCESSDENIED"));
        assert_eq!(first("0xA00F4292"), Some("PhotoCaptureStartTimeout"));
        assert_eq!(first("-1018"), Some("JET_errReadVerifyFailure"));
    }

    #[test]
    fn an_unknown_code_names_its_neighbours() {
        let unknown = explain(&Asked::plain(0x8024_7FFE));
        assert!(unknown.names.is_empty() && unknown.meaning.is_none());
        assert!(!unknown.nearest.is_empty() && unknown.nearest.iter().all(|known| known.value >> 16 == 0x8024));
        assert!(explain(&Asked::plain(0x8ABC_1234)).nearest.is_empty());
    }

    #[test]
    fn setup_errors_name_phase_and_operation() {
        let asked = read("0x8007000D-0x2000C");
        let extend = asked.first().map(explain).and_then(|explanation| explanation.extend);
        assert!(extend.is_some_and(|extend| extend.phase.is_some() && extend.operation.is_some()));
        assert!(crate::known(2).any(|known| known.kind == Kind::Phase));
    }
}
