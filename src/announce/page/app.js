"use strict";

const KEY = "framewire.token";
const PAGE = 100;
const MESSAGE_BYTES_MAX = 64 * 1024;
// After these close codes another try would end the same way.
const FINAL = {
  1002: "The connection broke the protocol.",
  1009: "The message was too large.",
  4400: "The server did not understand this page.",
  4401: "The token is missing, wrong or expired. Sign in with a new one.",
  4403: "The token does not permit this.",
  4404: "This server has no announcements at this address.",
  4409: "Too many connections are signed in with this name.",
};

const $ = (id) => document.getElementById(id);

let socket = null;
let token = null;
let signedIn = false;
let attempts = 0;
let timer = 0;
let requests = 0;
let cursor = null;
let complete = false;
let reported = 0;
let version = 0;
// What the server has named as unread since the list was last asked for.
let named = new Set();
// Announcements by identifier: { message, isRead, entry }.
const items = new Map();
// Publications that are not acknowledged yet, by RequestID.
const pending = new Map();

function setStatus(text, state) {
  $("status").textContent = text;
  $("status").dataset.state = state;
}

function setError(text) {
  $("error").textContent = text;
  $("error").hidden = text === "";
}

function address() {
  const url = new URL("websockets", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  url.hash = "";
  return url.href;
}

// The claims are read to explain things; what is permitted is settled by the server.
function claimsOf(text) {
  try {
    const part = text.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) || {};
  } catch {
    return {};
  }
}

function mayPublish(text) {
  const scope = claimsOf(text).scope;
  const scopes = typeof scope === "string" ? scope.split(" ") : scope;
  return Array.isArray(scopes) && scopes.includes("announce:public");
}

function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function send(message) {
  if (socket !== null && socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ APIToken: token, ...message }));
  }
}

function connect() {
  clearTimeout(timer);
  setStatus("Connecting…", "connecting");
  const opened = new WebSocket(address());
  socket = opened;
  opened.onopen = () => send({ Intent: "Sign" });
  opened.onmessage = (event) => {
    if (socket === opened) {
      receive(event.data);
    }
  };
  opened.onclose = (event) => {
    if (socket === opened) {
      lost(event);
    }
  };
}

function lost(event) {
  socket = null;
  signedIn = false;
  if (event.code in FINAL) {
    signOut(FINAL[event.code]);
    return;
  }
  // Half of the wait is random, so that many pages do not come back in one moment.
  const longest = Math.min(30, 2 ** attempts);
  const wait = longest / 2 + (Math.random() * longest) / 2;
  attempts += 1;
  timer = setTimeout(connect, wait * 1000);
  setStatus(`Connection lost. Trying again in ${Math.ceil(wait)} s.`, "closed");
  refreshPublishing();
}

function receive(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return;
  }
  if (message === null || typeof message !== "object") {
    return;
  }
  if (message.auth === false) {
    signOut(`${message.message} Sign in with a new token.`);
  } else if (message.type === "error") {
    failed(message.payload || {});
  } else if (message.Intent === "Sign") {
    welcomed(message);
  } else if (message.Intent === "Public announcement") {
    arrived(message);
  } else if (message.Intent === "Published") {
    published(message);
  } else if (message.Intent === "Get unread messages") {
    listed(message);
  } else if (message.Intent === "Mark as read") {
    marked(message);
  }
}

function failed(payload) {
  const text = `${payload.message || "The server refused that"} (${payload.code || "error"}).`;
  if (!signedIn && payload.code === "unavailable") {
    socket.close();
    return;
  }
  if (!signedIn) {
    signOut(text);
    return;
  }
  setError(text);
  if (payload.RequestID === undefined) {
    pending.clear();
  } else {
    pending.delete(payload.RequestID);
  }
  refreshPublishing();
}

function welcomed(message) {
  signedIn = true;
  attempts = 0;
  setError("");
  setStatus("Connected", "open");
  $("who").textContent = message.UserID;
  $("account").hidden = false;
  $("sign-in-section").hidden = true;
  if ($("signed-in").hidden) {
    $("signed-in").hidden = false;
    $("unread-heading").focus();
  }
  // What was sent before the connection broke is sent again; the server knows it by its key.
  for (const publication of pending.values()) {
    send(publication);
  }
  refreshPublishing();
  noteCounts(message);
  cursor = null;
  complete = false;
  named = new Set();
  send({ Intent: "Get unread messages", Limit: PAGE });
}

function listed(message) {
  for (const announcement of message.messages) {
    named.add(announcement.NotificationID);
    add(announcement);
  }
  cursor = message.Cursor;
  complete = message.complete;
  if (complete) {
    // The rest was read elsewhere while this page was not connected.
    for (const [id, item] of items) {
      if (!item.isRead && !named.has(id)) {
        moveToRead(id);
      }
    }
  }
  noteCounts(message);
}

function arrived(message) {
  named.add(message.NotificationID);
  if (add(message)) {
    $("announcer").textContent = `New announcement: ${titleOf(message)}`;
  }
  refreshCount();
}

function marked(message) {
  for (const id of message.NotificationID || []) {
    moveToRead(id);
  }
  if (message.UpTo !== undefined) {
    for (const [id, item] of items) {
      if (item.message.offset <= message.UpTo) {
        moveToRead(id);
      }
    }
  }
  noteCounts(message);
}

