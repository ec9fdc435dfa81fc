//! The clock of a running Windows beside time servers on the loopback: found, asked about, set, compared again, taken back. The machines are practice
//! machines in memory that were given a clock; nothing here sets the clock of this computer.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests make folders and read them")]

#[path = "../../target/tests/responders/mod.rs"]
mod responders;
mod shared;

use model::{Finding, Level, Operated, Operation, StepView, Verdict};
use responders::{Manner, Responder, nobody};
use session::{Diagnosed, FixRequest, Network, RunReport, RunVerdict, Session, TimeSources, Ui, lab};
use shared::{Nobody, Shared};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use target::{StateStore, Target, now};
use tempfile::TempDir;

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;
const MINUTE: i64 = 60;
/// The code of a clock that is off.
const CODE: &str = "0x80072F8F";

/// A healthy running Windows whose clock is off.
struct Running {
    folder: TempDir,
    machine: Shared,
}

impl Running {
    fn new(name: &str, ahead: i64) -> Running {
        let folder = tempfile::tempdir().unwrap();
        lab::build(name, &folder.path().join("disk")).unwrap();
        let machine = Shared::over(&folder.path().join("disk"), &folder.path().join("runs"));
        machine.0.borrow_mut().give_clock(ahead, 600_000);
        Running { folder, machine }
    }

    fn store(&self) -> StateStore {
        StateStore::in_folder(&self.folder.path().join("runs"))
    }

    fn session(&self, network: Network, servers: &[&Responder], http: &[&Responder]) -> Session {
        let named = |list: &[&Responder]| list.iter().map(|one| one.host.clone()).collect();
        let sources = TimeSources { network, servers: named(servers), http: named(http), limit: Duration::from_millis(300) };
        let mut session = self.machine.session(self.store());
        session.use_time_sources(sources);
        session
    }

    /// By how many seconds its clock is ahead of this computer's.
    fn ahead(&self) -> i64 {
        let there = self.machine.clock().into_known().unwrap();
        i64::try_from(i128::from(there.unix) - i128::from(now().unix)).unwrap()
    }

    fn journal(&self) -> String {
        let runs = std::fs::read_dir(self.folder.path().join("runs/runs")).unwrap().flatten();
        runs.filter_map(|run| std::fs::read_to_string(run.path().join("journal.jsonl")).ok()).collect()
    }
}

/// Four servers: two that tell the right time, one that lies, one that is silent.
fn four() -> [Responder; 4] {
    [
        Responder::sntp(Manner::Honest, 0),
        Responder::sntp(Manner::Honest, 5 * HOUR),
        Responder::sntp(Manner::Silent, 0),
        Responder::sntp(Manner::Honest, 0),
    ]
}

fn refs(servers: &[Responder]) -> Vec<&Responder> {
    servers.iter().collect()
}

fn causes(diagnosed: &Diagnosed) -> Vec<&str> {
    diagnosed.found.iter().map(|found| found.finding.cause.as_str()).collect()
}

fn clock_not_checked(diagnosed: &Diagnosed) -> Vec<(String, bool)> {
    let items = diagnosed.diagnosis.not_checked.iter().filter(|item| item.what.contains("clock of this computer is right"));
    items.map(|item| (item.why.clone(), item.blocking)).collect()
}

fn fix_all(session: &mut Session) -> RunReport {
    session.fix(&FixRequest { yes: true, ..FixRequest::default() }, &mut Nobody, now()).unwrap()
}

#[test]
fn a_majority_tells_by_how_much_the_clock_is_off() {
    for (ahead, words) in [(-3 * DAY, Some("3 days behind")), (16 * HOUR, Some("16 hours ahead")), (2 * MINUTE, None), (-2 * MINUTE, None)] {
        let (running, servers) = (Running::new("healthy-10-22h2", ahead), four());
        let diagnosed = running.session(Network::Allowed, &refs(&servers), &[]).diagnose(None);
        assert_eq!(clock_not_checked(&diagnosed), []);
        let Some(words) = words else {
            assert_eq!((causes(&diagnosed), diagnosed.diagnosis.verdict), (vec![], Verdict::Healthy), "{ahead}");
            assert!(diagnosed.notes.iter().any(|note| note.contains("the clock is right")), "{:?}", diagnosed.notes);
            continue;
        };
        assert_eq!(causes(&diagnosed), ["clock-off"], "{ahead}");
        let finding = &diagnosed.diagnosis.findings[0];
        assert_eq!(finding.confidence.as_str(), "proved");
        let says: Vec<&str> = finding.evidence.iter().map(|one| one.says.as_str()).collect();
        assert!(says[0].contains(words) && says[0].contains("2 of 4 time servers"), "{says:?}");
        assert!(says.iter().any(|says| says.contains(&servers[1].host) && says.contains("5 hours ahead")), "the lying one is named: {says:?}");
        let set = &finding.steps[0];
        assert_eq!((set.action.as_str(), set.level, set.undo), ("set-clock", Level::Ask, model::UndoKind::Approximate));
        let says = if ahead > 0 { "back by 16 hours" } else { "forward by 3 days" };
        assert!(set.says.contains(says), "{}", set.says);
    }
}

