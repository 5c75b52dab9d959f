//! Progress on stderr, only where a person looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::OutputArgs;

/// A bar over `length` steps; hidden unless stderr is a terminal.
pub fn progress_bar(length: u64, what: &str, options: &OutputArgs) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), target(options));
    bar.set_style(
        ProgressStyle::with_template("{prefix:<12} {bar:32} {pos}/{len} {elapsed} (eta {eta}) {msg}")
            .expect("the template is valid"),
    );
    bar.set_prefix(what.to_owned());
    bar
}

/// A spinner for work of unknown length; hidden unless stderr is a terminal.
pub fn spinner(what: &str, options: &OutputArgs) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target(options));
    bar.set_style(
        ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}").expect("the template is valid"),
    );
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn target(options: &OutputArgs) -> ProgressDrawTarget {
    // Five times a second is enough to look at, and costs the measured process nothing that can be seen.
    if options.shows_progress() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    }
}
