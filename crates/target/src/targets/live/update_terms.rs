//! What is said to the Windows Update Agent and how it says times: pure, and tried everywhere.

use model::UpdateName;

/// Seconds from 30 December 1899, where the agent's days begin, to 1970.
const DAYS_BEGIN: f64 = 25_569.0;

/// One search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search {
    /// What is searched for, in the agent's own form.
    pub(super) criteria: String,
    /// The agent of an older Windows may not know this form; then nothing was found by it.
    pub(super) may_be_unknown: bool,
}

/// Searches for one update, in this order; the first that gives something decides. An article is no word of the agent's searches, so
/// everything that is offered is searched through, then everything that is installed.
///
/// What may stand in them, and that only what is to be installed is found unless another action is named: Microsoft's "IUpdateSearcher::Search".
/// Hidden updates are found as well, so that it can be said that one is hidden.
pub(super) fn searches(update: &UpdateName) -> Vec<Search> {
    let plain = |criteria: &str| Search { criteria: criteria.into(), may_be_unknown: false };
    let optional = |criteria: &str| Search { criteria: format!("{criteria} and DeploymentAction='OptionalInstallation'"), may_be_unknown: true };
    match update {
        UpdateName::Article(_) => vec![plain("IsInstalled=0"), optional("IsInstalled=0"), plain("IsInstalled=1")],
        UpdateName::Id(id) => {
            // A name is a GUID and holds no apostrophe.
            let named = format!("UpdateID='{id}'");
            vec![plain(&named), optional(&named)]
        }
    }
}

/// Asks whether exactly this update is installed now.
pub(super) fn installed_search(id: &str) -> Option<String> {
    match UpdateName::of_id(id)? {
        UpdateName::Id(id) => Some(format!("UpdateID='{id}' and IsInstalled=1")),
        UpdateName::Article(_) => None,
    }
}

/// Whether an update with these articles, as the agent lists them (`5034441`), and this id is the one that is meant.
pub(super) fn is_meant(update: &UpdateName, articles: &[String], id: &str) -> bool {
    match update {
        UpdateName::Article(number) => articles.iter().any(|article| article.trim_start_matches(['K', 'B', 'k', 'b']).parse() == Ok(*number)),
        UpdateName::Id(_) => UpdateName::of_id(id).as_ref() == Some(update),
    }
}

/// Seconds since 1970 of an automation date, days since the end of 1899 as the agent tells them in UTC; `None` when it is no time of our age.
pub(super) fn unix(date: f64) -> Option<i64> {
    // Up to the year 9999, which is the last that such a date can hold.
    if !(DAYS_BEGIN..2_958_466.0).contains(&date) {
        return None;
    }
    // Less than 2^38, so the number is exact.
    #[allow(clippy::cast_possible_truncation, reason = "its size was just looked at")]
    Some(((date - DAYS_BEGIN) * 86_400.0).round() as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test")]
mod tests {
    use super::{installed_search, is_meant, searches, unix};

    #[test]
    fn one_update_is_searched_for_and_no_other_is_meant() {
        let article = "KB5034441".parse().unwrap();
        let criteria = |update| searches(update).into_iter().map(|search| search.criteria).collect::<Vec<_>>();
        assert_eq!(criteria(&article), ["IsInstalled=0", "IsInstalled=0 and DeploymentAction='OptionalInstallation'", "IsInstalled=1"]);
        assert!(is_meant(&article, &["5034439".into(), "5034441".into()], ""));
        assert!(is_meant(&article, &["KB5034441".into()], ""));
        assert!(!is_meant(&article, &["503444".into(), "50344410".into(), String::new()], "5034441"));
        let id = "{0F1E2D3C-0000-0000-0000-00000000000A}".parse().unwrap();
        assert_eq!(criteria(&id)[0], "UpdateID='0f1e2d3c-0000-0000-0000-00000000000a'");
        assert!(is_meant(&id, &[], "0F1E2D3C-0000-0000-0000-00000000000A") && !is_meant(&id, &[], "0f1e2d3c-0000-0000-0000-00000000000b"));
        assert_eq!(installed_search("x' or IsInstalled=1"), None);
    }

    #[test]
    fn dates_of_automation_become_seconds() {
        assert_eq!(unix(25_569.0), Some(0));
        // 2024-01-10T03:04:05Z, with the rounding of a binary fraction.
        assert_eq!(unix(45_301.0 + (3.0 * 3600.0 + 4.0 * 60.0 + 5.0) / 86_400.0), Some(1_704_855_845));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 3e9] {
            assert_eq!(unix(none), None, "{none}");
        }
    }
}