#[test]
fn what_the_servers_say_counts_and_not_this_computer() {
    // The servers agree on a time three days from now: the machine, as this computer, is three days behind.
    let running = Running::new("healthy-11-24h2", 0);
    let servers = [Responder::sntp(Manner::Honest, 3 * DAY), Responder::sntp(Manner::Honest, 3 * DAY + 1), Responder::sntp(Manner::Honest, 0)];
    let diagnosed = running.session(Network::Allowed, &refs(&servers), &[]).diagnose(None);
    assert_eq!(causes(&diagnosed), ["clock-off"]);
    assert!(diagnosed.diagnosis.findings[0].evidence[0].says.contains("3 days behind"));
}

#[test]
fn without_a_network_it_is_not_checked_and_not_healthy_where_it_matters() {
    let running = Running::new("healthy-10-22h2", -3 * DAY);
    let servers = four();
    let mut gone = running.machine.session(running.store());
    gone.use_time_sources(TimeSources {
        network: Network::Allowed,
        servers: vec![nobody(), nobody(), nobody(), nobody()],
        http: vec![nobody()],
        limit: Duration::from_millis(200),
    });
    let forbidden = running.session(Network::Forbidden, &refs(&servers), &[]);
    let unasked = running.session(Network::IfAgreed, &refs(&servers), &[]);
    for (session, why) in [(gone, "no time server answered"), (forbidden, "--no-network"), (unasked, "--online")] {
        let plain = session.diagnose(None);
        let said = clock_not_checked(&plain);
        assert_eq!((causes(&plain), said.len(), said[0].1), (vec![], 1, false), "{said:?}");
        assert!(said[0].0.contains(why), "{said:?}");
        let asked = session.diagnose(CODE.parse().ok());
        assert_eq!((asked.diagnosis.verdict, clock_not_checked(&asked)[0].1), (Verdict::Undetermined, true));
        let other = session.diagnose("0x80070002".parse().ok());
        assert!(!clock_not_checked(&other)[0].1, "the clock does not cause every code");
    }
    assert_eq!(servers.iter().map(Responder::asked).sum::<usize>(), 0, "nobody was asked");
}

#[test]
fn servers_that_do_not_agree_decide_nothing() {
    let running = Running::new("healthy-10-22h2", -3 * DAY);
    let one = [Responder::sntp(Manner::Honest, 0), Responder::sntp(Manner::Silent, 0)];
    let half = [
        Responder::sntp(Manner::Honest, 0),
        Responder::sntp(Manner::Honest, 0),
        Responder::sntp(Manner::Honest, HOUR),
        Responder::sntp(Manner::Honest, HOUR),
    ];
    let bad = [
        Responder::sntp(Manner::Kiss, 0),
        Responder::sntp(Manner::Unsynchronised, 0),
        Responder::sntp(Manner::OtherQuestion, 0),
        Responder::sntp(Manner::Honest, 0),
    ];
    let http = Responder::http(0, "");
    for (servers, why) in [(&one[..], "only one"), (&half, "do not agree"), (&bad, "only one")] {
        let diagnosed = running.session(Network::Allowed, &refs(servers), &[&http]).diagnose(CODE.parse().ok());
        let said = clock_not_checked(&diagnosed);
        assert_eq!((causes(&diagnosed), diagnosed.diagnosis.verdict), (vec![], Verdict::Undetermined));
        assert!(said[0].0.contains(why) && said[0].0.contains(&http.host), "the second opinion is told and decides nothing: {said:?}");
    }
    assert_eq!(http.asked(), 3);
}

