//! What was typed to what it means.

use std::path::PathBuf;
use std::time::Duration;

use cli_kit::BindArgs;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::beside::Beside;
use crate::cli::{GpuArgs, ServerArgs, WindowArgs};
use crate::error::TelemetryError;
use crate::source::log::error::LogError;
use crate::source::log::{self, Wanted};

/// Where readings come from.
#[derive(Clone, Debug)]
pub(crate) enum Readings {
    /// Two snapshots.
    Snapshots { before: PathBuf, after: PathBuf },
    /// Nothing of our own: what a log, a store or an API kept.
    Past { servers: ServerArgs },
    /// A server, while a command runs.
    Around {
        servers: ServerArgs,
        argv: Vec<String>,
        interval: Duration,
        /// What else is read meanwhile.
        meanwhile: Meanwhile,
    },
}

/// What else of this machine is read while the command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meanwhile {
    /// The GPUs, with the time between readings.
    pub(crate) gpu: Option<Duration>,
    /// Spans.
    pub(crate) otlp: Option<SpansPlan>,
}

/// Where spans are sent to, and how long they are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpansPlan {
    pub(crate) port: u16,
    pub(crate) wait: Duration,
}

/// What the snapshots have to lie around.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// Nothing in particular.
    Nothing,
    /// The window of the benchmark that is bound.
    Benchmark,
    /// These moments.
    Span(Timestamp, Timestamp),
}

/// A window to fold.
#[derive(Clone, Debug)]
pub(crate) struct WindowPlan {
    pub(crate) readings: Readings,
    pub(crate) beside: Beside,
    pub(crate) asked: Asked,
    pub(crate) logs: Vec<Wanted>,
    /// Zone of stamps in logs that name none.
    pub(crate) log_zone: TimeZone,
    pub(crate) bind: BindArgs,
    pub(crate) strict: bool,
}

impl TryFrom<WindowArgs> for WindowPlan {
    type Error = TelemetryError;

    fn try_from(args: WindowArgs) -> Result<WindowPlan, TelemetryError> {
        let asked = match (&args.during, &args.start, &args.end) {
            (Some(_), ..) => Asked::Benchmark,
            (None, Some(start), Some(end)) => span(start, end)?,
            _ => Asked::Nothing,
        };
        let logs: Result<Vec<Wanted>, LogError> =
            args.logs.logs.iter().map(|text| Wanted::parse(text)).collect();
        let logs = logs?;
        // Before anything is measured: a log that is not there is a name that was mistyped.
        logs.iter().try_for_each(Wanted::is_there)?;
        let beside = Beside::of(&args.beside)?;
        let readings = match (args.before, args.after) {
            (Some(before), Some(after)) => Readings::Snapshots { before, after },
            _ if !matches!(asked, Asked::Nothing) && (beside.has_past() || !logs.is_empty()) => {
                Readings::Past {
                    servers: args.servers,
                }
            }
            _ if !matches!(asked, Asked::Nothing) => {
                return Err(TelemetryError::NoPast {
                    urls: if args.servers.url.is_empty() {
                        "a server".to_owned()
                    } else {
                        contracts::text::clean(&args.servers.url.join(", "), 300)
                    },
                });
            }
            _ if args.argv.is_empty() => return Err(TelemetryError::NoWindow),
            _ if args.servers.url.is_empty()
                && logs.is_empty()
                && !beside.has_past()
                && beside.local().is_none() =>
            {
                return Err(TelemetryError::NoUrl);
            }
            _ => Readings::Around {
                interval: duration("--interval", &args.interval, (0.1, 3600.0))?,
                meanwhile: Meanwhile {
                    gpu: gpu(&args.gpu)?,
                    otlp: spans(args.otlp, &args.otlp_wait)?,
                },
                servers: args.servers,
                argv: args.argv,
            },
        };
        let mut bind = args.bind;
        bind.for_result = bind.for_result.or(args.during);
        if args.strict && bind.for_result.is_none() {
            return Err(TelemetryError::StrictUnbound);
        }
        Ok(WindowPlan {
            readings,
            beside,
            asked,
            logs,
            log_zone: log::zone(args.logs.log_zone.as_deref())?,
            bind,
            strict: args.strict,
        })
    }
}

fn span(start: &str, end: &str) -> Result<Asked, TelemetryError> {
    let (from, to) = (time("--start", start)?, time("--end", end)?);
    if from >= to {
        return Err(TelemetryError::EmptySpan { start: from, end: to });
    }
    Ok(Asked::Span(from, to))
}

