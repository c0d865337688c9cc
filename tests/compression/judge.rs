//! Whether what an endpoint did is what its case demands.

use framewire::engine::Role;

use crate::cases::{Case, Handshake, Opening, Told};
use crate::endpoint::{Opened, Played, header_lines, in_role};
use crate::inflate::Inflater;
use crate::raw::Frame;

/// What is wrong with `played`; nothing, where nothing is.
///
/// `frames` are what the tester sent, and `expected` what has to come back.
pub(crate) fn faults(
    case: &Case,
    role: Role,
    frames: &[Frame],
    expected: &[Told],
    played: &Played,
) -> Vec<String> {
    let mut faults = Vec::new();
    if let Err(fault) = handshake(case, role, &played.opened) {
        return vec![fault];
    }
    if played.opened == Opened::Refused {
        return faults;
    }
    let heard = match hear(role, &played.opened, &played.sent) {
        Ok(heard) => heard,
        Err(fault) => return vec![fault],
    };
    // A message that is not said to be compressed may be so.
    let is_same = |(heard, wanted): (&Told, &Told)| {
        let coding = heard.is_compressed || !wanted.is_compressed;
        coding && heard.is_text == wanted.is_text && heard.data == wanted.data
    };
    if heard.messages.len() != expected.len() || !heard.messages.iter().zip(expected).all(is_same) {
        faults.push(format!(
            "echoed {:?} instead of {expected:?}",
            heard.messages
        ));
    }
    let code = case.expected.fails.unwrap_or(1000);
    if heard.close != Some(code) {
        faults.push(format!("closed with {:?} instead of {code}", heard.close));
    }
    let pings = frames.iter().filter(|it| it.first == 0x89);
    let pings: Vec<&[u8]> = pings.map(|it| it.payload.as_slice()).collect();
    if case.expected.fails.is_none() && heard.pongs != pings {
        faults.push(format!("answered {:?} to the pings {pings:?}", heard.pongs));
    }
    faults
}

fn handshake(case: &Case, role: Role, opened: &Opened) -> Result<(), String> {
    let is_right = match (case.expected.handshake, &case.opening, opened) {
        (Some(Handshake::Refused), _, Opened::Refused)
        | (Some(Handshake::Declined), _, Opened::Plain) => true,
        (Some(Handshake::Accepted), _, opened) => *opened != Opened::Refused,
        (Some(Handshake::Agreed(number)), Opening::Offer(lines), Opened::Agreed(answer)) => {
            let offers: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).collect();
            answers(offers[number - 1], answer)
        }
        (None, Opening::Nothing, Opened::Plain) => true,
        (None, Opening::Agree(_), Opened::Agreed(answer)) => {
            let agreed = header_lines(case, role);
            // A window of 15 bits need not be spoken of.
            let same = |it: &str| {
                it.ends_with("=15")
                    || parameters(answer).iter().any(|(name, value)| {
                        it == if value.is_empty() {
                            name.clone()
                        } else {
                            format!("{name}={value}")
                        }
                    })
            };
            agreed
                .iter()
                .flat_map(|it| it.split("; ").skip(1))
                .all(same)
        }
        _ => false,
    };
    if is_right {
        return Ok(());
    }
    Err(format!(
        "opened as {opened:?}, expected {:?}",
        case.expected.handshake
    ))
}

/// Names and values, the name of the extension left out.
fn parameters(element: &str) -> Vec<(String, String)> {
    let parameter = |it: &str| {
        let (name, value) = it.split_once('=').unwrap_or((it, ""));
        (
            name.trim().to_owned(),
            value.trim().trim_matches('"').to_owned(),
        )
    };
    element.split(';').skip(1).map(parameter).collect()
}

