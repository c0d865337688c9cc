//! Two engines, every pair of settings, random messages.

use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Inbox, Limits, Message, Role};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{NOW, agree, open, receive, transmit};

fn configs() -> impl Strategy<Value = DeflateConfig> {
    (8..=15u8, 8..=15u8, any::<[bool; 2]>(), 0..=9u8, 0..200usize).prop_map(
        |(send, receive, [keeps_sent, keeps_received], level, threshold)| {
            DeflateConfig::default()
                .with_window_bits(send, receive)
                .with_context_kept(keeps_sent, keeps_received)
                .with_level(level)
                .with_threshold_bytes(threshold)
        },
    )
}

/// Messages that compress, that do not, and that repeat one another.
fn messages() -> impl Strategy<Value = Vec<Message>> {
    let text = "[a-d é]{0,300}".prop_map(Message::from);
    let noise = vec(any::<u8>(), 0..600).prop_map(Message::from);
    let long = (any::<u8>(), 0..70_000usize).prop_map(|(byte, len)| Message::from(vec![byte; len]));
    let mixed = (0..5000u32, 1..40_000usize).prop_map(|(seed, len)| {
        let byte = |at: u32| (seed.wrapping_mul(at / 7 + 1) >> 11).to_le_bytes()[0] % 23;
        Message::from(
            (0..u32::try_from(len).unwrap())
                .map(byte)
                .collect::<Vec<_>>(),
        )
    });
    vec(
        prop_oneof![4 => text, 3 => noise, 1 => long, 2 => mixed],
        1..8,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    //= PD-007 type=test
    //= PD-015 type=test
    //= PD-019 type=test
    //= PD-020 type=test
    //= PD-021 type=test
    //= PD-023 type=test
    //= PD-051 type=test
    //= PD-052 type=test
    //= PD-053 type=test
    //= PD-054 type=test
    //= PD-055 type=test
    //= PD-057 type=test
    //= PD-059 type=test
    //= PD-060 type=test
    //= PD-061 type=test
    //= PX-02 type=test
    #[test]
    fn prop_what_is_sent_arrives_under_every_agreement(
        ours in configs(),
        theirs in configs(),
        messages in messages(),
        step in 1..5000usize,
    ) {
        let limits = Limits::default().with_outbox_marks(1 << 20, 64 << 20);
        let (client, server) = agree(ours, theirs);
        let mut client = open(Role::Client, limits.clone(), client);
        let mut server = open(Role::Server, limits, server);
        let (mut client_inbox, mut server_inbox) = (Inbox::new(), Inbox::new());
        for message in &messages {
            client.send_message(NOW, message.clone()).unwrap();
            let found = receive(&mut server, &mut server_inbox, &transmit(&mut client), step);
            prop_assert_eq!(&found, &(vec![message.clone()], None));
            server.send_message(NOW, message.clone()).unwrap();
            let found = receive(&mut client, &mut client_inbox, &transmit(&mut server), step);
            prop_assert_eq!(&found, &(vec![message.clone()], None));
        }
    }
}
