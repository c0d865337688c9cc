//! Offers and answers.

use framewire::engine::Offer;
use framewire::engine::deflate::{DeflateConfig, DeflateOffer};

use crate::support::{answer, offers};

const PMD: &str = "permessage-deflate";

fn config() -> DeflateConfig {
    DeflateConfig::default()
}

//= PD-003 type=test
//= PD-005 type=test
//= PD-006 type=test
//= PD-036 type=test
//= PD-043 type=test
//= PD-046 type=test
//= PD-047 type=test
//= PD-064 type=test
#[test]
fn a_server_answers_within_what_was_offered() {
    let small = config().with_window_bits(10, 11);
    let forgetful = config().with_context_kept(false, false);
    for (config, offered, answered) in [
        (config(), "", ""),
        (config(), "; client_max_window_bits", ""),
        (config(), "; client_max_window_bits=15", ""),
        (
            config(),
            "; client_max_window_bits=9",
            "; client_max_window_bits=9",
        ),
        (
            config(),
            "; server_max_window_bits=9",
            "; server_max_window_bits=9",
        ),
        (
            config(),
            "; server_max_window_bits=8",
            "; server_max_window_bits=8",
        ),
        (
            config(),
            "; server_max_window_bits=\"12\"",
            "; server_max_window_bits=12",
        ),
        (
            config(),
            "; server_no_context_takeover",
            "; server_no_context_takeover",
        ),
        (
            config(),
            "; client_no_context_takeover",
            "; client_no_context_takeover",
        ),
        (small, "", "; server_max_window_bits=10"),
        (
            small,
            "; client_max_window_bits",
            "; server_max_window_bits=10; client_max_window_bits=11",
        ),
        (
            small,
            "; client_max_window_bits=9; server_max_window_bits=15",
            "; server_max_window_bits=10; client_max_window_bits=9",
        ),
        (
            forgetful,
            "",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
    ] {
        let offered = format!("{PMD}{offered}");
        assert_eq!(
            answer(config, &offered),
            Some(format!("{PMD}{answered}")),
            "{offered}"
        );
    }
}

//= PD-012 type=test
//= PD-027 type=test
//= PD-028 type=test
//= PD-029 type=test
//= PD-030 type=test
//= PD-042 type=test
#[test]
fn a_server_declines_offers_that_are_not_well_formed() {
    for offered in [
        "; server_max_window_bits",
        "; server_max_window_bits=7",
        "; server_max_window_bits=16",
        "; server_max_window_bits=08",
        "; server_max_window_bits=+9",
        "; server_max_window_bits=15.0",
        "; server_max_window_bits=abc",
        "; server_max_window_bits=256",
        "; server_max_window_bits=-1",
        "; server_max_window_bits=100000000000000000000",
        "; client_max_window_bits=7",
        "; client_max_window_bits=16",
        "; client_max_window_bits=\"08\"",
        "; server_no_context_takeover=1",
        "; client_no_context_takeover=true",
        "; server_no_context_takeover; server_no_context_takeover",
        "; client_no_context_takeover; client_no_context_takeover",
        "; server_max_window_bits=9; server_max_window_bits=9",
        "; client_max_window_bits; client_max_window_bits=9",
        "; unknown",
        "; unknown=1",
    ] {
        assert_eq!(
            answer(config(), &format!("{PMD}{offered}")),
            None,
            "{offered}"
        );
        let second = format!("{PMD}{offered}, {PMD}; server_no_context_takeover");
        let accepted = Some(format!("{PMD}; server_no_context_takeover"));
        assert_eq!(answer(config(), &second), accepted, "{offered}");
    }
    assert_eq!(answer(config(), "x-webkit-deflate-frame"), None);
}

//= PD-002 type=test
//= PD-004 type=test
#[test]
fn a_client_offers_what_it_is_configured_to() {
    for (config, offered) in [
        (config(), "; client_max_window_bits"),
        (
            config().with_window_bits(9, 10),
            "; server_max_window_bits=10; client_max_window_bits=9",
        ),
        (
            config().with_context_kept(false, false),
            "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
        ),
    ] {
        let offers = DeflateOffer::new(config).offers();
        let offers: Vec<_> = offers.iter().map(ToString::to_string).collect();
        assert_eq!(offers, [format!("{PMD}{offered}")]);
    }
}

//= PD-014 type=test
//= PD-031 type=test
//= PD-032 type=test
//= PD-033 type=test
//= PD-034 type=test
//= PD-038 type=test
//= PD-040 type=test
//= PD-044 type=test
#[test]
fn a_client_accepts_only_answers_to_its_offer() {
    let small = config().with_window_bits(15, 10);
    let forgetful = config().with_context_kept(true, false);
    for (config, answered, accepted) in [
        (config(), "", true),
        (config(), "; server_no_context_takeover", true),
        (config(), "; client_no_context_takeover", true),
        (config(), "; server_max_window_bits=9", true),
        (config(), "; client_max_window_bits=9", true),
        (config(), "; server_max_window_bits=1000", false),
        (config(), "; server_max_window_bits=7", false),
        (config(), "; server_max_window_bits=08", false),
        (config(), "; server_max_window_bits", false),
        (config(), "; client_max_window_bits", false),
        (config(), "; client_max_window_bits=16", false),
        (config(), "; unknown", false),
        (
            config(),
            "; server_no_context_takeover; server_no_context_takeover",
            false,
        ),
        (config(), "; server_no_context_takeover=1", false),
        (small, "", false),
        (small, "; server_max_window_bits=11", false),
        (small, "; server_max_window_bits=10", true),
        (small, "; server_max_window_bits=8", true),
        (forgetful, "", false),
        (forgetful, "; server_no_context_takeover", true),
    ] {
        let answer = &offers(&format!("{PMD}{answered}"))[0];
        let agreed = Box::new(DeflateOffer::new(config)).accept(answer);
        assert_eq!(agreed.is_some(), accepted, "{answered}");
    }
}
