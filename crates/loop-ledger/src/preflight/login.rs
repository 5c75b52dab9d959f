//! Logins: whether the file or the variable that holds one exists. Neither is read.

use std::path::PathBuf;

use contracts::loop_ledger::preflight::Check;

use super::{Context, failed, home_folder, not_checked, passed, variable, warning};
use crate::cli::Runtime;

/// Largest settings file that is searched for a word.
const SETTINGS_CAP: u64 = 1 << 20;

pub(super) fn checks(context: &Context<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if context.uses_claude() {
        checks.push(claude());
    }
    if context.uses_codex() {
        checks.push(codex());
    }
    if context.runtime == Runtime::Redeploy {
        let is_needed = context.deploys_with() == Some("dstack");
        checks.push(service(
            "dstack",
            &[],
            home_folder("DSTACK_HOME", ".dstack"),
            is_needed,
        ));
        checks.push(service(
            "graphsignal",
            &["GRAPHSIGNAL_API_KEY"],
            home_folder("GRAPHSIGNAL_HOME", ".graphsignal"),
            false,
        ));
    }
    checks
}

fn claude() -> Check {
    let name = "login-claude";
    let variables = [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "CLAUDE_CODE_USE_FOUNDRY",
    ];
    if let Some(found) = any_variable(&variables) {
        return passed(name, found);
    }
    let folder = home_folder("CLAUDE_CONFIG_DIR", ".claude");
    if let Some(found) = file(&folder, ".credentials.json") {
        return passed(name, found);
    }
    if mentions(&folder, "settings.json", "apiKeyHelper") {
        return not_checked(
            name,
            "settings.json names a program that gives the key".to_owned(),
        );
    }
    if cfg!(target_os = "macos") {
        return not_checked(name, "macOS keeps the login in its keychain".to_owned());
    }
    failed(
        name,
        "no credentials file and no variable".to_owned(),
        "run `claude` once and log in",
    )
}

fn codex() -> Check {
    let name = "login-codex";
    if let Some(found) = any_variable(&["CODEX_API_KEY", "OPENAI_API_KEY", "CODEX_ACCESS_TOKEN"]) {
        return passed(name, found);
    }
    let folder = home_folder("CODEX_HOME", ".codex");
    if let Some(found) = file(&folder, "auth.json") {
        return passed(name, found);
    }
    if mentions(&folder, "config.toml", "cli_auth_credentials_store")
        || mentions(&folder, "config.toml", "model_provider")
    {
        return not_checked(name, "config.toml names another store or provider".to_owned());
    }
    failed(name, "no auth.json and no variable".to_owned(), "codex login")
}

/// A service with its login in `config.yml`.
fn service(service: &str, variables: &[&str], folder: Option<PathBuf>, is_needed: bool) -> Check {
    let name = format!("login-{service}");
    if let Some(found) = any_variable(variables).or_else(|| file(&folder, "config.yml")) {
        return passed(&name, found);
    }
    let found = "no config.yml and no variable".to_owned();
    let fix = match service {
        "dstack" => "dstack login",
        _ => "graphsignal-debug login",
    };
    if is_needed {
        failed(&name, found, fix)
    } else {
        warning(&name, found, fix)
    }
}

fn any_variable(names: &[&str]) -> Option<String> {
    names
        .iter()
        .find(|name| variable(name).is_some())
        .map(|name| format!("{name} is set"))
}

/// Whether a file is there; its name alone is said.
fn file(folder: &Option<PathBuf>, name: &str) -> Option<String> {
    let path = folder.as_ref()?.join(name);
    let is_filled = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0);
    is_filled.then(|| format!("{name} exists"))
}

/// Whether a settings file has a word. Settings hold no secret; credential files are never opened.
fn mentions(folder: &Option<PathBuf>, name: &str, word: &str) -> bool {
    folder
        .as_ref()
        .and_then(|folder| cli_kit::read_bounded(&folder.join(name), SETTINGS_CAP).ok())
        .is_some_and(|bytes| String::from_utf8_lossy(&bytes).contains(word))
}
