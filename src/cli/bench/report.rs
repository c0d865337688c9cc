//! What came of it, once as a list of figures, from which text and JSON are made.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use crate::cli::bench::plan::{Mode, Plan};
use crate::cli::bench::process::Usage;
use crate::cli::bench::tally::{Tally, Times};
use crate::cli::bench::windows;
use crate::wire::opcode::Opcode;

/// Of a core that is used so much, nothing is left.
const WHOLE_CORE: f64 = 0.95;

/// Figures, each under a path such as `latency.p50_us`.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<(String, Value)>,
    notes: Vec<String>,
}

/// What the server and this process had used at a time.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) server: Option<Usage>,
    pub(crate) own: Option<Usage>,
}

/// What was used, and how much of it before.
#[derive(Debug)]
pub(crate) struct Usages {
    /// Before anything was opened.
    pub(crate) at_first: Used,
    /// When what is measured began and ended.
    pub(crate) before: Used,
    pub(crate) after: Used,
    /// The time between these, in nanoseconds.
    pub(crate) elapsed: u64,
}

impl Report {
    /// What has been measured.
    pub(crate) fn new(plan: &Plan, tally: &mut Tally, usages: &Usages) -> Self {
        let mut report = Self::default();
        report.asked(plan);
        report.counted(plan, tally);
        match plan.mode {
            Mode::Idle => {}
            Mode::FanOut => {
                report.times("latency_to_each", &mut tally.times);
                report.times("latency_to_last", &mut tally.last);
            }
            Mode::Handshakes => report.times("latency", &mut tally.times),
            Mode::Echo => {
                report.times("latency", &mut tally.times);
                report.windows(&tally.p99_of_windows);
            }
        }
        report.used(plan, tally, usages);
        let mut all = 0;
        for (fault, count) in tally.faults.counts() {
            report.put(&format!("faults.{}", fault.name()), count);
            all += count;
        }
        report.put("faults.all", all);
        for (fault, words) in tally.faults.words() {
            report.notes.push(format!("{}: {words}", fault.name()));
        }
        report
    }

    fn put(&mut self, path: &str, value: impl Into<Value>) {
        self.figures.push((path.into(), value.into()));
    }

    fn asked(&mut self, plan: &Plan) {
        self.put("mode", plan.mode.name());
        self.put("url", plan.target.url.to_string());
        self.put("connections", plan.connections);
        self.put("threads", plan.threads);
        match (plan.rate, plan.mode) {
            (Some(rate), _) => self.put("rate", rate.get()),
            (None, Mode::Echo | Mode::FanOut) => self.put("depth", plan.depth),
            (None, _) => {}
        }
        if plan.mode == Mode::FanOut {
            self.put("publishers", plan.publishers);
        }
        if matches!(plan.mode, Mode::Echo | Mode::FanOut) {
            let kind = match plan.opcode {
                Opcode::Text => "text",
                _ => "binary",
            };
            self.put("kind", kind);
            self.put("bytes", plan.bytes);
            self.put("fragments", plan.fragments);
        }
    }

    fn counted(&mut self, plan: &Plan, tally: &Tally) {
        let seconds = seconds(tally.elapsed);
        self.put("seconds", rounded(seconds, 6));
        if plan.mode != Mode::Handshakes {
            self.put("held", tally.held);
        }
        let (name, all) = match plan.mode {
            Mode::Idle => return,
            Mode::Handshakes => ("handshakes", tally.messages),
            Mode::Echo | Mode::FanOut => ("messages", tally.messages),
        };
        let rate = |count: u64| rounded(ratio(count as f64, seconds), 1);
        self.put(name, all);
        self.put(&format!("{name}_per_second"), rate(all));
        let heard = match plan.mode {
            Mode::Handshakes => return,
            Mode::FanOut => {
                self.put("deliveries", tally.deliveries);
                self.put("deliveries_per_second", rate(tally.deliveries));
                tally.deliveries
            }
            _ => all,
        };
        let mib = heard as f64 * plan.bytes as f64 / f64::from(1 << 20);
        self.put("mib_per_second", rounded(ratio(mib, seconds), 3));
        self.put("compared_whole", tally.compared);
    }

