//! A model's config.json to layer count, layer types and attention kind.
