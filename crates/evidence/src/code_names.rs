//! The name behind each code of a sentence.

/// `0x80070422` becomes `0x80070422 (ERROR_SERVICE_DISABLED)`; everything else stays as it is.
pub(crate) fn named(sentence: &str) -> String {
    let mut out = Vec::new();
    let done = codes::annotate(&mut sentence.as_bytes(), &mut out);
    done.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_else(|| sentence.to_owned())
}

/// A code with its name.
pub(crate) fn code(value: u32) -> String {
    named(&format!("0x{value:08X}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_code_gets_its_name() {
        assert_eq!(super::code(0x8007_0422), "0x80070422 (ERROR_SERVICE_DISABLED)");
        assert_eq!(super::named("nothing (0x8024002E)"), "nothing (0x8024002E (WU_E_WU_DISABLED))");
    }
}
