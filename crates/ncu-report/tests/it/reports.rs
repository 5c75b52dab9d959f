//! Small reports of our own.

use ncu_report::{Instance, Kernel, Metric, Private, Report, Rule, RuleKind, Session, Speedup, Value};

/// A metric without instances.
pub(crate) fn metric(value: Value) -> Metric {
    Metric {
        value: Some(value),
        ..Metric::default()
    }
}

/// Two kernels with everything that a report can hold.
pub(crate) fn two_kernels() -> Report {
    let rule = Rule {
        id: "LaunchConfiguration".to_owned(),
        section: "LaunchStats".to_owned(),
        title: "Small Grid".to_owned(),
        text: "The grid has 64 blocks, fewer than there are @section:LaunchStats:SMs@.".to_owned(),
        kind: RuleKind::Optimization,
        speedup: Some(Speedup {
            is_global: true,
            percent: 56.75,
        }),
        focus: vec!["launch__grid_size".to_owned()],
    };
    let samples = Metric {
        value: Some(Value::Integer(30)),
        instances: vec![
            Instance {
                id: Some(Value::Integer(0x7f00_0000_0010)),
                value: Some(Value::Integer(10)),
            },
            Instance {
                id: Some(Value::Text("lsu".to_owned())),
                value: Some(Value::Real(20.5)),
            },
        ],
        unit: None,
    };
    let kernel = |index, function: &str, duration| Kernel {
        index,
        function: function.to_owned(),
        demangled: format!("void {function}<128, true>(const float *, float *)"),
        grid: [64, 2, 1],
        block: [256, 1, 1],
        context: Some(1),
        stream: Some(7),
        metrics: [
            ("gpu__time_duration.sum".to_owned(), metric(Value::Real(duration))),
            (
                "launch__registers_per_thread".to_owned(),
                metric(Value::Integer(122)),
            ),
            (
                "device__attribute_display_name".to_owned(),
                metric(Value::Text("NVIDIA B200".to_owned())),
            ),
            ("inst_executed".to_owned(), samples.clone()),
            ("launch__kernel_name".to_owned(), Metric::default()),
        ]
        .into(),
        rules: vec![rule.clone()],
        sections: vec!["LaunchStats".to_owned(), "SpeedOfLight".to_owned()],
    };
    Report {
        session: Session {
            file_version: Some(7),
            ncu_version: Some("2025.3.1.0".to_owned()),
            cuda_version: Some("13.0".to_owned()),
            driver_version: Some("580.65".to_owned()),
            gpu: Some("NVIDIA B200".to_owned()),
            cc: Some("10.0".to_owned()),
            sm_count: Some(148),
            created_unix_s: Some(1_780_000_000),
            command_line: Some("/opt/ncu --set full -k regex:gemm ./app --size 5".to_owned()),
            set: Some("full".to_owned()),
            clock_control: Some("base".to_owned()),
            cache_control: Some("all".to_owned()),
            private: Private {
                host: Some("node17".to_owned()),
                program: Some("/home/ada/app".to_owned()),
                working_directory: Some("/home/ada".to_owned()),
                environment: Some("USER=ada".to_owned()),
            },
            attributes: [
                ("compute_capability_major", Value::Integer(10)),
                ("compute_capability_minor", Value::Integer(0)),
                ("display_name", Value::Text("NVIDIA B200".to_owned())),
                ("multiprocessor_count", Value::Integer(148)),
            ]
            .map(|(name, value)| (format!("device__attribute_{name}"), value))
            .into(),
        },
        kernels: vec![kernel(0, "gemm", 58_624.0), kernel(1, "norm", 1_376.0)],
        ..Report::default()
    }
}
