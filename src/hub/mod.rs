//! Many connections: who is there, who wants what, and one message for all of them.
//!
//! A [`Hub`] knows members by id, by user and by topic. A message is encoded once
//! ([`Prepared`](crate::engine::Prepared)) and its bytes are shared by everyone who gets it.
//! Publishing never waits: each member has a [mailbox](Member) with a bound, and what happens to
//! a member that does not keep up is its [`SlowPolicy`], stated when it joins. Every message
//! offered to a mailbox is counted, and the counts balance: offered is taken, dropped or still
//! waiting.

pub mod mailbox;
pub mod registry;

pub use crate::hub::mailbox::{Bounds, Counts, Delivery, SlowPolicy};
pub use crate::hub::registry::{Hub, Member, MemberId, Published};
