//! Rooms and their connections: what is said there, who comes and who goes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::announce::caller::Identity;
use crate::announce::code::Code;
use crate::announce::dialect::Dialect;
use crate::announce::event::Event;
use crate::announce::native;
use crate::announce::outcome::{RoomAct, RoomVerb};
use crate::announce::rooms::{Absence, Change, GRACE, Present, Refused, RoomKey};
use crate::announce::service::announcer::write;
use crate::announce::service::house::Service;
use crate::announce::service::topics;
use crate::engine::Prepared;
use crate::hub::MemberId;

/// How many messages may wait for a client that is still told that somebody types.
const PASSING_MAX: usize = 8;

impl Service {
    /// Does something in a room, and says what the connection is answered.
    pub(crate) fn in_room(
        &self,
        dialect: Dialect,
        member: MemberId,
        identity: &Identity,
        act: RoomAct,
    ) -> Option<String> {
        let reply_to = act.reply_to.as_deref();
        let key = RoomKey {
            namespace: identity.namespace.clone(),
            room: act.room,
        };
        let topic = topics::room(dialect, &key.namespace, &key.room);
        match act.what {
            RoomVerb::Join => match self.enter_room(&key, &topic, member, identity.user()) {
                Ok(present) => Some(native::present(&key.room, &present, reply_to)),
                Err(Refused::TooMany) => {
                    let text = "a connection can be in 64 rooms";
                    Some(native::error(Code::TooOften, text, reply_to))
                }
            },
            RoomVerb::Leave => {
                self.hub().unsubscribe(member, &topic);
                let change = self.rooms().leave(&key, member, identity.user());
                self.tell(change.as_ref(), Some(member));
                reply_to.map(|id| native::done("left", id))
            }
            RoomVerb::List => {
                let present = self.rooms().present(&key);
                Some(native::present(&key.room, &present, reply_to))
            }
            RoomVerb::Say {
                event,
                payload,
                passing,
                echo,
            } => {
                if !self.rooms().is_in(&key, member) {
                    let text = "join the room first";
                    return Some(native::error(Code::Forbidden, text, reply_to));
                }
                let said = Event::Said {
                    room: key.room.clone(),
                    from: identity.user().into(),
                    event,
                    payload,
                };
                let except = (!echo).then_some(member);
                self.say(&key, except, &said, passing);
                reply_to.map(|id| native::done("said", id))
            }
        }
    }

    /// Lets a connection hear of a room before it is told who is in it: so whoever comes after
    /// that is told to it.
    fn enter_room(
        &self,
        key: &RoomKey,
        topic: &str,
        member: MemberId,
        user: &str,
    ) -> Result<Present, Refused> {
        self.hub().subscribe(member, topic);
        match self.rooms().join(key, member, user) {
            Ok((present, change)) => {
                self.tell(change.as_ref(), Some(member));
                Ok(present)
            }
            Err(refused) => {
                self.hub().unsubscribe(member, topic);
                Err(refused)
            }
        }
    }

    /// Tells a room who has come or gone.
    fn tell(&self, change: Option<&Change>, except: Option<MemberId>) {
        let Some(change) = change else { return };
        let event = Event::Presence {
            room: change.key.room.clone(),
            user: change.user.clone(),
            present: change.present,
            version: change.version,
        };
        self.say(&change.key, except, &event, false);
    }

    fn say(&self, key: &RoomKey, except: Option<MemberId>, event: &Event, passing: bool) {
        for dialect in Dialect::ALL {
            let topic = topics::room(dialect, &key.namespace, &key.room);
            if self.hub().members_of(&topic) == 0 {
                continue;
            }
            let Some(text) = write(dialect, event) else {
                continue;
            };
            let message = Prepared::text(&text);
            if passing {
                self.hub()
                    .publish_passing(&topic, except, &message, PASSING_MAX);
            } else if let Some(member) = except {
                self.hub().publish_except(&topic, member, &message);
            } else {
                self.hub().publish(&topic, &message);
            }
        }
    }

    /// Takes a connection that has ended out of its rooms, and its person a little later, unless
    /// the person comes back.
    //= A71
    pub(crate) fn left(&self, member: MemberId, user: &str) {
        let absences = self.rooms().vanish(member, user);
        if absences.is_empty() {
            return;
        }
        // Without a runtime there is nobody to tell either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.clone().expire(absences));
        }
    }

    async fn expire(self, absences: Vec<Absence>) {
        tokio::time::sleep(GRACE).await;
        for absence in absences {
            self.tell(self.rooms().expire(&absence).as_ref(), None);
        }
    }
}
