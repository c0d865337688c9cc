//! Each kind of load against a server that does right.

use serde_json::{Value, json};

use crate::program::{Echo, bench, figures, good};

fn micros(figures: &Value, group: &str, name: &str) -> f64 {
    figures[group][name].as_f64().unwrap()
}

/// The times stand in order, and none of them is nothing.
fn assert_times(figures: &Value, group: &str) {
    let names = ["p50_us", "p90_us", "p99_us", "p99_9_us", "max_us"];
    let times = names.map(|name| micros(figures, group, name));
    assert!(times[0] > 0.0 && times.is_sorted(), "{figures}");
}

#[test]
fn as_many_messages_come_back_as_are_asked_for() {
    let echo = Echo::start(&[]);
    for arguments in [
        "--connections 3 --messages 1000",
        "--connections 3 --messages 1000 --depth 64 --verify all",
        "--connections 4 --threads 2 --messages 1000 --depth 5 --text --bytes 300",
        "--messages 1000 --bytes 0 --verify off",
        "--connections 2 --messages 1000 --bytes 1 --fragments 3 --verify all",
        "--connections 2 --messages 1000 --bytes 5000 --fragments 64 --text --depth 9",
        "--connections 5 --messages 1000 --rate 20000 --warm-up 0.05",
        "--connections 4 --threads 3 --messages 1000 --rate 5000",
    ] {
        let figures = good(&echo.url, arguments);
        assert_eq!(figures["messages"], 1000, "{arguments}");
        assert_times(&figures, "latency");
        let compared = figures["compared_whole"].as_u64().unwrap();
        match arguments {
            all if all.contains("all") => assert_eq!(compared, 1000),
            off if off.contains("off") => assert_eq!(compared, 0),
            _ => assert!((10..30).contains(&compared), "{arguments}: {compared}"),
        }
    }
}

#[test]
fn large_messages_come_back_whole() {
    let echo = Echo::start(&[]);
    let arguments = "--connections 3 --messages 30 --bytes 1048576 --depth 4 --verify all";
    assert_eq!(good(&echo.url, arguments)["compared_whole"], 30);
    let echo = Echo::start(&["--fan-out"]);
    let arguments = "--fan-out --connections 3 --messages 10 --bytes 3000000 --depth 3";
    let figures = good(&echo.url, &format!("{arguments} --verify all"));
    assert_eq!(figures["compared_whole"], 30);
}

#[test]
fn a_rate_over_a_time_sends_all_that_fits_into_it() {
    let echo = Echo::start(&[]);
    let figures = good(
        &echo.url,
        "--connections 7 --rate 3000 --seconds 0.5 --warm-up 0.1",
    );
    assert_eq!(figures["messages"], 1500);
    let rate = figures["messages_per_second"].as_f64().unwrap();
    assert!(rate < 3100.0, "it does not hurry: {rate}");
}

#[test]
fn a_time_ends_the_run() {
    let echo = Echo::start(&[]);
    let figures = good(
        &echo.url,
        "--connections 2 --depth 3 --seconds 0.3 --warm-up 0.1",
    );
    let seconds = figures["seconds"].as_f64().unwrap();
    assert!((0.3..5.0).contains(&seconds), "{seconds}");
    assert!(figures["messages"].as_u64().unwrap() > 6);
}

#[test]
fn windows_stand_beside_the_whole_run() {
    let echo = Echo::start(&[]);
    for (arguments, threads) in [
        ("--connections 2 --depth 64", 1.0),
        ("--connections 4 --threads 2 --depth 64", 2.0),
        ("--connections 4 --rate 20000", 1.0),
    ] {
        let figures = good(&echo.url, &format!("{arguments} --seconds 1 --warm-up 0.2"));
        let windows = figures["latency"]["windows"].as_f64().unwrap();
        let most = micros(&figures, "latency", "max_us");
        let middle = micros(&figures, "latency", "p99_of_windows_us");
        assert!(middle > 0.0 && middle <= most, "{figures}");
        let tenths = figures["seconds"].as_f64().unwrap() * 10.0 * threads;
        assert!(windows <= tenths, "the warm-up has none: {figures}");
    }
}

#[test]
fn where_no_window_counts_none_is_told() {
    let echo = Echo::start(&[]);
    for arguments in [
        "--messages 900 --rate 3000",
        "--handshakes --messages 1500 --connections 20",
    ] {
        let figures = good(&echo.url, arguments);
        for name in ["p99_of_windows_us", "windows"] {
            assert_eq!(figures["latency"][name], Value::Null, "{figures}");
        }
    }
}

#[test]
fn everybody_hears_everything_once_and_in_order() {
    let echo = Echo::start(&["--fan-out"]);
    for (arguments, connections) in [
        ("--connections 20 --messages 300 --depth 7", 20),
        (
            "--connections 8 --messages 300 --publishers 3 --depth 5 --text --bytes 40",
            8,
        ),
        (
            "--connections 5 --messages 300 --bytes 3000 --fragments 5 --verify all",
            5,
        ),
        (
            "--connections 6 --messages 300 --rate 3000 --publishers 2 --warm-up 0.05",
            6,
        ),
    ] {
        let figures = good(&echo.url, &format!("--fan-out {arguments}"));
        assert_eq!(figures["messages"], 300, "{arguments}");
        assert_eq!(figures["deliveries"], 300 * connections, "{arguments}");
        assert_times(&figures, "latency_to_each");
        assert_times(&figures, "latency_to_last");
        let [each, last] =
            ["latency_to_each", "latency_to_last"].map(|group| micros(&figures, group, "max_us"));
        assert_eq!(
            each, last,
            "whoever was last of all was the last of one message"
        );
    }
}

