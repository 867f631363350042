//! Requests to programs on loopback, and queries to Prometheus.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No program takes longer for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A response in one piece.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header lines as they came.
    pub head: String,
    /// The body, chunks joined.
    pub body: String,
}

/// `GET path` with further header lines; fails with what went wrong.
///
/// # Errors
/// When the program does not answer.
pub async fn get_with(port: u16, path: &str, headers: &str) -> Result<Response, String> {
    request(port, &format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n")).await
}

/// `GET path`, which must be answered with 200.
///
/// # Errors
/// When the program does not answer, or with another status.
pub async fn get(port: u16, path: &str) -> Result<String, String> {
    let response = get_with(port, path, "").await?;
    if response.status == 200 {
        Ok(response.body)
    } else {
        Err(format!("{path}: {} {}", response.status, response.body))
    }
}

/// `POST path` without a body.
///
/// # Errors
/// When the program does not answer, or not with a status below 400.
pub async fn post(port: u16, path: &str) -> Result<String, String> {
    let text = format!("POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    let response = request(port, &text).await?;
    if response.status < 400 {
        Ok(response.body)
    } else {
        Err(format!("{path}: {} {}", response.status, response.body))
    }
}

/// `POST path` with a form or a text as its body.
///
/// # Errors
/// When the program does not answer, or not with a status below 400.
pub async fn post_body(port: u16, path: &str, content_type: &str, body: &str) -> Result<String, String> {
    let length = body.len();
    let response = request(
        port,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
    .await?;
    if response.status < 400 {
        Ok(response.body)
    } else {
        Err(format!("{path}: {} {}", response.status, response.body))
    }
}

/// `POST path` with bytes as its body.
///
/// # Errors
/// When the program does not answer, or not with a status below 400.
pub async fn post_bytes(port: u16, path: &str, content_type: &str, body: &[u8]) -> Result<String, String> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    let response = exchange(port, &[head.as_bytes(), body].concat()).await?;
    if response.status < 400 {
        Ok(response.body)
    } else {
        Err(format!("{path}: {} {}", response.status, response.body))
    }
}

async fn request(port: u16, text: &str) -> Result<Response, String> {
    exchange(port, text.as_bytes()).await
}

async fn exchange(port: u16, bytes: &[u8]) -> Result<Response, String> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(bytes).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| format!("port {port} does not answer"))?
        .map_err(|error| format!("port {port}: {error}"))?;
    let text = String::from_utf8_lossy(&answer);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| format!("port {port}: no HTTP: {text}"))?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| format!("no status: {head}"))?;
    Ok(Response { status, head: head.to_owned(), body: body.to_owned() })
}

/// POST of a JSON body; the body of the answer.
///
/// # Errors
/// No answer, or a status of 400 and above, with the body.
pub async fn post_json(port: u16, path: &str, json: &serde_json::Value) -> Result<String, String> {
    let body = json.to_string();
    let head = format!("POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    let response = request(port, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())).await?;
    if response.status < 400 {
        Ok(response.body)
    } else {
        Err(format!("POST {path}: {}: {}", response.status, response.body))
    }
}

/// A value in a form or a URL's query.
#[must_use]
pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The result of an instant query: `(labels, value)` per series.
///
/// # Errors
/// When Prometheus does not answer or refuses the query.
pub async fn query(port: u16, promql: &str) -> Result<Vec<(serde_json::Value, f64)>, String> {
    instant(port, promql, "").await
}

/// The same at another time, in seconds since the epoch. For VictoriaMetrics past its caches.
///
/// # Errors
/// When Prometheus does not answer or refuses the query.
pub async fn query_at(port: u16, promql: &str, at: i64) -> Result<Vec<(serde_json::Value, f64)>, String> {
    instant(port, promql, &format!("&time={at}&nocache=1")).await
}

/// The samples behind a range such as `up[5m]`: labels, and times with values, per series.
///
/// # Errors
/// When Prometheus does not answer or refuses the query.
pub async fn matrix(port: u16, promql: &str) -> Result<Vec<(serde_json::Value, Vec<(f64, f64)>)>, String> {
    let rows = rows(port, promql, "").await?;
    let sample = |pair: &serde_json::Value| {
        Some((pair[0].as_f64()?, pair[1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)))
    };
    let of = |row: &serde_json::Value| {
        let samples = row["values"].as_array().into_iter().flatten().filter_map(sample).collect();
        (row["metric"].clone(), samples)
    };
    Ok(rows.iter().map(of).collect())
}

/// The same with further parameters of the request, each after an `&`.
///
/// # Errors
/// When Prometheus does not answer or refuses the query.
pub async fn instant(port: u16, promql: &str, further: &str) -> Result<Vec<(serde_json::Value, f64)>, String> {
    let of = |row: &serde_json::Value| {
        let value = row["value"][1].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
        (row["metric"].clone(), value)
    };
    Ok(rows(port, promql, further).await?.iter().map(of).collect())
}

async fn rows(port: u16, promql: &str, further: &str) -> Result<Vec<serde_json::Value>, String> {
    let form = format!("query={}{further}", encode(promql));
    let body = post_body(port, "/api/v1/query", "application/x-www-form-urlencoded", &form).await?;
    let json: serde_json::Value = serde_json::from_str(&body).map_err(|error| format!("{promql}: {error}: {body}"))?;
    json["data"]["result"].as_array().cloned().ok_or_else(|| format!("{promql}: {body}"))
}

/// The one value of a query.
///
/// # Errors
/// When there is none or more than one.
pub async fn value(port: u16, promql: &str) -> Result<f64, String> {
    match query(port, promql).await?.as_slice() {
        [(_, value)] => Ok(*value),
        other => Err(format!("{promql}: {} series: {other:?}", other.len())),
    }
}
