//! Every JSON document of sota-loop that crosses a process: types, units, exit codes, fingerprints, schemas.