fn time(flag: &'static str, text: &str) -> Result<Timestamp, TelemetryError> {
    text.trim().parse().map_err(|_| TelemetryError::Time {
        flag,
        text: contracts::text::clean(text, 80),
    })
}

fn gpu(args: &GpuArgs) -> Result<Option<Duration>, TelemetryError> {
    // Ten times a second is what a driver gives without being disturbed.
    let interval = duration("--gpu-interval", &args.gpu_interval, (0.1, 60.0))?;
    Ok(args.gpu.then_some(interval))
}

fn spans(port: Option<u16>, wait: &str) -> Result<Option<SpansPlan>, TelemetryError> {
    let wait = duration("--otlp-wait", wait, (0.0, 600.0))?;
    Ok(port.map(|port| SpansPlan { port, wait }))
}

/// A time in seconds from the first to the second of `range`. Below 100 ms the exporter that is asked would be most of what
/// the engine's front end does.
fn duration(flag: &'static str, text: &str, range: (f64, f64)) -> Result<Duration, TelemetryError> {
    let bad = || TelemetryError::Interval {
        flag,
        text: contracts::text::clean(text, 40),
        least_s: range.0,
        most_s: range.1,
    };
    let typed = text.trim();
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(ending, unit)| Some((typed.strip_suffix(ending)?, unit)))
        .ok_or_else(bad)?;
    let seconds = number.trim().parse::<f64>().map_err(|_| bad())? * unit;
    if !(range.0..=range.1).contains(&seconds) {
        return Err(bad());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Args, Command};
    use cli_kit::ToolError as _;

    fn plan(line: &str) -> Result<WindowPlan, &'static str> {
        let words = ["telemetry-fetch", "window"].into_iter().chain(line.split(' '));
        let Command::Window(args) = Args::parse_from(words).command else {
            panic!("a window")
        };
        WindowPlan::try_from(*args).map_err(|error| error.code())
    }

    #[test]
    fn intervals_have_units() {
        for (text, ms) in [("1s", 1000), ("250ms", 250), ("0.5s", 500), ("2m", 120_000)] {
            let found = duration("--interval", text, (0.1, 3600.0)).unwrap();
            assert_eq!(found, Duration::from_millis(ms), "{text}");
        }
        for text in ["1", "s", "-1s", "NaNs", "10ms", "2h"] {
            assert!(duration("--interval", text, (0.1, 3600.0)).is_err(), "{text}");
        }
    }

    #[test]
    fn metrics_have_no_past() {
        assert_eq!(plan("--url u --during r.json").unwrap_err(), "window-no-past");
        assert_eq!(
            plan("--url u --start 2026-01-01T00:00:00Z --end 2026-01-01T00:01:00Z").unwrap_err(),
            "window-no-past"
        );
        assert_eq!(
            plan("--url u --start yesterday --end now").unwrap_err(),
            "window-time-unreadable"
        );
        assert_eq!(plan("--url u").unwrap_err(), "window-unclear");
        assert_eq!(plan("-- true").unwrap_err(), "url-missing");
    }

    #[test]
    fn what_is_read_meanwhile() {
        let meanwhile = |line: &str| match plan(line).unwrap().readings {
            Readings::Around { meanwhile, .. } => meanwhile,
            Readings::Snapshots { .. } | Readings::Past { .. } => panic!("no command"),
        };
        let nothing = Meanwhile {
            gpu: None,
            otlp: None,
        };
        assert_eq!(meanwhile("--url u -- true"), nothing);
        let both = meanwhile("--url u --gpu --gpu-interval 100ms --otlp 0 --otlp-wait 0s -- true");
        let port = SpansPlan {
            port: 0,
            wait: Duration::ZERO,
        };
        assert_eq!(
            (both.gpu, both.otlp),
            (Some(Duration::from_millis(100)), Some(port))
        );
        for flags in ["--gpu --gpu-interval 50ms", "--otlp 0 --otlp-wait 1h"] {
            assert_eq!(
                plan(&format!("--url u {flags} -- true")).unwrap_err(),
                "interval-unreadable",
                "{flags}"
            );
        }
    }

    #[test]
    fn during_binds() {
        let plan = plan("--before a --after b --during r.json").unwrap();
        assert_eq!(plan.bind.for_result, Some(PathBuf::from("r.json")));
        assert!(matches!(plan.asked, Asked::Benchmark));
    }
}
