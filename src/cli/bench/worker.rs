//! One thread of the load: it opens its connections, and has phases when it is told to.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::num::NonZeroU64;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use crate::cli::bench::clock::Clock;
use crate::cli::bench::connecting::Connecting;
use crate::cli::bench::drive::{Load, drive};
use crate::cli::bench::echo::Echo;
use crate::cli::bench::fan_out::{Aim, FanOut};
use crate::cli::bench::fault::Fault;
use crate::cli::bench::frames::Frames;
use crate::cli::bench::handshakes::Handshakes;
use crate::cli::bench::idle::Idle;
use crate::cli::bench::lane::{Lane, lanes};
use crate::cli::bench::leaving::Leaving;
use crate::cli::bench::ledger::Ledger;
use crate::cli::bench::pace::{Limit, Pace};
use crate::cli::bench::plan::{Mode, Plan};
use crate::cli::bench::pool::Pool;
use crate::cli::bench::schedule::Schedule;
use crate::cli::bench::tally::Tally;

/// How long a server has to answer Close.
const GRACE: u64 = 1_000_000_000;

/// An error that another thread is told.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What a thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Opens its connections.
    Open,
    /// Runs so as to be measured later.
    WarmUp,
    /// Runs, and is measured.
    Measure,
    /// Ends its connections.
    Leave,
}

/// What a thread has to do, beside the plan.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) plan: Arc<Plan>,
    pub(crate) frames: Arc<Frames>,
    pub(crate) clock: Clock,
    /// Which of the threads it is.
    pub(crate) thread: usize,
    /// What all threads have achieved.
    pub(crate) achieved: Arc<AtomicU64>,
}

/// A thread's connections, and what is known of them.
#[derive(Debug)]
struct Worker {
    part: Part,
    pool: Pool,
    lanes: Vec<Lane>,
    ledger: Ledger,
}

/// Takes steps until there are none, and tells after each what came of it.
pub(crate) fn work(part: Part, steps: &Receiver<Step>, told: &Sender<Result<Tally, Failure>>) {
    let mut worker = match Worker::new(part) {
        Ok(worker) => worker,
        Err(error) => {
            // Nobody listens where all has ended.
            let _ = told.send(Err(error));
            return;
        }
    };
    for step in steps {
        if told.send(worker.step(step)).is_err() {
            return;
        }
    }
}

impl Worker {
    fn new(part: Part) -> Result<Self, Failure> {
        let (threads, plan) = (part.plan.threads, &part.plan);
        let more = usize::from(part.thread < plan.connections % threads);
        let connections = plan.connections / threads + more;
        let (publishers, listeners) = match plan.mode {
            Mode::FanOut => (plan.publishers, connections),
            _ => (0, 0),
        };
        Ok(Self {
            pool: Pool::new(Arc::clone(&plan.target), connections)?,
            lanes: Vec::new(),
            ledger: Ledger::new(publishers, listeners),
            part,
        })
    }

    fn step(&mut self, step: Step) -> Result<Tally, Failure> {
        match (step, self.part.plan.mode) {
            (Step::Open, Mode::Handshakes) => Ok(Tally::new()?),
            (Step::Open, _) => self.open(),
            (Step::WarmUp, _) => self.phase(Limit::Time(self.part.plan.warm_up)),
            (Step::Measure, _) => {
                let (thread, threads) = self.turns();
                self.phase(self.part.plan.limit.share(thread, threads.get()))
            }
            (Step::Leave, _) => self.leave(),
        }
    }

    /// Which thread it is, of how many.
    fn turns(&self) -> (u64, NonZeroU64) {
        let threads = NonZeroU64::new(self.part.plan.threads as u64);
        (self.part.thread as u64, threads.unwrap_or(NonZeroU64::MIN))
    }

    /// The rate of this thread.
    fn schedule(&self) -> Option<Schedule> {
        let (thread, threads) = self.turns();
        let rate = self.part.plan.rate?;
        Some(Schedule::new(rate).of_thread(thread, threads))
    }

