//! Who collected a report and where, found in any text of it: the host, the user, and paths. A kernel can be named after a file,
//! a rule that failed prints one, and whoever collected the report is in both.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Metric, Session, Value};

/// What stands where something was left out.
const LEFT_OUT: &str = "…";

/// Folders whose parts are named after users.
const HOMES: [&str; 3] = ["home", "Users", "users"];

/// Variables that name a user or a host.
const NAMES: [&str; 4] = ["USER", "USERNAME", "LOGNAME", "HOSTNAME"];

/// Ends of the parts of names of variables whose values are nobody's business: `HF_TOKEN` and `APIKEY`, not
/// `TOKENIZERS_PARALLELISM`.
const SECRETS: [&str; 4] = ["TOKEN", "KEY", "SECRET", "PASSWORD"];

/// Users, hosts and values that say nothing of anybody, and would be missed in the names of kernels and devices.
const ORDINARY: [&str; 24] = [
    "amd", "auto", "base", "cuda", "data", "default", "false", "full", "none", "nvidia", "off", "on",
    "python", "root", "sglang", "test", "torch", "triton", "true", "ubuntu", "user", "vllm", "work", "yes",
];

/// Most texts that are looked for anywhere, not word by word.
const MOST_PATHS: usize = 64;

/// Words that say who and where.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Whole words in small letters: host, users, values of variables.
    words: BTreeSet<String>,
    /// Paths as the session has them, which can have blanks, and secrets that are no words.
    paths: BTreeSet<String>,
}

impl Words {
    /// What a session says of who and where.
    pub(crate) fn of(session: &Session) -> Self {
        let private = &session.private;
        let mut found = Self::default();
        if let Some(host) = &private.host {
            found.add(host);
            found.add(host.split('.').next().unwrap_or_default());
        }
        for variable in private
            .environment
            .iter()
            .flat_map(|text| text.split_whitespace())
        {
            let Some((name, value)) = variable.split_once('=') else {
                continue;
            };
            let is_secret = |part: &str| SECRETS.iter().any(|end| part.ends_with(end));
            if NAMES.contains(&name) {
                found.add(value);
            } else if name.split('_').any(is_secret) {
                found.add(value);
                if !value.chars().all(is_of_a_word) {
                    found.add_anywhere(value);
                }
            }
        }
        let texts = [
            &private.program,
            &private.working_directory,
            &private.environment,
            &session.command_line,
        ];
        for text in texts.into_iter().flatten() {
            let parts: Vec<&str> = text.split(['/', '\\', ' ', ':', '=', '"', '\'']).collect();
            for pair in parts.windows(2).filter(|pair| HOMES.contains(&pair[0])) {
                found.add(pair[1]);
            }
        }
        for path in [&private.program, &private.working_directory]
            .into_iter()
            .flatten()
        {
            if path.contains(['/', '\\']) && path.len() > 1 {
                found.add_anywhere(path);
            }
        }
        found
    }

    /// One letter is no name, and neither is a number or what everybody is called.
    fn add(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        let is_name = word.chars().nth(1).is_some() && word.contains(|c: char| !c.is_ascii_digit());
        if is_name && !ORDINARY.contains(&word.as_str()) {
            self.words.insert(word);
        }
    }

    fn add_anywhere(&mut self, text: &str) {
        if text.chars().nth(3).is_some() && self.paths.len() < MOST_PATHS {
            self.paths.insert(text.to_owned());
        }
    }

    /// Replaces in `text` what says who and where.
    pub(crate) fn leave_out(&self, text: &mut String) {
        let mut whole = text.clone();
        for path in &self.paths {
            if whole.contains(path.as_str()) {
                whole = whole.replace(path.as_str(), LEFT_OUT);
            }
        }
        let mut out = String::with_capacity(whole.len());
        for chunk in whole.split_inclusive(ends_a_chunk) {
            let end = chunk.strip_suffix(ends_a_chunk).map_or(chunk.len(), str::len);
            let (chunk, end) = chunk.split_at(end);
            if is_path(chunk) {
                out.push_str(LEFT_OUT);
            } else {
                self.copy(chunk, &mut out);
            }
            out.push_str(end);
        }
        if out != *text {
            *text = out;
        }
    }

    /// Copies a chunk without its private words.
    fn copy(&self, chunk: &str, out: &mut String) {
        for word in chunk.split_inclusive(|c: char| !is_of_a_word(c)) {
            let end = word
                .trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_')
                .len();
            let (word, end) = word.split_at(end);
            let is_private = self.words.contains(&word.to_ascii_lowercase());
            out.push_str(if is_private { LEFT_OUT } else { word });
            out.push_str(end);
        }
    }

