//! Who answers at a URL: all control endpoints asked at once, then the identity decided from the answers.

use contracts::serve_bench::probe::{EndpointStatus, ProbeData};
use contracts::serve_bench::result::EngineKind;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::control::{Control, Reply};
use crate::detect::{Answers, Identity, identify};
use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::headers::Headers;

type Answer = Result<Reply, ClientError>;

/// Asks a server who it is.
///
/// # Errors
/// When nothing answers, when the answer is not an OpenAI API's, or when the credential is refused.
pub async fn probe(endpoint: &Endpoint, headers: &Headers) -> Result<ProbeData, ClientError> {
    let control = Control::new(endpoint, headers)?;
    let (models, version, info, props, health, metrics) = tokio::join!(
        control.get("/v1/models"),
        control.get("/version"),
        control.get("/server_info"),
        control.get("/props"),
        control.get("/health"),
        control.get("/metrics"),
    );
    let listed = models_of(endpoint, headers, &models).await?;
    let json = |answer: &Answer| answer.as_ref().ok().and_then(Reply::json);
    let mut answers = Answers {
        models: Some(listed),
        version: json(&version),
        server_info: json(&info),
        props: json(&props),
        metrics: metrics
            .as_ref()
            .ok()
            .and_then(Reply::text)
            .map(std::borrow::Cow::into_owned),
    };
    let mut endpoints = vec![
        status("/v1/models", &models),
        status("/version", &version),
        status("/server_info", &info),
        status("/props", &props),
        status("/health", &health),
        status("/metrics", &metrics),
    ];
    let first = identify(&answers);
    let (older, tokenized) = tokio::join!(
        older_info(&control, &first, &answers),
        tokenize_status(&control, &first)
    );
    if let Some((path, answer)) = older {
        answers.server_info = json(&answer).or(answers.server_info);
        endpoints.push(status(path, &answer));
    }
    endpoints.push(status("/tokenize", &tokenized));
    let Identity {
        engine,
        models,
        max_model_len,
        simulated,
        settings,
    } = identify(&answers);
    Ok(ProbeData {
        url: endpoint.to_string(),
        engine,
        models,
        max_model_len,
        simulated,
        tokenize: tokenized.is_ok_and(|reply| reply.json().is_some_and(|json| json.get("tokens").is_some())),
        endpoints,
        settings,
    })
}

/// Checks a model name against the names a server lists; without a name, takes the first one.
///
/// # Errors
/// [`ClientError::ModelNotServed`] with the names that are served. A server that lists none gets the benefit of the
/// doubt when a name is given.
pub fn served_model(probe: &ProbeData, asked: Option<&str>) -> Result<String, ClientError> {
    let not_served = |model: &str| ClientError::ModelNotServed {
        url: probe.url.clone(),
        model: contracts::text::clean(model, 200),
        served: probe.models.iter().take(20).cloned().collect(),
    };
    match asked {
        Some(model) if probe.models.is_empty() || probe.models.iter().any(|served| served == model) => {
            Ok(model.to_owned())
        }
        // llama.cpp serves one model, whatever name is asked for, but then the name in the document would be wrong.
        Some(model) => Err(not_served(model)),
        None => probe.models.first().cloned().ok_or_else(|| not_served("a model")),
    }
}

fn status(path: &str, answer: &Answer) -> EndpointStatus {
    EndpointStatus {
        path: path.to_owned(),
        status: answer.as_ref().ok().map(|reply| reply.status),
    }
}

