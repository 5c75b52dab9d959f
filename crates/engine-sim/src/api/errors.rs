//! Errors of the API in the shape and the words of the engine that is simulated.

use contracts::engine_sim::Identity;
use serde_json::{Value, json};

use crate::http::Answer;

/// Why a generation request is refused before a token is made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ApiError {
    /// The body is not a request.
    Invalid { message: String },
    /// `max_tokens` below one.
    MaxTokens { got: i64 },
    /// The bearer token is missing or wrong.
    Unauthorized,
    /// Another model is served.
    UnknownModel { asked: String, served: String },
    /// Prompt and answer together do not fit.
    ContextLength {
        limit: u64,
        prompt: u64,
        answer: Option<u64>,
    },
    /// No such path.
    NoSuchPath,
    /// The path exists, the method does not.
    Method,
}

impl ApiError {
    /// The HTTP answer.
    pub(crate) fn answer(&self, identity: Identity) -> Answer {
        match self {
            ApiError::Unauthorized => Answer::json(401, &json!({"error": "Unauthorized"})),
            ApiError::NoSuchPath => Answer::json(404, &json!({"detail": "Not Found"})),
            ApiError::Method => Answer::json(405, &json!({"detail": "Method Not Allowed"})),
            ApiError::UnknownModel { asked, served } => {
                let message = format!("The model `{asked}` does not exist. Models served: `{served}`.");
                Answer::json(404, &error_object(identity, 404, &message))
            }
            ApiError::Invalid { message } => Answer::json(400, &error_object(identity, 400, message)),
            ApiError::MaxTokens { got } => {
                let message = format!("max_tokens must be at least 1, got {got}.");
                Answer::json(400, &error_object(identity, 400, &message))
            }
            ApiError::ContextLength {
                limit,
                prompt,
                answer,
            } => {
                let message = context_message(identity, *limit, *prompt, *answer);
                Answer::json(400, &error_object(identity, 400, &message))
            }
        }
    }
}

/// An error as the body of an answer or as the data of an event.
pub(crate) fn error_object(identity: Identity, status: u16, message: &str) -> Value {
    let kind = match status {
        400 => "BadRequestError",
        401 => "AuthenticationError",
        404 => "NotFoundError",
        429 => "RateLimitError",
        503 => "ServiceUnavailableError",
        _ => "InternalServerError",
    };
    let fields = json!({"message": message, "type": kind, "param": null, "code": status});
    match identity {
        // SGLang answers with the fields at the top level, vLLM nests them (as OpenAI does).
        Identity::Sglang => {
            json!({"object": "error", "message": message, "type": kind, "param": null, "code": status})
        }
        _ => json!({"error": fields}),
    }
}

fn context_message(identity: Identity, limit: u64, prompt: u64, answer: Option<u64>) -> String {
    let total = prompt + answer.unwrap_or(0);
    match (identity, answer) {
        (Identity::Sglang, Some(answer)) if prompt < limit => format!(
            "Requested token count exceeds the model's maximum context length of {limit} tokens. You requested a \
             total of {total} tokens: {prompt} tokens from the input messages and {answer} tokens for the completion."
        ),
        (Identity::Sglang, _) => {
            format!("The input ({prompt} tokens) is longer than the model's context length ({limit} tokens).")
        }
        (_, Some(answer)) => format!(
            "This model's maximum context length is {limit} tokens. However, you requested {answer} output tokens \
             and your prompt contains {prompt} input tokens, for a total of {total} tokens."
        ),
        (_, None) => format!(
            "This model's maximum context length is {limit} tokens. However, your request has {prompt} input tokens."
        ),
    }
}
