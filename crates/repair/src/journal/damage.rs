//! Spoilt journals: a changed one is refused or gives the events before the change.

use super::{Event, line, parse};

#[test]
fn spoilt_journals_never_give_other_events() {
    let rounds = 2000 * std::env::var("HRESOLVE_ROUNDS").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    let events: Vec<Event> = (1..20).map(|step| Event::Failed { step, why: format!("because of \"quotes\" and {step}\nlines {{}}") }).collect();
    let whole: Vec<u8> = (1..).zip(&events).flat_map(|(n, event)| (line(n, event).unwrap() + "\n").into_bytes()).collect();
    let shown: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    let (mut refused, mut cut) = (0, 0);
    for round in 0..rounds {
        let mut chance = 0x9e37_79b9_7f4a_7c15_u64 ^ (round + 1) << 20;
        let mut roll = |below: usize| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            (chance >> 11) as usize % below
        };
        let mut copy = whole.clone();
        for _ in 0..=roll(4) {
            let at = roll(copy.len());
            match roll(4) {
                0 => copy[at] ^= 1 << roll(8),
                1 => copy[at] = b"\n\"{}0[\\"[roll(7)],
                2 => copy.truncate(at + 1),
                _ => drop(copy.remove(at)),
            }
            if copy.is_empty() {
                copy.push(b'\n');
            }
        }
        match parse(&copy) {
            Ok((given, _)) => {
                cut += 1;
                assert!(given.len() <= shown.len() && given.iter().zip(&shown).all(|(event, was)| format!("{event:?}") == *was), "round {round}");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0 && cut > 0, "{refused} refused, {cut} cut");
}