    fn open(&mut self) -> Result<Tally, Failure> {
        let (plan, clock) = (Arc::clone(&self.part.plan), self.part.clock);
        let first = (plan.connections / plan.threads * self.part.thread) as u64;
        let ramp = self.schedule().filter(|_| plan.mode == Mode::Idle);
        let frames = Arc::clone(&self.part.frames);
        let mut connecting = Connecting::new(
            &mut self.pool,
            &frames,
            first,
            ramp,
            clock.now(),
            plan.stall,
        );
        let achieved = &self.part.achieved;
        drive(&mut connecting, clock, plan.stall, |more| {
            count(achieved, more)
        })?;
        let faults = connecting.into_faults(plan.mode != Mode::Idle);
        let mut tally = Tally {
            faults,
            held: self.pool.open_count() as u64,
            ..Tally::new()?
        };
        match plan.mode {
            Mode::Echo => self.lanes = lanes(&mut self.pool, &frames),
            Mode::FanOut if tally.held > 0 => {
                let gathered = self.fan_out(Aim::Gather)?;
                tally.faults.merge(gathered.faults);
                tally.held = self.pool.open_count() as u64;
            }
            _ => {}
        }
        Ok(tally)
    }

    fn phase(&mut self, limit: Limit) -> Result<Tally, Failure> {
        let plan = Arc::clone(&self.part.plan);
        let pace = match self.schedule() {
            Some(schedule) => Pace::Rate(schedule),
            None => Pace::Depth(plan.depth),
        };
        let mut tally = match plan.mode {
            Mode::Echo => self.echo(pace, limit)?,
            Mode::FanOut => self.fan_out(Aim::Measure(pace, limit))?,
            Mode::Handshakes => self.handshakes(pace, limit)?,
            Mode::Idle => {
                let Limit::Time(time) = limit else {
                    return Err("idle connections are held for a time".into());
                };
                let frames = Arc::clone(&self.part.frames);
                let clock = self.part.clock;
                let mut idle = Idle::new(&mut self.pool, frames, clock, time, Tally::new()?);
                self.part.run(&mut idle)?;
                idle.into_tally()
            }
        };
        tally.held = self.pool.open_count() as u64;
        Ok(tally)
    }

    fn echo(&mut self, pace: Pace, limit: Limit) -> Result<Tally, Failure> {
        let mut echo = Echo::new(
            &mut self.pool,
            Arc::clone(&self.part.frames),
            &mut self.lanes,
            self.part.clock,
            self.part.plan.verify,
            pace,
            limit,
        )?;
        self.part.run(&mut echo)?;
        Ok(echo.into_tally())
    }

    fn fan_out(&mut self, aim: Aim) -> Result<Tally, Failure> {
        let mut fan_out = FanOut::new(
            &mut self.pool,
            Arc::clone(&self.part.frames),
            &mut self.ledger,
            self.part.clock,
            self.part.plan.verify,
            aim,
            Tally::new()?,
        );
        self.part.run(&mut fan_out)?;
        Ok(fan_out.tally)
    }

    fn handshakes(&mut self, pace: Pace, limit: Limit) -> Result<Tally, Failure> {
        let (clock, stall) = (self.part.clock, self.part.plan.stall);
        let tally = Tally::new()?;
        let mut handshakes = Handshakes::new(&mut self.pool, clock, pace, limit, stall, tally);
        self.part.run(&mut handshakes)?;
        Ok(handshakes.tally)
    }

    fn leave(&mut self) -> Result<Tally, Failure> {
        let frames = Arc::clone(&self.part.frames);
        let mut leaving = Leaving::new(&mut self.pool, &frames);
        drive(&mut leaving, self.part.clock, GRACE, |_| {})?;
        let mut tally = Tally::new()?;
        if self.part.plan.mode != Mode::Idle {
            tally.faults.add(Fault::Unasked, leaving.heard.messages);
        }
        Ok(tally)
    }
}

impl Part {
    fn run(&self, load: &mut impl Load) -> Result<(), Failure> {
        let achieved = &self.achieved;
        drive(load, self.clock, self.plan.stall, |more| {
            count(achieved, more)
        })?;
        Ok(())
    }
}

fn count(achieved: &AtomicU64, more: u64) {
    achieved.fetch_add(more, Ordering::Relaxed);
}