/// The list of models, or why there is none.
async fn models_of(endpoint: &Endpoint, headers: &Headers, answer: &Answer) -> Result<Value, ClientError> {
    let url = || endpoint.to_string();
    let reply = match answer {
        Ok(reply) => reply,
        Err(ClientError::NotOpenAi { .. }) if !endpoint.is_tls() && speaks_tls(endpoint).await => {
            return Err(ClientError::NeedsTls { url: url() });
        }
        Err(error) => return Err(error.clone()),
    };
    match reply.status {
        200 => {}
        401 | 403 => {
            let has_credential = headers.has_credential();
            return Err(ClientError::Unauthorized {
                url: url(),
                status: reply.status,
                has_credential,
            });
        }
        // llama.cpp while it loads the model, and gateways whose engine is not up.
        502..=504 => {
            return Err(ClientError::NotReady {
                url: url(),
                reason: reply.reason(headers),
            });
        }
        // nginx and Go servers say so in words.
        400 if !endpoint.is_tls() && says_needs_tls(&reply.body) => {
            return Err(ClientError::NeedsTls { url: url() });
        }
        _ => {
            let reason = format!("/v1/models answers {}", reply.reason(headers));
            return Err(ClientError::NotOpenAi { url: url(), reason });
        }
    }
    match reply.json() {
        Some(json) if json.get("data").is_some_and(Value::is_array) => Ok(json),
        _ => {
            let reason = "/v1/models answers something other than a list of models".to_owned();
            Err(ClientError::NotOpenAi { url: url(), reason })
        }
    }
}

fn says_needs_tls(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&body[..body.len().min(2000)]).to_ascii_lowercase();
    text.contains("https port") || text.contains("http request to an https server")
}

/// Whether the port answers plain HTTP with a TLS alert record.
async fn speaks_tls(endpoint: &Endpoint) -> bool {
    let ask = async {
        let address = *endpoint.addresses().await.ok()?.first()?;
        let mut stream = tokio::net::TcpStream::connect(address).await.ok()?;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.ok()?;
        let mut head = [0; 2];
        stream.read_exact(&mut head).await.ok()?;
        Some(head)
    };
    let limit = std::time::Duration::from_secs(2);
    // 21: alert; 3: the major version of every TLS.
    tokio::time::timeout(limit, ask).await.ok().flatten() == Some([21, 3])
}

/// The endpoint that older or differently configured servers have in place of `/server_info`.
async fn older_info(
    control: &Control<'_>,
    identity: &Identity,
    answers: &Answers,
) -> Option<(&'static str, Answer)> {
    let path = match (&answers.server_info, identity.engine.kind) {
        (None, EngineKind::Sglang | EngineKind::Tokenspeed | EngineKind::Other) => "/get_server_info",
        // vLLM in developer mode writes its configuration as one text unless asked otherwise.
        (Some(info), EngineKind::Vllm) if info.get("vllm_config").is_some_and(Value::is_string) => {
            "/server_info?config_format=json"
        }
        _ => return None,
    };
    Some((path, control.get(path).await))
}

async fn tokenize_status(control: &Control<'_>, identity: &Identity) -> Answer {
    let model = identity.models.first().map_or("", String::as_str);
    control
        .post(
            "/tokenize",
            &tokenize_body(identity.engine.kind, model, "a", true),
        )
        .await
}

fn tokenize_body(kind: EngineKind, model: &str, text: &str, special: bool) -> Value {
    match kind {
        EngineKind::LlamaCpp => json!({"content": text, "add_special": special}),
        _ if special => json!({"model": model, "prompt": text}),
        // vLLM and SGLang; a server that does not know the field adds its special tokens.
        _ => json!({"model": model, "prompt": text, "add_special_tokens": false}),
    }
}

/// Asks the server how many tokens a text has: with the special tokens at its start, as a completion has them, or as the
/// content of a message.
///
/// # Errors
/// [`ClientError::NoTokenize`] when the server has no such endpoint, and what [`probe`] fails with.
pub async fn tokenize(
    endpoint: &Endpoint,
    headers: &Headers,
    kind: EngineKind,
    model: &str,
    text: &str,
    special: bool,
) -> Result<u64, ClientError> {
    let control = Control::new(endpoint, headers)?;
    let reply = control
        .post("/tokenize", &tokenize_body(kind, model, text, special))
        .await?;
    let missing = |reason: String| ClientError::NoTokenize {
        url: endpoint.to_string(),
        reason,
    };
    let json = reply.json().ok_or_else(|| missing(reply.reason(headers)))?;
    let tokens = json
        .get("tokens")
        .and_then(Value::as_array)
        .map(|tokens| tokens.len() as u64);
    let count = json.get("count").and_then(Value::as_u64);
    count
        .or(tokens)
        .ok_or_else(|| missing("the answer holds neither a count nor tokens".to_owned()))
}

