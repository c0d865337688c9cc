//! Who hears a topic.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::HashMap;

use crate::engine::Prepared;
use crate::hub::mailbox::Mailbox;
use crate::hub::member_id::MemberId;
use crate::hub::post::{Item, Post};

/// Who hears a topic: members with a mailbox, and branches with members who do.
#[derive(Debug, Default)]
pub(crate) struct Topic {
    pub(crate) mailboxes: HashMap<MemberId, Arc<Mailbox>>,
    pub(crate) seats: HashMap<MemberId, Arc<Post>>,
    pub(crate) branches: Vec<Share>,
}

/// A branch, and how many of its members hear a topic.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) post: Arc<Post>,
    pub(crate) members: usize,
}

/// How a message reaches a member.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    Mailbox(Arc<Mailbox>),
    Branch(Arc<Post>),
}

impl Topic {
    /// How many members hear it.
    pub(crate) fn len(&self) -> usize {
        self.mailboxes.len() + self.seats.len()
    }

    /// Adds a member who is not there.
    pub(crate) fn add(&mut self, name: Arc<str>, member: MemberId, route: Route) {
        let post = match route {
            Route::Mailbox(mailbox) => return drop(self.mailboxes.insert(member, mailbox)),
            Route::Branch(post) => post,
        };
        post.push(Item::Subscribed(name, member));
        let is_same = |it: &&mut Share| Arc::ptr_eq(&it.post, &post);
        match self.branches.iter_mut().find(is_same) {
            Some(share) => share.members += 1,
            None => self.branches.push(Share {
                post: Arc::clone(&post),
                members: 1,
            }),
        }
        self.seats.insert(member, post);
    }

    /// Takes a member out, if it is there.
    pub(crate) fn remove(&mut self, name: Arc<str>, member: MemberId) {
        self.mailboxes.remove(&member);
        if let Some(post) = self.seats.remove(&member) {
            for share in &mut self.branches {
                share.members -= usize::from(Arc::ptr_eq(&share.post, &post));
            }
            self.branches.retain(|it| it.members > 0);
            post.push(Item::Unsubscribed(name, member));
        }
    }
}

impl Route {
    /// Offers a message to the member to whom this leads. Says whether it is on its way.
    pub(crate) fn offer(&self, member: MemberId, message: &Prepared) -> bool {
        match self {
            Self::Mailbox(mailbox) => mailbox.offer(message),
            Self::Branch(post) => post.push(Item::Sent(member, message.clone())),
        }
    }
}
