//! Two engines, every pair of settings, random messages, every way to send and receive them.

use core::time::Duration;

use framewire::engine::deflate::DeflateConfig;
use framewire::engine::{Compress, Connection, Inbox, Limits, Message, Role, Violation};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{NOW, agree, open, receive, receive_pieces, transmit};

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
    #![proptest_config(ProptestConfig::with_cases(2_000))]

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
        hows in vec(hows(), 8),
        step in 1..5000usize,
    ) {
        let limits = Limits::default().with_outbox_marks(1 << 20, 64 << 20);
        let (client, server) = agree(ours, theirs);
        let mut client = open(Role::Client, limits.clone(), client);
        let mut server = open(Role::Server, limits, server);
        let (mut client_inbox, mut server_inbox) = (Inbox::new(), Inbox::new());
        let mut now = NOW;
        for (message, how) in messages.iter().zip(&hows) {
            let expected = (vec![message.clone()], None);
            send(&mut client, message, how);
            let (bytes, inbox) = (transmit(&mut client), &mut server_inbox);
            prop_assert_eq!(&take(how)(&mut server, inbox, &bytes, step), &expected);
            send(&mut server, message, how);
            let (bytes, inbox) = (transmit(&mut server), &mut client_inbox);
            prop_assert_eq!(&take(how)(&mut client, inbox, &bytes, step), &expected);
            if how.rests {
                now = now.after(Duration::from_secs(2));
                client.timeout(now);
                server.timeout(now);
            }
        }
    }
}

/// How a message is sent and received.
#[derive(Clone, Debug)]
struct How {
    compress: Compress,
    form: Form,
    /// Whether the message is received in pieces.
    in_pieces: bool,
    /// Whether so much time passes afterwards that both ends give up their memory.
    rests: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Whole,
    Prepared,
    Fragments(usize),
}

fn hows() -> impl Strategy<Value = How> {
    let compress = prop_oneof![
        Just(Compress::Auto),
        Just(Compress::Never),
        Just(Compress::Always)
    ];
    let form = prop_oneof![
        Just(Form::Whole),
        Just(Form::Prepared),
        (1..20_000usize).prop_map(Form::Fragments)
    ];
    (compress, form, any::<[bool; 2]>()).prop_map(|(compress, form, [in_pieces, rests])| How {
        compress,
        form,
        in_pieces,
        rests,
    })
}

fn send(connection: &mut Connection, message: &Message, how: &How) {
    let compress = how.compress;
    match how.form {
        Form::Whole => connection
            .send_message_with(NOW, message.clone(), compress)
            .unwrap(),
        Form::Prepared => connection
            .send_prepared(NOW, &message.prepare().with_compress(compress))
            .unwrap(),
        Form::Fragments(len) => {
            let kind = message.kind();
            for fragment in message.as_bytes().chunks(len) {
                connection
                    .send_fragment_with(NOW, kind, fragment, false, compress)
                    .unwrap();
            }
            connection
                .send_fragment_with(NOW, kind, b"", true, compress)
                .unwrap();
        }
    }
}

type Take = fn(&mut Connection, &mut Inbox, &[u8], usize) -> (Vec<Message>, Option<Violation>);

fn take(how: &How) -> Take {
    match how.in_pieces {
        true => receive_pieces,
        false => receive,
    }
}
