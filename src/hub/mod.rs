//! Many connections: who is there, who wants what, and one message for all of them.
//!
//! A [`Hub`] knows members by id, by user and by topic. A message is encoded once
//! ([`Prepared`](crate::engine::Prepared)) and its bytes are shared by everyone who gets it.
//! Publishing never waits: each member has a [mailbox](Member) with a bound, and what happens to
//! a member that does not keep up is its [`SlowPolicy`], stated when it joins. Every message
//! offered to a mailbox is counted, and the counts balance: offered is taken, dropped or still
//! waiting.
//!
//! A [`Branch`] is the part of a hub whose connections belong to one thread: what is published is
//! written to their streams directly, and only what a stream does not take waits for the member's
//! own task.

mod batch;
pub mod branch;
mod gathering;
pub mod mailbox;
pub mod member_id;
mod post;
pub mod registry;
pub mod seat;
mod topic;

pub use crate::hub::branch::Branch;
pub use crate::hub::mailbox::{Bounds, Counts, Delivery, SlowPolicy};
pub use crate::hub::member_id::MemberId;
pub use crate::hub::registry::{Hub, Member, Published};
pub use crate::hub::seat::Seated;
