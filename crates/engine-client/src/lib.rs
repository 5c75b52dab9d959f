//! One inference server on the wire: OpenAI endpoints, SSE decoding, time stamps, engine detection and identity.
