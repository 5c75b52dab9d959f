//! Starting and stopping real processes. The test binary is also the server: it is started again with a role.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod launch;
mod role;
