//! Requests to servers that failed, as the update client of Windows 7 and 8.1 wrote them into `WindowsUpdate.log`:
//!
//! `WARNING: SendRequest failed with hr = 80072ee7. Proxy List used: <name:8080> Bypass List used : <(null)> Auth Schemes used : <>`
//! `WARNING: WinHttp: SendRequestUsingProxy failed for <http://name/file.cab>. error 0x8024402c`
//!
//! Source: Microsoft's articles "How to read the Windowsupdate.log file" (KB902093) and "WSUS client agent: Windows Update logs".

use super::Entry;
use model::{ErrorCode, codes_in};

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequest {
    /// What went wrong.
    pub code: ErrorCode,
    /// The proxies that were used, as the line has them: `name:port` or `http=name:port;https=…`; empty when the connection was direct.
    pub proxy: Option<String>,
    /// The address that was asked for.
    pub address: Option<String>,
}

/// What an entry says about a failed request; `None` for every other entry.
pub fn failed(entry: &Entry) -> Option<FailedRequest> {
    let text = entry.text.as_str();
    if entry.component != "Misc" || !text.starts_with("WARNING") {
        return None;
    }
    if let Some((_, rest)) = text.split_once("SendRequest failed with hr = ") {
        let digits: String = rest.trim_start_matches("0x").chars().take_while(char::is_ascii_hexdigit).collect();
        let code = u32::from_str_radix(&digits, 16).ok().filter(|code| *code >= 0x8000_0000)?;
        let (_, list) = rest.split_once("Proxy List used:")?;
        let proxy = bracketed(list)?;
        let proxy = if proxy.eq_ignore_ascii_case("(null)") { "" } else { proxy };
        return Some(FailedRequest { code: ErrorCode(code), proxy: Some(proxy.to_owned()), address: None });
    }
    let (_, rest) = text.split_once("SendRequestUsingProxy failed for ")?;
    let code = codes_in(rest).into_iter().rfind(|code| code.0 >= 0x8000_0000)?;
    // Newer clients write the address without brackets.
    let address = bracketed(rest).or_else(|| rest.split_whitespace().next())?;
    Some(FailedRequest { code, proxy: None, address: Some(address.trim_end_matches('.').to_owned()) })
}

/// The text between the first `<` and the `>` behind it.
fn bracketed(text: &str) -> Option<&str> {
    let (_, rest) = text.trim_start().split_once('<').filter(|(before, _)| before.is_empty())?;
    rest.split_once('>').map(|(inside, _)| inside.trim())
}

/// The host of an address, without port, in lower case.
pub fn host(address: &str) -> Option<String> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => host.split(':').next()?,
    };
    let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
    (!host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c)) && host.chars().any(char::is_alphanumeric)).then_some(host)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::{failed, host};
    use crate::logs::{text_tests, windows_update};

    const LOG: &str = "2014-02-21\t06:32:05:525\t860\t5bc\tMisc\tWARNING: Send failed with hr = 80072ee7.\r\n\
        2014-02-21\t06:32:05:525\t860\t5bc\tMisc\tWARNING: SendRequest failed with hr = 80072ee7. Proxy List used: <(null)> Bypass List used : <(null)> Auth Schemes used : <>\r\n\
        2014-02-21\t06:32:06:525\t860\t5bc\tMisc\tWARNING: SendRequest failed with hr = 80072eef. Proxy List used: <Test:80 > Bypass List used : <(null)> Auth Schemes used : <NTLM;>\r\n\
        2014-02-21\t06:32:05:525\t860\t5bc\tMisc\tWARNING: WinHttp: SendRequestUsingProxy failed for <http://www.update.microsoft.com/v9/x.cab>. error 0x8024402c\r\n\
        2014-02-21\t06:32:05:525\t860\t5bc\tMisc\tWARNING: WinHttp: SendRequestToServerForFileInformation failed with 0x8024402c\r\n";

    #[test]
    fn requests_with_their_proxy_and_address() {
        let (entries, _) = windows_update::parse(&mut LOG.as_bytes());
        let found: Vec<_> = entries.iter().filter_map(failed).map(|request| (request.code.0, request.proxy, request.address)).collect();
        let address = Some("http://www.update.microsoft.com/v9/x.cab".to_owned());
        assert_eq!(found, [(0x8007_2EE7, Some(String::new()), None), (0x8007_2EEF, Some("Test:80".into()), None), (0x8024_402C, None, address)]);
    }

    #[test]
    fn hosts_of_addresses() {
        for (address, wanted) in [
            ("http://SERVER:8530/selfupdate/wuident.cab", Some("server")),
            ("https://[::1]:8531", Some("::1")),
            ("server", Some("server")),
            ("http://", None),
            (".", None),
            (" ", None),
            ("http://user:word@proxy.example.com:80", Some("proxy.example.com")),
        ] {
            assert_eq!(host(address).as_deref(), wanted, "{address}");
        }
    }

    #[test]
    fn spoilt_input_ends() {
        text_tests::spoil("web requests", &text_tests::seeds(LOG, &[]), |bytes| {
            let (entries, _) = windows_update::parse(&mut &bytes[..]);
            assert!(entries.iter().filter_map(failed).count() < 20);
        });
    }
}
