//! The version resource of a program file (`VS_VERSIONINFO`), as Explorer shows it under "Details".

/// A four-part file version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileVersion(pub(super) [u16; 4]);

impl FileVersion {
    /// Reads `10.0.19041.3570`; missing parts are 0.
    pub(super) fn parse(text: &str) -> Result<FileVersion, String> {
        let mut parts = [0_u16; 4];
        let mut given = text.split('.');
        for part in &mut parts {
            let Some(text) = given.next() else { break };
            *part = text.parse().map_err(|_| format!("{text:?} is not a part of a file version"))?;
        }
        match given.next() {
            None => Ok(FileVersion(parts)),
            Some(more) => Err(format!("{more:?} is a fifth part; a file version has four")),
        }
    }

    fn text(self) -> String {
        self.0.map(|part| part.to_string()).join(".")
    }
}

/// The resource's bytes.
pub(super) fn resource(file_name: &str, version: FileVersion) -> Vec<u8> {
    let [a, b, c, d] = version.0;
    let high = u32::from(a) << 16 | u32::from(b);
    let low = u32::from(c) << 16 | u32::from(d);
    let kind: u32 = if file_name.to_lowercase().ends_with(".exe") { 1 } else { 2 };
    // VS_FIXEDFILEINFO: signature, structure version, file and product version, flag mask, flags, VOS_NT_WINDOWS32.
    let fixed = [0xFEEF_04BD_u32, 0x0001_0000, high, low, high, low, 0x3F, 0, 0x0004_0004, kind, 0, 0, 0];
    let fixed: Vec<u8> = fixed.into_iter().flat_map(u32::to_le_bytes).collect();
    let strings: Vec<Vec<u8>> = [
        ("CompanyName", "Microsoft Corporation"),
        ("FileVersion", &version.text()),
        ("InternalName", file_name),
        ("OriginalFilename", file_name),
        ("ProductName", "Practice machine of hresolve: not a Microsoft file"),
        ("ProductVersion", &version.text()),
    ]
    .iter()
    .map(|(key, text)| block(key, Value::Text(text), &[]))
    .collect();
    let table = block("040904B0", Value::None, &strings);
    let string_info = block("StringFileInfo", Value::None, &[table]);
    let translation = block("Translation", Value::Binary(&[0x09, 0x04, 0xB0, 0x04]), &[]);
    let var_info = block("VarFileInfo", Value::None, &[translation]);
    block("VS_VERSION_INFO", Value::Binary(&fixed), &[string_info, var_info])
}

enum Value<'a> {
    None,
    Text(&'a str),
    Binary(&'a [u8]),
}

/// One nested block: total length, value length, kind, key, value and children, each on a 4-byte boundary.
fn block(key: &str, value: Value<'_>, children: &[Vec<u8>]) -> Vec<u8> {
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().chain(std::iter::once(0)).flat_map(u16::to_le_bytes).collect() };
    let (bytes, length, is_text) = match value {
        Value::None => (Vec::new(), 0, true),
        // A text's length is counted in characters, the closing NUL included.
        Value::Text(text) => (utf16(text), text.encode_utf16().count().saturating_add(1), true),
        Value::Binary(bytes) => (bytes.to_vec(), bytes.len(), false),
    };
    let mut body = utf16(key);
    // The six bytes of lengths and kind stand before the body, so alignment is counted from there.
    let align = |body: &mut Vec<u8>| body.resize(body.len().saturating_add(6).next_multiple_of(4).saturating_sub(6), 0);
    align(&mut body);
    body.extend(bytes);
    for child in children {
        align(&mut body);
        body.extend(child);
    }
    let total = u16::try_from(body.len().saturating_add(6)).unwrap_or(u16::MAX);
    let mut out = total.to_le_bytes().to_vec();
    out.extend(u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(u16::from(is_text).to_le_bytes());
    out.extend(body);
    out
}
