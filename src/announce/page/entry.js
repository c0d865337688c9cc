// One announcement in a list.

import { button, make, say, time } from "./dom.js";
import { distance, feedWords, moment, priorityWords, textOf, titleOf } from "./words.js";

// The marks of an announcement, each in words.
function badges(item) {
  const { announcement } = item;
  const marks = [];
  const priority = priorityWords(announcement.priority);
  if (priority !== "") {
    marks.push(make("span", { class: `badge ${announcement.priority}` }, priority));
  }
  if (item.isAcknowledged) {
    marks.push(make("span", { class: "badge done" }, "Acknowledged"));
  } else if (announcement.require_ack) {
    marks.push(make("span", { class: "badge ask" }, "Needs your acknowledgement"));
  }
  if (item.isExpired) {
    marks.push(make("span", { class: "badge" }, "Expired"));
  }
  if (announcement.version > 1) {
    marks.push(make("span", { class: "badge" }, "Edited"));
  }
  return marks;
}

// Where it comes from and until when it counts.
function origin(item, user) {
  const { announcement } = item;
  const line = make("p", { class: "origin" });
  line.append(
    make("span", { class: "feed" }, feedWords(announcement.feed, user)),
    make("span", {}, textOf(announcement.publisher)),
    time(announcement.sent_at, moment(announcement.sent_at)),
  );
  const until = announcement.expires_at;
  if (until !== undefined && !item.isExpired) {
    const words = make("time", { datetime: until, class: "until" }, distance(until));
    line.append(make("span", {}, "Expires ", words));
  }
  const by = announcement.ack_by;
  if (by !== undefined && announcement.require_ack && !item.isAcknowledged) {
    line.append(make("span", {}, "Acknowledge by ", time(by, moment(by))));
  }
  return line;
}

function details(data) {
  const list = make("dl", { class: "data" });
  for (const [name, value] of Object.entries(data ?? {})) {
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, textOf(value))));
  }
  return list;
}

// Makes the entry of an announcement, or makes it anew in place.
export function draw(entry, item, user, actions) {
  const { announcement } = item;
  const id = announcement.announcement;
  const isOpen = entry.dataset.open === "true";
  const title = button(titleOf(announcement), () => toggle(entry), {
    class: "title", "aria-expanded": isOpen, "aria-describedby": `about-${id}`,
  });
  const about = make("div", { class: "about", id: `about-${id}` });
  const marks = badges(item);
  if (marks.length > 0) {
    about.append(make("p", { class: "badges" }, ...marks));
  }
  about.append(origin(item, user));
  const parts = [make("h3", {}, title), about];
  if (announcement.body !== undefined && announcement.body !== "") {
    parts.push(make("p", { class: "text" }, textOf(announcement.body)));
  }
  if (Object.keys(announcement.data ?? {}).length > 0) {
    parts.push(details(announcement.data));
  }
  const tools = make("p", { class: "tools" });
  const named = (verb) => ({ "aria-label": `${verb}: ${titleOf(announcement)}` });
  if (announcement.require_ack && !item.isAcknowledged && !item.isExpired) {
    tools.append(button("Acknowledge", () => actions.acknowledge(id), {
      class: "small acknowledge", ...named("Acknowledge"),
    }));
  }
  if (!item.isRead) {
    tools.append(button("Mark as read", () => actions.read(id), {
      class: "small quiet mark-read", ...named("Mark as read"),
    }));
  }
  if (tools.childElementCount > 0) {
    parts.push(tools);
  }
  const held = focused(entry);
  entry.replaceChildren(...parts);
  if (held !== null) {
    (entry.querySelector(held) ?? title).focus();
  }
  return entry;
}

// Which of the entry's buttons has the focus.
function focused(entry) {
  const active = document.activeElement;
  if (!entry.contains(active)) {
    return null;
  }
  return [".acknowledge", ".mark-read"].find((kind) => active.matches(kind)) ?? ".title";
}

export function newEntry(item) {
  return make("li", { "data-id": item.announcement.announcement });
}

export function toggle(entry) {
  const isOpen = entry.dataset.open !== "true";
  entry.dataset.open = String(isOpen);
  entry.querySelector(".title").setAttribute("aria-expanded", String(isOpen));
}

// Times that are told from now grow old.
export function age(root) {
  for (const element of root.querySelectorAll("time.until")) {
    say(element, distance(element.dateTime));
  }
}
