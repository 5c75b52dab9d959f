//! Landscapes from files: every configuration of a space with what it gave, as `examples/landscapes/README.md` specifies. Pure.
//!
//! Whoever searches hears the same for the same question: a measurement is a function of landscape, seed, row and repeat.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::mean;
use crate::space::{Config, Param, Space};
use crate::strategy::{self, Outcome, Settings, Trial};

/// Most configurations of a file.
const MOST_ROWS: usize = 100_000;
/// The file's schema.
const SCHEMA: &str = "config-search.landscape/1";

/// How measurements scatter around the one true value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Noise {
    /// Standard deviation of the logarithm.
    pub sigma: f64,
    /// Share of disturbed measurements.
    pub disturbed_share: f64,
    /// What a disturbed one is multiplied with.
    pub disturbed_factor: f64,
}

/// The first line of a file.
#[derive(Deserialize)]
struct Header {
    schema: String,
    name: String,
    direction: String,
    complete: bool,
    noise: Option<Noise>,
    baseline: BTreeMap<String, Value>,
    space: Vec<Flag>,
}

/// One parameter of the header.
#[derive(Deserialize)]
struct Flag {
    name: String,
    family: String,
    kind: String,
    values: Vec<Value>,
    when: Option<BTreeMap<String, Vec<Value>>>,
}

/// One configuration of the file.
#[derive(Deserialize)]
struct Line {
    params: BTreeMap<String, Value>,
    status: String,
    repeats: Vec<f64>,
}

/// A landscape that was read.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its name.
    pub name: String,
    /// What may be set; level 0 is the baseline's value.
    pub space: Space,
    noise: Option<Noise>,
    /// Number and values of each configuration, none for one that fails.
    rows: BTreeMap<Config, (usize, Vec<f64>)>,
    /// Where the levels of each parameter stand among its values in the file.
    places: Vec<Vec<usize>>,
}

/// How a search ended, with the fields that `rivals.py` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Played {
    /// Who searched.
    pub rival: &'static str,
    /// Where.
    pub landscape: String,
    /// With which seed.
    pub seed: u64,
    /// In how many trials.
    pub budget: usize,
    /// The configuration that was chosen: what differs from the baseline.
    pub chosen: BTreeMap<String, Value>,
    /// What it is said to give.
    pub claimed: f64,
    /// What it gives.
    #[serde(rename = "true")]
    pub truth: f64,
    /// What the baseline gives.
    pub baseline: f64,
    /// What the best gives.
    pub oracle: f64,
    /// ln(true/baseline) / ln(oracle/baseline).
    pub captured: f64,
    /// 1 - captured.
    pub regret: f64,
    /// Another configuration was chosen, which is no better than the baseline.
    pub false_accept: bool,
    /// Trials without a result.
    pub failures: usize,
    /// Seconds of thinking for a trial; differs from run to run.
    pub seconds_per_decision: f64,
}

impl Recorded {
    /// Reads a file.
    ///
    /// # Errors
    /// In words, with the line.
    pub fn read(text: &str) -> Result<Recorded, String> {
        let mut lines = text.lines();
        let header: Header = serde_json::from_str(lines.next().unwrap_or_default())
            .map_err(|error| format!("line 1 is no header: {error}"))?;
        if header.schema != SCHEMA || header.direction != "max" {
            return Err(format!("line 1: it is not {SCHEMA} with direction `max`"));
        }
        let space = space(&header)?;
        let mut rows = BTreeMap::new();
        for (number, line) in lines.enumerate() {
            let at = |what: String| format!("line {}: {what}", number + 2);
            if number >= MOST_ROWS {
                return Err(format!("it has more than {MOST_ROWS} configurations"));
            }
            let line: Line = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
            let is_value = |value: &f64| value.is_finite() && *value > 0.0;
            if !line.repeats.iter().all(is_value) || (line.status == "ok") == line.repeats.is_empty() {
                return Err(at(
                    "`ok` needs values above 0, and nothing else may have some".to_owned()
                ));
            }
            let config = level_of(&space, &line.params).map_err(at)?;
            if rows.insert(config, (number, line.repeats)).is_some() {
                return Err(at("its parameters stand in another line, too".to_owned()));
            }
        }
        if rows
            .get(&space.baseline())
            .is_none_or(|(number, values)| *number != 0 || values.is_empty())
        {
            return Err("line 2: it is not the baseline, or does not work".to_owned());
        }
        let is_whole = || {
            space
                .all(MOST_ROWS as u64)
                .is_some_and(|all| all.len() == rows.len())
        };
        if header.complete && !is_whole() {
            return Err("it says `complete`, and configurations are missing".to_owned());
        }
        Ok(Recorded {
            name: header.name.clone(),
            noise: header.noise,
            rows,
            places: places(&header, &space),
            space,
        })
    }