#[test]
fn the_second_opinion_is_told() {
    for (offset, word) in [(0, "the same"), (40 * DAY, "40 days ahead")] {
        let (running, servers, http) = (Running::new("healthy-10-22h2", -3 * DAY), four(), Responder::http(offset, ""));
        let diagnosed = running.session(Network::Allowed, &refs(&servers), &[&http]).diagnose(None);
        let says: Vec<&str> = diagnosed.diagnosis.findings[0].evidence.iter().map(|one| one.says.as_str()).collect();
        let opinion = says.iter().find(|says| says.contains("second opinion")).unwrap();
        // A date is cut to a second.
        assert!(opinion.contains(word) || (offset == 0 && opinion.contains("1 second")), "{opinion}");
    }
}

#[test]
fn a_clock_is_set_compared_again_and_taken_back() {
    for ahead in [-3 * DAY, 16 * HOUR, -20 * 365 * DAY, 6 * MINUTE] {
        let (running, servers) = (Running::new("healthy-10-22h2", ahead), four());
        let mut session = running.session(Network::Allowed, &refs(&servers), &[]);
        let waits = session.fix(&FixRequest::default(), &mut Nobody, now()).unwrap();
        assert_eq!((waits.verdict, running.ahead()), (RunVerdict::NotRepaired, ahead), "without consent nothing is set");
        assert!(waits.steps.iter().any(|step| step.action == "set-clock" && step.state == "consent-needed"), "{:?}", waits.steps);
        let asked = servers[0].asked();
        let report = fix_all(&mut session);
        assert_eq!(report.verdict, RunVerdict::Repaired, "{ahead} {:?} {:?}", report.steps, report.verified);
        assert!(running.ahead().abs() <= 1, "{}", running.ahead());
        assert!(report.verified.iter().any(|one| one.cause == "clock-off" && one.right));
        assert!(servers[0].asked() > asked, "it is compared again after it was set");
        let journal = running.journal();
        let (started, done) = (journal.find("\"change\":\"set-clock\"").unwrap(), journal.find("\"event\":\"done\"").unwrap());
        assert!(started < done && journal.contains("\"running\":"), "old and new time are on the disk before it is set");
        assert_eq!(fix_all(&mut session).verdict, RunVerdict::Healthy, "a second fix changes nothing");
        let undone = session.undo(None, now()).unwrap();
        assert_eq!((undone.verdict.as_str(), undone.conflicts.len()), ("undone", 0), "{:?}", undone.steps);
        assert!((running.ahead() - ahead).abs() <= 1, "{}", running.ahead());
        assert_eq!(session.undo(None, now()).unwrap().verdict, "nothing-to-undo");
    }
}

/// In a domain its servers give the time: they are asked now, and what came of it is compared, not believed.
#[test]
fn where_others_give_the_time_the_time_service_asks_them() {
    for (sets, exit_code, verdict) in
        [(true, 0, RunVerdict::Repaired), (false, 0, RunVerdict::NotRepaired), (false, 0x8007_0426, RunVerdict::NotRepaired)]
    {
        let (mut running, servers) = (Running::new("healthy-domain-time-10", -3 * DAY), four());
        let (asked, clock) = (Rc::new(RefCell::new(Vec::new())), running.machine.0.clone());
        let (seen, programs): (_, shared::Programs) = (asked.clone(), {
            Rc::new(RefCell::new(move |operation: &Operation, _| {
                asked.borrow_mut().push(operation.clone());
                if sets {
                    clock.borrow_mut().give_clock(0, 600_000);
                }
                Ok(Operated::Ran { exit_code, logs: Vec::new() })
            }))
        });
        running.machine = running.machine.clone().running(programs);
        let forbidden = running.session(Network::Forbidden, &refs(&servers), &[]).diagnose(None);
        assert!(causes(&forbidden).is_empty());
        let mut session = running.session(Network::Allowed, &refs(&servers), &[]);
        let report = fix_all(&mut session);
        assert_eq!((report.verdict, seen.borrow().as_slice()), (verdict, [Operation::SynchronizeClock].as_slice()), "{report:?}");
        assert!((running.ahead() - if sets { 0 } else { -3 * DAY }).abs() <= 1);
        assert!(report.steps.iter().all(|step| step.action != "set-clock"), "{report:?}");
    }
}

