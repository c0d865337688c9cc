//! Who is there, who wants what, and who is told.

use core::pin::pin;
use core::task::{Context, Poll, Waker};
use framewire::engine::{Message, Prepared};
use framewire::hub::{Bounds, Delivery, Hub, Member, Published, SlowPolicy};

use crate::{all, reason, say, text};

fn join(hub: &Hub) -> Member {
    hub.join(Bounds::default(), SlowPolicy::DropNewest)
}

fn published(queued: usize, dropped: usize) -> Published {
    let mut published = Published::default();
    (published.queued, published.dropped) = (queued, dropped);
    published
}

//= A36 type=test
#[test]
fn members_come_and_go() {
    let hub = Hub::new();
    assert_eq!(hub.members(), 0);
    let (one, other) = (join(&hub), join(&hub.clone()));
    assert_eq!(hub.members(), 2);
    assert!(one.id() < other.id());
    let id = one.id();
    drop(one);
    assert_eq!(hub.members(), 1);
    assert!(!hub.send_to(id, &text("gone")));
    let third = join(&hub);
    assert!(third.id() > other.id(), "no name is used twice");
}

//= C01 type=test
//= C14 type=test
//= C21 type=test
//= D29 type=test
//= A36 type=test
#[test]
fn a_topic_reaches_its_members_in_the_order_of_publishing_and_nobody_else() {
    let hub = Hub::new();
    let (mut one, mut two, mut other) = (join(&hub), join(&hub), join(&hub));
    one.subscribe("news");
    one.subscribe("sport");
    two.subscribe("news");
    other.subscribe("weather");
    assert_eq!(hub.publish("news", &text("n1")), published(2, 0));
    assert_eq!(hub.publish("sport", &text("s1")), published(1, 0));
    assert_eq!(hub.publish("news", &text("n2")), published(2, 0));
    assert_eq!(hub.publish("nothing", &text("x")), published(0, 0));
    assert_eq!(all(&mut one), ["n1", "s1", "n2"]);
    assert_eq!(all(&mut two), ["n1", "n2"]);
    assert!(all(&mut other).is_empty());
    assert_eq!(hub.members_of("news"), 2);
    one.unsubscribe("news");
    one.unsubscribe("never subscribed");
    assert_eq!(hub.publish("news", &text("n3")), published(1, 0));
    assert!(all(&mut one).is_empty());
    drop(two);
    assert_eq!(hub.members_of("news"), 0);
}

#[test]
fn subscribing_twice_is_subscribing_once() {
    let hub = Hub::new();
    let mut member = join(&hub);
    member.subscribe("news");
    member.subscribe("news");
    assert_eq!(hub.publish("news", &text("once")), published(1, 0));
    assert_eq!(all(&mut member), ["once"]);
    member.unsubscribe("news");
    assert_eq!(hub.members_of("news"), 0);
}

//= C16 type=test
//= E64 type=test
#[test]
fn a_message_can_pass_its_sender_by() {
    let hub = Hub::new();
    let (mut sender, mut other) = (join(&hub), join(&hub));
    sender.subscribe("room");
    other.subscribe("room");
    assert_eq!(hub.publish("room", &text("to all")), published(2, 0));
    let passed_by = hub.publish_except("room", sender.id(), &text("to others"));
    assert_eq!(passed_by, published(1, 0));
    assert_eq!(all(&mut sender), ["to all"]);
    assert_eq!(all(&mut other), ["to all", "to others"]);
    assert_eq!(sender.counts().offered, 1);
}

//= C22 type=test
//= A36 type=test
#[test]
fn a_user_is_reached_on_every_connection_and_a_member_has_one_user() {
    let hub = Hub::new();
    let (mut phone, mut desk, mut other) = (join(&hub), join(&hub), join(&hub));
    desk.set_user("ada");
    phone.set_user("ada");
    other.set_user("bob");
    assert_eq!(
        hub.members_of_user("ada"),
        [phone.id(), desk.id()],
        "the oldest first"
    );
    assert_eq!(hub.send_to_user("ada", &text("hello ada")), published(2, 0));
    assert_eq!(hub.send_to_user("nobody", &text("x")), published(0, 0));
    assert_eq!(all(&mut phone), ["hello ada"]);
    assert_eq!(all(&mut desk), ["hello ada"]);
    desk.set_user("bob");
    desk.set_user("bob");
    assert_eq!(hub.members_of_user("ada"), [phone.id()]);
    assert_eq!(hub.members_of_user("bob"), [desk.id(), other.id()]);
    drop(desk);
    assert_eq!(hub.members_of_user("bob"), [other.id()]);
    assert!(hub.send_to(other.id(), &text("you")));
    assert_eq!(all(&mut other), ["you"]);
}

//= E63 type=test
#[test]
fn all_receivers_share_the_bytes_of_one_frame() {
    let hub = Hub::new();
    let mut members: Vec<_> = (0..100).map(|_| join(&hub)).collect();
    members.iter().for_each(|it| it.subscribe("news"));
    let message = Message::binary(vec![7; 1000]).prepare();
    assert_eq!(hub.publish("news", &message), published(100, 0));
    for member in &mut members {
        let Some(Delivery::Message(received)) = member.try_next() else {
            panic!("a message waits for everyone");
        };
        assert!(core::ptr::eq(
            received.frame().as_ptr(),
            message.frame().as_ptr()
        ));
    }
}

