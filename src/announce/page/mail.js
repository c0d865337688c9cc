// What a person has been sent, as far as this page knows it.

import { PRIORITIES } from "./words.js";

// How many read announcements are kept on the page.
const READ_MAX = 200;

export class Mail {
  // Announcements by identifier: { announcement, isRead, isAcknowledged, isExpired }.
  items = new Map();
  // How many are unread in each feed, as the server counts.
  counts = {};
  #version = 0;
  // Up to where each feed has arrived: { offset, epoch }.
  #positions = new Map();

  // The payload of `since`.
  get since() {
    return Object.fromEntries(this.#positions);
  }

  get feeds() {
    return [...new Set([...this.#positions.keys(), ...Object.keys(this.counts)])];
  }

  get unread() {
    return [...this.items.values()].filter((item) => !item.isRead).sort(byWeight);
  }

  get read() {
    return [...this.items.values()].filter((item) => item.isRead).sort(byTime);
  }

  // How many are unread, in one feed or in all.
  countOf(feed) {
    if (feed !== null) {
      return this.counts[feed] ?? 0;
    }
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  // Of two reports the one with the higher version is the later one.
  takeCounts({ unread, unread_version: version }) {
    if (unread !== undefined && version >= this.#version) {
      this.counts = unread;
      this.#version = version;
    }
  }

  // A feed in which the page begins with what is unread now.
  standAt({ feed, offset, epoch }) {
    if (!this.#positions.has(feed)) {
      this.#positions.set(feed, { offset, epoch });
    }
  }

  leave(feeds) {
    for (const feed of [...this.#positions.keys()].filter((it) => !feeds.includes(it))) {
      this.#positions.delete(feed);
    }
  }

  // Notes an entry of a feed. Says whether those before it are all known.
  advance({ feed, offset, prev_offset: previous, epoch }) {
    const position = this.#positions.get(feed);
    const isNext = position === undefined || position.epoch !== epoch
      || previous === undefined || previous <= position.offset;
    const reached = position?.epoch === epoch ? Math.max(position.offset, offset) : offset;
    this.#positions.set(feed, { offset: reached, epoch });
    return isNext;
  }

  // A feed that has begun anew: what it held before is not there any more.
  restart(feed, epoch) {
    if (this.#positions.get(feed)?.epoch === epoch) {
      return;
    }
    this.#positions.delete(feed);
    for (const [id, { announcement }] of this.items) {
      if (announcement.feed === feed && announcement.epoch !== epoch) {
        this.items.delete(id);
      }
    }
  }

  // Takes an announcement in. An older version changes nothing. `isUnread` is the server's word
  // on it, `undefined` where it said nothing. Returns what is new about it.
  take(announcement, isUnread) {
    const id = announcement.announcement;
    const known = this.items.get(id);
    if (known === undefined) {
      const isExpired = isOver(announcement);
      const isRead = isUnread === false || isExpired;
      this.items.set(id, { announcement, isRead, isAcknowledged: false, isExpired });
      this.#prune();
      return "new";
    }
    const isOlder = known.announcement.version > announcement.version;
    const change = known.announcement.version < announcement.version ? "edited" : "known";
    if (!isOlder) {
      known.announcement = announcement;
      known.isExpired = isOver(announcement);
    }
    if (isUnread === true && known.isRead && !known.isExpired) {
      known.isRead = false;
      // What is asked for anew has to be acknowledged anew.
      known.isAcknowledged = false;
      return "again";
    }
    return change;
  }

  markRead(ids, feed, upTo) {
    const changed = [];
    for (const [id, item] of this.items) {
      const { announcement } = item;
      const isBelow = upTo !== undefined && announcement.feed === feed && announcement.offset <= upTo;
      if (!item.isRead && (isBelow || ids.includes(id))) {
        item.isRead = true;
        changed.push(item);
      }
    }
    return changed;
  }

  // Everything that is unread here and that the whole list of the server does not name was read
  // elsewhere.
  agree(named) {
    this.markRead([...this.items.keys()].filter((id) => !named.has(id)));
  }

  // Moves what has expired out of the unread. Returns when the next one will.
  expire() {
    let next = Infinity;
    for (const item of this.items.values()) {
      if (!item.isExpired && item.announcement.expires_at !== undefined) {
        if (isOver(item.announcement)) {
          item.isExpired = true;
          item.isRead = true;
        } else {
          next = Math.min(next, new Date(item.announcement.expires_at).getTime());
        }
      }
    }
    return next;
  }

  #prune() {
    for (const { announcement } of this.read.slice(READ_MAX)) {
      this.items.delete(announcement.announcement);
    }
  }
}

const isOver = ({ expires_at: at }) => at !== undefined && new Date(at).getTime() <= Date.now();

function byTime(one, other) {
  return other.announcement.sent_at.localeCompare(one.announcement.sent_at)
    || other.announcement.offset - one.announcement.offset;
}

// The most important stand first, and of those the newest.
function byWeight(one, other) {
  const rank = ({ announcement }) => PRIORITIES.indexOf(announcement.priority);
  return rank(one) - rank(other) || byTime(one, other);
}