    /// The row that answers for a configuration: its own, or where the file is a sample of the space the nearest one.
    fn row(&self, config: &Config) -> &Config {
        if let Some((own, _)) = self.rows.get_key_value(config) {
            return own;
        }
        let far = |row: &Config| self.distance(config, row);
        let nearer = |a: &(&Config, usize), b: &(&Config, usize)| {
            let ((count, steps), (other, others)) = (far(a.0), far(b.0));
            // Of equally near ones the first of the file.
            count
                .cmp(&other)
                .then(steps.total_cmp(&others))
                .then(a.1.cmp(&b.1))
        };
        let rows = self.rows.iter().map(|(row, (number, _))| (row, *number));
        rows.min_by(nearer)
            .map(|(row, _)| row)
            .expect("a landscape has its baseline")
    }

    /// In how many parameters two configurations differ, and how far.
    fn distance(&self, one: &Config, other: &Config) -> (usize, f64) {
        let (mut differing, mut steps) = (0, 0.0);
        for (at, places) in self.places.iter().enumerate() {
            let (here, there) = (self.space.is_active(at, one), self.space.is_active(at, other));
            if here != there {
                differing += 1;
            } else if here && one[at] != other[at] {
                differing += 1;
                steps += places[one[at]].abs_diff(places[other[at]]) as f64 / places.len() as f64;
            }
        }
        (differing, steps)
    }

    /// What a configuration truly gives; `None` where it fails.
    fn truth(&self, config: &Config) -> Option<f64> {
        let (_, values) = self.rows.get(self.row(config))?;
        (!values.is_empty()).then(|| mean(values))
    }

    /// What is heard of a configuration that is asked for once more; `None` where it fails.
    fn hear(&self, config: &Config, seed: u64, repeat: usize) -> Option<f64> {
        let (row, values) = self.rows.get(self.row(config))?;
        let text = format!("{}|{seed}|{row}|{repeat}", self.name);
        (!values.is_empty()).then(|| heard(&text, self.noise.as_ref(), values))
    }

    /// Searches with this crate's strategy.
    pub fn play(&self, budget: usize, seed: u64) -> Played {
        let settings = Settings {
            trials: budget,
            screen: None,
            seed,
        };
        let mut trials: Vec<Trial> = Vec::new();
        // A search knows nothing but the baseline as it was heard first.
        let first = self
            .hear(&self.space.baseline(), seed, 0)
            .expect("the baseline works");
        let begun = Instant::now();
        while trials.len() < budget
            && let Some(next) = strategy::propose(&self.space, &settings, &trials)
        {
            let row = self.row(&next.config);
            let repeat = trials
                .iter()
                .filter(|trial| self.row(&trial.config) == row)
                .count();
            let outcome = match self.hear(&next.config, seed, repeat) {
                Some(value) => Outcome::Measured {
                    score: (value / first).ln(),
                    slo: None,
                },
                None => Outcome::Failed,
            };
            trials.push(Trial {
                config: next.config,
                fidelity: 1.0,
                step: next.step,
                outcome,
            });
        }
        let (config, score) =
            strategy::best(&self.space, &trials).unwrap_or_else(|| (self.space.baseline(), 0.0));
        let seconds_per_decision = begun.elapsed().as_secs_f64() / budget as f64;
        let baseline = self.truth(&self.space.baseline()).expect("the baseline works");
        let truth = self.truth(&config).expect("what was chosen was measured");
        let oracle = self
            .rows
            .keys()
            .filter_map(|config| self.truth(config))
            .fold(baseline, f64::max);
        let captured = (truth / baseline).ln() / (oracle / baseline).ln();
        Played {
            rival: "config-search",
            landscape: self.name.clone(),
            seed,
            budget,
            chosen: self.space.values(&config),
            claimed: first * score.exp(),
            truth,
            baseline,
            oracle,
            captured,
            regret: 1.0 - captured,
            false_accept: *self.row(&config) != self.space.baseline() && truth <= baseline,
            failures: trials.iter().filter(|trial| trial.score().is_none()).count(),
            seconds_per_decision,
        }
    }
}

