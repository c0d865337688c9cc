//! `framewire bench`: a load generator, and what a server made of its load.
//!
//! It costs less than what it measures: messages are made once and sent as they are, many
//! connections share one thread, one buffer and one wait, and of what comes back only the
//! headers are parsed and a sample is compared whole. Latency under a rate is counted from when
//! a message was meant to leave, so that a server that makes others wait is not spared.
//!
//! The percentiles are of the whole run. Of messages that come back, `latency.p99_of_windows_us`
//! is the median of the 99th percentiles of each tenth of a second, over all threads, and
//! `latency.windows` says of how many; the warm-up has none. A tenth in which a thread had fewer
//! than 1,000 answers is not counted, nor is the last one, which the run did not finish. Where
//! none is counted, neither figure is there.

mod alarm;
mod clock;
mod connecting;
mod counting;
mod drive;
mod echo;
mod fan_out;
mod fault;
mod frames;
mod handshakes;
mod hearing;
mod idle;
mod lane;
mod leaving;
mod ledger;
mod link;
mod opening;
mod outgoing;
mod pace;
mod plan;
mod pool;
mod process;
mod progress;
mod reader;
mod report;
mod schedule;
mod tally;
mod windows;
mod worker;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::sync::atomic::AtomicU64;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::cli::args::Bench;
use crate::cli::bench::clock::Clock;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::plan::Plan;
use crate::cli::bench::process::Usage;
use crate::cli::bench::progress::Progress;
use crate::cli::bench::report::{Report, Usages, Used};
use crate::cli::bench::tally::Tally;
use crate::cli::bench::worker::{Failure, Part, Step, work};
use crate::net::entropy;

/// Loads the server, and prints what was measured.
///
/// The exit status is 2 where the arguments do not fit together, and 1 where anything went
/// wrong: a connection that was refused or lost, a wrong answer, a message that did not come.
///
/// # Errors
///
/// When this machine does not give what the load needs.
pub fn run(args: &Bench) -> Result<ExitCode, Box<dyn Error>> {
    let plan = match plan::plan(args) {
        Ok(plan) => Arc::new(plan),
        Err(words) => return wrong(&words),
    };
    if let Some(pid) = plan.server_pid
        && Usage::of(&pid).is_none()
    {
        return wrong("--server-pid: there is no such process to be looked at on this machine");
    }
    let mut threads = Threads::start(&plan, Progress::new(args.progress))?;
    let (mut tally, usages) = threads.measure(&plan)?;
    let report = Report::new(&plan, &mut tally, &usages);
    let text = match args.json {
        true => report.json() + "\n",
        false => report.text(),
    };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(match tally.faults.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn wrong(words: &str) -> Result<ExitCode, Box<dyn Error>> {
    std::eprintln!("framewire: {words}");
    Ok(ExitCode::from(2))
}

/// The threads of the load.
struct Threads {
    clock: Clock,
    steps: Vec<Sender<Step>>,
    told: Receiver<Result<Tally, Failure>>,
    progress: Progress,
    achieved: Arc<AtomicU64>,
}

impl Threads {
    fn start(plan: &Arc<Plan>, progress: Progress) -> Result<Self, Box<dyn Error>> {
        let seed = entropy::seed()?;
        let frames = Frames::new(plan.bytes, plan.opcode, plan.fragments, seed);
        let (frames, clock) = (Arc::new(frames), Clock::start());
        let achieved = Arc::<AtomicU64>::default();
        let (tell, told) = channel();
        let mut steps = Vec::new();
        for number in 0..plan.threads {
            let (step, taken) = channel();
            let part = Part {
                plan: Arc::clone(plan),
                frames: Arc::clone(&frames),
                clock,
                thread: number,
                achieved: Arc::clone(&achieved),
            };
            let tell = tell.clone();
            thread::Builder::new()
                .name(alloc::format!("load {number}"))
                .spawn(move || work(part, &taken, &tell))?;
            steps.push(step);
        }
        Ok(Self {
            clock,
            steps,
            told,
            progress,
            achieved,
        })
    }

    /// Has every thread take a step, and waits for all of them.
    fn step(&mut self, step: Step, name: &str) -> Result<Tally, Box<dyn Error>> {
        for thread in &self.steps {
            // One that has ended has told why.
            let _ = thread.send(step);
        }
        let mut sum = Tally::new()?;
        for _ in 0..self.steps.len() {
            let tally = self.progress.wait(&self.told, name, &self.achieved)?;
            sum.merge(tally.map_err(|error| -> Box<dyn Error> { error })?);
        }
        Ok(sum)
    }

    /// Takes all steps.
    fn measure(&mut self, plan: &Plan) -> Result<(Tally, Usages), Box<dyn Error>> {
        let used = || Used {
            server: plan.server_pid.and_then(|pid| Usage::of(&pid)),
            own: Usage::own(),
        };
        let at_first = used();
        let mut faults = self.step(Step::Open, "opening")?.faults;
        let mut is_of_use = true;
        if plan.warm_up > 0 {
            let warmed_up = self.step(Step::WarmUp, "warming up")?;
            is_of_use = warmed_up.messages > 0 || warmed_up.faults.is_empty();
            faults.merge(warmed_up.faults);
        }
        let (before, began) = (used(), self.clock.now());
        let mut tally = match is_of_use {
            true => self.step(Step::Measure, "measuring")?,
            // Nothing came of it, and nothing would.
            false => Tally::new()?,
        };
        let (ended, after) = (self.clock.now(), used());
        tally.faults.merge(faults);
        tally
            .faults
            .merge(self.step(Step::Leave, "leaving")?.faults);
        self.progress.end();
        let usages = Usages {
            at_first,
            before,
            after,
            elapsed: ended - began,
        };
        Ok((tally, usages))
    }
}
