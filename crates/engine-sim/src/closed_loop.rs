//! A closed loop on the engine of a command line, in simulated time: nothing waits, and the same flags give the same number. For
//! tests, and for landscapes of configurations (`examples/landscape.rs`).

use crate::SimError;
use crate::cli::Args;
use crate::engine::{Job, Noise, Scheduler};
use crate::flavor::Launch;

/// The words of every answer.
const ANSWER: &[u32] = &[7, 8, 9];

/// What clients send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Requests in flight.
    pub concurrency: u64,
    /// Longest prompt, tokens; each is up to a fifth shorter.
    pub prompt: u32,
    /// Longest answer, tokens; each is up to a fifth shorter.
    pub answer: u32,
    /// Simulated time, seconds.
    pub seconds: f64,
}

/// Output tokens per second; `None` where a request fits into no step, so that nothing goes on.
///
/// # Errors
/// What keeps the engine from starting with these flags.
pub fn output_tps(args: &Args, load: Load) -> Result<Option<f64>, SimError> {
    Ok(of_launch(&args.launch()?, load))
}

pub(crate) fn of_launch(launch: &Launch, load: Load) -> Option<f64> {
    let mut scheduler = Scheduler::new(launch.settings, launch.cost, 1.0, Noise::new(0, 0.0));
    let mut next = 0;
    let mut submit = |scheduler: &mut Scheduler| {
        let spread = |length: u32, salt: u64| length - (next * 7919 + salt) as u32 % (length / 5 + 1);
        let prompt = (0..spread(load.prompt, 1))
            .map(|index| index + 1000 * next as u32)
            .collect();
        scheduler.submit(Job {
            id: next,
            prompt,
            answer: ANSWER,
            tokens: spread(load.answer, 3),
        });
        next += 1;
    };
    (0..load.concurrency).for_each(|_| submit(&mut scheduler));
    let (mut now_ns, mut tokens) = (0, 0);
    while (now_ns as f64) < load.seconds * 1e9 {
        let step = scheduler.step()?;
        now_ns += step.duration_ns;
        tokens += step.emissions.len();
        step.emissions
            .iter()
            .filter(|emission| emission.last)
            .for_each(|_| submit(&mut scheduler));
    }
    Some(tokens as f64 / (now_ns as f64 / 1e9))
}
