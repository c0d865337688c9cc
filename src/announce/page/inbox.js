// The page at `/`: what one has not read yet, as it comes.

import { Compose } from "./compose.js";
import { Connection, address } from "./connection.js";
import { $, notice, say } from "./dom.js";
import { Lists, complain } from "./lists.js";
import { Mail } from "./mail.js";
import * as token from "./token.js";
import { count, moment, titleOf } from "./words.js";

const PAGE = 50;
// So many are loaded unasked.
const LOADED_UNASKED = 100;
const MARKED_AT_ONCE = 500;
const SETTLE_MS = 400;
const DELIVERED_MS = 1000;
const TICK_MS = 30_000;

const actions = { read: (id) => markRead([id]), acknowledge };

let mail = new Mail();
let lists = new Lists(mail, actions);
const compose = new Compose();
let connection = null;
let cursor = null;
// What the server has named as unread since the list was last asked for.
let named = new Set();
let settling = 0;
let expiring = 0;
let arrived = new Map();
let arriving = 0;
let isWelcome = false;

const STATES = {
  connecting: () => "Connecting…",
  open: () => "Connected",
  failed: () => "The server cannot be reached.",
  waiting: (wait) => `Connection lost. Trying again in ${Math.ceil(wait / 1000)} s.`,
  drain: (wait) => `The server restarts. Back in ${Math.ceil(wait / 1000)} s.`,
  offline: () => "Offline: this device has no network.",
};

function setState(name, wait) {
  say($("status"), STATES[name](wait));
  $("status").dataset.state = name;
  $("stale").hidden = !isWelcome || name === "open" || name === "connecting";
  compose.refresh();
}

function connect(text) {
  connection = new Connection(address(), {
    greet: () => ({ token: token.kept(), since: mail.since }),
    signed: welcome,
    message: receive,
    state: setState,
    ended: signOut,
  });
  compose.use(text, connection);
  connection.open();
}

function welcome(payload) {
  lists.user = payload.user;
  say($("who"), payload.user);
  say($("until"), moment(payload.expires_at));
  complain("");
  notice($("renewal-done"), "");
  $("renewal").hidden = true;
  $("account").hidden = false;
  $("sign-in-section").hidden = true;
  $("signed-in").hidden = false;
  if (!isWelcome) {
    isWelcome = true;
    $("unread-heading").focus();
  }
  mail.leave(payload.feeds.map((it) => it.feed));
  payload.feeds.forEach((it) => mail.standAt(it));
  mail.takeCounts(payload);
  compose.connected();
  load(true);
}

// Asks for a page of what is unread; from the start where `anew`.
async function load(anew) {
  if (anew) {
    cursor = null;
    named = new Set();
    lists.isComplete = false;
  }
  try {
    const request = cursor === null ? { limit: PAGE } : { limit: PAGE, cursor };
    const page = await connection.request("unread", request);
    for (const announcement of page.announcements) {
      named.add(announcement.announcement);
      mail.take(announcement, true);
      lists.redraw(announcement.announcement);
    }
    cursor = page.cursor;
    mail.takeCounts(page);
    lists.isComplete = page.complete;
    lists.isLoading = false;
    if (page.complete) {
      mail.agree(named);
    }
    showAll();
    if (!page.complete && named.size < LOADED_UNASKED) {
      await load(false);
    }
  } catch (error) {
    // What was lost is asked for again after the next welcome.
    if (error.code !== "lost") {
      lists.isLoading = false;
      complain(`The unread announcements could not be loaded: ${error.message}.`);
      showAll();
    }
  }
}

// Asks once more, a little later, for what only the server can say.
function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => connection?.isSigned && load(true), SETTLE_MS);
}

function showAll() {
  clearTimeout(expiring);
  const next = mail.expire();
  if (next !== Infinity) {
    expiring = setTimeout(expire, Math.min(Math.max(next - Date.now(), 0) + 50, 2 ** 31 - 1));
  }
  lists.show();
}

function expire() {
  mail.expire();
  mail.items.forEach((item, id) => item.isExpired && lists.redraw(id));
  showAll();
  settle();
}

function receive(type, payload) {
  const known = {
    announcement: () => take(payload),
    edited: () => take(payload),
    recalled: () => recall(payload),
    read_state: () => {
      mail.takeCounts(payload);
      settleRead(mail.markRead(payload.announcements, payload.feed, payload.up_to));
    },
    gap: () => mail.restart(payload.feed, payload.epoch),
    token_expiring: () => askForToken(payload.in_ms),
  };
  known[type]?.();
}

function take(announcement) {
  const isNext = mail.advance(announcement);
  const id = announcement.announcement;
  const change = mail.take(announcement);
  named.add(id);
  lists.redraw(id);
  if (change === "new") {
    mail.counts[announcement.feed] = (mail.counts[announcement.feed] ?? 0) + 1;
    announce(`New announcement: ${titleOf(announcement)}`);
  } else if (change === "edited") {
    announce(`Edited: ${titleOf(announcement)}`);
  }
  noteArrival(announcement);
  showAll();
  // An edit may have made it unread again, which only the list of the unread tells.
  if (change === "edited" || !isNext || !lists.isComplete) {
    settle();
  }
}

