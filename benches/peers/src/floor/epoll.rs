//! The floor on epoll alone, level-triggered: one read and one write for each event.

use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::failure::Failure;
use crate::floor::decoder;
use crate::floor::gauge::{Gauge, Pattern, Taken};
use crate::floor::tokio::{CLOSE, READ_BYTES};
use crate::{handshake, serve};

const EVENTS: usize = 1024;
const LISTENER: u64 = u64::MAX;

struct Connection {
    tcp: TcpStream,
    state: State,
    /// Bytes that did not fit into the socket, in a fan-out.
    owed: Vec<u8>,
    waits_for_room: bool,
}

enum State {
    Opening(Vec<u8>),
    Echo {
        gauge: Gauge,
        due: Due,
    },
    /// What has come of the next message.
    FanOut(Vec<u8>),
}

/// Answers that are still to be written: so many bytes, from this place in the pattern.
#[derive(Default)]
struct Due {
    bytes: usize,
    at: usize,
}

struct Floor {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    scratch: Vec<u8>,
    frames: Vec<u8>,
    fan_out: bool,
}

/// What becomes of a connection.
type Turn = io::Result<bool>;

pub fn run(listen: SocketAddr, fan_out: bool) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen)?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    // Whoever is accepted takes this from the listener.
    rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    serve::say(listener.local_addr()?)?;
    let mut floor = Floor {
        epoll,
        listener,
        connections: Vec::new(),
        free: Vec::new(),
        scratch: vec![0; READ_BYTES],
        frames: Vec::new(),
        fan_out,
    };
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
    loop {
        match epoll::wait(
            &floor.epoll,
            rustix::buffer::spare_capacity(&mut events),
            None,
        ) {
            Err(Errno::INTR) => continue,
            waited => waited?,
        };
        for event in events.drain(..) {
            match event.data.u64() {
                LISTENER => floor.accept()?,
                at => floor.turn(usize::try_from(at)?, event.flags),
            }
        }
    }
}

impl Floor {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            let tcp = match rustix::net::accept_with(&self.listener, flags) {
                Ok(tcp) => TcpStream::from(tcp),
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => {
                    eprintln!("a connection was not accepted: {error}");
                    return Ok(());
                }
            };
            let at = self.free.pop().unwrap_or(self.connections.len());
            epoll::add(
                &self.epoll,
                &tcp,
                EventData::new_u64(at as u64),
                EventFlags::IN,
            )?;
            let connection = Some(Connection {
                tcp,
                state: State::Opening(Vec::new()),
                owed: Vec::new(),
                waits_for_room: false,
            });
            match self.connections.get_mut(at) {
                Some(slot) => *slot = connection,
                None => self.connections.push(connection),
            }
        }
    }

    fn turn(&mut self, at: usize, flags: EventFlags) {
        let stays = match flags.contains(EventFlags::OUT) {
            true => self.write(at),
            false => self.read(at),
        };
        if !stays.unwrap_or(false) && self.connections[at].take().is_some() {
            self.free.push(at);
        }
    }

    /// Writes what waits; reads again when nothing does.
    fn write(&mut self, at: usize) -> Turn {
        let Some(connection) = &mut self.connections[at] else {
            return Ok(false);
        };
        connection.push()?;
        connection.wait(&self.epoll, at)?;
        Ok(true)
    }

    fn read(&mut self, at: usize) -> Turn {
        let Some(connection) = &mut self.connections[at] else {
            return Ok(false);
        };
        let count = match (&connection.tcp).read(&mut self.scratch) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        };
        let bytes = &self.scratch[..count];
        match &mut connection.state {
            State::Opening(head) => {
                head.extend_from_slice(bytes);
                return connection.open(self.fan_out);
            }
            State::Echo { gauge, due } => match gauge.take(bytes) {
                Taken::Close => {
                    (&connection.tcp).write_all(&CLOSE)?;
                    return Ok(false);
                }
                Taken::Messages(messages) => {
                    if let Some(pattern) = &gauge.pattern {
                        due.bytes += messages * pattern.frame;
                    }
                    connection.push()?;
                    connection.wait(&self.epoll, at)?;
                    return Ok(true);
                }
            },
            State::FanOut(have) => {
                have.extend_from_slice(bytes);
                let is_closed = decoder::reencode(have, &mut self.frames);
                if is_closed {
                    // A client that closes has nothing else on the way.
                    (&connection.tcp).write_all(&self.frames)?;
                    self.frames.clear();
                    return Ok(false);
                }
            }
        }
        self.publish()
    }

    fn publish(&mut self) -> Turn {
        for (at, slot) in self.connections.iter_mut().enumerate() {
            let Some(connection) = slot else { continue };
            // Who is gone is noticed when it is read.
            if matches!(connection.state, State::FanOut(_)) && connection.send(&self.frames).is_ok()
            {
                connection.wait(&self.epoll, at)?;
            }
        }
        self.frames.clear();
        Ok(true)
    }
}

impl Connection {
    fn open(&mut self, fan_out: bool) -> Turn {
        let State::Opening(head) = &self.state else {
            return Ok(false);
        };
        if !handshake::is_whole(head) {
            return Ok(head.len() < READ_BYTES);
        }
        let Some(response) = handshake::response(head) else {
            return Ok(false);
        };
        (&self.tcp).write_all(response.as_bytes())?;
        self.state = match fan_out {
            true => State::FanOut(Vec::new()),
            false => State::Echo {
                gauge: Gauge::default(),
                due: Due::default(),
            },
        };
        Ok(true)
    }

    /// Writes to somebody who hears a fan-out.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = match self.owed.is_empty() {
            true => write(&self.tcp, bytes)?,
            false => 0,
        };
        self.owed.extend_from_slice(&bytes[written..]);
        Ok(())
    }

    /// Writes what waits, as far as there is room.
    fn push(&mut self) -> io::Result<()> {
        if let State::Echo { gauge, due } = &mut self.state
            && let Some(pattern) = &gauge.pattern
        {
            return due.push(&self.tcp, &Rc::clone(pattern));
        }
        let written = write(&self.tcp, &self.owed)?;
        self.owed.drain(..written);
        Ok(())
    }

    /// Waits for room where something is still to be written, and for messages otherwise.
    fn wait(&mut self, epoll: &OwnedFd, at: usize) -> io::Result<()> {
        let is_due = match &self.state {
            State::Echo { due, .. } => due.bytes > 0,
            _ => !self.owed.is_empty(),
        };
        if is_due != self.waits_for_room {
            self.waits_for_room = is_due;
            let flags = match is_due {
                true => EventFlags::OUT,
                false => EventFlags::IN,
            };
            epoll::modify(epoll, &self.tcp, EventData::new_u64(at as u64), flags)?;
        }
        Ok(())
    }
}

impl Due {
    fn push(&mut self, tcp: &TcpStream, pattern: &Pattern) -> io::Result<()> {
        while self.bytes > 0 {
            let now = self.bytes.min(pattern.bytes.len() - self.at);
            let written = write(tcp, &pattern.bytes[self.at..self.at + now])?;
            self.bytes -= written;
            self.at = (self.at + written) % pattern.bytes.len();
            if self.bytes == 0 {
                // A number of whole answers has been written.
                self.at = 0;
            }
            if written < now {
                break;
            }
        }
        Ok(())
    }
}

/// How much went into the socket.
fn write(mut tcp: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match tcp.write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
