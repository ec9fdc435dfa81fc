//! Comparing the clock of a running Windows with what time it is: by time servers when the network may be used, or by what a person said.
//!
//! Disks and bundles have no clock, so nothing of this happens there. What was not compared is said, never taken for right.

use crate::fix::Ui;
use crate::session::{Session, SessionError};
use evidence::{ClockCompared, Majority, TimeSource};
use model::{ErrorCode, Facts, NotChecked, Reading};
use std::cell::RefCell;
use std::time::Duration;
use target::{Now, Stopwatch, TimeAnswer};

/// The servers that are asked unless others are named, of four operators. Google's spreads a leap second over a day, and is then up to
/// half a second off.
pub const TIME_SERVERS: [&str; 4] = ["time.windows.com", "pool.ntp.org", "time.cloudflare.com", "time.google.com"];
/// The host whose HTTP date is the second opinion: the one that Windows itself asks by plain HTTP whether there is an internet.
pub const HTTP_DATES: [&str; 1] = ["www.msftconnecttest.com"];

/// The guide about a clock that is off.
const CLOCK_OFF: &str = "clock-off";
/// The action that sets it.
pub(crate) const SET_CLOCK: &str = "set-clock";
/// What is not checked while the clock was not compared.
const WHAT: &str = "whether the clock of this computer is right";

/// Whether other computers may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Never (`--no-network`).
    Forbidden,
    /// Only when the person at the terminal agrees.
    #[default]
    IfAgreed,
    /// Yes (`--online`).
    Allowed,
}

/// Who is asked what time it is.
#[derive(Debug, Clone)]
pub struct TimeSources {
    /// Whether anybody may be asked.
    pub network: Network,
    /// Time servers, each as a name, `name:port` or address.
    pub servers: Vec<String>,
    /// Hosts whose HTTP date is a second opinion; it never decides.
    pub http: Vec<String>,
    /// How long each may take to answer.
    pub limit: Duration,
}

impl Default for TimeSources {
    fn default() -> Self {
        let named = |hosts: &[&str]| hosts.iter().map(|host| (*host).to_owned()).collect();
        TimeSources { network: Network::default(), servers: named(&TIME_SERVERS), http: named(&HTTP_DATES), limit: Duration::from_secs(3) }
    }
}

impl TimeSources {
    /// Everybody who would be asked.
    fn hosts(&self) -> Vec<String> {
        self.servers.iter().chain(&self.http).cloned().collect()
    }
}

/// What time it is, kept going by a counter that does not change when a clock is set.
#[derive(Debug, Clone)]
struct Time {
    /// Milliseconds since 1970 UTC when the counter began.
    at: i64,
    counter: Stopwatch,
    source: TimeSource,
}

impl Time {
    fn now(&self) -> i64 {
        self.at.saturating_add(i64::try_from(self.counter.milliseconds()).unwrap_or_default())
    }
}

/// What a session knows about the time.
#[derive(Debug, Default)]
pub(crate) struct ClockCheck {
    sources: TimeSources,
    /// By servers or by the person; the error says why not.
    known: RefCell<Option<Result<Time, String>>>,
    /// The clock was set since, so it is asked for again.
    stale: RefCell<bool>,
}

impl ClockCheck {
    /// From now on the servers are asked again before the next comparison.
    pub(crate) fn clock_was_set(&self) {
        *self.stale.borrow_mut() = true;
    }

    /// True when a person said what time it is.
    pub(crate) fn was_said(&self) -> bool {
        matches!(&*self.known.borrow(), Some(Ok(Time { source: TimeSource::Person(_), .. })))
    }

    /// True when no other computer may be contacted.
    pub(crate) fn network_is_forbidden(&self) -> bool {
        self.sources.network == Network::Forbidden
    }

    /// Nobody is asked from now on.
    pub(crate) fn forbid_network(&mut self) {
        self.sources.network = Network::Forbidden;
    }

    /// What time it is, as far as anybody said or may be asked.
    fn time(&self, tell: &dyn Fn(&str)) -> Result<Time, String> {
        match self.sources.network {
            _ if self.was_said() => {}
            Network::Forbidden => return Err("--no-network forbids to ask time servers".into()),
            Network::IfAgreed => return Err("it was not compared with time servers: without --online nobody is asked over the network".into()),
            Network::Allowed => self.ask(tell),
        }
        self.known.borrow().clone().unwrap_or_else(|| Err("nobody was asked".into()))
    }

    /// Asks the servers unless they were asked since the clock was last set. What was known before is kept when they do not
    /// answer this time: the counter goes on.
    fn ask(&self, tell: &dyn Fn(&str)) {
        let stale = self.stale.replace(false);
        let mut known = self.known.borrow_mut();
        if known.is_some() && !stale {
            return;
        }
        tell(&self.sources.servers.join(", "));
        let answered = ask(&self.sources);
        if answered.is_ok() || !matches!(&*known, Some(Ok(_))) {
            *known = Some(answered);
        }
    }
}

/// Asks everybody at the same time.
fn ask(sources: &TimeSources) -> Result<Time, String> {
    let (answers, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| target::ask_http_date(&sources.http, sources.limit));
        (target::ask_time_servers(&sources.servers, sources.limit), second.join().unwrap_or_default())
    });
    let second: Vec<(String, i64)> = second.iter().filter_map(|one: &TimeAnswer| Some((one.host.clone(), one.answer.as_ref().ok()?.ahead))).collect();
    let (counter, here) = (Stopwatch::start(), target::now());
    match evidence::majority(&answers) {
        Majority::Agreed { ahead, agreeing, disagreeing } => {
            let second = second.into_iter().map(|(host, says)| (host, says.saturating_sub(ahead))).collect();
            let source = TimeSource::Servers { asked: answers.len(), agreeing, disagreeing, second };
            Ok(Time { at: milliseconds(here).saturating_add(ahead), counter, source })
        }
        Majority::Unclear(why) if second.is_empty() => Err(why),
        Majority::Unclear(why) => {
            let told: Vec<String> =
                second.iter().map(|(host, ahead)| format!("{host} sends {}", model::utc((milliseconds(here) + ahead) / 1000))).collect();
            Err(format!("{why}. The dates of plain HTTP answers can be forged by anybody on the way and decide nothing alone: {}", told.join("; ")))
        }
    }
}