#[test]
fn close_all_tells_everyone_once() {
    let hub = Hub::new();
    let (mut one, mut two) = (join(&hub), join(&hub));
    one.subscribe("news");
    hub.publish("news", &text("not sent any more"));
    hub.close_all(&reason(1001));
    hub.close_all(&reason(1012));
    assert_eq!(all(&mut one), ["close 1001"]);
    hub.close_all(&reason(1012));
    assert!(all(&mut one).is_empty(), "nobody closes twice");
    assert_eq!(all(&mut two), ["close 1001"]);
    assert_eq!(hub.publish("news", &text("late")), published(0, 1));
    assert_eq!(one.counts().dropped, 2);
    let mut late = join(&hub);
    assert!(all(&mut late).is_empty(), "whoever joins later is not told");
}

fn poll_next(member: &mut Member) -> Poll<String> {
    pin!(async { say(member.next().await) }).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_next_that_is_dropped_loses_nothing() {
    let hub = Hub::new();
    let mut member = join(&hub);
    member.subscribe("news");
    for round in 0..3 {
        assert!(poll_next(&mut member).is_pending());
        let said = [format!("{round}a"), format!("{round}b")];
        for it in &said {
            hub.publish("news", &text(it));
        }
        // Woken, and dropped before it is polled again.
        assert_eq!(poll_next(&mut member), Poll::Ready(said[0].clone()));
        assert_eq!(poll_next(&mut member), Poll::Ready(said[1].clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_waits_is_woken_by_a_message_and_by_close() {
    let hub = Hub::new();
    let mut member = join(&hub);
    member.subscribe("news");
    let waiting = tokio::spawn(async move { [say(member.next().await), say(member.next().await)] });
    tokio::task::yield_now().await;
    hub.publish("news", &Prepared::text("news"));
    tokio::task::yield_now().await;
    hub.close_all(&reason(1001));
    assert_eq!(waiting.await.expect("no panic"), ["news", "close 1001"]);
}

#[tokio::test(start_paused = true)]
async fn a_member_whose_task_is_aborted_has_left() {
    let hub = Hub::new();
    let mut member = join(&hub);
    member.subscribe("news");
    member.set_user("ada");
    let task = tokio::spawn(async move {
        loop {
            member.next().await;
        }
    });
    tokio::task::yield_now().await;
    assert_eq!(hub.members(), 1);
    task.abort();
    assert!(task.await.expect_err("it was aborted").is_cancelled());
    assert_eq!((hub.members(), hub.members_of("news")), (0, 0));
    assert!(hub.members_of_user("ada").is_empty());
    assert_eq!(hub.publish("news", &text("to nobody")), published(0, 0));
}

//= A36 type=test
#[test]
fn a_member_is_subscribed_and_closed_by_its_name() {
    let hub = Hub::new();
    let (mut one, mut two) = (join(&hub), join(&hub));
    let id = one.id();
    hub.subscribe(id, "news");
    hub.subscribe(id, "news");
    hub.subscribe(two.id(), "news");
    assert_eq!(hub.members_of("news"), 2);
    assert_eq!(hub.publish("news", &text("n1")), published(2, 0));
    hub.unsubscribe(id, "news");
    assert_eq!(hub.publish("news", &text("n2")), published(1, 0));
    assert_eq!(all(&mut one), ["n1"]);
    assert!(hub.close(id, &reason(4409)));
    assert!(hub.close(id, &reason(4401)), "it is still there");
    assert_eq!(all(&mut one), ["close 4409"]);
    assert_eq!(all(&mut two), ["n1", "n2"]);
    drop(one);
    assert!(!hub.close(id, &reason(4409)));
    hub.subscribe(id, "news");
    hub.unsubscribe(id, "news");
    assert_eq!(hub.members_of("news"), 1, "whoever has gone hears nothing");
}

#[test]
fn a_member_that_leaves_is_nobodys_audience_and_can_still_be_closed() {
    let hub = Hub::new();
    let mut one = join(&hub);
    one.set_user("ada");
    one.subscribe("news");
    one.subscribe("sport");
    hub.leave(one.id());
    assert_eq!(hub.publish("news", &text("n")), published(0, 0));
    assert_eq!(hub.publish("sport", &text("s")), published(0, 0));
    assert_eq!(hub.send_to_user("ada", &text("u")), published(0, 0));
    assert!(hub.members_of_user("ada").is_empty());
    assert_eq!(hub.members(), 1);
    assert!(hub.send_to(one.id(), &text("direct")));
    hub.close(one.id(), &reason(1012));
    // What waited is dropped for the close.
    assert_eq!(all(&mut one), ["close 1012"]);
    hub.leave(one.id());
}

#[test]
fn what_is_worth_something_only_now_is_dropped_for_whoever_is_late() {
    let hub = Hub::new();
    let bounds = Bounds::new(1000, 4);
    let mut quick = hub.join(bounds, SlowPolicy::Disconnect(reason(4508)));
    let mut late = hub.join(bounds, SlowPolicy::Disconnect(reason(4508)));
    for member in [&quick, &late] {
        member.subscribe("room");
    }
    for _ in 0..3 {
        hub.send_to(late.id(), &text("kept"));
    }
    let typing = text("typing");
    assert_eq!(
        hub.publish_passing("room", None, &typing, 2),
        published(1, 1)
    );
    assert_eq!(
        hub.publish_passing("room", Some(quick.id()), &typing, 3),
        published(1, 0)
    );
    assert_eq!(
        hub.publish_passing("room", None, &typing, 9),
        published(1, 1)
    );
    assert_eq!(all(&mut quick), ["typing", "typing"]);
    // It is full, and not closed for it.
    assert_eq!(all(&mut late), ["kept", "kept", "kept", "typing"]);
    assert_eq!(
        hub.publish_passing("nothing", None, &typing, 0),
        published(0, 0)
    );
}
