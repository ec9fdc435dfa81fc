//! The few scalar lines of `expected.md` that the list of machines needs.
//!
//! The whole front matter is YAML and is parsed by the tests that use it; here only `key: value` lines at the left
//! margin are read, and whatever is not one of them is passed over.

use super::MachineInfo;

/// Name, base, Windows version and state of a machine.
pub(super) fn info(name: &'static str, expected: &'static str) -> MachineInfo {
    let base = scalar(expected, "base").unwrap_or("none");
    MachineInfo {
        name,
        base: (base != "none").then_some(base),
        windows: scalar(expected, "windows").unwrap_or(""),
        sick: scalar(expected, "sick") == Some("true"),
        code: scalar(expected, "code").unwrap_or(""),
    }
}

/// The value of a top-level scalar of the front matter, without quotation marks.
fn scalar(text: &'static str, key: &str) -> Option<&'static str> {
    let mut lines = text.lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    lines
        .take_while(|line| line.trim_end() != "---")
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .map(|value| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scalars_and_passes_over_lists() {
        let text = "---\nmachine: x\nbase: healthy-7\nwindows: \"6.1.7601\"\nsick: true\nexpect:\n  - cause: a\n    code: wrong\ncode: \"0x80070002\"\n---\nbase: not this\n";
        let info = info("x", text);
        assert_eq!(info, MachineInfo { name: "x", base: Some("healthy-7"), windows: "6.1.7601", sick: true, code: "0x80070002" });
    }

    #[test]
    fn a_text_without_front_matter_is_a_healthy_machine_without_base() {
        let info = info("x", "base: healthy-7\n");
        assert_eq!((info.base, info.sick, info.windows), (None, false, ""));
    }
}
