//! A server that does as it is told, right or wrong.

use std::sync::{Arc, Mutex};
use std::thread;

use framewire::wire::header::{Decoded, FrameHeader};
use framewire::wire::key;
use framewire::wire::mask;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What is sent for a message: frames, and `None` to end the stream.
pub(crate) type Answer = Vec<Option<Vec<u8>>>;

/// Says what each of the open connections is sent, when `number` messages have come before this
/// one, on the connection of this number.
pub(crate) type Deed = fn(number: usize, from: usize, to: usize, frame: &[u8]) -> Answer;

/// What has been found out about the server, and who is connected.
#[derive(Default)]
struct House {
    messages: usize,
    doors: Vec<UnboundedSender<Option<Vec<u8>>>>,
}

/// What the server says to a request.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    Open,
    /// Opens, and closes at once.
    Leaves,
    Says(&'static str),
    Silent,
}

/// Starts a server for as long as the test runs; its URL.
pub(crate) fn start(door: Door, deed: Deed) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(format!("ws://{}/", listener.local_addr().unwrap()))
                .unwrap();
            let house = Arc::new(Mutex::new(House::default()));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (reading, mut writing) = stream.into_split();
                let (send, mut sent) = unbounded_channel();
                tokio::spawn(async move {
                    while let Some(Some(bytes)) = sent.recv().await {
                        let bytes: Vec<u8> = bytes;
                        if writing.write_all(&bytes).await.is_err() {
                            return;
                        }
                    }
                });
                tokio::spawn(serve(reading, send, Arc::clone(&house), door, deed));
            }
        });
    });
    told.recv().unwrap()
}

async fn serve(
    mut reading: OwnedReadHalf,
    send: UnboundedSender<Option<Vec<u8>>>,
    house: Arc<Mutex<House>>,
    door: Door,
    deed: Deed,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = reading.read_u8().await else {
            return;
        };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let answer = match door {
        Door::Open => switched(&head).into_bytes(),
        Door::Leaves => [switched(&head).as_bytes(), &[0x88, 2, 3, 233]].concat(),
        Door::Says(answer) => answer.into(),
        Door::Silent => Vec::new(),
    };
    let _ = send.send(Some(answer));
    let from = {
        let mut house = house.lock().unwrap();
        house.doors.push(send.clone());
        house.doors.len() - 1
    };
    while let Some((opcode, frame)) = frame(&mut reading).await {
        if opcode == 8 {
            let _ = send.send(Some(frame));
            let _ = send.send(None);
            return;
        }
        let mut house = house.lock().unwrap();
        let number = house.messages;
        house.messages += 1;
        for (to, door) in house.doors.iter().enumerate() {
            for answer in deed(number, from, to, &frame) {
                let _ = door.send(answer);
            }
        }
    }
}

fn switched(head: &str) -> String {
    let key = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        key::accept(key).as_str()
    )
}

/// The next frame, as a server sends it: without a mask.
async fn frame(reading: &mut OwnedReadHalf) -> Option<(u8, Vec<u8>)> {
    let mut bytes = Vec::new();
    let header = loop {
        match FrameHeader::decode(&bytes).unwrap() {
            Decoded::Header(header, _) => break header,
            Decoded::NeedMore(_) => bytes.push(reading.read_u8().await.ok()?),
        }
    };
    let mut payload = vec![0; usize::try_from(header.payload_len).unwrap()];
    reading.read_exact(&mut payload).await.ok()?;
    mask::apply(header.mask.unwrap(), &mut payload);
    let plain = FrameHeader {
        mask: None,
        ..header
    };
    let frame = [plain.encode().as_bytes(), &payload].concat();
    Some((header.opcode as u8, frame))
}

/// Sends it back.
pub(crate) fn back(from: usize, to: usize, frame: &[u8]) -> Answer {
    match from == to {
        true => vec![Some(frame.to_vec())],
        false => vec![],
    }
}

/// Sends it to everybody.
pub(crate) fn to_all(frame: &[u8]) -> Answer {
    vec![Some(frame.to_vec())]
}
