//! Who is in which room now.

use alloc::string::String;

use crate::announce::http::answer;
use crate::announce::http::call::{Answer, Call};
use crate::announce::http::problem::Problem;
use crate::announce::http::route::{Route, get};
use crate::announce::http::words::list;
use crate::announce::json::{self, Object};
use crate::announce::rooms::{RoomKey, Rooms};

pub(crate) fn routes() -> [Route; 2] {
    [get("/api/v1/rooms", all), get("/api/v1/rooms/{room}", one)]
}

async fn all(call: Call) -> Answer {
    call.only(&[])?;
    call.desk().is_operator(call.actor())?;
    let rooms = call.api.service().rooms().list(&call.identity.namespace);
    let rooms = rooms.iter().map(|(room, people)| {
        Object::new()
            .text("room", room)
            .number("people", *people as u64)
    });
    Ok(answer::ok(Object::new().raw("rooms", &list(rooms))))
}

async fn one(call: Call) -> Answer {
    call.only(&[])?;
    call.desk().is_operator(call.actor())?;
    let room = call.part("room");
    if !Rooms::is_name(room) {
        return Err(Problem::not_found());
    }
    let key = RoomKey {
        namespace: call.identity.namespace.clone(),
        room: room.into(),
    };
    let present = call.api.service().rooms().present(&key);
    let people = json::list(present.people.iter().map(String::as_str));
    let object = Object::new().raw("people", &people);
    Ok(answer::ok(object.number("version", present.version)))
}
