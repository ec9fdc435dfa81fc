//! The program is killed (SIGKILL) or stopped from the keyboard (SIGINT) at random moments of `fix` and `undo`: what comes next always ends
//! "repaired" or "as before".
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stdout, reason = "tests start and kill the binary")]

mod common;

use common::{HRESOLVE, Machine, Ran};
use session::lab;
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Every machine that a fix ends as repaired, from a place in the list that differs in every run.
fn machines(chance: &mut Chance) -> Vec<&'static str> {
    let repaired = |name: &&str| session::Expectation::parse(lab::expected(name).unwrap()).unwrap().fix_exit == 0;
    let mut names: Vec<&str> = lab::machines().iter().filter(|machine| machine.sick).map(|machine| machine.name).filter(repaired).collect();
    let first = chance.below(names.len() as u64) as usize;
    names.rotate_left(first);
    names
}

const FIX: &[&str] = &["fix", "--yes", "--json"];

/// xorshift64*: the moments differ in every run of the test; the seed is printed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 20) % limit.max(1)
    }
}

/// How many kills; `HRESOLVE_KILLS=500` for more.
fn kills() -> u64 {
    std::env::var("HRESOLVE_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(100)
}

/// Starts hresolve and kills it after that time. True when it was still running.
fn killed_after(words: &[&str], machine: &Machine, after: Duration) -> bool {
    ended_after(words, machine, after, |child| drop(child.kill()))
}

/// The same with what Ctrl-C at a terminal sends.
#[cfg(unix)]
fn stopped_after(words: &[&str], machine: &Machine, after: Duration) -> bool {
    ended_after(words, machine, after, |child| drop(Command::new("kill").args(["-INT", &child.id().to_string()]).status()))
}

fn ended_after(words: &[&str], machine: &Machine, after: Duration, end: impl FnOnce(&mut Child)) -> bool {
    let mut child =
        Command::new(HRESOLVE).args(words).arg(machine.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < after {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    end(&mut child);
    // A process that ended by itself in this moment has an exit code; a killed one has none.
    child.wait().unwrap().code().is_none()
}

/// What the killed call left: no run, or one that is interrupted, finished or undone.
fn left(machine: &Machine) -> String {
    let json = machine.run(&["runs", "--json"]).json();
    json["runs"].as_array().unwrap().last().map_or("no run".into(), |run| run["state"].as_str().unwrap().to_owned())
}

/// Exit code and verdict.
type End = (i32, String);

fn end(ran: &Ran) -> End {
    (ran.exit, ran.json()["verdict"].as_str().unwrap_or_default().to_owned())
}

/// An undisturbed fix and undo on this computer.
struct Undisturbed {
    fix: Duration,
    /// How another fix ends when there is nothing left to do: `healthy`, or `undetermined` where an old failure stays on record.
    second_fix: End,
    /// The exit code of `diagnose` after the repair.
    diagnose: i32,
    undo: Duration,
}

impl Undisturbed {
    fn on(name: &str) -> Undisturbed {
        let machine = Machine::build(name);
        let start = Instant::now();
        assert_eq!(end(&machine.run(FIX)), (0, "repaired".into()), "{name}");
        let fix = start.elapsed();
        let second_fix = end(&machine.run(FIX));
        let diagnose = machine.run(&["diagnose"]).exit;
        let start = Instant::now();
        assert_eq!(machine.run(&["undo"]).exit, 0, "{name}");
        Undisturbed { fix, second_fix, diagnose, undo: start.elapsed() }
    }

    /// The next fix repairs, or finds that the killed call had finished its work.
    fn assert_repaired(&self, machine: &Machine, what: &str) {
        let next = machine.run(FIX);
        let repaired = end(&next) == (0, "repaired".into()) || end(&next) == self.second_fix;
        assert!(repaired, "{what}\n{}{}", next.stdout, next.stderr);
        assert_eq!(machine.run(&["diagnose"]).exit, self.diagnose, "{what}");
    }
}

#[test]
fn killed_fix_ends_repaired_or_as_before() {
    let mut chance = Chance(u64::from(session::now().unique) | 1);
    println!("seed {}", chance.0);
    let (mut hit, mut outcomes) = (0, BTreeMap::<String, u32>::new());
    let machines = machines(&mut chance);
    for round in 0..kills() / 2 {
        let name = machines[round as usize % machines.len()];
        let undisturbed = Undisturbed::on(name);
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        let after = Duration::from_micros(chance.below(undisturbed.fix.as_micros() as u64));
        hit += u64::from(killed_after(FIX, &machine, after));
        let left = left(&machine);
        if round % 2 == 0 {
            undisturbed.assert_repaired(&machine, &format!("{name} killed after {after:?}"));
            // Undoing every run, the newest first, gives the machine back.
            while machine.run(&["undo", "--json"]).json()["verdict"] == "undone" {
                let run = machine.run(&["runs", "--json"]).json()["runs"].as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_owned();
                assert_eq!(machine.run(&["forget", "--yes", &run]).exit, 0);
            }
            *outcomes.entry(format!("{left}, next fix: repaired")).or_default() += 1;
        } else {
            let next = machine.run(&["undo", "--json"]);
            // Killed before the first line of its journal was on the disk, there is no run to undo.
            assert!(
                next.exit == 0 || (next.exit == 2 && next.stdout.contains("No run")),
                "{name} killed after {after:?}\n{}{}",
                next.stdout,
                next.stderr
            );
            *outcomes.entry(format!("{left}, next undo: as before")).or_default() += 1;
        }
        assert_eq!(before, machine.fingerprint(), "{name} killed after {after:?} is not as before");
    }
    println!("{hit} of {} kills hit a running fix on {} machines: {outcomes:#?}", kills() / 2, machines.len());
    assert!(hit * 2 > kills() / 2, "only {hit} kills hit");
}

#[test]
fn killed_undo_ends_as_before_or_repaired() {
    let mut chance = Chance(u64::from(session::now().unique) | 1);
    println!("seed {}", chance.0);
    let (mut hit, mut outcomes) = (0, BTreeMap::<String, u32>::new());
    let machines = machines(&mut chance);
    for round in 0..kills() / 2 {
        let name = machines[round as usize % machines.len()];
        let undisturbed = Undisturbed::on(name);
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        assert_eq!(machine.run(&["fix", "--yes"]).exit, 0);
        let after = Duration::from_micros(chance.below(undisturbed.undo.as_micros() as u64));
        hit += u64::from(killed_after(&["undo"], &machine, after));
        let left = left(&machine);
        if round % 2 == 0 {
            let next = machine.run(&["undo", "--json"]);
            assert_eq!(next.exit, 0, "{name} killed after {after:?}\n{}{}", next.stdout, next.stderr);
            assert_eq!(before, machine.fingerprint(), "{name}: undo killed after {after:?}");
            *outcomes.entry(format!("{left}, next undo: as before")).or_default() += 1;
        } else {
            undisturbed.assert_repaired(&machine, &format!("{name}: undo killed after {after:?}"));
            *outcomes.entry(format!("{left}, next fix: repaired")).or_default() += 1;
        }
    }
    println!("{hit} of {} kills hit a running undo on {} machines: {outcomes:#?}", kills() / 2, machines.len());
    assert!(hit * 2 > kills() / 2, "only {hit} kills hit");
}

/// There is no handler: Ctrl-C ends the program at once, and what it leaves is what a kill leaves.
#[test]
#[cfg(unix)]
fn ctrl_c_in_a_fix_ends_it_at_once_and_the_next_call_goes_on() {
    let mut chance = Chance(u64::from(session::now().unique) | 1);
    println!("seed {}", chance.0);
    let machines = machines(&mut chance);
    let (mut hit, mut interrupted, rounds) = (0, 0, (kills() / 12).max(4));
    for round in 0..rounds {
        let name = machines[round as usize % machines.len()];
        let undisturbed = Undisturbed::on(name);
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        // The second half, where the changes are made.
        let half = undisturbed.fix.as_micros() as u64 / 2;
        let after = Duration::from_micros(half + chance.below(half));
        hit += u64::from(stopped_after(FIX, &machine, after));
        interrupted += u32::from(left(&machine) == "interrupted");
        if round % 2 == 0 {
            undisturbed.assert_repaired(&machine, &format!("{name} stopped after {after:?}"));
        } else {
            let next = machine.run(&["undo", "--json"]);
            assert!(next.exit == 0 || (next.exit == 2 && next.stdout.contains("No run")), "{name} stopped after {after:?}\n{}", next.stdout);
            assert_eq!(before, machine.fingerprint(), "{name} stopped after {after:?} is not as before");
        }
    }
    println!("{hit} of {rounds} times stopped while it worked, {interrupted} runs were interrupted");
    assert!(hit > 0, "no running fix was hit");
}
