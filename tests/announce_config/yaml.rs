//! YAML that is no configuration, and bounds on what is.

use std::fmt::Write as _;

use framewire::announce::config::{BYTES_MAX, Config, DEPTH_MAX, Flags, NODES_MAX, Source};

use crate::{fault, faults, load};

fn fault_of_bytes(bytes: Vec<u8>) -> String {
    let source = Source {
        name: "c.yaml".to_owned(),
        bytes,
    };
    let faults = Config::load(Some(&source), &Default::default(), &Flags::default()).unwrap_err();
    faults.to_string()
}

#[test]
fn nothing_at_all_is_the_default() {
    for text in ["", "\n", "# nothing\n", "---\n", "null\n", "\u{feff}", "{}"] {
        let config = load(text).unwrap();
        assert_eq!(
            format!("{:?}", config.limits),
            format!("{:?}", Config::default().limits)
        );
    }
}

#[test]
fn what_is_no_yaml_is_refused_with_its_place() {
    let fault = fault("server:\n  listen: [\n");
    assert!(fault.starts_with("c.yaml:3:1: not YAML: "), "{fault}");
    assert!(fault_of_bytes(b"a\n\xc3\xa4\xff".to_vec()).starts_with("c.yaml:2:2: the file is not"));
}

#[test]
fn a_key_stands_once() {
    let faults = faults("limits:\n  connections: 1\n  connections: 2\nlimits:\n  message: 1\n");
    let expected = [
        "c.yaml:3:3: `connections` is given twice, first in line 2",
        "c.yaml:4:1: `limits` is given twice, first in line 1",
    ];
    assert_eq!(faults[..2], expected);
}

#[test]
fn tags_documents_and_keys_of_other_kinds_are_refused() {
    let cases = [
        ("server:\n  listen: !!str x\n", "c.yaml:2:11: a tag"),
        ("a: 1\n---\nb: 1\n", "c.yaml:2:1: a second document"),
        ("[a, b]: 1\n", "c.yaml:1:1: a key is a single text"),
        ("- a\n", "c.yaml:1:1: expected a map of keys, found a list"),
        (
            "text\n",
            "c.yaml:1:1: expected a map of keys, found a single value",
        ),
        ("server: *nothing\n", "c.yaml:1:9: not YAML: "),
    ];
    for (text, expected) in cases {
        let fault = fault(text);
        assert!(fault.starts_with(expected), "{fault}");
    }
}

#[test]
fn aliases_repeat_and_are_bounded() {
    let text = "origins: &mine [\"https://a.example\"]\ngateway:\n  origins: *mine\n";
    let config = load(text).unwrap();
    assert_eq!(config.origins, config.gateway.origins);
    // Each line repeats the one before nine times.
    let mut text = "a0: &a0 [x]\n".to_owned();
    for at in 1..20 {
        let before = format!("*a{}, ", at - 1).repeat(9);
        writeln!(text, "a{at}: &a{at} [{before}]").unwrap();
    }
    let fault = faults(&text).pop().unwrap();
    assert!(fault.contains(&format!("more than {NODES_MAX}")), "{fault}");
    let looped = faults("origins: &a [*a]\n").pop().unwrap();
    assert!(
        looped.contains("would never end") || looped.contains("not YAML"),
        "{looped}"
    );
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = fault(&format!("a: {}\n", "[".repeat(DEPTH_MAX + 1)));
    assert!(
        deep.contains(&format!("nested deeper than {DEPTH_MAX}")),
        "{deep}"
    );
    let wide = faults(&format!("origins: [{}]", "a, ".repeat(NODES_MAX)))
        .pop()
        .unwrap();
    assert!(wide.contains(&format!("more than {NODES_MAX}")), "{wide}");
    let large = fault_of_bytes(vec![b'#'; BYTES_MAX + 1]);
    assert_eq!(large, "c.yaml:1:1: the file is larger than 4 MiB");
}

//= B08 type=test
#[test]
fn ten_thousand_types_are_read_and_no_more() {
    let of = |count: usize| {
        let mut text =
            "gateway:\n  socket:\n    path: /c\n    onmessage:\n      publish: m\n      \
                        types:\n"
                .to_owned();
        for at in 0..count {
            writeln!(text, "      - {{type: \"t{at}\", publish: \"p{at}\"}}").unwrap();
        }
        text
    };
    assert_eq!(
        load(&of(10_000))
            .unwrap()
            .gateway
            .socket
            .unwrap()
            .types
            .len(),
        10_000
    );
    let fault = fault(&of(10_001));
    assert!(
        fault.starts_with("c.yaml:10007:9: gateway.socket.onmessage.types: "),
        "{fault}"
    );
}