#[test]
fn a_dry_run_shows_it_and_sets_nothing() {
    let (running, servers) = (Running::new("healthy-10-22h2", -3 * DAY), four());
    let session = running.session(Network::Allowed, &refs(&servers), &[]);
    let scratch = running.folder.path().join("scratch");
    let report = session.dry_run(&FixRequest::default(), &scratch, &mut Nobody, now()).unwrap();
    assert!(report.steps.iter().any(|step| step.action == "set-clock" && step.state == "planned"), "{:?}", report.steps);
    assert_eq!((report.verdict, running.ahead()), (RunVerdict::Planned, -3 * DAY));
}

#[test]
fn a_clock_that_refuses_stays_as_it_is() {
    let (running, servers) = (Running::new("healthy-10-22h2", 16 * HOUR), four());
    running.machine.0.borrow_mut().fail_at(0);
    let report = fix_all(&mut running.session(Network::Allowed, &refs(&servers), &[]));
    let step = report.steps.iter().find(|step| step.action == "set-clock").unwrap();
    assert_eq!((report.verdict, step.state.as_str(), running.ahead()), (RunVerdict::NotRepaired, "failed", 16 * HOUR), "{step:?}");
}

#[test]
fn servers_that_changed_their_mind_take_it_back() {
    let running = Running::new("healthy-10-22h2", -3 * DAY);
    let servers = [Responder::sntp(Manner::Honest, 0), Responder::sntp(Manner::Honest, 0)];
    let mut session = running.session(Network::Allowed, &refs(&servers), &[]);
    assert_eq!(causes(&session.diagnose(None)), ["clock-off"]);
    servers.iter().for_each(|server| server.set(HOUR));
    let report = fix_all(&mut session);
    assert_eq!(report.verdict, RunVerdict::NotRepaired, "{:?}", report.verified);
    assert!((running.ahead() + 3 * DAY).abs() <= 1, "as a unit: {}", running.ahead());
}

#[test]
fn the_read_back_does_not_need_servers_that_are_gone() {
    let running = Running::new("healthy-10-22h2", -3 * DAY);
    let servers = [Responder::sntp(Manner::Honest, 0), Responder::sntp(Manner::Honest, 0)];
    let mut session = running.session(Network::Allowed, &refs(&servers), &[]);
    assert_eq!(causes(&session.diagnose(None)), ["clock-off"]);
    drop(servers);
    // The counter goes on from what they had said.
    assert_eq!(fix_all(&mut session).verdict, RunVerdict::Repaired);
    assert!(running.ahead().abs() <= 1, "{}", running.ahead());
}

#[test]
fn after_a_restart_or_another_hand_undo_leaves_the_clock_alone() {
    for (ahead, running_for) in [(0, 1000), (2 * DAY, 700_000)] {
        let (running, servers) = (Running::new("healthy-10-22h2", -3 * DAY), four());
        let mut session = running.session(Network::Allowed, &refs(&servers), &[]);
        assert_eq!(fix_all(&mut session).verdict, RunVerdict::Repaired);
        running.machine.0.borrow_mut().give_clock(ahead, running_for);
        let undone = session.undo(None, now()).unwrap();
        assert_eq!((undone.conflicts.len(), running.ahead()), (1, ahead), "{:?}", undone.steps);
        assert!(undone.conflicts[0].contains("date and time"), "{:?}", undone.conflicts);
    }
}

/// Somebody at the terminal.
struct Person {
    network: bool,
    says: Vec<&'static str>,
    hosts: Vec<String>,
    asked: Vec<String>,
}

impl Ui for Person {
    fn consent(&mut self, _: &Finding, _: &[StepView]) -> Option<bool> {
        Some(true)
    }
    fn may_ask(&mut self, hosts: &[String]) -> Option<bool> {
        self.hosts = hosts.to_vec();
        Some(self.network)
    }
    fn time(&mut self, clock: &str) -> Option<String> {
        self.asked.push(clock.to_owned());
        self.says.pop().map(str::to_owned)
    }
    fn progress(&mut self, _: &str) {}
}