/// That the clock was compared and is right, for the person who allowed it; a wrong one is a finding.
pub(crate) fn right(facts: &Facts) -> Option<String> {
    let state = facts.of_kind("clock").find_map(|clock| clock.get("clock.offset.state"))?;
    (state.reading.known()?.to_string() == "right").then(|| format!("{}.", state.says))
}

fn milliseconds(now: Now) -> i64 {
    i64::try_from(now.unix).unwrap_or(i64::MAX / 2000).saturating_mul(1000) + i64::from(now.nanos / 1_000_000)
}

impl Session {
    /// From now on these are asked what time it is, when the target has a clock.
    pub fn use_time_sources(&mut self, sources: TimeSources) {
        self.clock.sources = sources;
    }

    /// True when the target is a running Windows, which has a clock.
    pub fn has_clock(&self) -> bool {
        !matches!(self.target.clock(), Reading::NotCollected | Reading::Absent)
    }

    /// Takes the person's word for the time; nobody is asked over the network then. One of [`evidence::TIME_FORMS`].
    ///
    /// # Errors
    /// When this is no running Windows, or it is no time or no single one.
    pub fn set_time(&mut self, typed: &str) -> Result<(), SessionError> {
        if !self.has_clock() {
            return Err(SessionError::Usage("--set-time is for a running Windows: what was named here has no clock that could be set.".into()));
        }
        let time = evidence::said_time(self.target.as_target(), typed).map_err(SessionError::Usage)?;
        let time = Time { at: time.saturating_mul(1000), counter: Stopwatch::start(), source: TimeSource::Person(typed.trim().to_owned()) };
        self.clock.known.replace(Some(Ok(time)));
        Ok(())
    }

    /// Adds to the facts how the clock compares with the time, or that it was not compared. A target without a clock stays as it is.
    pub(crate) fn compare_clock(&self, facts: &mut Facts) {
        let not_checked = |why: String| NotChecked { what: WHAT.into(), why, blocking: false };
        let tell = |hosts: &str| {
            if let Some(watcher) = &self.watcher {
                watcher(&format!("the time from {hosts}"), None);
            }
        };
        if !self.has_clock() {
            return;
        }
        match self.clock.time(&tell) {
            Ok(time) => match self.target.clock() {
                Reading::Known(clock) => {
                    // Both were read at the same moment; half a second more or less is the same second.
                    let (machine, time_now) = (milliseconds(clock), time.now());
                    let offset = (machine - time_now + 500).div_euclid(1000);
                    let machine = machine.div_euclid(1000);
                    evidence::add_clock(facts, &ClockCompared { machine, time: machine - offset, source: time.source });
                }
                Reading::Unreadable(why) => facts.not_checked.push(not_checked(why)),
                _ => {}
            },
            Err(why) => facts.not_checked.push(not_checked(why)),
        }
    }

    /// Whether a wrong clock is known to cause the code that was asked about, or one of an unresolved failure.
    fn clock_matters(&self, facts: &[model::Failure], asked: Option<ErrorCode>) -> bool {
        let Some(guide) = self.guide(CLOCK_OFF) else { return false };
        let failed = facts.iter().filter(|failure| !failure.resolved && !failure.transient).filter_map(|failure| failure.code.parse().ok());
        failed.chain(asked).any(|code| guide.produces(code))
    }

    /// A clock that was not compared keeps "healthy" from being said where it may be the cause.
    pub(crate) fn weigh_clock(&self, not_checked: &mut [NotChecked], failures: &[model::Failure], asked: Option<ErrorCode>) {
        for item in not_checked.iter_mut().filter(|item| item.what == WHAT) {
            item.blocking |= self.clock_matters(failures, asked);
        }
    }

    /// Names the hosts and asks whether they may be asked, when nobody has decided that yet.
    pub(crate) fn ask_network(&mut self, ui: &mut dyn Ui) {
        if !self.has_clock() || self.clock.was_said() {
            return;
        }
        if self.clock.sources.network == Network::IfAgreed && ui.may_ask(&self.clock.sources.hosts()) == Some(true) {
            self.clock.sources.network = Network::Allowed;
        }
        if self.clock.sources.network == Network::Allowed {
            ui.progress(&format!("Asking what time it is: {}", self.clock.sources.hosts().join(", ")));
        }
    }

    /// Asks the person what time it is, where the clock may be the cause and could not be compared; true when they said it.
    pub(crate) fn ask_time(&mut self, diagnosis: &model::Diagnosis, asked: Option<ErrorCode>, ui: &mut dyn Ui) -> bool {
        let open = diagnosis.not_checked.iter().any(|item| item.what == WHAT);
        let Reading::Known(now) = self.target.clock() else { return false };
        if !open || !self.clock_matters(&diagnosis.failures, asked) {
            return false;
        }
        let says = evidence::local_time(self.target.as_target(), milliseconds(now).div_euclid(1000));
        while let Some(typed) = ui.time(&says) {
            match self.set_time(&typed) {
                Ok(()) => return true,
                Err(why) => ui.progress(&why.to_string()),
            }
        }
        false
    }
}
