//! What every sota-loop binary does identically: flags, documents in and out, tables, progress, errors to exit codes.
