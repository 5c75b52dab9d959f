//! Tests that see the whole repository: layout, schemas, skills, the chain of tools.