/// Whether `answer` is one that a server may give to `offer` (RFC 7692 §7.1).
fn answers(offer: &str, answer: &str) -> bool {
    let (offered, answered) = (parameters(offer), parameters(answer));
    let of = |list: &[(String, String)], name: &str| -> Option<String> {
        list.iter().find(|it| it.0 == name).map(|it| it.1.clone())
    };
    let is_size = |value: &str| (8..=15).any(|bits: u8| bits.to_string() == value);
    let size = |value: Option<String>| value.and_then(|it| it.parse::<u8>().ok());
    let mut names: Vec<&String> = answered.iter().map(|it| &it.0).collect();
    names.sort();
    let twice = names.windows(2).any(|two| two[0] == two[1]);
    let are_valid = answered.iter().all(|(name, value)| match name.as_str() {
        "server_no_context_takeover" | "client_no_context_takeover" => value.is_empty(),
        "server_max_window_bits" => is_size(value),
        "client_max_window_bits" => is_size(value) && of(&offered, name).is_some(),
        _ => false,
    });
    let keeps = |name: &str| match size(of(&offered, name)) {
        None => true,
        Some(most) => size(of(&answered, name)).is_some_and(|it| it <= most),
    };
    let hint = size(of(&offered, "client_max_window_bits"));
    let told = size(of(&answered, "client_max_window_bits"));
    let takeover = "server_no_context_takeover";
    !twice
        && are_valid
        && keeps("server_max_window_bits")
        && (of(&offered, takeover).is_none() || of(&answered, takeover).is_some())
        && hint.is_none_or(|hint| told.is_none_or(|told| told <= hint))
}

/// What an endpoint's frames say.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) messages: Vec<Told>,
    pongs: Vec<Vec<u8>>,
    close: Option<u16>,
}

/// Reads the endpoint's frames as RFC 6455 and RFC 7692 §6, §7.2 have them.
pub(crate) fn hear(role: Role, opened: &Opened, frames: &[Frame]) -> Result<Heard, String> {
    let mut inflater = inflater(role, opened);
    let mut heard = Heard::default();
    let mut message: Option<Told> = None;
    for frame in frames {
        if heard.close.is_some() {
            return Err("a frame behind the Close".into());
        }
        if frame.mask.is_some() != (role == Role::Client) {
            return Err(format!("masked as the other role: {:02x}", frame.first));
        }
        match frame.first {
            0x8a => heard.pongs.push(frame.payload.clone()),
            0x88 => {
                let code = frame
                    .payload
                    .first_chunk()
                    .map(|it| u16::from_be_bytes(*it));
                heard.close = Some(code.unwrap_or(1005));
            }
            0x00 | 0x80 if message.is_some() => {}
            0x01 | 0x02 | 0x41 | 0x42 | 0x81 | 0x82 | 0xc1 | 0xc2 if message.is_none() => {
                message = Some(Told {
                    is_text: frame.first & 0x0f == 1,
                    is_compressed: frame.first & 0x40 != 0,
                    data: Vec::new(),
                });
            }
            first => return Err(format!("a frame that begins with {first:02x}")),
        }
        if frame.first & 0x08 != 0 {
            continue;
        }
        let Some(mut told) = message.take() else {
            return Err("a continuation of nothing".into());
        };
        told.data.extend_from_slice(&frame.payload);
        if frame.first & 0x80 == 0 {
            message = Some(told);
            continue;
        }
        if told.is_compressed {
            let inflater = inflater.as_mut().ok_or("compressed without agreement")?;
            let read = inflater.message(&told.data);
            told.data = read.map_err(|why| format!("what was sent cannot be read: {why:?}"))?;
        }
        heard.messages.push(told);
    }
    Ok(heard)
}

/// The inflater for what the endpoint sends, by what was agreed.
fn inflater(role: Role, opened: &Opened) -> Option<Inflater> {
    let Opened::Agreed(answer) = opened else {
        return None;
    };
    let agreed = parameters(answer);
    let find = |name: &str| {
        let name = in_role(role, name);
        agreed.iter().find(|it| it.0 == name)
    };
    let bits = find("endpoint_max_window_bits").map_or(15, |it| it.1.parse().unwrap());
    Some(Inflater::new(
        bits,
        find("endpoint_no_context_takeover").is_none(),
    ))
}
