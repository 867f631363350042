//! What `GET /api/annotations` answers.

use serde::Deserialize;

/// An annotation as Grafana has it, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Annotation {
    pub(crate) id: i64,
    /// Begin, in milliseconds since the epoch.
    pub(crate) time: i64,
    /// End: the begin, for a point.
    pub(crate) end: i64,
    pub(crate) text: String,
    pub(crate) tags: Vec<String>,
    /// Uid of the dashboard it was drawn on.
    pub(crate) dashboard: Option<String>,
    /// Who wrote it.
    pub(crate) login: Option<String>,
}

/// As it is sent: before 6.4 a point has no end, and a field without value may be null or missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    id: i64,
    time: i64,
    time_end: Option<i64>,
    text: Option<String>,
    tags: Option<Vec<String>>,
    #[serde(rename = "dashboardUID")]
    dashboard_uid: Option<String>,
    login: Option<String>,
}

/// The list in `body`.
///
/// # Errors
/// With what is no list of annotations about it.
pub(super) fn read(body: &[u8]) -> Result<Vec<Annotation>, String> {
    let sent: Vec<Sent> = serde_json::from_slice(body).map_err(|why| why.to_string())?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(sent
        .into_iter()
        .map(|sent| Annotation {
            id: sent.id,
            time: sent.time,
            end: sent.time_end.unwrap_or_default().max(sent.time),
            text: sent.text.unwrap_or_default(),
            tags: sent.tags.unwrap_or_default(),
            dashboard: some(sent.dashboard_uid),
            login: some(sent.login),
        })
        .collect())
}

/// What an error says: Grafana's `message`, else nothing.
pub(super) fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        message: String,
    }
    serde_json::from_slice::<Error>(body).ok().map(|error| error.message).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_points_and_what_old_versions_leave_out_are_read() {
        let body = r#"[
            {"id": 1124, "alertId": 0, "dashboardId": 468, "dashboardUID": "u", "panelId": 2, "userId": 1, "login": "a", "newState": "",
             "time": 1507266395000, "timeEnd": 1507266396000, "text": "test", "metric": "", "tags": ["t", "k:v"], "data": {}},
            {"id": 1123, "time": 1507265111000, "text": null, "tags": null, "dashboardUID": null, "login": ""},
            {"id": 1, "time": 5, "timeEnd": 0, "dashboardUID": ""}
        ]"#;
        let found = read(body.as_bytes()).unwrap();
        assert_eq!(found[0].tags, ["t", "k:v"]);
        assert_eq!((found[0].time, found[0].end), (1_507_266_395_000, 1_507_266_396_000));
        assert_eq!((found[0].dashboard.as_deref(), found[0].login.as_deref()), (Some("u"), Some("a")));
        for point in &found[1..] {
            assert_eq!((point.end, point.text.as_str(), point.tags.len()), (point.time, "", 0));
            assert_eq!((&point.dashboard, &point.login), (&None, &None));
        }
    }

    #[test]
    fn what_is_no_list_of_annotations_is_refused() {
        for body in ["", "{}", "<html>", "[{}]", "[1]", r#"[{"id": "x", "time": 1}]"#, "[{\"id\":1,\"time\":1}"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn an_error_says_what_grafana_says() {
        assert_eq!(message(br#"{"message":"Access denied","accessErrorId":"x"}"#).as_deref(), Some("Access denied"));
        for body in ["", "<html>", "{}", r#"{"message":" "}"#, r#"{"message":1}"#] {
            assert_eq!(message(body.as_bytes()), None, "{body}");
        }
    }
}