    pub(crate) fn leave_out_of_value(&self, value: &mut Value) {
        if let Value::Text(text) = value {
            self.leave_out(text);
        }
    }

    pub(crate) fn leave_out_of_values(&self, values: &mut BTreeMap<String, Value>) {
        *values = std::mem::take(values)
            .into_iter()
            .map(|(mut name, mut value)| {
                self.leave_out(&mut name);
                self.leave_out_of_value(&mut value);
                (name, value)
            })
            .collect();
    }

    /// Names of metrics are Nsight Compute's; a file that somebody made can have others.
    pub(crate) fn leave_out_of_keys(&self, metrics: &mut BTreeMap<String, Metric>) {
        let of_ncu = |c: char| c.is_ascii_alphanumeric() || "_.:".contains(c);
        let is_odd =
            |name: &String| !name.chars().all(of_ncu) || self.words.contains(&name.to_ascii_lowercase());
        let odd: Vec<String> = metrics.keys().filter(|name| is_odd(name)).cloned().collect();
        for mut name in odd {
            if let Some(metric) = metrics.remove(&name) {
                self.leave_out(&mut name);
                metrics.insert(name, metric);
            }
        }
    }
}

/// What a path or a word in a sentence ends at.
fn ends_a_chunk(c: char) -> bool {
    c.is_whitespace() || "\"'`(),;<>[]{}|".contains(c)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || "_.-".contains(c)
}

/// `/home/ada/x`, `~/x`, `../x`, `-I/opt`, `C:\x`; not `inst/cycle`, `operator/`, nor the address of a page.
fn is_path(chunk: &str) -> bool {
    if let Some((scheme, _)) = chunk.split_once("://") {
        return scheme.ends_with("file");
    }
    // Metrics that were asked for by a pattern are named after it, `regex:sm__inst_executed\.(sum|max)$`.
    let is_of_windows = chunk.match_indices('\\').any(|(at, _)| {
        let goes_on = chunk[at + 1..].starts_with(|c: char| c.is_alphanumeric() || "_\\".contains(c));
        goes_on || chunk[..at].ends_with(':')
    });
    let is_of_others = chunk.match_indices('/').any(|(at, _)| {
        let starts =
            at == 0 || chunk[..at].ends_with(['=', ':', '@', '~', '.', '…']) || chunk[..at].ends_with("-I");
        let goes_on = chunk[at + 1..].starts_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
        starts && goes_on
    });
    is_of_windows || is_of_others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Private;

    fn left(text: &str) -> String {
        let private = Private {
            host: Some("node17.cluster.example".to_owned()),
            program: Some("/srv/my jobs/train".to_owned()),
            working_directory: Some("/home/ada".to_owned()),
            environment: Some(
                "LOGNAME=lovelace API_TOKEN=hush AWS_KEY=ab+c/d== TOKENIZERS_PARALLELISM=idle HF_TOKEN=false USER=nvidia".to_owned(),
            ),
        };
        let session = Session {
            private,
            ..Session::default()
        };
        let mut text = text.to_owned();
        Words::of(&session).leave_out(&mut text);
        text
    }

    #[test]
    fn who_and_where_go_out_of_a_sentence() {
        for (text, expected) in [
            ("rule failed on node17.", "rule failed on …."),
            ("of ada: NODE17.cluster.example, lovelace", "of …: …, …"),
            ("File \"/opt/rules/a.py\", line 3", "File \"…\", line 3"),
            ("in /srv/my jobs/train or ~/x or ../y", "in … or … or …"),
            (r"C:\Program Files\ncu.exe", "… …"),
            ("path=/etc/x:/etc/y file:///etc/z", "… …"),
            ("token hush", "token …"),
            ("key ab+c/d== of it", "key … of it"),
            ("src/ada/gemm.cu", "src/…/gemm.cu"),
            // What lies in a folder that is left out.
            ("/home/ada/gemm.cu", "…"),
        ] {
            assert_eq!(left(text), expected, "{text}");
        }
    }

    #[test]
    fn what_was_measured_stays() {
        for text in [
            "void ns::gemm<128, (bool)1>(const float *, float *)",
            "dram__bytes.sum.per_second of 1.5 inst/cycle, 3 / 4",
            "operator/(T1, T2)",
            r"regex:sm__inst_executed\.(sum|min|max|avg|pct|ratio)$",
            "@url:Guide:https://docs.nvidia.com/nsight-compute@",
            "metadata canada node170 0",
            "k<true, false> on NVIDIA B200, idle",
        ] {
            assert_eq!(left(text), text);
        }
    }
}
