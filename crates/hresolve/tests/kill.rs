//! The program is killed (SIGKILL) at random moments of `fix` and `undo`: what comes next always ends "repaired" or "as before".
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stdout, reason = "tests start and kill the binary")]

mod common;

use common::{HRESOLVE, Machine};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MACHINES: [&str; 4] = ["three-faults-10", "reset-script-stopped-7", "winutil-renamed-dlls-11", "update-folder-on-lost-drive-10"];

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
    let mut child =
        Command::new(HRESOLVE).args(words).arg(machine.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while start.elapsed() < after {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let running = child.kill().is_ok();
    child.wait().unwrap();
    running
}

/// How long a call takes on this computer.
fn duration(words: &[&str], machine: &Machine) -> Duration {
    let start = Instant::now();
    machine.run(words);
    start.elapsed()
}

#[test]
fn killed_fix_ends_repaired_or_as_before() {
    let mut chance = Chance(u64::from(session::now().unique) | 1);
    println!("seed {}", chance.0);
    let (mut hit, mut undone) = (0, 0);
    for round in 0..kills() / 2 {
        let name = MACHINES[round as usize % MACHINES.len()];
        let whole = duration(&["fix", "--yes", "--json"], &Machine::build(name));
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        let after = Duration::from_micros(chance.below(whole.as_micros() as u64));
        hit += u64::from(killed_after(&["fix", "--yes", "--json"], &machine, after));
        if round % 2 == 0 {
            let next = machine.run(&["fix", "--yes", "--json"]);
            let verdict = next.json()["verdict"].as_str().unwrap().to_owned();
            // The killed run may have ended by itself; then there is nothing left to do.
            assert!(
                next.exit == 0 && ["repaired", "healthy"].contains(&verdict.as_str()),
                "{name} killed after {after:?}\n{}{}",
                next.stdout,
                next.stderr
            );
            assert_eq!(machine.run(&["diagnose"]).exit, 0, "{name} killed after {after:?}");
            // Undoing every run, the newest first, gives the machine back.
            while machine.run(&["undo", "--json"]).json()["verdict"] == "undone" {
                let run = machine.run(&["runs", "--json"]).json()["runs"].as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_owned();
                assert_eq!(machine.run(&["forget", "--yes", &run]).exit, 0);
            }
        } else {
            let next = machine.run(&["undo", "--json"]);
            // Killed before the first line of its journal was on the disk, there is no run to undo.
            assert!(
                next.exit == 0 || (next.exit == 2 && next.stdout.contains("No run")),
                "{name} killed after {after:?}\n{}{}",
                next.stdout,
                next.stderr
            );
            undone += u64::from(next.exit == 0);
        }
        assert_eq!(before, machine.fingerprint(), "{name} killed after {after:?} is not as before");
    }
    println!("{hit} of {} kills hit a running fix, {undone} runs were undone", kills() / 2);
    assert!(hit * 2 > kills() / 2, "only {hit} kills hit");
}

#[test]
fn killed_undo_ends_as_before_or_repaired() {
    let mut chance = Chance(u64::from(session::now().unique) | 1);
    println!("seed {}", chance.0);
    let mut hit = 0;
    for round in 0..kills() / 2 {
        let name = MACHINES[round as usize % MACHINES.len()];
        let other = Machine::build(name);
        other.run(&["fix", "--yes"]);
        let whole = duration(&["undo"], &other);
        let machine = Machine::build(name);
        let before = machine.fingerprint();
        assert_eq!(machine.run(&["fix", "--yes"]).exit, 0);
        let after = Duration::from_micros(chance.below(whole.as_micros() as u64));
        hit += u64::from(killed_after(&["undo"], &machine, after));
        if round % 2 == 0 {
            let next = machine.run(&["undo", "--json"]);
            assert_eq!(next.exit, 0, "{name} killed after {after:?}\n{}{}", next.stdout, next.stderr);
            assert_eq!(before, machine.fingerprint(), "{name}: undo killed after {after:?}");
        } else {
            let next = machine.run(&["fix", "--yes", "--json"]);
            assert_eq!(next.exit, 0, "{name}: undo killed after {after:?}\n{}{}", next.stdout, next.stderr);
            assert_eq!(machine.run(&["diagnose"]).exit, 0, "{name}: undo killed after {after:?}");
        }
    }
    println!("{hit} of {} kills hit a running undo", kills() / 2);
    assert!(hit * 2 > kills() / 2, "only {hit} kills hit");
}
