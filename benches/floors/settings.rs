//! How long Criterion takes over each figure.

use core::time::Duration;
use criterion::Criterion;

/// Short, for there are many. `--measurement-time` and its siblings on the command line come first.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(100)
        .nresamples(2000)
        .configure_from_args()
}
