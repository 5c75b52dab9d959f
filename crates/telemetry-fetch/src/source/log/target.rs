//! What `--logs` names.

use std::path::PathBuf;

use super::error::LogError;

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file.
    File(PathBuf),
    /// A unit of systemd.
    Journald(String),
    /// A container.
    Docker(String),
    /// A run, of the default project or of one that is named.
    Dstack { project: Option<String>, run: String },
    /// A pod, of the default namespace or of one that is named.
    Kubectl { namespace: Option<String>, pod: String },
}

impl Target {
    /// Reads what was typed.
    ///
    /// # Errors
    /// When it names nothing.
    pub(crate) fn parse(text: &str) -> Result<Target, LogError> {
        let failed = |why| LogError::Target {
            text: contracts::text::clean(text, 200),
            why,
        };
        let Some((kind, name)) = text.split_once(':') else {
            return match text {
                "" => Err(failed("it is empty")),
                path => Ok(Target::File(PathBuf::from(path))),
            };
        };
        if !["journald", "docker", "dstack", "kubectl"].contains(&kind) {
            return match kind.contains(['/', '.']) {
                true => Ok(Target::File(PathBuf::from(text))),
                false => Err(failed("no such kind of log is known")),
            };
        }
        // A name that begins with a dash would be a flag of the program.
        let is_name = |name: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@:\\".contains(c);
            !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain)
        };
        let (outer, inner) = match name.split_once('/') {
            Some((outer, inner)) => (Some(outer), inner),
            None => (None, name),
        };
        if !is_name(inner) || outer.is_some_and(|outer| !is_name(outer)) {
            return Err(failed("its name is empty, or not a name"));
        }
        let outer_name = outer.map(str::to_owned);
        let inner = inner.to_owned();
        match (kind, outer_name) {
            ("journald", None) => Ok(Target::Journald(inner)),
            ("docker", None) => Ok(Target::Docker(inner)),
            ("dstack", project) => Ok(Target::Dstack { project, run: inner }),
            ("kubectl", namespace) => Ok(Target::Kubectl {
                namespace,
                pod: inner,
            }),
            _ => Err(failed("it has no part before a slash")),
        }
    }

    /// As on the command line.
    pub(crate) fn shown(&self) -> String {
        let slash =
            |outer: &Option<String>| outer.as_ref().map_or(String::new(), |outer| format!("{outer}/"));
        let text = match self {
            Target::File(path) => path.display().to_string(),
            Target::Journald(unit) => format!("journald:{unit}"),
            Target::Docker(name) => format!("docker:{name}"),
            Target::Dstack { project, run } => format!("dstack:{}{run}", slash(project)),
            Target::Kubectl { namespace, pod } => format!("kubectl:{}{pod}", slash(namespace)),
        };
        contracts::text::clean(&text, 300)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_and_shown_as_typed() {
        for text in [
            "engine.log",
            "./odd:name.log",
            "/var/log/engine-2026-01-01T10:00.log",
            "journald:vllm@0.service",
            "docker:engine-1",
            "dstack:run-1",
            "dstack:main/run-1",
            "kubectl:pod-1",
            "kubectl:prod/pod-1",
        ] {
            assert_eq!(
                Target::parse(text).map(|target| target.shown()).ok().as_deref(),
                Some(text)
            );
        }
        assert_eq!(
            Target::parse("kubectl:prod/pod-1").ok(),
            Some(Target::Kubectl {
                namespace: Some("prod".to_owned()),
                pod: "pod-1".to_owned()
            })
        );
    }

    #[test]
    fn what_would_be_a_flag_is_no_name() {
        for text in [
            "",
            "docker:",
            "docker:--help",
            "kubectl:-n/x",
            "docker:a/b",
            "docker:a b",
            "podman:x",
            "dstack:a/b/c",
        ] {
            assert!(Target::parse(text).is_err(), "{text}");
        }
    }
}
