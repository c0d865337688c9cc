//! Calls that are dropped after every number of polls, and what is left of them.

use framewire::announce::assembly::{Ended, Inputs, Server};
use framewire::announce::config::Flags;

use crate::person::{Person, SECRET, token_with};
use crate::polling::poll_times;
use crate::program::{PATIENCE, write};

fn inputs(folder: &std::path::Path) -> Inputs {
    Inputs {
        file: Some(folder.join("c.yaml")),
        environment: [("API_secret".to_owned(), SECRET.to_owned())].into(),
        flags: Flags {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            data: Some(folder.join("data")),
        },
    }
}

async fn server(inputs: Inputs) -> Server {
    let since = std::time::Instant::now();
    loop {
        let (config, _) = inputs.load().unwrap();
        match Server::new(config, inputs.clone()).await {
            // Tasks of the last server, and children of other tests, hold the lock for a moment.
            Err(error) if error.path() == "store.path" && since.elapsed() < PATIENCE => {
                tokio::task::yield_now().await;
            }
            started => return started.unwrap(),
        }
    }
}

// drops: announce::assembly::server::new
// drops: announce::assembly::server::with_pages
#[tokio::test]
async fn a_server_that_was_not_put_together_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.yaml", "");
    for polls in 0..6 {
        let inputs = inputs(folder.path());
        let (config, _) = inputs.load().unwrap();
        let pages = axum::Router::new();
        drop(
            poll_times(
                Server::with_pages(config.clone(), inputs.clone(), pages),
                polls,
            )
            .await,
        );
        drop(poll_times(Server::new(config, inputs), polls).await);
    }
    // The lock of the store is free again.
    server(inputs(folder.path())).await;
}

// drops: announce::assembly::server::run
// drops: announce::assembly::reload::reload
#[tokio::test]
async fn a_reload_that_was_dropped_goes_on_and_a_run_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.yaml", "");
    let inputs = inputs(folder.path());
    let server = server(inputs).await;
    let (reload, service) = (server.reload(), server.service().clone());
    for polls in 0..4_u32 {
        write(
            folder.path(),
            "c.yaml",
            &format!("auth:\n  auth_timeout: {}s\n", 20 + polls),
        );
        let dropped = poll_times(reload.reload(), polls as usize).await;
        assert!(dropped.is_none_or(|done| done.is_ok()));
        reload.reload().await.unwrap();
        assert_eq!(
            service.settings().sign_in_timeout.as_secs(),
            u64::from(20 + polls)
        );
    }
    let url = format!("ws://{}", server.local_addr().unwrap());
    assert_eq!(
        poll_times(server.run(std::future::pending()), 3).await,
        None
    );
    // Whoever comes later than the last poll finds nobody who listens, or is not answered.
    let config = framewire::client::Config::default();
    let opening = framewire::client::open(&url, &config);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(1), opening).await;
    assert!(!matches!(waited, Ok(Ok(_))));
}

//= A35 type=test
#[tokio::test]
async fn a_server_has_an_address_figures_and_an_end() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "c.yaml", "");
    let server = server(inputs(folder.path())).await;
    let address = server.local_addr().unwrap();
    assert!(address.ip().is_loopback() && address.port() != 0);
    let service = server.service().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    assert!(service.clients().is_empty());
    let url = format!("ws://{address}");
    let mut bob = Person::sign_in(&url, token_with(SECRET, "bob", &[])).await;
    assert_eq!((service.clients().len(), service.online("main")), (1, 1));
    let counted = service.counters().snapshot();
    let messages: u64 = counted.messages.iter().map(|(_, count)| count).sum();
    assert_eq!(messages, 1, "the one by which bob has signed in");
    stop.send(()).unwrap();
    while let Ok(Some(_)) = bob.socket.recv().await {}
    assert_eq!(bob.socket.closure().unwrap().code().get(), 1012);
    assert_eq!(running.await.unwrap(), Ended::Drained);
    assert!(service.clients().is_empty());
    // Nobody listens there any more.
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

//= A22 type=test
//= A26 type=test
#[tokio::test]
async fn a_schedule_is_run_by_hand_and_heard() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = "announcements:\n  schedules:\n  - id: reminder\n    cron: \"1 10 20 * *\"\n    \
                    timezone: Europe/Stockholm\n    feed: Public\n    priority: urgent\n    \
                    template: {title: Hours, body: Enter them, data: {link: /hours}}\n";
    write(folder.path(), "c.yaml", schedule);
    let server = server(inputs(folder.path())).await;
    let url = format!("ws://{}", server.local_addr().unwrap());
    let (schedules, service) = (server.schedules(), server.service().clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let mut bob = Person::sign_in(&url, token_with(SECRET, "bob", &[])).await;
    schedules.run_now("reminder").await.unwrap();
    let heard = bob.hear().await;
    assert_eq!(heard["Data"]["link"], "/hours", "{heard}");
    assert_eq!(schedules.list().await.unwrap()[0].id, "reminder");
    drop((bob, service, schedules));
    stop.send(()).unwrap();
    assert_eq!(running.await.unwrap(), Ended::Drained);
}
