//! When requests arrive: offsets from the start of a run, the same for one seed on every machine.
//!
//! The first request arrives at 0, each later one a gap after the one before. Logarithms and powers come from `libm`
//! in software: those of the system's C library differ in the last digit from machine to machine.

use contracts::Finite;
use contracts::serve_bench::result::Arrival;
use serde::Serialize;

use super::error::WorkloadError;
use super::seed::{Purpose, Stream};

/// An arrival process that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ArrivalPlan {
    /// Poisson, constant or gamma; a trace has its own offsets.
    pub arrival: Arrival,
    /// Mean rate, requests per second.
    pub request_rate_rps: Finite,
    /// Shape of gamma gaps: 1 is Poisson, smaller is burstier, larger more even. Other processes ignore it.
    pub burstiness: Finite,
}

/// The offsets of an arrival process, in milliseconds, without end.
#[derive(Clone, Debug)]
pub struct Offsets {
    gaps: Gaps,
    mean_gap_ms: f64,
    stream: Stream,
    count: u64,
    at_ms: f64,
}

#[derive(Clone, Copy, Debug)]
enum Gaps {
    Constant,
    Exponential,
    Gamma { shape: f64 },
}

impl Offsets {
    /// The offsets of a process for a seed; `name` (of the scenario) sets processes of one seed apart.
    ///
    /// # Errors
    /// [`WorkloadError::Plan`] for a rate or burstiness that is not positive, or for `trace`.
    pub fn new(plan: ArrivalPlan, seed: u64, name: &str) -> Result<Offsets, WorkloadError> {
        let refuse = |reason: String| Err(WorkloadError::Plan { reason });
        let rate = plan.request_rate_rps.get();
        // 1e-6 is one request in eleven days, 1e6 more than any client can send.
        if !(1e-6..=1e6).contains(&rate) {
            return refuse(format!(
                "--request-rate is {rate}, not within 0.000001 to 1000000"
            ));
        }
        let gaps = match plan.arrival {
            Arrival::Constant => Gaps::Constant,
            Arrival::Poisson => Gaps::Exponential,
            Arrival::Gamma => {
                let shape = plan.burstiness.get();
                if !(0.01..=1e4).contains(&shape) {
                    return refuse(format!("--burstiness is {shape}, not within 0.01 to 10000"));
                }
                Gaps::Gamma { shape }
            }
            Arrival::Trace => return refuse("a trace has its own arrivals; give no rate".to_owned()),
        };
        Ok(Offsets {
            gaps,
            mean_gap_ms: 1000.0 / rate,
            stream: Stream::new(seed, name, Purpose::Arrival, 0),
            count: 0,
            at_ms: 0.0,
        })
    }
}

impl Iterator for Offsets {
    type Item = Finite;

    fn next(&mut self) -> Option<Finite> {
        if self.count > 0 {
            self.at_ms = match self.gaps {
                // Not a sum: 1/3 s steps must not drift.
                Gaps::Constant => self.mean_gap_ms * self.count as f64,
                Gaps::Exponential => self.at_ms + self.mean_gap_ms * exponential(&mut self.stream),
                Gaps::Gamma { shape } => {
                    self.at_ms + self.mean_gap_ms / shape * gamma(&mut self.stream, shape)
                }
            };
        }
        self.count += 1;
        Finite::new(self.at_ms)
    }
}

/// An offset of a trace at a speed-up: frozen offsets are those of the trace, the speed-up is part of the load.
pub fn sped_up(offset: Finite, speedup: f64) -> Option<Finite> {
    Finite::ratio(offset.get(), speedup).filter(|_| speedup > 0.0)
}

/// Exponential with mean 1.
fn exponential(stream: &mut Stream) -> f64 {
    -libm::log(1.0 - stream.unit())
}

/// Gamma with the given shape and scale 1: the squeeze of Marsaglia and Tsang (2000).
fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        // Gamma(a) = Gamma(a + 1) x U^(1/a).
        let boost = libm::pow(1.0 - stream.unit(), 1.0 / shape);
        return gamma(stream, shape + 1.0) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(stream);
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u = 1.0 - stream.unit();
        if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// Standard normal by the polar method; the second value is not kept, so that a draw depends on nothing before it.
