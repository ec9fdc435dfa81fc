//! Healthy machines fit `knowledge/defaults/`: otherwise a machine or a table is wrong.

use super::*;

struct Row<'a> {
    cells: Vec<&'a str>,
}

impl Row<'_> {
    fn list(&self, column: usize) -> Vec<String> {
        self.cells[column].split('|').map(str::to_string).collect()
    }
}

fn rows(text: &str) -> Vec<Row<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| Row { cells: line.split('\t').collect() }).collect()
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().unwrap()).collect()
}

/// Whether a range such as `6.1`, `6.2-6.3`, `10.0.17134-` covers a version with build.
fn covers(range: &str, windows: &str) -> bool {
    let windows = version(windows);
    let (from, to) = range.split_once('-').map_or((range, Some(range)), |(from, to)| (from, (!to.is_empty()).then_some(to)));
    let from = version(from);
    let to = to.map(version);
    windows >= from && to.is_none_or(|to| windows[..to.len()] <= to[..])
}

fn text(data: &[u8]) -> Vec<String> {
    let units: Vec<u16> = data.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap().split('\0').filter(|part| !part.is_empty()).map(str::to_string).collect()
}

struct Machine {
    info: MachineInfo,
    keys: hives::Keys,
}

impl Machine {
    fn values(&self, path: &str) -> Option<&Vec<hives::Value>> {
        self.keys.0.get(&format!("controlset001\\services\\{path}").to_lowercase()).map(|key| &key.values)
    }

    fn value(&self, path: &str, name: &str) -> Option<&hives::Value> {
        self.values(path)?.iter().find(|value| value.name.eq_ignore_ascii_case(name))
    }

    fn string(&self, path: &str, name: &str) -> Option<String> {
        text(&self.value(path, name)?.data).into_iter().next()
    }

    fn number(&self, path: &str, name: &str) -> Option<u32> {
        Some(u32::from_le_bytes(self.value(path, name)?.data.as_slice().try_into().ok()?))
    }
}

/// One spelling of the many of a path or command.
fn plain(path: &str) -> String {
    let path = path.to_lowercase().replace(" -p", "").replace("%systemroot%", "c:\\windows").replace("%programfiles%", "c:\\program files");
    let path = path.strip_prefix("\\systemroot\\").map_or(path.clone(), |rest| format!("c:\\windows\\{rest}"));
    if path.starts_with("system32\\") { format!("c:\\windows\\{path}") } else { path }
}

fn healthy() -> Vec<Machine> {
    machines().into_iter().filter(|info| !info.sick).map(|info| Machine { info, keys: keys(&info, "SYSTEM") }).collect()
}

const SERVICES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../knowledge/defaults/services.tsv"));
const GROUPS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../knowledge/defaults/svchost-groups.tsv"));

#[test]
fn tables_are_well_formed() {
    for row in rows(SERVICES) {
        let name = row.cells[0];
        assert_eq!(row.cells.len(), 11, "{name}");
        assert!(["update", "base", "driver", "related"].contains(&row.cells[2]), "{name}");
        assert!(row.list(3).iter().all(|start| ["0", "1", "2", "2d", "3"].contains(&start.as_str())), "{name}");
        assert!(row.list(4).iter().all(|kind| kind.strip_prefix("0x").is_some_and(|hex| u32::from_str_radix(hex, 16).is_ok())), "{name}");
        assert!(!row.cells[5].contains(" -p") && ["S", "K"].contains(&row.cells[9]), "{name}");
    }
    for row in rows(GROUPS) {
        assert_eq!(row.cells.len(), 5);
    }
}

#[test]
fn at_most_one_row_applies_to_a_service() {
    for windows in [
        "6.1.7601",
        "6.2.9200",
        "6.3.9600",
        "10.0.10240",
        "10.0.14393",
        "10.0.16299",
        "10.0.17763",
        "10.0.19045",
        "10.0.20348",
        "10.0.22631",
        "10.0.26100",
        "10.0.26200",
    ] {
        let mut seen = BTreeSet::new();
        for row in rows(SERVICES).iter().filter(|row| covers(row.cells[1], windows)) {
            assert!(seen.insert(row.cells[0].to_string()), "{} twice for {windows}", row.cells[0]);
        }
        assert!(seen.contains("wuauserv") && seen.contains("RpcSs"), "{windows}");
    }
}