/// One measurement, by a hash of what was asked.
fn heard(text: &str, noise: Option<&Noise>, values: &[f64]) -> f64 {
    let digest = Sha256::digest(text.as_bytes());
    let uniform = |at: usize| {
        let bytes: [u8; 8] = digest[8 * at..8 * at + 8].try_into().expect("eight bytes");
        ((u64::from_be_bytes(bytes) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    let Some(noise) = noise else {
        return values[(uniform(0) * values.len() as f64) as usize];
    };
    let normal = (-2.0 * uniform(0).ln()).sqrt() * (std::f64::consts::TAU * uniform(1)).cos();
    let value = mean(values) * (noise.sigma * normal).exp();
    if uniform(2) < noise.disturbed_share {
        value * noise.disturbed_factor
    } else {
        value
    }
}

/// The header's space, with the baseline's values first.
fn space(header: &Header) -> Result<Space, String> {
    let mut params: Vec<Param> = Vec::new();
    for flag in &header.space {
        let at = |what: &str| format!("line 1: {}: {what}", flag.name);
        let first = header
            .baseline
            .get(&flag.name)
            .or(flag.values.first())
            .ok_or_else(|| at("it has no values"))?;
        if !flag.values.contains(first) {
            return Err(at("the baseline's value is none of its values"));
        }
        let mut levels = vec![first.clone()];
        levels.extend(flag.values.iter().filter(|value| *value != first).cloned());
        let mut when = vec![];
        for (other, allowed) in flag.when.iter().flatten() {
            let other = params
                .iter()
                .position(|param| param.flag == *other)
                .ok_or_else(|| at("it depends on a parameter that does not stand before it"))?;
            let is_allowed = |level: &usize| allowed.contains(&params[other].levels[*level]);
            when.push((
                other,
                (0..params[other].levels.len()).filter(is_allowed).collect(),
            ));
        }
        params.push(Param {
            flag: flag.name.clone(),
            family: flag.family.clone(),
            ordered: matches!(flag.kind.as_str(), "int" | "float"),
            levels,
            when,
        });
    }
    Ok(Space { params })
}

/// Where the levels of each parameter stand among its values in the file, which begin with the baseline's here.
fn places(header: &Header, space: &Space) -> Vec<Vec<usize>> {
    let of = |(flag, param): (&Flag, &Param)| {
        let place = |level: &Value| flag.values.iter().position(|value| value == level).unwrap_or(0);
        param.levels.iter().map(place).collect()
    };
    header.space.iter().zip(&space.params).map(of).collect()
}

/// The levels of a line's parameters; one that does not exist beside the others is absent.
fn level_of(space: &Space, params: &BTreeMap<String, Value>) -> Result<Config, String> {
    let config = space
        .config(params)
        .ok_or("a parameter or a value is not in the header")?;
    for (at, param) in space.params.iter().enumerate() {
        if space.is_active(at, &config) != params.contains_key(&param.flag) {
            return Err(format!("{}: `when` says otherwise", param.flag));
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"schema": "config-search.landscape/1", "name": "x", "direction": "max", "complete": true,
 "noise": null, "baseline": {"a": 2}, "space": [{"name": "a", "family": "f", "kind": "int", "values": [1, 2], "when": null},
 {"name": "b", "family": "f", "kind": "flag", "values": [true, false], "when": {"a": [1]}}]}"#;
    const ROWS: &str = r#"
{"params": {"a": 2}, "status": "ok", "repeats": [100.0, 102.0]}
{"params": {"a": 1, "b": true}, "status": "ok", "repeats": [120.0]}
{"params": {"a": 1, "b": false}, "status": "oom", "repeats": []}"#;

    #[test]
    fn what_is_heard_is_what_every_searcher_hears() {
        // The check values of examples/landscapes/rivals.py --self-test.
        let noise = Noise {
            sigma: 0.03,
            disturbed_share: 0.05,
            disturbed_factor: 0.9,
        };
        for (text, noisy, repeat) in [
            ("check|0|0|0", 93.90080027305501, 1.0),
            ("check|0|0|1", 95.06855200386171, 1.0),
            ("check|29|599|39", 98.37222055810054, 3.0),
        ] {
            assert!(
                (heard(text, Some(&noise), &[100.0]) - noisy).abs() < 1e-9,
                "{text}"
            );
            assert_eq!(heard(text, None, &[1.0, 2.0, 3.0]), repeat, "{text}");
        }
    }

    #[test]
    fn a_file_gives_its_space_and_a_search_finds_what_is_best_there() {
        let read = Recorded::read(&(HEADER.replace('\n', "") + ROWS)).unwrap();
        assert_eq!(read.space.params[0].levels, [2, 1]);
        assert_eq!(read.space.params[1].when, [(0, vec![1])]);
        let played = read.play(10, 3);
        assert_eq!(
            (played.truth, played.baseline, played.oracle),
            (120.0, 101.0, 120.0)
        );
        assert_eq!((played.regret, played.false_accept), (0.0, false));
        assert_eq!(played.chosen, BTreeMap::from([("a".to_owned(), Value::from(1))]));
    }

    #[test]
    fn a_sample_answers_for_what_is_nearest() {
        let header = HEADER
            .replace('\n', "")
            .replace("\"complete\": true", "\"complete\": false")
            .replace("[1, 2]", "[1, 2, 8]");
        let read = Recorded::read(&(header.clone() + ROWS)).unwrap();
        // Levels are 2, 1, 8: of 8 and no `b` the baseline differs in one parameter, the others in two.
        let eight = vec![2, 0];
        assert_eq!(*read.row(&eight), read.space.baseline());
        assert_eq!(read.truth(&eight), Some(101.0));
        let two_rows: Vec<&str> = ROWS.lines().collect();
        let sparse = format!("{header}\n{}\n{}", two_rows[1], two_rows[3]);
        let sparse = Recorded::read(&sparse).unwrap();
        // `a` 1 and `b` true: the row with `b` false is one parameter away, and it fails.
        assert_eq!(sparse.truth(&vec![1, 0]), None);
        assert_eq!(sparse.play(10, 1).truth, 101.0);
    }

    #[test]
    fn files_that_are_none_are_refused_with_the_line() {
        let header = HEADER.replace('\n', "");
        let rows: Vec<&str> = ROWS.lines().skip(1).collect();
        for (text, word) in [
            (String::new(), "line 1"),
            (header.replace("max", "min") + ROWS, "line 1"),
            (header.clone(), "line 2"),
            (format!("{header}\n{}\n{}", rows[1], rows[0]), "line 2"),
            (format!("{header}\n{}\n{}", rows[0], rows[1]), "missing"),
            (format!("{header}\n{}\n{}", rows[0], rows[0]), "line 3"),
            (header.clone() + &ROWS.replace("120.0", "-1"), "line 3"),
            (
                header.clone() + &ROWS.replace("\"b\": true", "\"b\": 7"),
                "line 3",
            ),
            (header.clone() + &ROWS.replace(", \"b\": true", ""), "line 3"),
            (header.replace("[1]}", "[1], \"c\": [1]}") + ROWS, "line 1"),
        ] {
            let error = Recorded::read(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
