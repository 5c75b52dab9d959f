//! What `/start_profile` asks for: SGLang's JSON body, read leniently; vLLM sends none.

use std::path::PathBuf;

use serde::Deserialize;

/// Longest folder or prefix that is taken, in bytes.
const TEXT_CAP: usize = 4096;

/// What to record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    /// Folder for the traces; `None` takes the server's.
    pub(crate) folder: Option<PathBuf>,
    /// Begins the file names.
    pub(crate) prefix: Option<String>,
    /// Steps before recording starts, counted from the start of the server.
    pub(crate) start_step: Option<u64>,
    /// Steps to record, of each stage with `by_stage`; `None` records until the stop.
    pub(crate) steps: Option<u64>,
    /// Prompts and tokens in traces of their own.
    pub(crate) by_stage: bool,
    /// Operators, annotations and Python frames.
    pub(crate) cpu: bool,
    /// Kernels and the calls that launched them.
    pub(crate) gpu: bool,
    /// Python frames.
    pub(crate) with_stack: bool,
}

/// SGLang's body (`ProfileReqInput`, SGLang main of 2026); what is unknown is somebody else's.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    output_dir: Option<String>,
    start_step: Option<i64>,
    num_steps: Option<i64>,
    activities: Option<Vec<String>>,
    profile_by_stage: Option<bool>,
    with_stack: Option<bool>,
    profile_prefix: Option<String>,
}

impl Ask {
    /// Everything until the stop: what an empty body asks for, and every request to vLLM.
    pub(crate) fn everything() -> Ask {
        Ask {
            folder: None,
            prefix: None,
            start_step: None,
            steps: None,
            by_stage: false,
            cpu: true,
            gpu: true,
            with_stack: true,
        }
    }

    /// Reads SGLang's body.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn parse(body: &[u8]) -> Result<Ask, String> {
        if body.iter().all(u8::is_ascii_whitespace) || body == b"null" {
            return Ok(Ask::everything());
        }
        let body: Body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        for text in [&body.output_dir, &body.profile_prefix].into_iter().flatten() {
            if text.len() > TEXT_CAP || text.contains('\0') {
                return Err("output_dir or profile_prefix is no name".to_owned());
            }
        }
        if let Some(prefix) = &body.profile_prefix
            && prefix.contains('/')
        {
            return Err(format!("profile_prefix names a folder: {prefix}"));
        }
        let has = |name: &str| match &body.activities {
            None => matches!(name, "CPU" | "GPU"),
            Some(activities) => activities.iter().any(|activity| activity == name),
        };
        let (cpu, gpu) = (has("CPU"), has("GPU"));
        // Python counts zero and nothing alike.
        let count =
            |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok().filter(|&n| n > 0));
        Ok(Ask {
            cpu,
            gpu,
            start_step: count(body.start_step),
            steps: count(body.num_steps),
            by_stage: body.profile_by_stage.unwrap_or(false),
            with_stack: body.with_stack.unwrap_or(true),
            prefix: body.profile_prefix.filter(|prefix| !prefix.is_empty()),
            folder: body.output_dir.map(PathBuf::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_sglang_takes() {
        let ask = Ask::parse(
            br#"{"output_dir": "/tmp/x", "num_steps": 5, "activities": ["CPU", "GPU", "MEM"],
                "profile_by_stage": true, "with_stack": false, "record_shapes": true, "merge_profiles": false}"#,
        )
        .unwrap();
        assert_eq!(ask.folder.as_deref(), Some(std::path::Path::new("/tmp/x")));
        assert_eq!(
            (ask.steps, ask.by_stage, ask.with_stack, ask.cpu, ask.gpu),
            (Some(5), true, false, true, true)
        );
        let gpu = Ask::parse(br#"{"activities": ["GPU"], "num_steps": 0}"#).unwrap();
        assert_eq!((gpu.cpu, gpu.gpu, gpu.steps), (false, true, None));
        assert_eq!(Ask::parse(b" \n").unwrap(), Ask::everything());
    }

    #[test]
    fn refuses_what_is_no_such_body() {
        assert!(Ask::parse(b"[1").is_err());
        assert!(Ask::parse(br#"{"num_steps": "many"}"#).is_err());
        assert!(Ask::parse(br#"{"profile_prefix": "../up"}"#).is_err());
    }

    proptest! {
        #[test]
        fn any_body_ends_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Ask::parse(&body);
        }
    }
}
