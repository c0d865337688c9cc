//! Members whose connections belong to one thread: what is published is written to them directly.

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::Cell;
use core::future::Future;
use core::time::Duration;

use framewire::engine::{Connection, Incoming, Limits, Role, Timestamp};
use framewire::hub::{Bounds, Branch, Hub, Seated, SlowPolicy};
use framewire::net::{Error, WebSocket};
use framewire::wire::close::{CloseCode, CloseReason};
use tokio::io::DuplexStream;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use crate::{expect_balanced, reason, text};

type Socket = WebSocket<DuplexStream>;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let done = tokio::time::timeout(LONG, future).await;
    done.expect("it does not take for ever")
}

/// Two ends over a pipe that holds so many bytes: a client and a server.
fn ends(pipe_bytes: usize, limits: &Limits) -> (Socket, Socket) {
    let (client, server) = tokio::io::duplex(pipe_bytes);
    let open = |role, stream| {
        let limits = Arc::new(limits.clone());
        let connection = Connection::new(role, limits, Timestamp::ZERO, [7; 32]);
        WebSocket::new(stream, connection, Vec::new())
    };
    (open(Role::Client, client), open(Role::Server, server))
}

/// A branch that is run.
fn branch(hub: &Hub) -> Branch<DuplexStream> {
    let branch = Branch::new(hub);
    spawn_local(branch.clone().run());
    branch
}

type Served = JoinHandle<Result<Option<CloseReason>, Error>>;

/// Serves a member that says nothing, in a task of its own.
fn serve(mut seated: Seated<DuplexStream>) -> Served {
    spawn_local(async move { seated.serve(|_| {}).await })
}

/// A member of topic `t` with default bounds, and its client.
fn join(branch: &Branch<DuplexStream>) -> (Socket, Seated<DuplexStream>) {
    let (client, server) = ends(1 << 16, &Limits::default());
    let seated = branch.join(server, Bounds::default(), SlowPolicy::DropNewest);
    seated.member().subscribe("t");
    (client, seated)
}

/// As [`join`], with statistics kept of what the server's end does.
fn join_watched(branch: &Branch<DuplexStream>, limits: &Limits) -> (Socket, Seated<DuplexStream>) {
    let (client, mut server) = ends(1 << 16, limits);
    server.keep_statistics();
    let seated = branch.join(server, Bounds::default(), SlowPolicy::DropNewest);
    seated.member().subscribe("t");
    (client, seated)
}

async fn hear(client: &mut Socket) -> String {
    let message = within(client.recv()).await.expect("no failure");
    let message = message.expect("it is open");
    message.as_text().expect("text").to_owned()
}

// drops: hub::branch::run
#[tokio::test]
async fn a_run_that_is_dropped_before_anybody_is_there_can_be_begun_again() {
    let act = async {
        for polls in 0..4 {
            let hub = Hub::new();
            let branch = Branch::new(&hub);
            crate::dropping::give_up(branch.clone().run(), polls).await;
            spawn_local(branch.clone().run());
            let (mut client, seated) = join(&branch);
            let _served = serve(seated);
            hub.publish("t", &text("heard"));
            assert_eq!(hear(&mut client).await, "heard");
        }
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn what_is_published_reaches_everybody_in_order() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let mut clients = Vec::new();
        for at in 0..600 {
            // Whoever is watched gets what there is through the outbox.
            let (client, seated) = match at % 3 {
                0 => join_watched(&branch, &Limits::default()),
                _ => join(&branch),
            };
            if at == 1 {
                seated.member().subscribe("u");
            }
            clients.push((client, serve(seated)));
        }
        let mut other = hub.join(Bounds::default(), SlowPolicy::DropNewest);
        other.subscribe("t");
        assert_eq!(hub.members_of("t"), 601);
        for round in 0..5 {
            assert_eq!(hub.publish("t", &text(&format!("t{round}"))).queued, 601);
            assert_eq!(hub.publish("u", &text(&format!("u{round}"))).queued, 1);
        }
        for (at, (client, _)) in clients.iter_mut().enumerate() {
            for round in 0..5 {
                assert_eq!(hear(client).await, format!("t{round}"));
                if at == 1 {
                    assert_eq!(hear(client).await, format!("u{round}"));
                }
            }
        }
        assert_eq!(crate::all(&mut other), ["t0", "t1", "t2", "t3", "t4"]);
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn messages_for_all_for_one_and_for_a_user_keep_their_order() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let (mut client, seated) = join(&branch);
        let id = seated.member().id();
        seated.member().set_user("ann");
        let served = serve(seated);
        hub.publish("t", &text("1"));
        assert!(hub.send_to(id, &text("2")));
        assert_eq!(hub.send_to_user("ann", &text("3")).queued, 1);
        assert_eq!(hub.publish_except("t", id, &text("not for ann")).queued, 0);
        hub.publish("t", &text("4"));
        assert_eq!(hub.publish_passing("t", None, &text("5"), 0).queued, 1);
        for said in ["1", "2", "3", "4", "5"] {
            assert_eq!(hear(&mut client).await, said);
        }
        assert!(!served.is_finished());
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn whoever_says_something_is_heard_by_all_the_others() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let mut clients = Vec::new();
        for _ in 0..3 {
            let (client, mut seated) = join(&branch);
            let (hub, id) = (hub.clone(), seated.member().id());
            spawn_local(async move {
                let serving = seated.serve(|heard| {
                    hub.publish_except("t", id, &heard.message.prepare());
                });
                serving.await
            });
            clients.push(client);
        }
        for (at, said) in [(0, "a"), (1, "b"), (1, "c"), (2, "d")] {
            clients[at].send(said).await.expect("open");
            for (other, client) in clients.iter_mut().enumerate() {
                if other != at {
                    assert_eq!(hear(client).await, said);
                }
            }
        }
    };
    LocalSet::new().run_until(act).await;
}

