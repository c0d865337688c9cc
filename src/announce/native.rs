//! `announce.v1`: the dialect in which a connection can do everything.
//!
//! Every message is an object of `type`, `payload`, and an `id` that the sender may choose, which
//! the answer repeats as `replyTo`. A connection signs in once; unknown fields are ignored, and
//! `null` in an optional field counts as absence. Times are RFC 3339 with their offset.
//!
//! A client asks for the dialect with the subprotocol `announce.v1`. Its token comes in `sign`,
//! in the cookie that the server is told of, or in a subprotocol `token.` and the token, which is
//! never repeated in the answer.
//!
//! | a client sends | with | and hears |
//! |---|---|---|
//! | `sign` | `token`, `namespace`, `since` | `signed`, then what it has missed |
//! | `refresh` | `token` of the same person | `refreshed` |
//! | `publish` | a draft, `dry_run` | `published`, or `dry_run` |
//! | `edit` | `announcement`, the new text, `version`, `unread_again` | `edited` |
//! | `recall` | `announcement` | `recalled` |
//! | `delivered` | `feed`, `up_to` | nothing, unless it gave an `id` |
//! | `read` | `feed`, `announcements` or `up_to` | `read_state` |
//! | `acknowledge` | `announcement`, `version` | `acknowledged` |
//! | `unread` | `limit`, `cursor` | `unread` |
//! | `join`, `leave`, `presence` | `room` | `present`, `left` |
//! | `say`, `signal` | `room`, `event`, `payload`, `echo` | `said` |
//! | `relay` | `to`, `event`, `payload` | `relayed` |
//!
//! A draft is `feed`, `title`, `body`, `data`, `key`, `priority`, `require_ack`, `ack_by`,
//! `visible_at` and `expires_at`, of which `feed` and one of the next three are needed.
//!
//! Without having asked, a client hears `hello`, `announcement`, `edited`, `recalled`,
//! `read_state` (the person has read on another device), `gap` (some of what it missed is not
//! kept), `said`, `presence`, `relayed`, `token_expiring` and `drain`. A refusal is `error` with
//! `code` and `message`.
//!
//! A feed is `Public`, the name of a channel, `role:NAME` or `user:NAME`; `since` is an object of
//! feeds and the last `offset` and `epoch` of each that the client has. A `signal` is worth
//! something only now: it may be dropped for whoever is slow.

mod reply;
mod request;
mod talk;

pub(crate) use reply::{announcement, done, page_payload, read_state_payload};
pub use reply::{
    draining, error, event, expiring, gap, hello, page, present, published, signed, token_refused,
};
pub use request::{Ask, BYTES_MAX, Request, TYPES};
pub(crate) use request::{body, draft, event_name, receivers, value};
pub use talk::handle;
pub(crate) use talk::relayed;
