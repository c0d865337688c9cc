//! What a stream of bytes means by the letter of RFC 6455: slow, obvious, over all of the input.
//!
//! Nothing of the library is used, and nothing of its way of working: no state is carried over
//! from byte to byte, and what has arrived of a text is checked from its beginning every time.

use crate::support::raw_peer::{BINARY, CLOSE, CONTINUATION, FIN, PING, PONG, TEXT};

/// What a receiver holds its peer to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) masked: bool,
    pub(crate) message_bytes_max: u64,
    pub(crate) fragments_max: u32,
}

/// What the bytes mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// A code, if there is one, and a reason.
    Close(Option<u16>, String),
    /// The peer is told this code.
    Failed(u16),
}

/// A message so far: its first opcode, its payload, its frames.
type Message = (u8, Vec<u8>, u32);

/// A header: its first byte, how long it is itself, its key, and what length it declares.
struct Header {
    first: u8,
    bytes: usize,
    key: [u8; 4],
    len: u64,
}

/// Reads `input` to its end, or to a Close frame or fault.
pub(crate) fn judge(terms: Terms, input: &[u8]) -> (Vec<Meaning>, Option<Vec<u8>>) {
    let (mut found, mut at, mut message) = (Vec::new(), 0, None);
    loop {
        match next(terms, &input[at..], &mut message) {
            Ok(Some((taken, meaning))) => {
                at += taken;
                let ends = matches!(meaning, Some(Meaning::Close(..)));
                found.extend(meaning);
                if ends {
                    break;
                }
            }
            Ok(None) => break,
            Err(code) => {
                found.push(Meaning::Failed(code));
                break;
            }
        }
    }
    (found, message.map(|(_, payload, _)| payload))
}

/// The next frame: how long it is, and what it completes. `None` if it is not all there.
fn next(
    terms: Terms,
    input: &[u8],
    message: &mut Option<Message>,
) -> Result<Option<(usize, Option<Meaning>)>, u16> {
    let Some(header) = header(terms, input, message.is_some())? else {
        return Ok(None);
    };
    let rest = &input[header.bytes..];
    let here = usize::try_from(header.len)
        .unwrap_or(usize::MAX)
        .min(rest.len());
    let whole = here as u64 == header.len;
    let payload: Vec<u8> = (0..here).map(|i| rest[i] ^ header.key[i % 4]).collect();
    let taken = header.bytes + here;
    let opcode = header.first & 0x0f;
    if opcode >= CLOSE {
        return match whole {
            true => Ok(Some((taken, Some(control(opcode, payload)?)))),
            false => Ok(None),
        };
    }
    let (kind, so_far, frames) = message.get_or_insert((opcode, Vec::new(), 0));
    if so_far.len() as u64 + header.len > terms.message_bytes_max {
        return Err(1009);
    }
    *frames += 1;
    if *frames > terms.fragments_max {
        return Err(1008);
    }
    let before = so_far.len();
    so_far.extend(payload);
    let ends = whole && header.first & FIN != 0;
    if *kind == TEXT
        && let Err(error) = core::str::from_utf8(so_far)
        && (ends || error.error_len().is_some())
    {
        so_far.truncate(before);
        return Err(1007);
    }
    if !whole {
        return Ok(None);
    }
    if !ends {
        return Ok(Some((taken, None)));
    }
    let (kind, payload, _) = message.take().expect("the message");
    let meaning = match kind {
        TEXT => Meaning::Text(String::from_utf8(payload).expect("checked")),
        _ => Meaning::Binary(payload),
    };
    Ok(Some((taken, Some(meaning))))
}

/// Judges as much of a header as is there.
fn header(terms: Terms, input: &[u8], within: bool) -> Result<Option<Header>, u16> {
    let Some(&first) = input.first() else {
        return Ok(None);
    };
    let opcode = first & 0x0f;
    let may_stand_here = match opcode {
        CONTINUATION => within,
        TEXT | BINARY => !within,
        CLOSE | PING | PONG => first & FIN != 0,
        _ => false,
    };
    if first & 0x70 != 0 || !may_stand_here {
        return Err(1002);
    }
    let Some(&second) = input.get(1) else {
        return Ok(None);
    };
    let len7 = second & 0x7f;
    if (second & 0x80 != 0) != terms.masked || (opcode >= CLOSE && len7 > 125) {
        return Err(1002);
    }
    let (length_bytes, least) = match len7 {
        126 => (2, 126),
        127 => (8, 0x1_0000),
        _ => (0, 0),
    };
    // The largest length that the bytes still to come can make of it.
    let largest = (0..length_bytes).fold(0_u64, |len, i| {
        len << 8 | u64::from(input.get(2 + i).copied().unwrap_or(0xff))
    });
    let top_bit = length_bytes == 8 && input.get(2).is_some_and(|top| top & 0x80 != 0);
    if largest < least || top_bit {
        return Err(1002);
    }
    let bytes = 2 + length_bytes + if terms.masked { 4 } else { 0 };
    let Some(whole) = input.get(..bytes) else {
        return Ok(None);
    };
    let key = match terms.masked {
        true => whole[bytes - 4..].try_into().expect("four bytes"),
        false => [0; 4],
    };
    let len = if length_bytes == 0 {
        u64::from(len7)
    } else {
        largest
    };
    Ok(Some(Header {
        first,
        bytes,
        key,
        len,
    }))
}

fn control(opcode: u8, payload: Vec<u8>) -> Result<Meaning, u16> {
    match opcode {
        PING => Ok(Meaning::Ping(payload)),
        PONG => Ok(Meaning::Pong(payload)),
        _ => close(&payload),
    }
}

fn close(body: &[u8]) -> Result<Meaning, u16> {
    match body {
        [] => Ok(Meaning::Close(None, String::new())),
        [_] => Err(1002),
        [high, low, reason @ ..] => {
            let code = u16::from(*high) * 256 + u16::from(*low);
            let registered = (1000..=1014).contains(&code) && !(1004..=1006).contains(&code);
            if !registered && !(3000..=4999).contains(&code) {
                return Err(1002);
            }
            let reason = String::from_utf8(reason.to_vec()).map_err(|_| 1007_u16)?;
            Ok(Meaning::Close(Some(code), reason))
        }
    }
}
