//! Tests that see the whole repository: layout, schemas, skills, the chain of tools. The tests are in `tests/it`; there
//! is nothing to call here.
