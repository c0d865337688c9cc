use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use proptest::prelude::*;

use super::*;

const SAMPLE: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Base64 that takes any pad bits, from the library and not from the code under test.
fn decodes_to_16_bytes(text: &[u8]) -> bool {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let mut target = [0; 64];
    matches!(engine.decode_slice(text, &mut target), Ok(16))
}

//= WS-064 type=test
#[test]
fn accept_is_the_hash_of_the_key_and_the_guid() {
    for (key, expected) in [
        (SAMPLE, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("Iv8io/9s+lYFgZWcXczP8Q==", "hsBlbuDTkk24srzEOTBUlZAlC2g="),
    ] {
        assert!(is_valid_key(key.as_bytes()), "{key}");
        assert_eq!(accept(key).as_str(), expected);
    }
}

//= WS-029 type=test
#[test]
fn a_key_is_its_nonce_in_base64() {
    let key = Key::from_nonce(*b"the sample nonce");
    assert_eq!(key.as_str(), SAMPLE);
    assert_eq!(&*key.accept(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

//= WS-050 type=test
//= WS-067 type=test
#[test]
fn a_key_that_is_not_16_bytes_of_base64_is_refused() {
    for text in [
        "",
        "==",
        "SGVsbG8sIHdvcmxkIQ==",
        "dGhlIHNhbXBsZSBub25jZXNzQQ==",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZSE=",
        "dGhlIHNhbXBsZSBub25jZSE0",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25jZ-==",
        "dGhlIHNhbXBsZSBub25j Q==",
        " GhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jé==",
    ] {
        assert!(!is_valid_key(text.as_bytes()), "{text}");
        assert!(!decodes_to_16_bytes(text.as_bytes()), "{text}");
    }
    assert!(is_valid_key(SAMPLE.as_bytes()));
}

//= WS-181 type=test
#[test]
fn a_key_whose_pad_bits_are_not_zero_is_taken_and_hashed_as_it_came() {
    let (printed, corrected) = ("AQIDBAUGBwgJCgsMDQ4PEC==", "AQIDBAUGBwgJCgsMDQ4PEA==");
    assert!(is_valid_key(printed.as_bytes()));
    assert!(is_valid_key(corrected.as_bytes()));
    assert_ne!(accept(printed), accept(corrected));
}

proptest! {
    #[test]
    fn prop_every_nonce_makes_a_valid_key(nonce: [u8; 16]) {
        let key = Key::from_nonce(nonce);
        prop_assert!(is_valid_key(key.as_bytes()));
        prop_assert_eq!(STANDARD.decode_slice(key.as_str(), &mut [0; 32]), Ok(16));
    }

    #[test]
    fn prop_valid_keys_are_what_base64_decodes_to_16_bytes(
        text in "[A-Za-z0-9+/=-]{20,25}|[A-Za-z0-9+/]{21,22}[=A]=|[A-Za-z0-9+/]{22}==",
    ) {
        prop_assert_eq!(is_valid_key(text.as_bytes()), decodes_to_16_bytes(text.as_bytes()));
    }
}