function recall(payload) {
  mail.advance(payload);
  noteArrival(payload);
  const item = mail.items.get(payload.announcement);
  if (item !== undefined) {
    const refocus = lists.after(payload.announcement);
    mail.items.delete(payload.announcement);
    const title = titleOf(item.announcement);
    announce(`Recalled by its publisher: ${title}`);
    notice($("recalled"), `“${title}” was recalled by its publisher.`);
    showAll();
    refocus();
  }
  settle();
}

// Several that come at once are heard as one.
let heard = [];
function announce(text) {
  heard.push(text);
  if (heard.length === 1) {
    setTimeout(() => {
      const words = heard.length > 3 ? count(heard.length, "change", "changes") : heard.join(". ");
      $("announcer").textContent = words;
      heard = [];
    }, 150);
  }
}

// Tells the server, now and then, up to where each feed has arrived.
function noteArrival({ feed, offset }) {
  arrived.set(feed, Math.max(arrived.get(feed) ?? 0, offset));
  clearTimeout(arriving);
  arriving = setTimeout(() => {
    arrived.forEach((upTo, at) => connection?.tell("delivered", { feed: at, up_to: upTo }));
    arrived = new Map();
  }, DELIVERED_MS);
}

function settleRead(changed) {
  for (const { announcement } of changed) {
    const refocus = lists.after(announcement.announcement);
    lists.redraw(announcement.announcement);
    showAll();
    refocus();
  }
  showAll();
}

async function markRead(ids) {
  const byFeed = new Map();
  for (const id of ids) {
    const item = mail.items.get(id);
    if (item !== undefined && !item.isRead) {
      const { feed } = item.announcement;
      byFeed.set(feed, [...(byFeed.get(feed) ?? []), id]);
    }
  }
  for (const [feed, all] of byFeed) {
    for (let at = 0; at < all.length; at += MARKED_AT_ONCE) {
      const announcements = all.slice(at, at + MARKED_AT_ONCE);
      await attempt("That could not be marked as read", async () => {
        const state = await connection.request("read", { feed, announcements });
        mail.takeCounts(state);
        settleRead(mail.markRead(announcements, feed));
      });
    }
  }
  if (!lists.isComplete) {
    settle();
  }
}

// It is read first: that is what the person's other devices are told.
async function acknowledge(id) {
  const item = mail.items.get(id);
  if (item === undefined || !item.announcement.require_ack || item.isAcknowledged) {
    return;
  }
  const { version, feed } = item.announcement;
  await attempt("That could not be acknowledged", async () => {
    await connection.request("read", { feed, announcements: [id] });
    const done = await connection.request("acknowledge", { announcement: id, version });
    mail.takeCounts(done);
    item.isAcknowledged = true;
    announce(`Acknowledged: ${titleOf(item.announcement)}`);
    const refocus = lists.after(id);
    mail.markRead([id], feed);
    lists.redraw(id);
    showAll();
    refocus();
  });
}

async function attempt(what, work) {
  try {
    complain("");
    await work();
  } catch (error) {
    complain(`${what}: ${error.message}${error.message.endsWith(".") ? "" : "."}`);
    if (error.code === "conflict" || error.code === "unknown_notification") {
      settle();
    }
  }
}

function askForToken(left) {
  const at = new Date(Date.now() + left).toISOString();
  say($("renewal-words"), `Your token ends at ${moment(at)}. With a new one you stay signed in.`);
  $("renewal").hidden = false;
}

async function renew(text) {
  try {
    const { expires_at: until } = await connection.request("refresh", { token: text });
    token.keep(text);
    compose.use(text, connection);
    say($("until"), moment(until));
    $("renewal").hidden = true;
    notice($("renewal-done"), `You stay signed in until ${moment(until)}.`);
    $("unread-heading").focus();
  } catch (error) {
    complain(`That token was not taken: ${error.message}.`);
  }
}

function signIn(text) {
  token.keep(text);
  complain("");
  $("sign-in").disabled = true;
  connect(text);
}

function signOut(reason) {
  connection?.close();
  connection = null;
  [settling, expiring, arriving].forEach(clearTimeout);
  token.forget();
  mail = new Mail();
  lists.mail = mail;
  lists.clear();
  compose.reset();
  named = new Set();
  cursor = null;
  isWelcome = false;
  for (const id of ["account", "signed-in", "renewal", "stale"]) {
    $(id).hidden = true;
  }
  for (const id of ["renewal-done", "recalled"]) {
    notice($(id), "");
  }
  say($("who"), "");
  $("sign-in-section").hidden = false;
  $("sign-in").disabled = false;
  document.title = "Announcements";
  say($("status"), "Not connected");
  $("status").dataset.state = "closed";
  complain(reason);
  $("token").focus();
}

$("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("token").value.trim();
  $("sign-in-form").reset();
  if (text !== "" && connection === null) {
    signIn(text);
  }
});
$("sign-out").addEventListener("click", () => signOut(""));
$("renewal-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("new-token").value.trim();
  $("renewal-form").reset();
  renew(text);
});
$("mark-all").addEventListener("click", () => {
  const shown = [...$("unread").children].map((entry) => entry.dataset.id);
  $("unread-heading").focus();
  markRead(shown);
});
$("more").addEventListener("click", async () => {
  await load(false);
  if ($("more").hidden) {
    $("unread-heading").focus();
  }
});
setInterval(() => isWelcome && lists.show(), TICK_MS);

const text = token.kept();
if (text !== null) {
  signIn(text);
}