function published(message) {
  if (pending.delete(message.RequestID)) {
    $("publish-form").reset();
    const people = message.online === 1 ? "1 connection" : `${message.online} connections`;
    $("published").textContent = `Published; ${people} online.`;
  }
  setError("");
  refreshPublishing();
}

// Of two reports the one with the higher version is the later one.
function noteCounts(message) {
  if (message.unread_version >= version) {
    version = message.unread_version;
    reported = message.unread.Public || 0;
  }
  refreshCount();
}

function refreshCount() {
  const shown = $("unread").children.length;
  const count = complete ? shown : Math.max(shown, reported);
  $("unread-count").textContent = String(count);
  $("unread-empty").hidden = count > 0;
  $("mark-all").hidden = shown === 0;
  $("more").hidden = complete || cursor === null;
  $("read-empty").hidden = $("read").children.length > 0;
  document.title = count > 0 ? `(${count}) Announcements` : "Announcements";
}

function refreshPublishing() {
  const permitted = token !== null && mayPublish(token);
  $("publish-hint").hidden = permitted;
  $("publish-fields").disabled = !permitted || !signedIn || pending.size > 0;
}

function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function titleOf(message) {
  return message.Title === undefined ? "Announcement" : textOf(message.Title);
}

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function add(message) {
  const id = message.NotificationID;
  if (items.has(id)) {
    return false;
  }
  const entry = document.createElement("li");
  entry.dataset.id = id;
  entry.dataset.offset = message.offset;
  entry.append(element("h3", "title", titleOf(message)));
  if (message.Body !== undefined) {
    entry.append(element("p", "text", textOf(message.Body)));
  }
  const origin = element("p", "origin", "");
  if (message.Priority === "high") {
    origin.append(element("span", "priority", "Important"), " · ");
  }
  const sent = new Date(message.SentAt);
  const time = element("time", "", sent.toLocaleString());
  time.dateTime = message.SentAt;
  origin.append(`${textOf(message.Publisher)} · `, time);
  const button = element("button", "quiet mark-read", "Mark as read");
  button.type = "button";
  button.setAttribute("aria-label", `Mark as read: ${titleOf(message)}`);
  entry.append(origin, button);
  items.set(id, { message, isRead: false, entry });
  place($("unread"), entry);
  return true;
}

// The newest stands first.
function place(list, entry) {
  const offset = Number(entry.dataset.offset);
  const older = Array.from(list.children).find((other) => Number(other.dataset.offset) < offset);
  list.insertBefore(entry, older || null);
}

function moveToRead(id) {
  const item = items.get(id);
  if (item === undefined || item.isRead) {
    return;
  }
  item.isRead = true;
  const held = item.entry.contains(document.activeElement);
  const next = item.entry.nextElementSibling || item.entry.previousElementSibling;
  item.entry.querySelector(".mark-read").remove();
  place($("read"), item.entry);
  if (held) {
    (next === null ? $("unread-heading") : next.querySelector(".mark-read")).focus();
  }
}

function signIn(text) {
  token = text;
  sessionStorage.setItem(KEY, text);
  setError("");
  refreshPublishing();
  connect();
}

function signOut(reason) {
  clearTimeout(timer);
  const closing = socket;
  socket = null;
  if (closing !== null) {
    closing.close(1000);
  }
  token = null;
  signedIn = false;
  attempts = 0;
  version = 0;
  reported = 0;
  sessionStorage.removeItem(KEY);
  items.clear();
  pending.clear();
  $("unread").replaceChildren();
  $("read").replaceChildren();
  $("publish-form").reset();
  $("published").textContent = "";
  $("who").textContent = "";
  $("account").hidden = true;
  $("signed-in").hidden = true;
  $("sign-in-section").hidden = false;
  document.title = "Announcements";
  setStatus("Not connected", "closed");
  setError(reason);
  $("token").focus();
}

$("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("token").value.trim();
  $("sign-in-form").reset();
  if (text !== "") {
    if (socket !== null) {
      signOut("");
    }
    signIn(text);
  }
});

$("sign-out").addEventListener("click", () => signOut(""));

$("publish-form").addEventListener("submit", (event) => {
  event.preventDefault();
  requests += 1;
  const publication = {
    Intent: "Public announcement",
    Group: "Public",
    Title: $("title").value,
    Body: $("body").value || undefined,
    IdempotencyKey: randomKey(),
    RequestID: `publish-${requests}`,
  };
  const text = JSON.stringify({ APIToken: token, ...publication });
  if (new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX) {
    setError("The announcement is too long.");
    return;
  }
  $("published").textContent = "";
  setError("");
  pending.set(publication.RequestID, publication);
  send(publication);
  refreshPublishing();
});

$("unread").addEventListener("click", (event) => {
  const button = event.target.closest(".mark-read");
  if (button !== null) {
    const id = button.closest("li").dataset.id;
    send({ Intent: "Mark as read", Group: "Public", NotificationID: id });
  }
});

$("mark-all").addEventListener("click", () => {
  const newest = $("unread").firstElementChild;
  if (newest !== null) {
    $("unread-heading").focus();
    const offset = Number(newest.dataset.offset);
    send({ Intent: "Mark as read", Group: "Public", UpTo: offset });
  }
});

$("more").addEventListener("click", () => {
  send({ Intent: "Get unread messages", Limit: PAGE, Cursor: cursor });
});

window.addEventListener("online", () => {
  if (token !== null && socket === null) {
    connect();
  }
});

const kept = sessionStorage.getItem(KEY);
if (kept !== null) {
  signIn(kept);
}