/// The text of an endpoint's 200 answer, two megabytes at most.
///
/// # Errors
/// [`ClientError::NotReady`] for any other status, and what [`probe`] fails with.
pub async fn get_text(endpoint: &Endpoint, headers: &Headers, path: &str) -> Result<String, ClientError> {
    let reply = Control::new(endpoint, headers)?.get(path).await?;
    let text = reply.text().map(std::borrow::Cow::into_owned);
    text.ok_or_else(|| ClientError::NotReady {
        url: endpoint.url(path),
        reason: reply.reason(headers),
    })
}

/// What a control endpoint answered to a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// What the body says, cleaned, with no secret in it; empty for an empty body.
    pub text: String,
}

/// Sends an order to a control endpoint, with a JSON body or without one, and gives whatever status came back.
///
/// # Errors
/// When no answer comes within `limit`, and what [`probe`] fails with for want of a connection.
pub async fn post_order(
    endpoint: &Endpoint,
    headers: &Headers,
    path: &str,
    body: Option<&Value>,
    limit: std::time::Duration,
) -> Result<Answered, ClientError> {
    let reply = Control::new(endpoint, headers)?.order(path, body, limit).await?;
    let text = headers.without_secrets(&crate::chunk::error_body_text(&reply.body));
    Ok(Answered {
        status: reply.status,
        text: contracts::text::clean(&text, 200),
    })
}

/// Sends one JSON body and gives the JSON of a 200 answer, two megabytes at most.
///
/// # Errors
/// [`ClientError::NotReady`] for any other status or a body that is no JSON (a cut one included), and what [`probe`] fails
/// with for want of an answer within `limit`.
pub async fn post_json(
    endpoint: &Endpoint,
    headers: &Headers,
    path: &str,
    body: &Value,
    limit: std::time::Duration,
) -> Result<Value, ClientError> {
    let reply = Control::new(endpoint, headers)?
        .order(path, Some(body), limit)
        .await?;
    reply.json().ok_or_else(|| ClientError::NotReady {
        url: endpoint.url(path),
        reason: reply.reason(headers),
    })
}

#[cfg(test)]
mod tests {
    use contracts::ToolError as _;
    use contracts::serve_bench::result::EngineInfo;

    use super::*;

    fn serving(models: &[&str]) -> ProbeData {
        ProbeData {
            url: "http://127.0.0.1:1".to_owned(),
            engine: EngineInfo {
                kind: EngineKind::Vllm,
                version: None,
            },
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            max_model_len: None,
            simulated: false,
            tokenize: false,
            endpoints: Vec::new(),
            settings: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let error = served_model(&serving(&["a", "b"]), Some("c")).unwrap_err();
        assert_eq!(error.code(), "model-not-served");
        assert!(error.to_string().contains("a, b"), "{error}");
        assert_eq!(served_model(&serving(&["a", "b"]), Some("b")).unwrap(), "b");
        assert_eq!(served_model(&serving(&["a", "b"]), None).unwrap(), "a");
        assert_eq!(served_model(&serving(&[]), Some("x")).unwrap(), "x");
        assert_eq!(
            served_model(&serving(&[]), None).unwrap_err().code(),
            "model-not-served"
        );
    }

    #[test]
    fn words_of_servers_that_want_tls() {
        assert!(says_needs_tls(
            b"<center>The plain HTTP request was sent to HTTPS port</center>"
        ));
        assert!(says_needs_tls(
            b"Client sent an HTTP request to an HTTPS server.\n"
        ));
        assert!(!says_needs_tls(b"bad request"));
    }
}
