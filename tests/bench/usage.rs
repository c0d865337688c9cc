//! What does not fit together is refused at once, in one line that says what to do.

use crate::program::bench;

#[test]
fn arguments_that_do_not_fit_are_refused_in_one_line() {
    let url = "ws://127.0.0.1:1/";
    for (url, arguments, says) in [
        ("http://127.0.0.1/", "", "ws://"),
        (url, "--threads 2", "--connections"),
        (url, "--fan-out --connections 4 --threads 2", "--threads"),
        (url, "--fan-out --bytes 15", "--bytes 16"),
        (url, "--fan-out --publishers 2", "--connections"),
        (url, "--stall 0", "--stall"),
        (url, "--seconds 0", "--seconds"),
        (url, "--bytes 99999999999", "--bytes"),
        (url, "--server-pid 4294967295", "--server-pid"),
        (url, "--depth 9999999", "--depth"),
    ] {
        let output = bench(url, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
        assert!(said.contains(says), "{arguments}: {said}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    for arguments in [
        "--idle --fan-out",
        "--rate 5 --depth 5",
        "--messages 5 --seconds 5",
        "--idle --messages 5",
        "--publishers 2",
        "--text --binary",
        "--seconds -1",
        "--seconds nan",
        "--connections 0",
        "--rate 0",
        "--verify some",
    ] {
        let output = bench("ws://127.0.0.1:1/", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
    }
}