#[test]
fn fix_names_the_hosts_and_asks() {
    let servers = four();
    for network in [true, false] {
        let running = Running::new("healthy-10-22h2", -3 * DAY);
        let before: usize = servers.iter().map(Responder::asked).sum();
        let mut person = Person { network, says: vec![], hosts: vec![], asked: vec![] };
        let mut session = running.session(Network::IfAgreed, &refs(&servers), &[]);
        let report = session.fix(&FixRequest::default(), &mut person, now()).unwrap();
        assert_eq!(person.hosts, servers.iter().map(|one| one.host.clone()).collect::<Vec<String>>());
        let asked = servers.iter().map(Responder::asked).sum::<usize>() > before;
        assert_eq!((asked, report.verdict == RunVerdict::Repaired), (network, network));
        assert_eq!(person.asked.len(), 0, "without a code that a clock causes nobody is asked for the time");
    }
    let running = Running::new("healthy-10-22h2", -3 * DAY);
    let mut person = Person { network: true, says: vec![], hosts: vec![], asked: vec![] };
    running.session(Network::Forbidden, &refs(&servers), &[]).fix(&FixRequest::default(), &mut person, now()).unwrap();
    assert!(person.hosts.is_empty(), "--no-network is not asked about");
}

#[test]
fn the_person_says_what_time_it_is() {
    let code = FixRequest { asked: CODE.parse().ok(), ..FixRequest::default() };
    // Right by the person's word, a day later than this computer thinks.
    let said = model::utc(i64::try_from(now().unix).unwrap() + DAY);
    let said: &'static str = Box::leak(said.into_boxed_str());
    let running = Running::new("healthy-10-22h2", -3 * DAY);
    let mut person = Person { network: false, says: vec![said, "half past nine"], hosts: vec![], asked: vec![] };
    let report = running.session(Network::IfAgreed, &[], &[]).fix(&code, &mut person, now()).unwrap();
    assert_eq!((report.verdict, person.asked.len()), (RunVerdict::Repaired, 2), "{:?} {:?}", report.steps, report.verified);
    assert!((running.ahead() - DAY).abs() <= 1, "{}", running.ahead());

    // By an option; nobody is asked over the network then, and consent is still needed.
    let (running, servers) = (Running::new("healthy-10-22h2", 16 * HOUR), four());
    let mut session = running.session(Network::Allowed, &refs(&servers), &[]);
    session.set_time(&model::utc(i64::try_from(now().unix).unwrap())).unwrap();
    assert_eq!(session.fix(&FixRequest::default(), &mut Nobody, now()).unwrap().verdict, RunVerdict::NotRepaired);
    assert_eq!(running.ahead(), 16 * HOUR);
    assert_eq!(fix_all(&mut session).verdict, RunVerdict::Repaired);
    assert!(running.ahead().abs() <= 1, "{}", running.ahead());
    assert_eq!(servers.iter().map(Responder::asked).sum::<usize>(), 0);
}

#[test]
fn a_typed_time_is_that_of_the_machines_zone() {
    // W. Europe: UTC+1, in summer UTC+2.
    let running = Running::new("healthy-10-22h2", 0);
    let time = |typed: &str| evidence::said_time(&running.machine, typed);
    let noon = time("2026-01-15T12:00:00Z").unwrap();
    let winter = evidence::local_time(&running.machine, noon);
    assert_eq!(time(&winter), Ok(noon), "{winter}");
    let summer = time("2026-07-15 12:00Z").unwrap();
    let shown = evidence::local_time(&running.machine, summer);
    assert_eq!(time(&shown), Ok(summer), "{shown}");
    for wrong in ["", "now", "14:05", "2026-02-30 14:05", "2026-11-23", "23.11.2026 14:05", "2026-11-23 25:05"] {
        assert!(time(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_disk_has_no_clock_and_nobody_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    lab::build("healthy-10-22h2", folder.path()).unwrap();
    let servers = four();
    let open = || Session::open(folder.path().to_str().unwrap(), folder.path(), None).unwrap();
    let mut session = open();
    session.use_time_sources(TimeSources {
        network: Network::Allowed,
        servers: servers.iter().map(|one| one.host.clone()).collect(),
        ..TimeSources::default()
    });
    let (online, plain) = (session.diagnose(None).diagnosis, open().diagnose(None).diagnosis);
    assert_eq!((&online.not_checked, &online.findings, online.verdict), (&plain.not_checked, &plain.findings, plain.verdict));
    assert_eq!(plain.verdict, Verdict::Healthy);
    assert!(session.set_time("2026-11-23 14:05").is_err());
    assert_eq!(servers.iter().map(Responder::asked).sum::<usize>(), 0);
}
