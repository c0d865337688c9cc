//! The head of a request: however it arrives the verdict is one, and what is read can be written.

#![no_main]

use framewire::wire::http::{self, HeadLimits, HeadScanner, RequestHead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (limits, mut scanner) = (HeadLimits::default(), HeadScanner::default());
    let mut verdicts = (0..=input.len()).map(|end| scanner.scan(&input[..end], &limits));
    let in_pieces = verdicts
        .find(|verdict| *verdict != Ok(None))
        .unwrap_or(Ok(None));
    assert_eq!(in_pieces, HeadScanner::default().scan(input, &limits));
    let Ok(head) = RequestHead::parse(input, &limits) else {
        return;
    };
    let mut text = Vec::new();
    http::write_request_line(&mut text, head.method(), head.target()).expect("a request line");
    for (name, value) in head.headers().iter() {
        http::write_header(&mut text, name, value).expect("a header that was read");
    }
    http::write_head_end(&mut text);
    let again = RequestHead::parse(&text, &limits).expect("a head that was written");
    assert_eq!(
        (again.method(), again.target()),
        (head.method(), head.target())
    );
    assert!(again.headers().iter().eq(head.headers().iter()));
});
