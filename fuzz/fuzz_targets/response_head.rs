//! The head of a response: what is read can be written, and reads the same.

#![no_main]

use framewire::wire::http::{self, HeadLimits, HeadScanner, ResponseHead};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let limits = HeadLimits::default();
    let Ok(head) = ResponseHead::parse(input, &limits) else {
        return;
    };
    assert!(matches!(
        HeadScanner::default().scan(input, &limits),
        Ok(Some(_))
    ));
    let mut text = Vec::new();
    http::write_status_line(&mut text, head.status(), head.reason()).expect("a status line");
    for (name, value) in head.headers().iter() {
        http::write_header(&mut text, name, value).expect("a header that was read");
    }
    http::write_head_end(&mut text);
    let again = ResponseHead::parse(&text, &limits).expect("a head that was written");
    assert_eq!(
        (again.status(), again.reason()),
        (head.status(), head.reason())
    );
    assert!(again.headers().iter().eq(head.headers().iter()));
});
