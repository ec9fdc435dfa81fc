//! What is recognised by its form: mail addresses, account numbers, hardware and network addresses. Every function looks at one place of a
//! line in lower case and says how long the thing there is.

fn is_end(line: &[char], at: usize) -> bool {
    !line.get(at).is_some_and(|c| c.is_alphanumeric())
}

fn run(line: &[char], at: usize, fits: impl Fn(char) -> bool) -> usize {
    line.iter().skip(at).take_while(|c| fits(**c)).count()
}

/// A mail address, also as a user principal name.
pub(super) fn mail(line: &[char], at: usize) -> Option<usize> {
    let local = run(line, at, |c| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-'));
    if local == 0 || line.get(at + local) != Some(&'@') {
        return None;
    }
    let host_at = at + local + 1;
    let mut host = run(line, host_at, |c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    while host > 0 && matches!(line.get(host_at + host - 1), Some('.' | '-')) {
        host -= 1;
    }
    let text: String = line.iter().skip(host_at).take(host).collect();
    let (_, top) = text.rsplit_once('.')?;
    (top.len() >= 2 && top.chars().all(char::is_alphabetic)).then_some(local + 1 + host)
}

/// An account's number.
pub(super) struct Sid {
    /// Who gave it: the computer or the domain.
    pub(super) authority: String,
    start: &'static str,
    parts: usize,
    rest: String,
    pub(super) length: usize,
}

impl Sid {
    /// The same account in a computer or domain that has only a number. Well-known accounts keep theirs: 500 is the administrator.
    pub(super) fn stand_in(&self, number: usize) -> String {
        let parts = vec![number.to_string(); self.parts].join("-");
        format!("{}{parts}{}", self.start, self.rest)
    }
}

/// `S-1-5-21-…` of computers and domains, `S-1-12-1-…` of Entra ID.
pub(super) fn sid(line: &[char], at: usize) -> Option<Sid> {
    for (start, shown, wanted) in [("s-1-5-21-", "S-1-5-21-", 3), ("s-1-12-1-", "S-1-12-1-", 4)] {
        if !line.get(at..at + start.len()).is_some_and(|there| there.iter().copied().eq(start.chars())) {
            continue;
        }
        let mut end = at + start.len();
        let mut numbers: Vec<String> = Vec::new();
        loop {
            let digits = run(line, end, |c| c.is_ascii_digit());
            if digits == 0 {
                break;
            }
            numbers.push(line.iter().skip(end).take(digits).collect());
            end += digits;
            let more = line.get(end) == Some(&'-') && line.get(end + 1).is_some_and(char::is_ascii_digit);
            if !more {
                break;
            }
            end += 1;
        }
        let authority = numbers.get(..wanted)?;
        let rest: String = numbers.iter().skip(wanted).map(|number| format!("-{number}")).collect();
        return Some(Sid { authority: authority.join("-"), start: shown, parts: wanted, rest, length: end - at });
    }
    None
}

/// Six bytes with `-` or `:` between them.
pub(super) fn mac(line: &[char], at: usize) -> Option<usize> {
    let there = line.get(at..at + 17)?;
    let separator = *there.get(2)?;
    let fits = matches!(separator, '-' | ':')
        && there.iter().enumerate().all(|(place, c)| if place % 3 == 2 { *c == separator } else { c.is_ascii_hexdigit() })
        && is_end(line, at + 17)
        && line.get(at + 17) != Some(&separator);
    // Dates and times have digits only, and so have a few real addresses: those with a separator that times do not have stay replaced.
    let a_time = separator == ':' && there.iter().all(|c| !c.is_alphabetic());
    (fits && !a_time).then_some(17)
}

/// The serial number of a device on the universal serial bus, as it stands behind what the device is: `USB\VID_0781&PID_5581\4C53…`,
/// `USBSTOR#Disk&Ven_X#4C53…&0#{…}`. A number that Windows made up for a port has `&` in its second place (Microsoft, "Instance IDs").
pub(super) fn device_serial(line: &[char], at: usize) -> Option<usize> {
    let is_separator = |c: &char| matches!(c, '\\' | '#');
    let separators = line.get(..at)?.iter().rev().take_while(|c| is_separator(c)).count();
    let before = line.get(..at - separators)?;
    let start = before.iter().rposition(|c| is_separator(c) || c.is_whitespace()).map_or(0, |place| place + 1);
    let what: String = before.get(start..)?.iter().collect();
    let is_device = (what.starts_with("vid_") && what.contains("&pid_")) || what.contains("&ven_") && what.contains("&prod_");
    let length = run(line, at, |c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'));
    // PCI devices have `ven_` and `dev_`, and no serial number of a person's thing.
    (separators > 0 && is_device && length >= 4).then_some(length)
}

/// An address of IPv6 that names one computer or network.
pub(super) fn ip6(line: &[char], at: usize) -> Option<(String, usize)> {
    let length = run(line, at, |c| c.is_ascii_hexdigit() || c == ':');
    let text: String = line.iter().skip(at).take(length).collect();
    if text.matches(':').count() < 2 || !is_end(line, at + length) {
        return None;
    }
    let address: std::net::Ipv6Addr = text.parse().ok()?;
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let real = groups >= 3 && text.chars().any(|c| c.is_ascii_digit()) && !address.is_loopback() && !address.is_unspecified();
    real.then(|| (address.to_string(), length))
}

/// An address of IPv4; not a version, a mask or this computer itself.
pub(super) fn ip4(line: &[char], at: usize) -> Option<(String, usize)> {
    if !line.get(at)?.is_ascii_digit() {
        return None;
    }
    let length = run(line, at, |c| c.is_ascii_digit() || c == '.');
    let mut text: String = line.iter().skip(at).take(length).collect();
    // The end of a sentence.
    if text.ends_with('.') {
        text.pop();
    }
    let end = at + text.len();
    let address: std::net::Ipv4Addr = text.parse().ok()?;
    let before: String = line.get(at.saturating_sub(12)..at)?.iter().collect();
    // As in names of packages and components.
    let joined = |c: &char| matches!(c, '_' | '~');
    let version = before.ends_with(['.', '_', '~']) || line.get(end).is_some_and(joined) || before.contains("ersion");
    let [first, _, _, last] = address.octets();
    let general = address.is_loopback() || matches!(first, 0 | 255);
    // x.y.0.0 and 10.0.0.0 are versions or networks; neither names a computer.
    (is_end(line, end) && !version && !general && last != 0).then(|| (address.to_string(), text.len()))
}