    fn times(&mut self, name: &str, times: &mut Times) {
        let histogram: &Histogram<u64> = times.histogram();
        let at = |part: f64| micros(histogram.value_at_quantile(part));
        for (figure, value) in [
            ("p50_us", at(0.5)),
            ("p90_us", at(0.9)),
            ("p99_us", at(0.99)),
            ("p99_9_us", at(0.999)),
            ("max_us", micros(histogram.max())),
        ] {
            self.put(&format!("{name}.{figure}"), value);
        }
    }

    /// The 99th percentile of the window in the middle, where any counts, and how many do.
    fn windows(&mut self, p99s: &[u64]) {
        if let Some(median) = windows::median(p99s) {
            self.put("latency.p99_of_windows_us", micros(median));
            self.put("latency.windows", p99s.len());
        }
    }

    fn used(&mut self, plan: &Plan, tally: &Tally, usages: &Usages) {
        let (one, count) = match plan.mode {
            Mode::Idle => ("", 0),
            Mode::Handshakes => ("handshake", tally.messages),
            Mode::Echo => ("message", tally.messages),
            Mode::FanOut => ("delivery", tally.deliveries),
        };
        let (before, after) = (&usages.before, &usages.after);
        let server = self.time("server", one, count, &before.server, &after.server, usages);
        let own = self.time("own", one, count, &before.own, &after.own, usages);
        if let (Some(first), Some(now)) = (&usages.at_first.server, &after.server) {
            self.put("server.resident_bytes", now.resident);
            let more = now.resident.saturating_sub(first.resident);
            if let Some(each) = more.checked_div(tally.held) {
                self.put("server.bytes_per_connection", each);
            }
        }
        if plan.mode == Mode::Idle {
            return;
        }
        let (Some(own), threads) = (own, plan.threads as f64) else {
            return;
        };
        let is_bound = own >= WHOLE_CORE * threads && server.is_none_or(|it| it < WHOLE_CORE);
        self.put("generator_was_the_bottleneck", is_bound);
        match (is_bound, server) {
            (true, Some(_)) => self.notes.push(
                "this process had no time left while the server had: go by the server's \
                 processor time for each, not by the rate"
                    .into(),
            ),
            (true, None) => self.notes.push(
                "this process had no time left: give --server-pid to see whether the server had"
                    .into(),
            ),
            (false, _) => {}
        }
    }

    /// The processor time of one process; how many cores that is.
    fn time(
        &mut self,
        whose: &str,
        one: &str,
        count: u64,
        before: &Option<Usage>,
        after: &Option<Usage>,
        usages: &Usages,
    ) -> Option<f64> {
        let (Some(before), Some(after)) = (before, after) else {
            return None;
        };
        let time = after.time_since(before);
        let cores = ratio(time as f64, usages.elapsed as f64);
        self.put(&format!("{whose}.cpu_seconds"), rounded(seconds(time), 6));
        self.put(&format!("{whose}.cores"), rounded(cores, 3));
        if count > 0 {
            let each = rounded(time as f64 / count as f64, 1);
            self.put(&format!("{whose}.cpu_ns_per_{one}"), each);
        }
        Some(cores)
    }

    /// As JSON: each path is a way into it.
    pub(crate) fn json(&self) -> String {
        let mut all = Map::new();
        for (path, value) in &self.figures {
            match path.split_once('.') {
                None => drop(all.insert(path.clone(), value.clone())),
                Some((group, name)) => {
                    let group = all.entry(group).or_insert_with(|| json!({}));
                    group[name] = value.clone();
                }
            }
        }
        if !self.notes.is_empty() {
            all.insert("notes".into(), json!(self.notes));
        }
        Value::Object(all).to_string()
    }

    /// As text: a line for each.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (path, value) in &self.figures {
            let shown = value
                .as_str()
                .map_or_else(|| value.to_string(), String::from);
            text.push_str(&format!("{path:32} {shown}\n"));
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn micros(nanoseconds: u64) -> f64 {
    rounded(nanoseconds as f64 / 1000.0, 1)
}

/// Nothing in no time is nothing.
fn ratio(count: f64, of: f64) -> f64 {
    if of > 0.0 { count / of } else { 0.0 }
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
