//! `--time-zone`: the zone is the person's choice, never inferred; all values of the setting follow from this Windows' own list.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, reason = "tests read files and start the binary")]

mod common;

use common::Machine;
use std::collections::BTreeMap;

const KEY: &str = "ControlSet001\\Control\\TimeZoneInformation";

/// The setting's values: type and bytes by name.
fn setting(machine: &Machine) -> BTreeMap<String, (u32, Vec<u8>)> {
    let bytes = std::fs::read(machine.path().join("Windows/System32/config/SYSTEM")).unwrap();
    let hive = hive::Hive::parse(&bytes).unwrap();
    let key = hive.open(KEY).unwrap().unwrap();
    key.values().map(|value| value.unwrap()).map(|value| (value.name(), (value.data_type(), value.data().unwrap().into_owned()))).collect()
}

fn text(value: &(u32, Vec<u8>)) -> String {
    let units: Vec<u16> = value.1.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap().trim_end_matches('\0').to_owned()
}

#[test]
fn without_a_choice_the_step_waits_and_says_what_to_pass() {
    for name in ["time-zone-of-linux-11", "time-zone-mixed-7"] {
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        let found = machine.run(&["diagnose", "--json"]).json();
        let step = &found["findings"][0]["steps"][0];
        assert_eq!((step["action"].as_str(), step["level"].as_str()), (Some("set-time-zone"), Some("ask")), "{name}");
        assert!(step["says"].as_str().unwrap().contains("--time-zone"), "{step}");
        for words in [&["fix", "--yes", "--json"][..], &["fix", "--json"]] {
            let ran = machine.run(words);
            let step = &ran.json()["steps"][0];
            assert_eq!((ran.exit, step["state"].as_str()), (1, Some("consent-needed")), "{name}\n{}", ran.stdout);
            assert!(step["read_back"].as_str().unwrap().contains("--time-zone"), "{step}");
        }
        assert_eq!(before, machine.fingerprint(), "{name}");
    }
}

#[test]
fn the_named_zone_is_set_whole_and_taken_back() {
    for name in ["time-zone-of-linux-11", "time-zone-mixed-7", "time-zone-half-changed-10", "healthy-no-summer-time-10"] {
        let machine = Machine::build(name);
        let (before, first) = (setting(&machine), machine.fingerprint());
        let zone = "pacific standard time";
        let asked = machine.run(&["fix", "--time-zone", zone, "--json"]);
        assert_eq!((asked.exit, asked.json()["steps"][0]["state"].as_str()), (1, Some("consent-needed")), "naming it is not yet consent: {name}");
        let dry = machine.run(&["fix", "--time-zone", zone, "--dry-run", "--json"]).json();
        assert_eq!(first, machine.fingerprint(), "{name}");
        // Whatever the code: who names a zone means it.
        let ran = machine.run(&["fix", "0x80070002", "--time-zone", zone, "--yes", "--json"]);
        assert_eq!(ran.exit, 0, "{name}\n{}{}", ran.stdout, ran.stderr);
        assert_eq!(dry["steps"][0]["after"], ran.json()["steps"][0]["after"], "{name}");
        let now = setting(&machine);
        let number = |name: &str| i32::from_le_bytes(now[name].1.clone().try_into().unwrap());
        assert_eq!((number("Bias"), number("StandardBias"), number("DaylightBias"), number("DynamicDaylightTimeDisabled")), (480, 0, -60, 0));
        assert_eq!(text(&now["TimeZoneKeyName"]), "Pacific Standard Time");
        // Names as resources where the list has them, as Windows itself stores them.
        let names =
            if name == "time-zone-mixed-7" { ("@tzres.dll,-212", "@tzres.dll,-211") } else { ("Pacific Standard Time", "Pacific Daylight Time") };
        assert_eq!((text(&now["StandardName"]).as_str(), text(&now["DaylightName"]).as_str()), names);
        // The bytes of a published hive with that zone (SYSTEM_2 of regipy).
        assert_eq!(now["StandardStart"], (3, vec![0, 0, 11, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(now["DaylightStart"], (3, vec![0, 0, 3, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(now["ActiveTimeBias"], before["ActiveTimeBias"], "how the computer's own clock was set stays known");
        let again = machine.run(&["fix", "--time-zone", zone, "--yes", "--json"]);
        assert_eq!((again.exit, again.json()["run"].is_null()), (0, true), "{name}\n{}", again.stdout);
        assert_eq!(machine.run(&["diagnose"]).exit, 0, "{name}");
        assert_eq!(machine.run(&["undo"]).exit, 0, "{name}");
        assert_eq!(first, machine.fingerprint(), "{name}");
    }
}

#[test]
fn the_list_is_that_of_the_machine() {
    let machine = Machine::build("healthy-7");
    let before = machine.fingerprint();
    for command in ["fix", "plan"] {
        let json = machine.run(&[command, "--time-zone", "list", "--json"]);
        let zones = json.json()["zones"].as_array().unwrap().clone();
        assert_eq!((json.exit, zones.len()), (0, 15));
        assert!(zones.iter().any(|zone| zone["id"] == "W. Europe Standard Time" && zone["bias"] == -60), "{}", json.stdout);
        let text = machine.run(&[command, "--time-zone", "list"]);
        assert!(text.exit == 0 && text.stdout.lines().count() == 15 && text.stdout.starts_with("   1  Pacific"), "{}", text.stdout);
    }
    assert_eq!(before, machine.fingerprint());
}

#[test]
fn unknown_names_and_nobody_to_ask_are_wrong_usage() {
    let machine = Machine::build("time-zone-of-linux-11");
    let before = machine.fingerprint();
    let target = machine.path().to_str().unwrap();
    for zone in ["Europe/Berlin", "W Europe Standard Time", "..\\Svchost", ""] {
        let ran = common::run(&["fix", target, "--yes", "--time-zone", zone]);
        assert_eq!(ran.exit, 2, "{zone}");
        assert!(!zone.contains("Europe") || ran.stderr.contains("nearest names:\n  W. Europe Standard Time"), "{}", ran.stderr);
    }
    assert_eq!(common::run(&["fix", target, "--yes", "--time-zone"]).exit, 2, "there is no terminal to ask at");
    assert_eq!(before, machine.fingerprint());
}

#[test]
fn a_plan_carries_the_choice() {
    let machine = Machine::build("time-zone-of-linux-11");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let path = file.to_str().unwrap();
    let before = machine.fingerprint();
    assert_eq!(machine.run(&["plan", "--time-zone", "W. Europe Standard Time", "-o", path]).exit, 1);
    assert_eq!(before, machine.fingerprint());
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written.replace("\"time_zone\": \"W. Europe Standard Time\"", "\"time_zone\": \"India Standard Time\"")).unwrap();
    assert_eq!(machine.run(&["fix", "--plan", path, "--yes"]).exit, 5, "another zone is another plan");
    std::fs::write(&file, written).unwrap();
    assert_eq!(machine.run(&["fix", "--plan", path, "--yes"]).exit, 0);
    assert_eq!(text(&setting(&machine)["TimeZoneKeyName"]), "W. Europe Standard Time");
    assert_eq!(machine.run(&["undo"]).exit, 0);
    assert_eq!(before, machine.fingerprint());
}
