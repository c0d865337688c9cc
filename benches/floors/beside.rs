//! A figure and its floors, measured in turns.
//!
//! What a machine does besides, and how fast it is just then, moves times by more than there is
//! between a figure and its floor. So what belongs together is measured in short slices, one after
//! the other and then all over again, and the ratios are taken within each round. Criterion gets
//! the same routines, for times that can be compared with those of another day.

use alloc::collections::BTreeMap;
use core::cell::RefCell;
use core::fmt::Write as _;
use core::hint::black_box;
use core::time::Duration;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use std::path::PathBuf;
use std::time::Instant;

/// How long a slice is, if one time does not take longer.
const SLICE: Duration = Duration::from_micros(200);
const ROUNDS: usize = 400;
/// Where a slice takes longer there are fewer rounds, down to the least.
const TIME_MAX: Duration = Duration::from_secs(2);
const ROUNDS_MIN: usize = 11;

/// Does something so many times, and says how long that took.
pub(crate) type Routine<'a> = Box<dyn FnMut(u64) -> Duration + 'a>;

/// Times what needs nothing that others need.
pub(crate) fn alone<'a, R>(mut work: impl FnMut() -> R + 'a) -> Routine<'a> {
    Box::new(move |times| {
        let start = Instant::now();
        for _ in 0..times {
            black_box(work());
        }
        start.elapsed()
    })
}

/// Times what several routines do with the same, so that it stands in the same place for each.
pub(crate) fn with<'a, T, R>(
    shared: &'a RefCell<T>,
    mut work: impl FnMut(&mut T) -> R + 'a,
) -> Routine<'a> {
    Box::new(move |times| {
        let shared = &mut *shared.borrow_mut();
        let start = Instant::now();
        for _ in 0..times {
            black_box(work(shared));
        }
        start.elapsed()
    })
}

/// A group of figures and floors.
pub(crate) struct Group<'a> {
    name: String,
    criterion: BenchmarkGroup<'a, WallTime>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(criterion: &'a mut Criterion, name: impl Into<String>) -> Self {
        let name = name.into();
        let criterion = criterion.benchmark_group(&name);
        Self { name, criterion }
    }

    /// What one time of a routine gets through.
    pub(crate) fn throughput(&mut self, throughput: Throughput) {
        self.criterion.throughput(throughput);
    }

    /// Measures what belongs together.
    pub(crate) fn measure<const N: usize>(
        &mut self,
        size: usize,
        mut routines: [(&str, Routine<'_>); N],
    ) {
        let mut measured = 0;
        for (name, routine) in &mut routines {
            let mut is_measured = false;
            self.criterion
                .bench_function(BenchmarkId::new(*name, size), |b| {
                    is_measured = true;
                    b.iter_custom(&mut *routine);
                });
            measured += usize::from(is_measured);
        }
        // Where one of them was not asked for there is nothing to compare; where all are only
        // tried out, nothing to measure.
        let is_trial = std::env::args().any(|it| it == "--test" || it == "--list");
        if measured == N && !is_trial {
            write(&self.name, size, &in_turns(&mut routines));
        }
    }

    pub(crate) fn finish(self) {
        self.criterion.finish();
    }
}

/// The nanoseconds that one time of each routine took, round by round.
type Rounds<'a> = BTreeMap<&'a str, Vec<f64>>;

fn in_turns<'a>(routines: &mut [(&'a str, Routine<'_>)]) -> Rounds<'a> {
    let times = routines.iter_mut().map(|(_, it)| {
        // One that was held up would make do with too few.
        (0..3).map(|_| fitting(it)).max().unwrap_or(1)
    });
    let times: Vec<_> = times.collect();
    let mut found = Rounds::new();
    let start = Instant::now();
    for round in 0..ROUNDS {
        if round >= ROUNDS_MIN && start.elapsed() >= TIME_MAX {
            break;
        }
        for turn in 0..routines.len() {
            // Another one begins each round, so that none is always behind the same.
            let at = (round + turn) % routines.len();
            let (name, routine) = &mut routines[at];
            let took = routine(times[at]).as_nanos() as f64 / times[at] as f64;
            found.entry(name).or_default().push(took);
        }
    }
    found
}

/// How many times fill a slice.
fn fitting(routine: &mut Routine<'_>) -> u64 {
    let mut times = 1;
    loop {
        let took = routine(times);
        if took >= SLICE / 2 {
            let fit = u128::from(times) * SLICE.as_nanos() / took.as_nanos();
            return u64::try_from(fit).map_or(1, |it| it.max(1));
        }
        times *= 2;
    }
}

/// Writes what `benches/ratios.py` reads.
fn write(group: &str, size: usize, rounds: &Rounds<'_>) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("beside");
    std::fs::create_dir_all(&folder).expect("a folder for results");
    let mut file: String = group
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' })
        .collect();
    let _ = write!(file, "-{size}.json");
    let told = serde_json::json!({ "group": group, "size": size, "nanoseconds": rounds });
    std::fs::write(folder.join(file), told.to_string()).expect("a file for results");
}
