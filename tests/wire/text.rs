//! Text: where it goes wrong.

use framewire::wire::utf8::{InvalidUtf8, Utf8Stream, validate};

use crate::hex;

/// The text is valid, or its first impossible byte stands at `expected`, however it is cut.
fn check(bytes: &[u8], expected: Result<(), usize>) {
    assert_eq!(
        validate(bytes).map(drop).map_err(InvalidUtf8::at),
        expected,
        "{bytes:02x?}"
    );
    for piece_bytes in [1, 2, 3, 5, bytes.len().max(1)] {
        let mut stream = Utf8Stream::new();
        let mut fed = 0;
        let mut verdict = Ok(());
        for piece in bytes.chunks(piece_bytes) {
            verdict = stream.feed(piece).map_err(|error| fed + error.at());
            if verdict.is_err() {
                break;
            }
            fed += piece.len();
        }
        let verdict = verdict.and_then(|()| stream.finish().map_err(|_| fed));
        assert_eq!(verdict, expected, "{bytes:02x?} by {piece_bytes}");
    }
}

//= WS-114 type=test
#[test]
fn first_and_last_characters_of_each_length_are_valid() {
    for text in [
        "",
        "\0",
        "\x7f",
        "\u{80}",
        "\u{7ff}",
        "\u{800}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
        "\u{d7ff}\u{e000}",
        "\u{fffe}",
        "κόσμε",
        "Hello-µ@ßöäüàá-UTF-8!!",
    ] {
        check(text.as_bytes(), Ok(()));
        check(text.repeat(50).as_bytes(), Ok(()));
    }
}

//= WS-114 type=test
//= WS-155 type=test
#[test]
fn text_that_is_not_utf8_is_refused_at_its_first_impossible_byte() {
    for (bytes, at) in [
        ("80", 0),
        ("bf", 0),
        ("41 bf", 1),
        ("c0 af", 0),
        ("c1 bf", 0),
        ("c2", 1),
        ("c2 41", 1),
        ("c2 c2", 1),
        ("e0 80 af", 1),
        ("e0 9f bf", 1),
        ("e2 82", 2),
        ("e2 28 a1", 1),
        ("e2 82 28", 2),
        ("ed a0 80", 1),
        ("ed bf bf", 1),
        ("f0 80 80 af", 1),
        ("f0 8f bf bf", 1),
        ("f0 90 80", 3),
        ("f0 90 28 bc", 2),
        ("f4 90 80 80", 1),
        ("f5 80 80 80", 0),
        ("f8 88 80 80 80", 0),
        ("fe", 0),
        ("ff", 0),
        (
            "ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64 69 74 65 64",
            12,
        ),
        (
            "ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64 69 74 65 64",
            12,
        ),
    ] {
        check(&hex(bytes), Err(at));
        let after_text = [
            &b"a longer text, past what is looked at byte by byte; ".repeat(3)[..],
            &hex(bytes),
        ]
        .concat();
        check(&after_text, Err(at + after_text.len() - hex(bytes).len()));
    }
}