#[test]
fn idle_connections_are_held_and_weighed() {
    let echo = Echo::start(&[]);
    let arguments = format!(
        "--idle --connections 300 --threads 2 --seconds 0.3 --server-pid {}",
        echo.pid()
    );
    let figures = good(&echo.url, &arguments);
    assert_eq!(figures["held"], 300);
    assert_eq!(figures["messages"], Value::Null);
    if cfg!(target_os = "linux") {
        let each = figures["server"]["bytes_per_connection"].as_u64().unwrap();
        assert!((100..100_000).contains(&each), "{each}");
    }
}

#[test]
fn connections_are_opened_no_faster_than_asked() {
    let echo = Echo::start(&[]);
    let began = std::time::Instant::now();
    let figures = good(&echo.url, "--idle --connections 20 --rate 50 --seconds 0.1");
    assert_eq!(figures["held"], 20);
    assert!(began.elapsed().as_millis() >= 380, "{:?}", began.elapsed());
}

#[test]
fn handshakes_are_counted_and_timed() {
    let echo = Echo::start(&[]);
    for arguments in [
        "--messages 500 --connections 20",
        "--messages 500 --connections 4 --threads 3",
        "--messages 500 --connections 20 --rate 5000",
    ] {
        let figures = good(&echo.url, &format!("--handshakes {arguments}"));
        assert_eq!(figures["handshakes"], 500, "{arguments}");
        assert_times(&figures, "latency");
        assert_eq!(figures["held"], Value::Null);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn processor_time_of_both_sides_is_told() {
    let echo = Echo::start(&[]);
    let arguments = format!(
        "--messages 3000 --connections 4 --server-pid {}",
        echo.pid()
    );
    let figures = good(&echo.url, &arguments);
    for whose in ["server", "own"] {
        let each = figures[whose]["cpu_ns_per_message"].as_f64().unwrap();
        let all = figures[whose]["cpu_seconds"].as_f64().unwrap();
        assert!(each > 100.0, "{whose}: {figures}");
        assert!(
            (all - each * 3000.0 / 1e9).abs() < 0.001,
            "{whose}: {figures}"
        );
    }
    assert!(figures["server"]["resident_bytes"].as_u64().unwrap() > 1 << 20);
    assert!(figures["generator_was_the_bottleneck"].is_boolean());
}

#[test]
fn tls_is_spoken_with_whom_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let chain = write("chain.pem", issued.cert.pem());
    let key = write("key.pem", issued.signing_key.serialize_pem());
    let echo = Echo::start(&["--tls-cert", &chain, "--tls-key", &key]);
    for arguments in [
        "--messages 200 --connections 3 --depth 8 --bytes 40000 --verify all",
        "--messages 200 --connections 3 --rate 2000",
    ] {
        let figures = good(&echo.url, &format!("{arguments} --tls-ca {chain}"));
        assert_eq!(figures["messages"], 200);
        let any = format!("{arguments} --danger-accept-any-certificate");
        assert_eq!(good(&echo.url, &any)["messages"], 200);
    }
    let (figures, status) = figures(&echo.url, "--messages 1");
    let expected = (&json!({"not_opened": 1, "all": 1}), Some(1));
    assert_eq!((&figures["faults"], status), expected);
}

#[test]
fn text_has_the_figures_that_json_has() {
    let echo = Echo::start(&[]);
    let arguments = "--messages 10 --bytes 20 --text";
    let said = String::from_utf8(bench(&echo.url, arguments).stdout).unwrap();
    let figures = good(&echo.url, arguments);
    let mut paths = Vec::new();
    // Whether this process was busy all the time is another matter in each run.
    let is_figure = |name: &str| name != "notes" && name != "note:";
    for (name, value) in figures.as_object().unwrap() {
        match value.as_object() {
            Some(group) => paths.extend(group.keys().map(|it| format!("{name}.{it}"))),
            None => paths.push(name.clone()),
        }
    }
    let of = |line: &str| line.split_whitespace().next().map(String::from);
    let lines: Vec<String> = said.lines().filter_map(of).collect();
    let figures_of = |all: Vec<String>| {
        all.into_iter()
            .filter(|it| is_figure(it))
            .collect::<Vec<_>>()
    };
    assert_eq!(figures_of(lines), figures_of(paths));
    assert!(
        said.contains("\nmessages                         10\n"),
        "{said}"
    );
}

#[test]
fn how_far_it_is_is_said_when_that_is_asked_for() {
    let echo = Echo::start(&[]);
    let arguments = "--rate 100 --seconds 1.5 --warm-up 0";
    let quiet = bench(&echo.url, arguments);
    assert!(quiet.stderr.is_empty(), "{quiet:?}");
    let said = bench(&echo.url, &format!("{arguments} --progress"));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("measuring"), "{said}");
}