/// A member behind a pipe of 1,000 bytes with an outbox of 2,000.
fn slow(branch: &Branch<DuplexStream>, policy: SlowPolicy) -> (Socket, Seated<DuplexStream>) {
    let limits = Limits::default().with_outbox_marks(1000, 2000);
    let (client, server) = ends(1000, &limits);
    let seated = branch.join(server, Bounds::new(1 << 20, 20), policy);
    seated.member().subscribe("t");
    (client, seated)
}

fn long(round: usize) -> String {
    format!("{round:0300}")
}

#[tokio::test]
async fn what_a_stream_does_not_take_waits_within_its_bounds() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let (mut client, mut seated) = slow(&branch, SlowPolicy::DropNewest);
        let counts = Rc::new(Cell::new(None));
        let told = Rc::clone(&counts);
        spawn_local(async move {
            loop {
                let turn = tokio::time::timeout(Duration::from_millis(1), seated.serve(|_| {}));
                let ended = turn.await;
                told.set(Some(seated.member().counts()));
                if ended.is_ok() {
                    return;
                }
            }
        });
        let (mut quick, fast) = join(&branch);
        let _fast = serve(fast);
        let mut heard = 0;
        for round in 0..10 {
            hub.publish("t", &text(&long(round)));
            assert_eq!(
                hear(&mut quick).await,
                long(round),
                "nobody waits for the slow"
            );
        }
        // The pipe, the outbox and the mailbox hold all of these.
        for round in 0..10 {
            assert_eq!(hear(&mut client).await, long(round));
            heard += 1;
        }
        for round in 10..100 {
            hub.publish("t", &text(&long(round)));
            assert_eq!(hear(&mut quick).await, long(round));
        }
        // Of these some are dropped, the newest first, and what comes is in order.
        for round in 10..30 {
            assert_eq!(hear(&mut client).await, long(round));
            heard += 1;
        }
        while let Ok(message) =
            tokio::time::timeout(Duration::from_millis(200), client.recv()).await
        {
            assert!(message.expect("no failure").is_some());
            heard += 1;
        }
        let counts = within(async {
            loop {
                tokio::task::yield_now().await;
                if let Some(counts) = counts.take().filter(|it| it.waiting == 0) {
                    return counts;
                }
            }
        })
        .await;
        expect_balanced(counts);
        assert_eq!(counts.offered, 100);
        assert_eq!(counts.taken, heard);
        assert!(counts.dropped > 0, "{counts:?}");
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn more_than_an_outbox_holds_leaves_at_once_where_the_stream_takes_it() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let limits = Limits::default().with_outbox_marks(1000, 2000);
        let (mut client, seated) = join_watched(&branch, &limits);
        let _served = serve(seated);
        tokio::task::yield_now().await;
        for round in 0..100 {
            hub.publish("t", &text(&long(round)));
        }
        for round in 0..100 {
            assert_eq!(hear(&mut client).await, long(round));
        }
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn a_member_with_much_to_read_is_heard_all_the_same() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let limits = Limits::default().with_outbox_marks(1000, 2000);
        let (mut client, server) = ends(1000, &limits);
        let seated = branch.join(server, Bounds::default(), SlowPolicy::DropNewest);
        seated.member().subscribe("t");
        let _served = serve(seated);
        for round in 0..200 {
            hub.publish("t", &text(&long(round)));
        }
        tokio::task::yield_now().await;
        within(client.ping(b"?")).await.expect("open");
        let mut heard = 0;
        loop {
            match within(client.recv_event()).await.expect("no failure") {
                Some(Incoming::Pong(payload)) => {
                    assert_eq!(payload, b"?");
                    break;
                }
                Some(Incoming::Message(message)) => {
                    assert_eq!(message.text(), Some(long(heard).as_str()));
                    heard += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(heard < 100, "the Pong did not wait for all of it: {heard}");
        for round in heard..200 {
            assert_eq!(hear(&mut client).await, long(round));
        }
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn whoever_is_too_slow_is_told_to_close_and_the_others_notice_nothing() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let (_client, seated) = slow(&branch, SlowPolicy::Disconnect(reason(1008)));
        let served = serve(seated);
        let (mut quick, fast) = join(&branch);
        let _fast = serve(fast);
        for round in 0..100 {
            hub.publish("t", &text(&long(round)));
            assert_eq!(hear(&mut quick).await, long(round));
        }
        let ended = within(served).await.expect("no panic").expect("no failure");
        assert_eq!(ended, Some(reason(1008)));
        assert_eq!(hub.members_of("t"), 1);
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn whoever_leaves_gets_nothing_more_and_the_connection_ends() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let (mut gone, leaving) = join(&branch);
        let (mut back, returning) = join(&branch);
        let (mut client, seated) = join(&branch);
        let _served = serve(seated);
        hub.publish("t", &text("all"));
        for client in [&mut gone, &mut back, &mut client] {
            assert_eq!(hear(client).await, "all");
        }
        drop(leaving);
        let mut socket = returning.into_socket().expect("it has not been asked for");
        assert_eq!(hub.members(), 1);
        assert_eq!(hub.publish("t", &text("one")).queued, 1);
        assert_eq!(hear(&mut client).await, "one");
        assert!(matches!(within(gone.recv()).await, Err(Error::EndOfStream)));
        // A connection that has been given back goes on by itself.
        let (said, heard) = tokio::join!(socket.send("just you"), async { hear(&mut back).await });
        said.expect("open");
        assert_eq!(heard, "just you");
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn the_hub_closes_members_of_a_branch_by_name_and_all_at_once() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let (_one, first) = join(&branch);
        let (_other, second) = join(&branch);
        let id = first.member().id();
        let (first, second) = (serve(first), serve(second));
        tokio::task::yield_now().await;
        assert!(hub.close(id, &reason(4000)));
        let ended = within(first).await.expect("no panic").expect("no failure");
        assert_eq!(ended, Some(reason(4000)));
        hub.close_all(&reason(1001));
        let ended = within(second).await.expect("no panic").expect("no failure");
        assert_eq!(ended, Some(reason(1001)));
    };
    LocalSet::new().run_until(act).await;
}

#[tokio::test]
async fn a_client_that_closes_ends_its_seat_in_order() {
    let act = async {
        let hub = Hub::new();
        let branch = branch(&hub);
        let (mut client, seated) = join(&branch);
        let served = serve(seated);
        hub.publish("t", &text("last"));
        assert_eq!(hear(&mut client).await, "last");
        within(client.close(CloseCode::NORMAL_CLOSURE, ""))
            .await
            .expect("in order");
        let ended = within(served).await.expect("no panic").expect("no failure");
        assert_eq!(ended, None);
        assert_eq!(hub.members(), 0);
    };
    LocalSet::new().run_until(act).await;
}

#[test]
fn a_hub_publishes_to_branches_on_several_threads() {
    let hub = Hub::new();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (hub, ready) = (hub.clone(), ready.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .expect("a runtime");
                LocalSet::new().block_on(&runtime, async {
                    let branch = branch(&hub);
                    let (mut client, seated) = join(&branch);
                    let _served = serve(seated);
                    ready.send(()).expect("it waits");
                    for round in 0..1000 {
                        assert_eq!(hear(&mut client).await, format!("{round}"));
                    }
                });
            })
        })
        .collect();
    for _ in &threads {
        is_ready.recv().expect("a thread that is ready");
    }
    for round in 0..1000 {
        assert_eq!(hub.publish("t", &text(&format!("{round}"))).queued, 3);
    }
    for thread in threads {
        thread.join().expect("no panic");
    }
}
