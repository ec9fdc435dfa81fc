//! Thousands of random operations: what comes out is what a plain model says, and what other people's libraries read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use hive::{CleanHive, MinorVersion, Recovered, recover, upcase};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::raw::NOW;
use crate::{dump, oracle, places};

/// A key as a plain model: no cells, no offsets.
#[derive(Debug, Clone, Default)]
struct Node {
    name: String,
    subkeys: BTreeMap<Vec<u16>, Node>,
    values: Vec<(String, u32, Vec<u8>)>,
}

fn upcased(name: &str) -> Vec<u16> {
    name.encode_utf16().map(upcase).collect()
}

impl Node {
    fn of(hive: &CleanHive) -> Self {
        fn read(key: &hive::Key<'_>) -> Node {
            let values = key.values().map(|value| value.unwrap());
            let values = values.map(|value| (value.name(), value.data_type(), value.data().unwrap().into_owned())).collect();
            let subkeys = key.subkeys().map(|key| key.unwrap());
            let subkeys = subkeys.map(|key| (key.name_units().map(upcase).collect(), read(&key))).collect();
            Node { name: key.name(), subkeys, values }
        }
        read(&hive.hive().root().unwrap())
    }

    fn make(&mut self, path: &str) -> &mut Node {
        let mut node = self;
        for part in path.split('\\') {
            node = node.subkeys.entry(upcased(part)).or_insert_with(|| Node { name: part.to_owned(), ..Node::default() });
        }
        node
    }

    fn find(&mut self, path: &str) -> Option<&mut Node> {
        path.split('\\').try_fold(self, |node, part| node.subkeys.get_mut(&upcased(part)))
    }

    fn set(&mut self, name: &str, kind: u32, data: &[u8]) {
        match self.values.iter_mut().find(|value| upcased(&value.0) == upcased(name)) {
            Some(value) => (value.1, value.2) = (kind, data.to_vec()),
            None => self.values.push((name.to_owned(), kind, data.to_vec())),
        }
    }

    fn dump(&self, depth: usize, text: &mut String) {
        writeln!(text, "K {depth} {}", if depth == 0 { String::new() } else { dump::hex(self.name.as_bytes()) }).unwrap();
        for (name, kind, data) in &self.values {
            writeln!(text, "V {} {kind} {}", dump::hex(name.as_bytes()), dump::hex(data)).unwrap();
        }
        for node in self.subkeys.values() {
            node.dump(depth + 1, text);
        }
    }
}

#[derive(Debug, Clone)]
enum Operation {
    Create(String),
    Set(String, String, u32, Data),
    DeleteValue(String, String),
    DeleteKey(String),
    /// Many subkeys at once; a stride makes the order of creation odd.
    CreateMany(String, usize),
    DeleteMany(String, usize),
}

/// Data by length and first byte, so that a failure can be printed.
#[derive(Debug, Clone, Copy)]
struct Data(usize, u8);

impl Data {
    fn bytes(self) -> Vec<u8> {
        (0..self.0).map(|index| self.1.wrapping_add((index * 31 + index / 256) as u8)).collect()
    }
}

fn names() -> impl Strategy<Value = String> {
    // Few enough that they meet again, in other spellings too.
    let common =
        ["A", "a", "b", "_x", "Services", "SERVICES", "Straße", "STRASSE", "Ÿ", "ÿ", "Ωmega", "ωMEGA", "日本", "𐐀 astral", "µ", "{4D36E972-E325}"];
    prop_oneof![
        12 => proptest::sample::select(common.to_vec()).prop_map(str::to_owned),
        2 => "[ -\\[\\]-~]{1,40}",
        1 => "[À-ɏА-я]{1,12}",
        1 => (200_usize..=255).prop_map(|length| "n".repeat(length)),
    ]
}

fn paths() -> impl Strategy<Value = String> {
    proptest::collection::vec(names(), 1..4).prop_map(|parts| parts.join("\\"))
}

fn value_names() -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(String::new()), 6 => names()]
}

fn data() -> impl Strategy<Value = Data> {
    let length = prop_oneof![
        4 => 0_usize..10,
        4 => 0_usize..300,
        1 => 16_340_usize..16_350,
        1 => 16_000_usize..70_000,
    ];
    (length, any::<u8>()).prop_map(|(length, first)| Data(length, first))
}

fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => paths().prop_map(Operation::Create),
        12 => (paths(), value_names(), 0_u32..13, data()).prop_map(|(path, name, kind, data)| Operation::Set(path, name, kind, data)),
        4 => (paths(), value_names()).prop_map(|(path, name)| Operation::DeleteValue(path, name)),
        4 => paths().prop_map(Operation::DeleteKey),
        1 => (names(), prop_oneof![3 => 1_usize..60, 1 => 990_usize..1300]).prop_map(|(path, count)| Operation::CreateMany(path, count)),
        1 => (names(), 1_usize..700).prop_map(|(path, count)| Operation::DeleteMany(path, count)),
    ]
}

fn member(path: &str, index: usize, count: usize) -> String {
    format!("{path}\\Member {}", (index * 619) % count)
}

fn carry_out(operation: &Operation, edit: &mut hive::Edit<'_>, model: &mut Node) {
    match operation {
        Operation::Create(path) => {
            edit.create_key(path);
            model.make(path);
        }
        Operation::Set(path, name, kind, data) => {
            let data = data.bytes();
            edit.create_key(path).set_value(path, name, *kind, &data);
            model.make(path).set(name, *kind, &data);
        }
        Operation::DeleteValue(path, name) => {
            edit.delete_value(path, name);
            if let Some(node) = model.find(path) {
                node.values.retain(|value| upcased(&value.0) != upcased(name));
            }
        }
        Operation::DeleteKey(path) => delete(path, edit, model),
        Operation::CreateMany(path, count) => {
            for index in 0..*count {
                let path = member(path, index, *count);
                edit.create_key(&path);
                model.make(&path);
            }
        }
        Operation::DeleteMany(path, count) => (0..*count).for_each(|index| delete(&member(path, index, 1300), edit, model)),
    }
}

fn delete(path: &str, edit: &mut hive::Edit<'_>, model: &mut Node) {
    edit.delete_key(path);
    let (parent, name) = path.rsplit_once('\\').unwrap_or(("", path));
    let parent = if parent.is_empty() { Some(model) } else { model.find(parent) };
    if let Some(parent) = parent {
        parent.subkeys.remove(&upcased(name));
    }
}

/// One case: a few edits in a row, and after each the model, the check and at the end the other libraries.
fn run(start: &CleanHive, edits: &[Vec<Operation>], libraries: &[&'static str]) -> Result<(), TestCaseError> {
    let mut hive = start.clone();
    let mut model = Node::of(start);
    for operations in edits {
        let mut edit = hive.edit();
        for operation in operations {
            carry_out(operation, &mut edit, &mut model);
        }
        let done = edit.commit(NOW).map_err(|error| TestCaseError::fail(error.to_string()))?;
        hive = done.hive;
        let mut meant = String::new();
        model.dump(0, &mut meant);
        prop_assert!(dump::dump(hive.bytes()) == meant, "the hive is not what the model says");
        let problems = hive.hive().check();
        prop_assert!(problems.is_empty(), "{problems:?}");
    }
    let path = places::scratch(&format!("random-{:?}", std::thread::current().id()));
    fs::write(&path, hive.bytes()).unwrap();
    for library in libraries {
        oracle::compare(library, &path, hive.bytes()).map_err(TestCaseError::fail)?;
    }
    Ok(())
}

fn try_many(start: &CleanHive, cases: u32, libraries: &[&'static str]) {
    let config = Config { cases, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let libraries = oracle::available(libraries);
    let edits = proptest::collection::vec(proptest::collection::vec(operations(), 1..24), 1..4);
    TestRunner::new(config).run(&edits, |edits| run(start, &edits, &libraries)).unwrap();
}

#[test]
fn random_edits_of_new_hives() {
    let empty = CleanHive::create(MinorVersion::V5, "RANDOM", NOW);
    try_many(&empty, 150, &oracle::ALL);
}

#[test]
fn random_edits_of_new_hives_of_old_versions() {
    // dissect.regf takes chains for 1.5 and later only, so 1.4 is not shown to it.
    try_many(&CleanHive::create(MinorVersion::V3, "RANDOM", NOW), 60, &["dissect", "regipy"]);
    try_many(&CleanHive::create(MinorVersion::V4, "RANDOM", NOW), 30, &["hivex", "regipy"]);
}

#[test]
fn random_edits_of_real_hives() {
    let mut files: Vec<_> = ["hivex/special", "yarp/BigDataHive", "yarp/UnicodeHive"].iter().filter_map(|name| places::registry(name)).collect();
    files.extend(places::unpacked("BCD"));
    for path in files {
        let Recovered::Clean(hive) = recover(fs::read(path).unwrap(), &[]).unwrap() else { panic!("not clean") };
        let libraries = if hive.hive().base_block().minor_version == 3 { &["dissect", "regipy"][..] } else { &oracle::ALL };
        try_many(&hive, 25, libraries);
    }
}