fn normal(stream: &mut Stream) -> f64 {
    loop {
        let x = 2.0 * stream.unit() - 1.0;
        let y = 2.0 * stream.unit() - 1.0;
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * libm::sqrt(-2.0 * libm::log(square) / square);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(arrival: Arrival, rate: f64, burstiness: f64, count: usize) -> Vec<f64> {
        let plan = ArrivalPlan {
            arrival,
            request_rate_rps: Finite::new(rate).unwrap(),
            burstiness: Finite::new(burstiness).unwrap(),
        };
        let all = Offsets::new(plan, 11, "t").unwrap();
        all.take(count).map(Finite::get).collect()
    }

    /// Mean and squared coefficient of variation of the gaps.
    fn gaps(offsets: &[f64]) -> (f64, f64) {
        let gaps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        (mean, variance / (mean * mean))
    }

    #[test]
    fn constant_arrivals_do_not_drift() {
        let offsets = offsets(Arrival::Constant, 3.0, 1.0, 3001);
        assert_eq!(offsets[0], 0.0);
        assert_eq!(offsets[3], 1000.0);
        assert_eq!(offsets[3000], 1_000_000.0);
    }

    #[test]
    fn gaps_have_the_mean_and_spread_of_their_process() {
        // 40,000 gaps of mean 20 ms; the squared variation of gamma gaps is 1 / shape.
        for (arrival, burstiness, variation) in [
            (Arrival::Poisson, 1.0, 1.0),
            (Arrival::Gamma, 1.0, 1.0),
            (Arrival::Gamma, 0.25, 4.0),
            (Arrival::Gamma, 4.0, 0.25),
        ] {
            let (mean, squared) = gaps(&offsets(arrival, 50.0, burstiness, 40_001));
            assert!(
                (mean / 20.0 - 1.0).abs() < 0.05,
                "{arrival:?} {burstiness}: mean {mean}"
            );
            assert!(
                (squared / variation - 1.0).abs() < 0.1,
                "{arrival:?} {burstiness}: {squared} for {variation}"
            );
        }
    }

    #[test]
    fn a_gamma_of_shape_one_is_exponential_in_its_tail() {
        let all = offsets(Arrival::Gamma, 1000.0, 1.0, 40_001);
        let over = all.windows(2).filter(|pair| pair[1] - pair[0] > 2.0).count() as f64 / 40_000.0;
        assert!((over - (-2.0_f64).exp()).abs() < 0.01, "{over}");
    }

    #[test]
    fn offsets_are_the_same_for_ever() {
        assert_eq!(offsets(Arrival::Poisson, 10.0, 1.0, 4), PINNED_POISSON);
        assert_eq!(offsets(Arrival::Gamma, 10.0, 0.5, 4), PINNED_GAMMA);
    }

    const PINNED_POISSON: [f64; 4] = [0.0, 101.865402, 108.568395, 230.808079];
    const PINNED_GAMMA: [f64; 4] = [0.0, 21.508184, 21.538965, 23.550333];

    #[test]
    fn impossible_processes_are_refused() {
        let plan = |arrival, rate, burstiness| ArrivalPlan {
            arrival,
            request_rate_rps: Finite::new(rate).unwrap(),
            burstiness: Finite::new(burstiness).unwrap(),
        };
        for (plan, named) in [
            (plan(Arrival::Poisson, 0.0, 1.0), "--request-rate"),
            (plan(Arrival::Constant, -1.0, 1.0), "--request-rate"),
            (plan(Arrival::Gamma, 1.0, 0.0), "--burstiness"),
            (plan(Arrival::Trace, 1.0, 1.0), "trace"),
        ] {
            let error = Offsets::new(plan, 0, "").unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_speed_up_divides() {
        assert_eq!(sped_up(Finite::from(1000), 4.0), Some(Finite::from(250)));
        assert_eq!(sped_up(Finite::from(1000), 0.0), None);
        assert_eq!(sped_up(Finite::from(1000), -1.0), None);
    }
}