#[test]
fn healthy_machines_have_every_service_as_the_table_says() {
    for machine in healthy() {
        let name = machine.info.name;
        for row in rows(SERVICES).iter().filter(|row| covers(row.cells[1], machine.info.windows)) {
            let service = row.cells[0];
            if machine.values(service).is_none() {
                assert!(["uhssvc", "WfpLwfs"].contains(&service), "{name}: {service} is missing");
                continue;
            }
            let start = machine.number(service, "Start").unwrap();
            let delayed = start == 2 && machine.number(service, "DelayedAutoStart") == Some(1);
            let start = if delayed { "2d".to_string() } else { start.to_string() };
            // Look-alikes have services disabled on purpose without which their updates come.
            let by_choice = match name {
                "healthy-network-status-services-off-10" => ["netprofm", "WinHttpAutoProxySvc"].contains(&service),
                "healthy-app-readiness-off-10" => service == "AppReadiness",
                _ => false,
            };
            assert!(by_choice || row.list(3).contains(&start), "{name}: {service} Start {start}");
            let kind = format!("0x{:x}", machine.number(service, "Type").unwrap());
            assert!(row.list(4).contains(&kind), "{name}: {service} Type {kind}");
            let image = machine.string(service, "ImagePath").unwrap_or("-".into());
            // One look-alike has the image driver of the deployment kit on purpose.
            let of_the_kit = service == "WIMMount" && image.contains("Assessment and Deployment Kit");
            assert!(of_the_kit || row.list(5).iter().any(|good| plain(good) == plain(&image)), "{name}: {service} ImagePath {image}");
            let dll = machine
                .string(&format!("{service}\\Parameters"), "ServiceDll")
                .or_else(|| machine.string(service, "ServiceDll"))
                .unwrap_or("-".into());
            assert!(row.list(6).iter().any(|good| plain(good) == plain(&dll)), "{name}: {service} ServiceDll {dll}");
            let account = machine.string(service, "ObjectName").unwrap_or("-".into());
            assert!(row.list(8).iter().any(|good| good.eq_ignore_ascii_case(&account)), "{name}: {service} ObjectName {account}");
            for needed in machine.value(service, "DependOnService").map(|value| text(&value.data)).unwrap_or_default() {
                assert!(machine.values(&needed).is_some(), "{name}: {service} depends on {needed}, which is missing");
            }
        }
    }
}

#[test]
fn files_of_every_service_are_there() {
    for machine in healthy() {
        let layers = layers(&machine.info);
        let (base, rest) = layers.split_first().unwrap();
        let tree = tree_of(base, rest).unwrap();
        let files: BTreeSet<String> =
            tree.nodes().filter(|(_, node)| matches!(node, tree::Node::File(_))).map(|(path, _)| path.to_lowercase()).collect();
        for row in rows(SERVICES).iter().filter(|row| covers(row.cells[1], machine.info.windows)) {
            let service = row.cells[0];
            let dll = machine.string(&format!("{service}\\Parameters"), "ServiceDll").or_else(|| machine.string(service, "ServiceDll"));
            for path in [machine.string(service, "ImagePath"), dll].into_iter().flatten() {
                let path = plain(path.trim_start_matches("\\??\\"));
                let path = path.split(" -k").next().and_then(|path| path.split(" /").next()).unwrap();
                let path = path.strip_prefix("c:\\").map_or(format!("windows/system32/{path}"), |path| path.replace('\\', "/"));
                assert!(files.contains(&path), "{}: {service} needs {path}", machine.info.name);
            }
        }
    }
}

#[test]
fn groups_of_healthy_machines_list_what_the_table_says() {
    for machine in healthy() {
        let software = keys(&machine.info, "SOFTWARE");
        let groups = &software.0["microsoft\\windows nt\\currentversion\\svchost"].values;
        for row in rows(GROUPS).iter().filter(|row| covers(row.cells[1], machine.info.windows)) {
            for member in row.cells[2].split(',') {
                let Some(image) = machine.string(member, "ImagePath") else { continue };
                if !plain(&image).ends_with(&format!(" -k {}", row.cells[0].to_lowercase())) {
                    continue;
                }
                let group =
                    groups.iter().find(|value| value.name.eq_ignore_ascii_case(row.cells[0])).map(|value| text(&value.data)).unwrap_or_default();
                assert!(group.iter().any(|name| name.eq_ignore_ascii_case(member)), "{}: {} lacks {member}", machine.info.name, row.cells[0]);
            }
        }
    }
}
