//! The control path: who answers, and every way in which nobody useful does.

use contracts::ToolError as _;
use contracts::serve_bench::result::EngineKind;
use engine_client::{ClientError, Endpoint, Headers, probe, tokenize};

use crate::server::{Seen, Server, Step, whole};

fn path(seen: &Seen) -> String {
    seen.head.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn json(body: &str) -> Vec<Step> {
    whole("200 OK", "content-type: application/json\r\n", body)
}

fn not_found() -> Vec<Step> {
    whole(
        "404 Not Found",
        "content-type: application/json\r\n",
        r#"{"detail":"Not Found"}"#,
    )
}

const MODELS: &str = r#"{"object":"list","data":[{"id":"m","owned_by":"@","max_model_len":4096}]}"#;

async fn failing(answer: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> ClientError {
    let server = Server::start(move |_, seen| answer(&path(seen)));
    probe(&server.endpoint(), &Headers::new()).await.unwrap_err()
}

fn is_without_special_tokens(seen: &Seen) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    body["add_special_tokens"] == false
}

#[tokio::test]
async fn an_sglang_server_is_recognised_with_its_settings() {
    let server = Server::start(|_, seen| match path(seen).as_str() {
        "/v1/models" => json(&MODELS.replace('@', "sglang")),
        "/server_info" => json(r#"{"version":"0.5.23","attention_backend":"fa3","api_key":"sk-x"}"#),
        "/health" => whole("200 OK", "", ""),
        "/tokenize" if is_without_special_tokens(seen) => json(r#"{"tokens":[2],"count":1}"#),
        "/tokenize" => json(r#"{"tokens":[1,2],"count":2}"#),
        _ => not_found(),
    });
    let found = probe(&server.endpoint(), &Headers::new()).await.unwrap();
    assert_eq!(
        (found.engine.kind, found.engine.version.as_deref()),
        (EngineKind::Sglang, Some("0.5.23"))
    );
    assert_eq!(
        (found.models.as_slice(), found.max_model_len),
        (&["m".to_owned()][..], Some(4096))
    );
    assert!(found.tokenize && !found.simulated);
    assert_eq!(found.settings.len(), 1);
    let status = |path: &str| {
        found
            .endpoints
            .iter()
            .find(|endpoint| endpoint.path == path)
            .unwrap()
            .status
    };
    assert_eq!(
        (status("/v1/models"), status("/props"), status("/tokenize")),
        (Some(200), Some(404), Some(200))
    );
    let count = tokenize(
        &server.endpoint(),
        &Headers::new(),
        EngineKind::Sglang,
        "m",
        "a b",
        true,
    )
    .await
    .unwrap();
    assert_eq!(count, 2);
    let message = tokenize(
        &server.endpoint(),
        &Headers::new(),
        EngineKind::Sglang,
        "m",
        "a b",
        false,
    )
    .await
    .unwrap();
    assert_eq!(message, 1, "a chat template adds special tokens by itself");
}

#[tokio::test]
async fn an_older_sglang_server_has_the_older_endpoint() {
    let server = Server::start(|_, seen| match path(seen).as_str() {
        "/v1/models" => json(&MODELS.replace('@', "sglang")),
        "/get_server_info" => json(r#"{"version":"0.4.6","attention_backend":"triton"}"#),
        _ => not_found(),
    });
    let found = probe(&server.endpoint(), &Headers::new()).await.unwrap();
    assert_eq!(found.engine.version.as_deref(), Some("0.4.6"));
    assert!(!found.tokenize);
    let error = tokenize(
        &server.endpoint(),
        &Headers::new(),
        EngineKind::Sglang,
        "m",
        "a",
        true,
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), "no-tokenize");
}

#[tokio::test]
async fn a_llama_cpp_server_is_asked_in_its_own_words() {
    let server = Server::start(|_, seen| match path(seen).as_str() {
        "/v1/models" => json(r#"{"data":[{"id":"/m.gguf","owned_by":"llamacpp"}]}"#),
        "/props" => {
            json(r#"{"default_generation_settings":{"n_ctx":1024},"total_slots":4,"build_info":"b1"}"#)
        }
        "/tokenize" if seen.body.starts_with(b"{\"content\":\"a b c\"") => json(r#"{"tokens":[1,2,3,4]}"#),
        "/tokenize" => json(r#"{"tokens":[1]}"#),
        _ => not_found(),
    });
    let found = probe(&server.endpoint(), &Headers::new()).await.unwrap();
    assert_eq!(
        (found.engine.kind, found.max_model_len),
        (EngineKind::LlamaCpp, Some(1024))
    );
    assert!(found.tokenize);
    let count = tokenize(
        &server.endpoint(),
        &Headers::new(),
        EngineKind::LlamaCpp,
        "m",
        "a b c",
        true,
    )
    .await
    .unwrap();
    assert_eq!(count, 4);
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let nobody = {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        probe(&Endpoint::parse(&free.to_string()).unwrap(), &Headers::new())
            .await
            .unwrap_err()
    };
    assert_eq!(
        (nobody.code(), nobody.exit().code(), nobody.retryable()),
        ("connection-refused", 4, true)
    );
    let unauthorized = failing(|_| whole("401 Unauthorized", "", r#"{"error":"no key"}"#)).await;
    assert_eq!(
        (unauthorized.code(), unauthorized.exit().code()),
        ("unauthorized", 4)
    );
    assert!(unauthorized.hint().unwrap().contains("--api-key-env"));
    let loading = failing(|_| {
        whole(
            "503 Service Unavailable",
            "",
            r#"{"error":{"message":"Loading model"}}"#,
        )
    })
    .await;
    assert_eq!((loading.code(), loading.retryable()), ("not-ready", true));
    assert!(loading.to_string().contains("Loading model"));
    let web = failing(|_| whole("200 OK", "content-type: text/html\r\n", "<html>")).await;
    assert_eq!(web.code(), "not-openai");
    let other = failing(|_| not_found()).await;
    assert_eq!(other.code(), "not-openai");
    let noise = failing(|_| vec![Step::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Step::Close]).await;
    assert_eq!(noise.code(), "not-openai");
}

#[tokio::test]
async fn the_wrong_scheme_is_recognised_both_ways() {
    let alert = failing(|_| vec![Step::Raw(vec![21, 3, 1, 0, 2, 2, 70]), Step::Close]).await;
    assert_eq!(alert.code(), "needs-tls", "{alert}");
    let words = failing(|_| {
        whole(
            "400 Bad Request",
            "",
            "Client sent an HTTP request to an HTTPS server.\n",
        )
    })
    .await;
    assert_eq!(words.code(), "needs-tls");
    // A plain server does not understand the greeting: it answers in plain text, or hangs up.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            use std::io::{Read, Write};
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let endpoint = Endpoint::parse(&format!("https://{address}")).unwrap();
    let plain = probe(&endpoint, &Headers::new()).await.unwrap_err();
    assert_eq!(plain.code(), "no-tls", "{plain}");
    assert!(plain.hint().unwrap().contains(&format!("http://{address}")));
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let endless = failing(|path| match path {
        "/v1/models" => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n".to_vec();
            vec![Step::Raw(head), Step::Raw(vec![b' '; 4_000_000]), Step::Hang]
        }
        _ => not_found(),
    })
    .await;
    assert_eq!(endless.code(), "not-openai");
}
