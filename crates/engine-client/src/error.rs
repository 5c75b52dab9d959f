//! What can go wrong before anything is measured, and what to do about it.

use contracts::{Exit, ToolError};

/// A server that cannot be used, or is not what it was said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The URL cannot be used.
    #[error("cannot use the URL {url}: {reason}")]
    BadUrl {
        /// The URL, without credentials.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A header is not allowed in HTTP.
    #[error("header {name} has a name or a value that HTTP does not allow")]
    BadHeader {
        /// Its name.
        name: String,
    },
    /// Nobody listens at the address.
    #[error("nothing listens at {url}: {reason}")]
    Refused {
        /// Base URL.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The address cannot be reached: name, route or time.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// Base URL.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The sandbox of the agent that runs us has no network.
    #[error("cannot reach {url}: the sandbox has no network ({reason})")]
    SandboxedNetwork {
        /// Base URL.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// `https` to a port that speaks plain HTTP.
    #[error("{url} does not speak TLS: {reason}")]
    NoTls {
        /// Base URL.
        url: String,
        /// What the handshake says.
        reason: String,
    },
    /// `http` to a port that speaks TLS.
    #[error("{url} speaks TLS, not plain HTTP")]
    NeedsTls {
        /// Base URL.
        url: String,
    },
    /// The certificate is not trusted.
    #[error("the certificate of {url} is not accepted: {reason}")]
    Certificate {
        /// Base URL.
        url: String,
        /// What the check says.
        reason: String,
    },
    /// 401 or 403.
    #[error("{url} answers {status} to our {}", if *.has_credential { "credential" } else { "request without a credential" })]
    Unauthorized {
        /// Base URL.
        url: String,
        /// 401 or 403.
        status: u16,
        /// Whether a credential was sent.
        has_credential: bool,
    },
    /// The model name is not one that the server lists.
    #[error("{url} does not serve {model}; it serves {}", list(.served))]
    ModelNotServed {
        /// Base URL.
        url: String,
        /// The name that was asked for.
        model: String,
        /// The names that are served.
        served: Vec<String>,
    },
    /// Something answers, but no OpenAI API.
    #[error("{url} is not an OpenAI-compatible server: {reason}")]
    NotOpenAi {
        /// Base URL.
        url: String,
        /// What it answers.
        reason: String,
    },
    /// The server says that it is not ready.
    #[error("{url} is not ready: {reason}")]
    NotReady {
        /// Base URL.
        url: String,
        /// What it answers.
        reason: String,
    },
    /// The server has no endpoint that counts tokens.
    #[error("{url} cannot tokenize for us: {reason}")]
    NoTokenize {
        /// Base URL.
        url: String,
        /// What it answers.
        reason: String,
    },
    /// Too many files are open.
    #[error("cannot open another connection to {url}: too many open files")]
    OpenFiles {
        /// Base URL.
        url: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "no model".to_owned()
    } else {
        names.join(", ")
    }
}

impl ToolError for ClientError {
    fn code(&self) -> &'static str {
        match self {
            ClientError::BadUrl { .. } => "bad-url",
            ClientError::BadHeader { .. } => "bad-header",
            ClientError::Refused { .. } => "connection-refused",
            ClientError::Unreachable { .. } => "unreachable",
            ClientError::SandboxedNetwork { .. } => "sandboxed-network",
            ClientError::NoTls { .. } => "no-tls",
            ClientError::NeedsTls { .. } => "needs-tls",
            ClientError::Certificate { .. } => "certificate",
            ClientError::Unauthorized { .. } => "unauthorized",
            ClientError::ModelNotServed { .. } => "model-not-served",
            ClientError::NotOpenAi { .. } => "not-openai",
            ClientError::NotReady { .. } => "not-ready",
            ClientError::NoTokenize { .. } => "no-tokenize",
            ClientError::OpenFiles { .. } => "open-file-limit",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            ClientError::BadUrl { .. } => "give the base URL, for example --url http://127.0.0.1:8000".to_owned(),
            ClientError::BadHeader { .. } => "give a header as 'Name: value', without line breaks".to_owned(),
            ClientError::Refused { .. } => {
                "start the server, or check the port; `serve-bench doctor` lists the servers on this machine".to_owned()
            }
            ClientError::Unreachable { .. } => {
                "check host name and route, then `serve-bench probe --url URL` again".to_owned()
            }
            ClientError::SandboxedNetwork { .. } => {
                "allow loopback and network traffic: start codex with -c sandbox_workspace_write.network_access=true"
                    .to_owned()
            }
            ClientError::NoTls { url, .. } => format!("use --url {}", url.replacen("https://", "http://", 1)),
            ClientError::NeedsTls { url } => format!("use --url {}", url.replacen("http://", "https://", 1)),
            ClientError::Certificate { .. } => {
                "use the host name the certificate was made for, or add its issuer: SSL_CERT_FILE=/path/to/ca.pem"
                    .to_owned()
            }
            ClientError::Unauthorized { has_credential: false, .. } => {
                "put the key into an environment variable and name it: --api-key-env OPENAI_API_KEY".to_owned()
            }
            ClientError::Unauthorized { has_credential: true, .. } => {
                "the server refuses this key; check the value of the variable that --api-key-env names".to_owned()
            }
            ClientError::ModelNotServed { served, .. } => match served.first() {
                Some(name) => format!("use --model {name}, or leave --model out"),
                None => "the server lists no model; wait until it has loaded one".to_owned(),
            },
            ClientError::NotOpenAi { .. } => {
                "give the base URL of the OpenAI API (the part before /v1); `serve-bench doctor` lists servers".to_owned()
            }
            ClientError::NotReady { .. } => "wait until the server has loaded its model, then try again".to_owned(),
            ClientError::NoTokenize { .. } => {
                "give a tokenizer file with --tokenizer, or use --prompt-unit words".to_owned()
            }
            ClientError::OpenFiles { .. } => "raise the limit in this shell: ulimit -n 65536".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            ClientError::BadUrl { .. } | ClientError::BadHeader { .. } => Exit::Usage,
            ClientError::Refused { .. }
            | ClientError::Unreachable { .. }
            | ClientError::SandboxedNetwork { .. }
            | ClientError::NoTls { .. }
            | ClientError::NeedsTls { .. }
            | ClientError::Certificate { .. }
            | ClientError::Unauthorized { .. }
            | ClientError::ModelNotServed { .. }
            | ClientError::NotOpenAi { .. }
            | ClientError::NotReady { .. }
            | ClientError::NoTokenize { .. }
            | ClientError::OpenFiles { .. } => Exit::Unavailable,
        }
    }

    fn retryable(&self) -> bool {
        matches!(
            self,
            ClientError::Refused { .. } | ClientError::Unreachable { .. } | ClientError::NotReady { .. }
        )
    }
}

#[cfg(test)]
pub(crate) fn examples() -> Vec<ClientError> {
    let url = || "http://127.0.0.1:8000".to_owned();
    let reason = || "because".to_owned();
    vec![
        ClientError::BadUrl {
            url: url(),
            reason: "it has a query",
        },
        ClientError::BadHeader {
            name: "a b".to_owned(),
        },
        ClientError::Refused {
            url: url(),
            reason: reason(),
        },
        ClientError::Unreachable {
            url: url(),
            reason: reason(),
        },
        ClientError::SandboxedNetwork {
            url: url(),
            reason: reason(),
        },
        ClientError::NoTls {
            url: url(),
            reason: reason(),
        },
        ClientError::NeedsTls { url: url() },
        ClientError::Certificate {
            url: url(),
            reason: reason(),
        },
        ClientError::Unauthorized {
            url: url(),
            status: 401,
            has_credential: false,
        },
        ClientError::ModelNotServed {
            url: url(),
            model: "a".to_owned(),
            served: vec!["b".to_owned(), "c".to_owned()],
        },
        ClientError::NotOpenAi {
            url: url(),
            reason: reason(),
        },
        ClientError::NotReady {
            url: url(),
            reason: reason(),
        },
        ClientError::NoTokenize {
            url: url(),
            reason: reason(),
        },
        ClientError::OpenFiles { url: url() },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_error_has_a_hint() {
        let errors = examples();
        let codes: std::collections::BTreeSet<&str> = errors.iter().map(ClientError::code).collect();
        assert_eq!(codes.len(), errors.len());
        for error in &errors {
            assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error}");
            assert!(matches!(error.exit(), Exit::Usage | Exit::Unavailable));
        }
    }

    #[test]
    fn hints_name_the_next_step() {
        let hint_of = |code: &str| {
            examples()
                .into_iter()
                .find(|error| error.code() == code)
                .unwrap()
                .hint()
                .unwrap()
        };
        assert!(hint_of("needs-tls").contains("https://127.0.0.1:8000"));
        assert!(hint_of("sandboxed-network").contains("-c sandbox_workspace_write.network_access=true"));
        assert!(hint_of("unauthorized").contains("--api-key-env"));
        assert!(hint_of("model-not-served").contains("--model b"));
    }
}
