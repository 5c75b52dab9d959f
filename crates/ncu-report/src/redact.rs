//! Takes out of a report who collected it and where. What was collected stays.

use crate::command_line::{Options, quoted};
use crate::model::{Private, Report};
use crate::private::Words;

/// Options of `ncu` that say what was collected, and never where or by whom.
const SAID: [&str; 31] = [
    "--apply-rules",
    "--cache-control",
    "--clock-control",
    "--filter-mode",
    "--graph-profiling",
    "--import-source",
    "--kernel-id",
    "--kernel-name",
    "--kernel-name-base",
    "--launch-count",
    "--launch-skip",
    "--launch-skip-before-match",
    "--metrics",
    "--nvtx",
    "--pipeline-boost-state",
    "--pm-sampling-interval",
    "--pm-sampling-max-passes",
    "--profile-from-start",
    "--range-filter",
    "--replay-mode",
    "--rule",
    "--sampling-interval",
    "--sampling-max-passes",
    "--section",
    "--set",
    "--target-processes",
    "--warp-sampling-interval",
    "--warp-sampling-max-passes",
    "-c",
    "-k",
    "-s",
];

/// Removes host, user, paths and environment from every text, and leaves of the command line the options that say what was
/// collected.
pub fn redact(report: &mut Report) {
    let private = Words::of(&report.session);
    let session = &mut report.session;
    session.private = Private::default();
    session.command_line = session.command_line.as_deref().map(said);
    let texts = [
        &mut session.ncu_version,
        &mut session.cuda_version,
        &mut session.driver_version,
        &mut session.gpu,
        &mut session.cc,
        &mut session.command_line,
        &mut session.set,
        &mut session.clock_control,
        &mut session.cache_control,
    ];
    for text in texts.into_iter().flatten() {
        private.leave_out(text);
    }
    private.leave_out_of_values(&mut session.attributes);
    for kernel in &mut report.kernels {
        private.leave_out(&mut kernel.function);
        private.leave_out(&mut kernel.demangled);
        kernel
            .sections
            .iter_mut()
            .for_each(|text| private.leave_out(text));
        for rule in &mut kernel.rules {
            let texts = [&mut rule.id, &mut rule.section, &mut rule.title, &mut rule.text];
            let focus = rule.focus.iter_mut();
            texts
                .into_iter()
                .chain(focus)
                .for_each(|text| private.leave_out(text));
        }
        private.leave_out_of_keys(&mut kernel.metrics);
        for metric in kernel.metrics.values_mut() {
            let parts = metric.instances.iter_mut();
            let parts = parts.flat_map(|part| [&mut part.id, &mut part.value]);
            for value in parts.chain([&mut metric.value]).flatten() {
                private.leave_out_of_value(value);
            }
            metric.unit.iter_mut().for_each(|text| private.leave_out(text));
        }
    }
    for warning in &mut report.warnings {
        private.leave_out(&mut warning.message);
    }
}

/// `ncu` with the options that may be said. A value that looks like a path is not among them.
fn said(command_line: &str) -> String {
    let mut text = "ncu".to_owned();
    for (name, value) in Options::of(command_line).0 {
        let value = value.unwrap_or_default();
        if !SAID.contains(&name.as_str()) || value.contains(['/', '\\', '~']) {
            continue;
        }
        text.push(' ');
        text.push_str(&name);
        if !value.is_empty() {
            text.push(' ');
            text.push_str(&quoted(&value));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Session;

    #[test]
    fn what_was_collected_stays_and_who_collected_it_goes() {
        let private = Private {
            host: Some("node17".to_owned()),
            program: Some("/home/ada/train".to_owned()),
            working_directory: Some("/home/ada".to_owned()),
            environment: Some("USER=ada".to_owned()),
        };
        let command_line = "/home/ada/ncu --set full -o /home/ada/out -k 'regex:a b' -f --nvtx \
            --metrics dram__bytes.sum --section-folder /home/ada/sections -c 3 ./train --token secret";
        let mut report = Report {
            session: Session {
                command_line: Some(command_line.to_owned()),
                private,
                gpu: Some("NVIDIA B200".to_owned()),
                ..Session::default()
            },
            ..Report::default()
        };
        redact(&mut report);
        assert_eq!(
            report.session.command_line.as_deref(),
            Some("ncu --set full -k 'regex:a b' --nvtx --metrics dram__bytes.sum -c 3")
        );
        assert_eq!(report.session.gpu.as_deref(), Some("NVIDIA B200"));
        let all = format!("{report:?}");
        for word in ["ada", "node17", "train", "secret"] {
            assert!(!all.contains(word), "{word} in {all}");
        }
    }

    #[test]
    fn nothing_is_said_where_nothing_was() {
        let mut report = Report::default();
        redact(&mut report);
        assert_eq!(report.session.command_line, None);
    }

    #[test]
    fn an_option_with_a_path_as_its_value_goes() {
        assert_eq!(
            said("ncu --set /tmp/mine --metrics file:~/list --replay-mode kernel"),
            "ncu --replay-mode kernel"
        );
    }

    /// What is said can be typed again: a shell reads what was meant.
    #[test]
    fn a_value_is_quoted_where_a_shell_would_read_something_else() {
        for (line, expected) in [
            ("ncu -k 'regex:a|b'", "ncu -k 'regex:a|b'"),
            ("ncu -k \"it's $HOME\"", r"ncu -k 'it'\''s $HOME'"),
            ("ncu -k 'regex:^gemm$' -c 3", "ncu -k 'regex:^gemm$' -c 3"),
            (
                "ncu --metrics dram__bytes.sum,inst_executed",
                "ncu --metrics dram__bytes.sum,inst_executed",
            ),
        ] {
            assert_eq!(said(line), expected);
        }
    }

    #[test]
    fn no_path_comes_in_as_a_setting() {
        let mut report = Report {
            session: Session {
                set: Some("/home/ada/my.set".to_owned()),
                clock_control: Some("~/clock".to_owned()),
                ..Session::default()
            },
            ..Report::default()
        };
        redact(&mut report);
        assert_eq!(report.session.set.as_deref(), Some("…"));
        assert_eq!(report.session.clock_control.as_deref(), Some("…"));
    }
}
