//! The dialects of `ncu --csv`, with their traps.

use ncu_report::{Form, Limits, ReadError, Report, RuleKind, Speedup, Value, read};
use proptest::prelude::*;

/// Columns of a launch.
const LAUNCH: &str = r#""ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","Block Size","Grid Size","Device","CC""#;

fn launch(id: u32, kernel: &str) -> String {
    format!(r#""{id}","41","app","127.0.0.1","{kernel}","1","7","(256, 1, 1)","(64, 2, 1)","0","10.0""#)
}

fn raw() -> String {
    let empty = r#""","","","","","","","","","","""#;
    let names = r#""device__attribute_display_name","device__attribute_multiprocessor_count","dram__bytes.sum","gpu__time_duration.sum","launch__grid_size","tmp.ratio","x.sum","y.sum""#;
    let units = r#""","","Mbyte","us","","","%/Kbyte","inst""#;
    let rows = [
        format!(
            r#"{},"NVIDIA B200","148","52.428288","58.624000","1,184","nan","2.500000","no data""#,
            launch(0, "void ns::gemm<128>(float *)")
        ),
        format!(
            r#"{},"NVIDIA B200","148","1,052.428288","0.640000","64","1.00","","5""#,
            launch(1, "norm")
        ),
    ];
    format!("{LAUNCH},{names}\n{empty},{units}\n{}\n{}\n", rows[0], rows[1])
}

fn details() -> String {
    let more = r#""Section Name","Metric Name","Metric Unit","Metric Value","Rule Name","Rule Type","Rule Description","Estimated Speedup Type","Estimated Speedup""#;
    let kernel = launch(0, "gemm");
    let rows = [
        r#""GPU Speed Of Light Throughput","Memory Throughput","%","61.84","#,
        r#""GPU Speed Of Light Throughput","Duration","us","49.95","#,
        r#""GPU Speed Of Light Throughput","A label of tomorrow","%","1.50","#,
        r#""SpeedOfLight","","","","SOLBottleneck","OPT","The grid is ""small"".","global","56.76""#,
        r#""LaunchStats","","","","LaunchConfiguration","WRN","Look, twice.","","""#,
        r#""Memory Workload Analysis","Memory Throughput","Gbyte/s","196.46","#,
        r#""Launch Statistics","Grid Size","","1,024","#,
        r#""Launch Statistics","Function Cache Configuration","","CachePreferNone","#,
    ];
    let rows: Vec<String> = rows.iter().map(|row| format!("{kernel},{row}\n")).collect();
    format!("{LAUNCH},{more}\n{}", rows.concat())
}

fn live() -> String {
    let row = |process: u32, name: &str, unit: &str, value: &str| {
        let kernel = launch(0, "gemm").replace("\"41\"", &format!("\"{process}\""));
        format!("{kernel},\"Command line profiler metrics\",\"{name}\",\"{unit}\",\"{value}\"\n")
    };
    format!(
        "==PROF== Connected to process 41\nepoch 1, loss 0.5\n\n==PROF== Disconnected\n\
        {LAUNCH},\"Section Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n{}{}epoch 2\n==PROF== late\n{}",
        row(41, "dram__bytes.sum", "byte", "328,922,368"),
        row(41, "gpu__time_duration.sum", "ns", "85,792"),
        row(42, "gpu__time_duration.sum", "ns", "85,568"),
    )
}

fn report(text: &str) -> Report {
    read(text.as_bytes(), Limits::default()).expect("a report")
}

fn error(text: &str) -> ReadError {
    read(text.as_bytes(), Limits::default()).expect_err("no report")
}

#[test]
fn a_raw_page_is_unscaled() {
    let report = report(&raw());
    assert_eq!(report.form, Form::RawCsv);
    assert_eq!(report.session.gpu.as_deref(), Some("NVIDIA B200"));
    assert_eq!(report.session.cc.as_deref(), Some("10.0"));
    assert_eq!(report.session.sm_count, Some(148));
    assert_eq!(report.session.private.host.as_deref(), Some("127.0.0.1"));
    let [gemm, norm] = report.kernels.as_slice() else {
        panic!("two kernels")
    };
    assert_eq!((gemm.index, norm.index), (0, 1));
    assert_eq!(gemm.function, "gemm");
    assert_eq!(gemm.demangled, "void ns::gemm<128>(float *)");
    assert_eq!((gemm.grid, gemm.block), ([64, 2, 1], [256, 1, 1]));
    assert_eq!((gemm.context, gemm.stream), (Some(1), Some(7)));
    assert_eq!(
        gemm.metrics["dram__bytes.sum"].value,
        Some(Value::Real(52_428_288.0))
    );
    assert_eq!(gemm.metrics["dram__bytes.sum"].unit.as_deref(), Some("byte"));
    assert_eq!(norm.number("dram__bytes.sum"), Some(1_052_428_288.0));
    assert_eq!(gemm.number("gpu__time_duration.sum"), Some(58_624.0));
    assert_eq!(
        gemm.metrics["launch__grid_size"].value,
        Some(Value::Integer(1_184))
    );
    assert_eq!(gemm.metrics["launch__grid_size"].unit, None);
    assert_eq!(gemm.number("x.sum"), Some(2500.0));
    assert_eq!(gemm.metrics["x.sum"].unit.as_deref(), Some("%/byte"));
    // `no data` and an empty cell are no metrics; `nan` is one without a number.
    assert!(!gemm.metrics.contains_key("y.sum") && !norm.metrics.contains_key("x.sum"));
    assert_eq!(gemm.metrics["tmp.ratio"].value, None);
    assert_eq!(report.warnings.len(), 1);
    assert_eq!(report.warnings[0].message, "no finite number in tmp.ratio");
}

#[test]
fn a_details_page_gives_names_for_labels_and_its_rules() {
    let report = report(&details());
    assert_eq!(report.form, Form::DetailsCsv);
    let kernel = &report.kernels[0];
    assert_eq!(report.kernels.len(), 1);
    assert_eq!(
        kernel.number("gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"),
        Some(61.84)
    );
    assert_eq!(kernel.number("dram__bytes.sum.per_second"), Some(196.46e9));
    assert_eq!(kernel.number("gpu__time_duration.sum"), Some(49_950.0));
    assert_eq!(kernel.number("SpeedOfLight/A label of tomorrow"), Some(1.5));
    assert_eq!(kernel.number("launch__grid_size"), Some(1024.0));
    assert_eq!(
        kernel.metrics["launch__func_cache_config"].value,
        Some(Value::Text("CachePreferNone".to_owned()))
    );
    assert_eq!(
        kernel.sections,
        ["SpeedOfLight", "LaunchStats", "MemoryWorkloadAnalysis"]
    );
    let [bottleneck, launch] = kernel.rules.as_slice() else {
        panic!("two rules")
    };
    assert_eq!(
        (bottleneck.id.as_str(), bottleneck.section.as_str()),
        ("SOLBottleneck", "SpeedOfLight")
    );
    assert_eq!(bottleneck.text, "The grid is \"small\".");
    assert_eq!(bottleneck.kind, RuleKind::Optimization);
    let speedup = Speedup {
        is_global: true,
        percent: 56.76,
    };
    assert_eq!(bottleneck.speedup, Some(speedup));
    assert_eq!((launch.kind, launch.speedup), (RuleKind::Warning, None));
    assert_eq!(report.warnings.len(), 1);
    assert_eq!(report.warnings[0].code, "details-rounded");
}

#[test]
fn lines_of_profiler_and_program_are_no_rows() {
    let report = report(&live());
    assert_eq!(report.form, Form::LiveCsv);
    // Both processes count their kernels from 0.
    assert_eq!(report.kernels.len(), 2);
    assert_eq!(report.kernels[0].number("dram__bytes.sum"), Some(328_922_368.0));
    assert_eq!(report.kernels[0].number("gpu__time_duration.sum"), Some(85_792.0));
    assert_eq!(report.kernels[1].number("gpu__time_duration.sum"), Some(85_568.0));
    assert_eq!(report.warnings.len(), 1);
    assert_eq!(
        report.warnings[0].message,
        "2 lines are no rows of `ncu` and were skipped"
    );
}

#[test]
fn line_ends_and_marks_of_windows_change_nothing() {
    let text = format!("\u{feff}{}", raw().replace('\n', "\r\n"));
    assert_eq!(report(&text), report(&raw()));
    // As a program that strips its input writes it again.
    for text in [raw(), details(), live()] {
        assert_eq!(report(text.trim_end()), report(&text));
    }
}

#[test]
fn what_is_no_page_of_kernels_is_refused() {
    let session = "Launch Settings\n\"Launch Attribute\",\"Value\"\n\"Profiler Command Line\",\"ncu app\"\n";
    assert_eq!(error(session).code(), "ncu-csv-session-page");
    assert!(error(session).hint().contains("--page raw --csv"));
    let by_hand = error("kernel,duration_us,dram_pct\ngemm,58.6,61\n");
    assert_eq!(by_hand.code(), "ncu-csv-unknown");
    assert!(by_hand.to_string().contains("`kernel,duration_us,dram_pct`"));
    let almost = error("ID,Kernel Name,dram__bytes.sum\n0,gemm,5\n");
    assert_eq!(almost.code(), "ncu-csv-unknown");
    assert_eq!(error("no table at all\n").code(), "ncu-report-not-recognised");
    let header = raw().lines().next().map(str::to_owned).expect("a header");
    assert_eq!(error(&format!("{header}\n")).code(), "no-kernels");
}

#[test]
fn a_raw_page_without_units_is_refused() {
    let text: Vec<String> = raw().lines().map(str::to_owned).collect();
    let text = format!("{}\n{}\n", text[0], text[2]);
    let error = error(&text);
    assert_eq!(error.code(), "ncu-report-corrupt");
    assert!(error.to_string().contains("a row of units is missing"), "{error}");
}

#[test]
fn a_decimal_comma_is_refused() {
    let text = raw().replace("58.624000", "58,624000");
    let error = error(&text);
    assert_eq!(error.code(), "ncu-csv-decimal-comma");
    let offset = text.find("\"0\",\"41\"").expect("the row");
    assert!(
        error.to_string().contains(&format!("offset {offset}:")),
        "{error}"
    );
    assert!(error.hint().contains("LC_ALL=C"));
}

/// A cut file is refused, or gives whole rows: never a number with fewer digits.
#[test]
fn a_cut_page_gives_no_wrong_number() {
    for text in [raw(), details(), live()] {
        let whole = report(&text);
        for cut in 1..text.len() {
            let Ok(part) = read(&text.as_bytes()[..cut], Limits::default()) else {
                continue;
            };
            for (part, whole) in part.kernels.iter().zip(&whole.kernels) {
                for (name, metric) in &part.metrics {
                    assert_eq!(metric, &whole.metrics[name], "cut at {cut}: {name}");
                }
                assert_eq!(part.rules, whole.rules[..part.rules.len()], "cut at {cut}");
            }
        }
    }
}

/// Wherever a page is cut inside a row, that is what is said.
#[test]
fn a_cut_page_is_called_cut() {
    for text in [raw(), details(), live()] {
        let last = text.trim_end().rfind('\n').expect("rows") + 1;
        let row = &text[last..text.len() - 1];
        // Behind a quote the row could be whole.
        for cut in 1..row.len() - 1 {
            if row[..cut].ends_with(['"', ',']) {
                continue;
            }
            let error = error(&text[..last + cut]);
            assert_eq!(error.code(), "truncated-file", "{}", &row[..cut]);
            assert!(error.to_string().contains(&format!("offset {last}")), "{error}");
        }
    }
    let header = raw();
    let header = header.lines().next().expect("a header");
    for cut in [12, 100, header.len() - 3] {
        assert_eq!(error(&header[..cut]).code(), "truncated-file", "{cut}");
    }
}

/// A program may print anything before the table: only what stands in it is kept.
#[test]
fn a_line_of_commas_before_the_table_is_no_row() {
    let report = report(&format!("{}\n{}", ",".repeat(70_000), details()));
    let mut expected = self::report(&details());
    let foreign = report
        .warnings
        .iter()
        .find(|warning| warning.code == "foreign-lines");
    assert_eq!(
        foreign.map(|warning| warning.message.as_str()),
        Some("1 lines are no rows of `ncu` and were skipped")
    );
    expected.warnings.clone_from(&report.warnings);
    assert_eq!(report, expected);
}

/// A line end in quotes ends no row, and no count of cells.
#[test]
fn a_row_of_many_lines_is_one_row() {
    let line = format!("{}\"\n\"", ",".repeat(60_000));
    let error = error(&format!("{}x{}\n", details(), line.repeat(20)));
    assert_eq!(error.code(), "ncu-report-corrupt");
    assert!(
        error.to_string().contains(&format!("offset {}", details().len())),
        "{error}"
    );
}

#[test]
fn a_header_of_many_lines_is_none() {
    let header = raw().lines().next().map(str::to_owned).expect("a header");
    let line = format!("{}\"\n\"", ",".repeat(60_000));
    let error = error(&format!("{header}{}\n", line.repeat(20)));
    assert_eq!(error.code(), "ncu-csv-unknown");
}

/// Each line would be read to the end of the file, were it taken for the start of a header: hours for these.
#[test]
fn many_lines_that_open_a_quote_are_no_headers() {
    let lines = "ID,a\"b,\"\n".repeat(500_000);
    assert_eq!(
        report(&format!("{lines}{}", details())).kernels,
        report(&details()).kernels
    );
}

#[test]
fn names_of_columns_count_as_memory() {
    let wide = raw().replacen('\n', &format!("{}\n", ",\"m\"".repeat(60_000)), 1);
    let limits = Limits {
        memory_bytes: 1_000_000,
        ..Limits::default()
    };
    let error = read(wide.as_bytes(), limits).expect_err("4 MB of names");
    assert_eq!(error.code(), "ncu-report-too-large");
}

#[test]
fn a_quote_that_never_closes_is_no_row() {
    let text = format!("{}\"{}", details(), "a\n".repeat(9 << 20));
    assert_eq!(error(&text).code(), "ncu-report-corrupt");
}

/// A reader keeps the place of every cell: eight bytes for each comma.
#[test]
fn a_line_of_commas_is_refused() {
    let text = format!("{}{}\n", details(), ",".repeat(70_000));
    let error = error(&text);
    assert_eq!(error.code(), "ncu-report-corrupt");
    assert!(
        error.to_string().contains(&format!("offset {}", details().len())),
        "{error}"
    );
}

proptest! {
    #[test]
    fn any_page_never_panics(page in 0..3, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), tail: Vec<u8>) {
        let mut bytes = [raw, details, live][page as usize]().into_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.extend(tail);
        if let Ok(report) = read(&bytes, Limits::default()) {
            prop_assert!(!report.kernels.is_empty());
        }
    }
}
