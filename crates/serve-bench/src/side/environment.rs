//! The environment of a launched side: ours or a cleared one, and on top what its subject declares.

use std::collections::BTreeMap;

use cli_kit::Failure;
use contracts::Exit;
use contracts::secret;
use contracts::subject::Subject;
use engine_launch::{Environment, LaunchError};

/// Variables of ours that a cleared environment keeps where they are set.
const KEPT: [&str; 4] = ["HOME", "USER", "LANG", "TMPDIR"];
/// `PATH` of a cleared environment, unless the subject declares one.
const STANDARD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The environment of one side's launches.
pub(super) fn of_launch(
    letter: char,
    clear: bool,
    subject: Option<&Subject>,
) -> Result<Environment, Failure> {
    let mut set = BTreeMap::new();
    if clear {
        let kept = KEPT.map(|name| (name, std::env::var(name)));
        set.extend(
            kept.into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.ok()?))),
        );
        set.insert("PATH".to_owned(), STANDARD_PATH.to_owned());
    }
    for (name, value) in subject.into_iter().flat_map(|subject| &subject.env) {
        check(letter, name, value)?;
        let value = if value.is_empty() && secret::is_secret(name) {
            ours(letter, name)?
        } else {
            value.clone()
        };
        set.insert(name.clone(), value);
    }
    Ok(Environment { clear, set })
}

/// A variable that the system would refuse, or that somebody copied from a document.
fn check(letter: char, name: &str, value: &str) -> Result<(), Failure> {
    let bad = |why: &str| {
        let name = contracts::text::clean(name, 80);
        Failure::new(
            Exit::BadInput,
            "bad-launch-env",
            format!("side {letter}: its subject declares the variable `{name}` {why}"),
        )
    };
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        return Err(bad("whose name or value no environment can hold")
            .hint("a name is not empty and has no `=`; neither name nor value has a NUL byte"));
    }
    if value == secret::REDACTED {
        return Err(
            bad("with the mark that documents show instead of a secret").hint(format!(
                "leave the value empty: that of {name} in this shell is taken"
            )),
        );
    }
    Ok(())
}

/// The value of a secret that a subject names and, as it is kept and shown, does not hold.
fn ours(letter: char, name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| {
        Failure::new(
            Exit::BadInput,
            "bad-launch-env",
            format!(
                "side {letter}: its subject names the secret {name} without a value, and this shell has none"
            ),
        )
        .hint(format!("export {name}=… and run the same command"))
    })
}

/// What to do when a launch from a cleared environment failed and the environment may be why.
pub(super) fn hint(letter: char, env: &Environment, error: &LaunchError) -> Option<String> {
    let flag = if letter == 'a' { "--subject" } else { "--b-subject" };
    match error {
        LaunchError::Spawn { program, .. } if env.clear && !program.contains('/') => {
            let path = env.set.get("PATH").map_or(STANDARD_PATH, String::as_str);
            let path = contracts::text::clean(path, 200);
            Some(format!(
                "with --clear-env the program is looked up in {path}: give its absolute path, or declare PATH under `env` in the file of {flag}"
            ))
        }
        LaunchError::Exited { log_path, .. } if env.clear => Some(format!(
            "with --clear-env the server has no variable of this shell: declare what it needs under `env` in the file of {flag}; the whole log: {}",
            log_path.display()
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str, value: &str) -> Subject {
        Subject {
            env: [(name.to_owned(), value.to_owned())].into(),
            ..Subject::default()
        }
    }

    #[test]
    fn an_inherited_environment_sets_what_is_declared() {
        let declared = subject("VLLM_USE_V1", "1");
        let env = of_launch('a', false, Some(&declared)).unwrap();
        assert_eq!((env.clear, env.set), (false, declared.env));
        assert_eq!(of_launch('a', false, None).unwrap(), Environment::default());
    }

    #[test]
    fn a_cleared_one_keeps_five_names_at_most_and_the_subject_wins() {
        let env = of_launch('a', true, None).unwrap();
        assert!(env.clear);
        assert_eq!(env.set["PATH"], STANDARD_PATH);
        let is_known = |name: &String| name == "PATH" || KEPT.contains(&name.as_str());
        assert!(env.set.keys().all(is_known), "{:?}", env.set.keys());

        let declared = subject("PATH", "/opt/engine/bin");
        let env = of_launch('b', true, Some(&declared)).unwrap();
        assert_eq!(env.set["PATH"], "/opt/engine/bin");
    }

    #[test]
    fn what_no_environment_holds_is_refused() {
        for (name, value) in [
            ("", "x"),
            ("A=B", "x"),
            ("A\0", "x"),
            ("A", "x\0"),
            ("HF_TOKEN", "<secret>"),
        ] {
            let failure = of_launch('b', true, Some(&subject(name, value))).unwrap_err();
            assert_eq!(failure.document.code, "bad-launch-env", "{name:?}={value:?}");
            assert_eq!(failure.exit, Exit::BadInput);
            assert!(failure.document.hint.is_some());
        }
    }

    #[test]
    fn a_secret_that_is_only_named_comes_from_our_environment() {
        let failure = of_launch('a', true, Some(&subject("NO_SUCH_VARIABLE_TOKEN", ""))).unwrap_err();
        assert_eq!(failure.document.code, "bad-launch-env");
        assert!(
            failure
                .document
                .hint
                .unwrap()
                .contains("export NO_SUCH_VARIABLE_TOKEN")
        );
        assert_eq!(ours('a', "PATH").unwrap(), std::env::var("PATH").unwrap());
        let plain = of_launch('a', true, Some(&subject("EMPTY", ""))).unwrap();
        assert_eq!(
            plain.set["EMPTY"], "",
            "what is no secret is empty when it says so"
        );
    }

    #[test]
    fn a_hint_names_the_file_of_its_side() {
        let spawn = |program: &str| LaunchError::Spawn {
            program: program.to_owned(),
            reason: "not found".to_owned(),
        };
        let cleared = of_launch('b', true, None).unwrap();
        let said = hint('b', &cleared, &spawn("vllm")).unwrap();
        assert!(
            said.contains("absolute path") && said.contains("--b-subject"),
            "{said}"
        );
        assert_eq!(hint('a', &cleared, &spawn("/opt/vllm")), None);
        assert_eq!(hint('a', &Environment::default(), &spawn("vllm")), None);
    }
}
