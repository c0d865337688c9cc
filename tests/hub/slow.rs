//! What each policy does when a mailbox is full, and how full that is.

use framewire::hub::{Bounds, Hub, Member, SlowPolicy};

use crate::{all, expect_balanced, reason, text};

/// The bytes of the frame of a text of so many bytes, up to 125.
const fn frame_bytes(payload: usize) -> usize {
    payload + 2
}

fn member(hub: &Hub, bounds: Bounds, policy: SlowPolicy) -> Member {
    let member = hub.join(bounds, policy);
    member.subscribe("");
    member
}

fn offer(hub: &Hub, texts: &[&str]) -> Vec<bool> {
    let offered = texts
        .iter()
        .map(|it| hub.publish("", &text(it)).queued == 1);
    offered.collect()
}

#[test]
fn the_bound_on_messages_is_exact_and_the_newest_is_dropped() {
    let hub = Hub::new();
    let mut slow = member(&hub, Bounds::new(1 << 20, 3), SlowPolicy::DropNewest);
    assert_eq!(
        offer(&hub, &["1", "2", "3", "4"]),
        [true, true, true, false]
    );
    assert!(slow.try_next().is_some());
    assert_eq!(offer(&hub, &["5", "6"]), [true, false]);
    assert_eq!(all(&mut slow), ["2", "3", "5"]);
    let counts = slow.counts();
    assert_eq!((counts.offered, counts.taken, counts.dropped), (6, 4, 2));
    expect_balanced(counts);
}

#[test]
fn messages_are_taken_for_as_long_as_there_is_room() {
    let hub = Hub::new();
    let mut slow = member(&hub, Bounds::new(1 << 20, 9), SlowPolicy::DropNewest);
    offer(&hub, &["1", "2", "3"]);
    let mut sent = Vec::new();
    slow.take_each(|message| {
        let has_room = sent.len() < 2;
        if has_room {
            sent.push(message.payload().to_vec());
        }
        has_room
    });
    assert_eq!(sent, [b"1", b"2"]);
    let counts = slow.counts();
    assert_eq!((counts.taken, counts.waiting), (2, 1));
    expect_balanced(counts);
    assert_eq!(all(&mut slow), ["3"], "what was not taken is the next");
    slow.take_each(|_| panic!("nothing waits"));
}

#[test]
fn the_bound_on_bytes_is_exact() {
    let hub = Hub::new();
    let bytes = 3 * frame_bytes(10);
    for (bytes, fits) in [(bytes - 1, 2), (bytes, 3), (bytes + frame_bytes(10) - 1, 3)] {
        let slow = member(&hub, Bounds::new(bytes, 100), SlowPolicy::DropNewest);
        offer(&hub, &["0123456789"; 5]);
        assert_eq!(slow.counts().waiting, fits, "in {bytes} bytes");
    }
}

#[test]
fn the_oldest_make_room() {
    let hub = Hub::new();
    let mut slow = member(&hub, Bounds::new(1 << 20, 3), SlowPolicy::DropOldest);
    assert_eq!(offer(&hub, &["1", "2", "3", "4", "5"]), [true; 5]);
    assert_eq!(all(&mut slow), ["3", "4", "5"]);
    let counts = slow.counts();
    assert_eq!((counts.offered, counts.taken, counts.dropped), (5, 3, 2));
    // As many as are in the way go, and no more.
    let mut slow = member(
        &hub,
        Bounds::new(3 * frame_bytes(4), 9),
        SlowPolicy::DropOldest,
    );
    offer(&hub, &["1111", "2222", "3333", "55555"]);
    assert_eq!(all(&mut slow), ["3333", "55555"]);
}

#[test]
fn a_message_larger_than_the_bound_fits_an_empty_mailbox_alone() {
    let large = "x".repeat(100);
    for policy in [SlowPolicy::DropNewest, SlowPolicy::Disconnect(reason(1008))] {
        let hub = Hub::new();
        let mut slow = member(&hub, Bounds::new(50, 9), policy);
        assert_eq!(offer(&hub, &[&large]), [true]);
        assert_eq!(all(&mut slow), core::slice::from_ref(&large));
        assert_eq!(offer(&hub, &["small", &large]), [true, false]);
    }
    let hub = Hub::new();
    let mut slow = member(&hub, Bounds::new(50, 9), SlowPolicy::DropOldest);
    assert_eq!(offer(&hub, &["a", "b", &large, "c"]), [true; 4]);
    assert_eq!(all(&mut slow), ["c"], "it makes room as any other");
}

#[test]
fn a_member_that_is_disconnected_gets_its_reason_and_nothing_else() {
    let hub = Hub::new();
    let policy = SlowPolicy::Disconnect(reason(4008));
    let mut slow = member(&hub, Bounds::new(1 << 20, 2), policy);
    assert_eq!(
        offer(&hub, &["1", "2", "3", "4"]),
        [true, true, false, false]
    );
    assert_eq!(all(&mut slow), ["close 4008"]);
    assert_eq!(
        offer(&hub, &["5"]),
        [false],
        "it stays closed though it is empty"
    );
    hub.close_all(&reason(1001));
    assert!(all(&mut slow).is_empty(), "nobody closes twice");
    let counts = slow.counts();
    assert_eq!(
        (counts.offered, counts.taken, counts.dropped, counts.waiting),
        (5, 0, 5, 0)
    );
}

//= E65 type=test
#[test]
fn a_slow_member_does_not_keep_others_waiting() {
    let hub = Hub::new();
    let policies = [
        SlowPolicy::DropNewest,
        SlowPolicy::DropOldest,
        SlowPolicy::Disconnect(reason(1008)),
    ];
    let slow = policies.map(|policy| member(&hub, Bounds::new(10, 1), policy));
    let mut quick = member(&hub, Bounds::default(), SlowPolicy::DropNewest);
    for at in 0..1000 {
        let published = hub.publish("", &text(&at.to_string()));
        assert_eq!(published.queued + published.dropped, 4);
        assert_eq!(all(&mut quick), [at.to_string()]);
    }
    for member in slow {
        expect_balanced(member.counts());
        assert!(member.counts().waiting <= 1);
        assert_eq!(member.counts().offered, 1000);
    }
}

#[test]
fn bounds_hold_at_least_one() {
    let bounds = Bounds::new(0, 0);
    assert_eq!((bounds.bytes_max, bounds.messages_max), (1, 1));
}
