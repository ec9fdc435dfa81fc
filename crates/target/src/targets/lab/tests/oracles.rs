//! The hives made here, read by two other programs: hivex and regipy.

use super::*;
use std::fmt::Write;
use std::process::Command;

const MACHINES: [&str; 6] = ["healthy-7", "healthy-10-1709", "healthy-10-22h2", "healthy-11-24h2", "blocker-script-10", "medic-group-missing-11"];

/// Says why a test is not run; fails where all oracles must be there.
fn skip(why: &str) {
    assert!(std::env::var_os("HRESOLVE_REQUIRE_ORACLES").is_none_or(|value| value != "1"), "an oracle is missing: {why}");
    let mut says = std::io::stderr();
    let _ = std::io::Write::write_all(&mut says, format!("skipped: {why}\n").as_bytes());
}

/// Key path (lower case) to value name (lower case) to type and data.
type Plain = BTreeMap<String, BTreeMap<String, (u32, Vec<u8>)>>;

fn plain(keys: &hives::Keys) -> Plain {
    let mut out = Plain::new();
    for key in keys.0.values() {
        // Keys above one that is named exist although no line names them.
        let parts: Vec<&str> = key.path.split('\\').collect();
        for count in 0..=parts.len() {
            out.entry(parts[..count].join("\\").to_lowercase()).or_default();
        }
        let values = out.get_mut(&key.path.to_lowercase()).unwrap();
        values.extend(key.values.iter().map(|value| (value.name.to_lowercase(), (value.kind, value.data.clone()))));
    }
    out
}

fn parsed(text: &str) -> Plain {
    let texts = MachineTexts::default();
    plain(&hives::keys("EXPORT", &[(&texts, text)]).unwrap())
}

#[test]
fn hivex_reads_what_the_texts_say() {
    if Command::new("hivexregedit").arg("--help").output().is_err() {
        return skip("hivexregedit is not installed");
    }
    for name in MACHINES {
        let info = machines().into_iter().find(|machine| machine.name == name).unwrap();
        let (_keep, folder) = built(name);
        for hive in ["SYSTEM", "SOFTWARE", "DEFAULT", "SAM", "SECURITY", "COMPONENTS"] {
            let file = folder.join(hives::path_of(hive));
            let output = Command::new("hivexregedit")
                .args(["--export", "--prefix", &format!("HKEY_LOCAL_MACHINE\\{hive}")])
                .arg(&file)
                .arg("\\")
                .output()
                .unwrap();
            assert!(output.status.success(), "{name} {hive}: {}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(parsed(&String::from_utf8(output.stdout).unwrap()), plain(&keys(&info, hive)), "{name} {hive}");
        }
    }
}

/// Prints key, value, type and data of every value of a hive, one a line, as hexadecimal where a text could hold a tab.
const REGIPY: &str = r"
import sys
from regipy.registry import RegistryHive
hive = RegistryHive(sys.argv[1])
def show(key, path):
    print('K\t' + path.lower())
    for value in key.iter_values():
        data = value.value
        if value.value_type in ('REG_SZ', 'REG_EXPAND_SZ'):
            says = data
        elif value.value_type == 'REG_MULTI_SZ':
            says = '|'.join(data)
        elif value.value_type == 'REG_DWORD':
            says = str(data)
        else:
            says = 'other'
        name = '' if value.name == '(default)' else value.name
        print('\t'.join(['V', name.lower(), value.value_type, says]))
    for child in key.iter_subkeys() or []:
        show(child, path + '\\' + child.name if path else child.name)
show(hive.root, '')
";

/// The same lines from the texts.
fn rendered(keys: &Plain) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (path, values) in keys {
        out.insert(format!("{path} K"));
        for (name, (kind, data)) in values {
            let units: Vec<u16> = data.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])).collect();
            let text = String::from_utf16_lossy(&units);
            let (kind, says) = match kind {
                1 => ("REG_SZ", text.trim_end_matches('\0').to_string()),
                2 => ("REG_EXPAND_SZ", text.trim_end_matches('\0').to_string()),
                4 => ("REG_DWORD", u32::from_le_bytes(data.as_slice().try_into().unwrap()).to_string()),
                7 => ("REG_MULTI_SZ", text.split('\0').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("|")),
                3 => ("REG_BINARY", "other".to_string()),
                11 => ("REG_QWORD", "other".to_string()),
                _ => ("other", "other".to_string()),
            };
            let mut line = String::new();
            write!(line, "{path} V {name} {kind} {says}").unwrap();
            out.insert(line);
        }
    }
    out
}

#[test]
fn regipy_reads_what_the_texts_say() {
    let Some(python) = std::env::var_os("HRESOLVE_ORACLE_PYTHON") else {
        return skip("HRESOLVE_ORACLE_PYTHON names no interpreter with regipy");
    };
    for name in MACHINES {
        let info = machines().into_iter().find(|machine| machine.name == name).unwrap();
        let (_keep, folder) = built(name);
        for hive in ["SYSTEM", "SOFTWARE", "DEFAULT"] {
            let output = Command::new(&python).args(["-c", REGIPY]).arg(folder.join(hives::path_of(hive))).output().unwrap();
            assert!(output.status.success(), "{name} {hive}: {}", String::from_utf8_lossy(&output.stderr));
            let mut read = BTreeSet::new();
            let mut path = String::new();
            for line in String::from_utf8(output.stdout).unwrap().lines() {
                match line.split('\t').collect::<Vec<_>>()[..] {
                    ["K", key] => {
                        path = key.to_string();
                        read.insert(format!("{path} K"));
                    }
                    ["V", value, kind, says] => {
                        read.insert(format!("{path} V {value} {kind} {says}"));
                    }
                    _ => unreachable!("{line:?}"),
                }
            }
            let expected = rendered(&plain(&keys(&info, hive)));
            let missing: Vec<_> = expected.difference(&read).take(5).collect();
            let extra: Vec<_> = read.difference(&expected).take(5).collect();
            assert!(missing.is_empty() && extra.is_empty(), "{name} {hive}: missing {missing:#?}, more {extra:#?}");
        }
    }
}
