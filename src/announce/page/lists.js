// The lists of the inbox, the feeds beside them, and moving about in them with the keyboard.

import { $, button, make, notice, say } from "./dom.js";
import { age, draw, newEntry, toggle } from "./entry.js";
import { count, feedWords, number } from "./words.js";

const TITLE = "Announcements";

export class Lists {
  // The feed that is shown; `null` for all.
  feed = null;
  isLoading = true;
  isComplete = false;
  #entries = new Map();

  constructor(mail, actions) {
    this.mail = mail;
    this.actions = actions;
    this.user = "";
    $("signed-in").addEventListener("keydown", (event) => this.#key(event));
  }

  clear() {
    this.feed = null;
    this.isLoading = true;
    this.isComplete = false;
    this.#entries.clear();
    $("unread").replaceChildren();
    $("read").replaceChildren();
    $("feeds").replaceChildren();
  }

  // Makes one announcement anew that has changed, and everything around it.
  redraw(id) {
    const entry = this.#entries.get(id);
    const item = this.mail.items.get(id);
    if (entry !== undefined && item !== undefined) {
      draw(entry, item, this.user, this.actions);
    }
  }

  show() {
    const isShown = ({ announcement }) => this.feed === null || announcement.feed === this.feed;
    const unread = this.mail.unread.filter(isShown);
    const read = this.mail.read.filter(isShown);
    this.#place($("unread"), unread);
    this.#place($("read"), read);
    this.#forget();
    this.#showCounts(unread.length, read.length);
    this.#showFeeds();
    age($("signed-in"));
  }

  #showCounts(unread, read) {
    const counted = this.mail.countOf(this.feed);
    const total = this.isComplete ? unread : Math.max(unread, counted);
    say($("unread-count"), number(total));
    $("unread-loading").hidden = !this.isLoading || unread > 0;
    $("unread-empty").hidden = this.isLoading || total > 0;
    $("mark-all").hidden = unread === 0;
    const where = this.feed === null ? "all" : `all of ${feedWords(this.feed, this.user)}`;
    say($("mark-all"), `Mark ${where} as read`);
    $("more").hidden = this.isComplete || this.isLoading;
    say($("more"), `Show more (${number(Math.max(0, counted - unread))} not shown)`);
    $("read-empty").hidden = read > 0;
    const all = this.mail.countOf(null);
    document.title = all > 0 ? `(${all}) ${TITLE}` : TITLE;
  }

  #showFeeds() {
    const feeds = this.mail.feeds.sort((one, other) => {
      const rank = (feed) => (feed === "Public" ? 0 : 1);
      return rank(one) - rank(other) || one.localeCompare(other);
    });
    const wanted = [null, ...feeds];
    const chips = new Map([...$("feeds").children].map((it) => [it.dataset.feed, it]));
    for (const [at, feed] of wanted.entries()) {
      const key = feed ?? "";
      const chip = chips.get(key) ?? this.#chip(key);
      chips.delete(key);
      this.#label(chip.firstChild, feed);
      if ($("feeds").children[at] !== chip) {
        $("feeds").insertBefore(chip, $("feeds").children[at] ?? null);
      }
    }
    for (const chip of chips.values()) {
      chip.remove();
    }
    $("feeds-heading").parentElement.hidden = feeds.length < 2;
  }

  #chip(key) {
    const chosen = button("", () => {
      this.feed = key === "" ? null : key;
      this.show();
    }, { class: "chip" });
    chosen.append(make("span", { class: "name" }), make("span", { class: "number" }));
    return make("li", { "data-feed": key }, chosen);
  }

  #label(chip, feed) {
    const unread = this.mail.countOf(feed);
    say(chip.firstChild, feed === null ? "All feeds" : feedWords(feed, this.user));
    say(chip.lastChild, unread > 0 ? number(unread) : "");
    const name = `${chip.firstChild.textContent}: ${count(unread, "unread", "unread")}`;
    chip.setAttribute("aria-label", name);
    chip.setAttribute("aria-pressed", String(this.feed === feed));
  }

  // Puts the entries into their order and leaves in place what stands right.
  #place(list, items) {
    const wanted = new Set();
    for (const [at, item] of items.entries()) {
      const id = item.announcement.announcement;
      let entry = this.#entries.get(id);
      if (entry === undefined) {
        entry = draw(newEntry(item), item, this.user, this.actions);
        this.#entries.set(id, entry);
      }
      wanted.add(entry);
      const standing = list.children[at];
      if (standing !== entry) {
        const held = entry.contains(document.activeElement) ? document.activeElement : null;
        list.insertBefore(entry, standing ?? null);
        held?.focus();
      }
    }
    for (const entry of [...list.children].filter((it) => !wanted.has(it))) {
      entry.remove();
    }
  }

  #forget() {
    for (const id of [...this.#entries.keys()].filter((it) => !this.mail.items.has(it))) {
      this.#entries.delete(id);
    }
  }

  // Where the focus goes when the entry leaves its list: to the next one, or to the heading.
  after(id) {
    const entry = this.#entries.get(id);
    if (entry === undefined || !entry.contains(document.activeElement)) {
      return () => {};
    }
    const next = entry.nextElementSibling ?? entry.previousElementSibling;
    return () => (next?.isConnected ? next.querySelector(".title") : $("unread-heading")).focus();
  }

  #key(event) {
    const { target, key } = event;
    const isTyping = target.matches("input, textarea, select");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const entry = target.closest("li[data-id]");
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
    if (step !== undefined) {
      if (this.#step(entry, step, target)) {
        event.preventDefault();
      }
    } else if (entry !== null && key === "Enter" && target.matches("li")) {
      toggle(entry);
    } else if (entry !== null && key === "r") {
      this.actions.read(entry.dataset.id);
    } else if (entry !== null && key === "a") {
      this.actions.acknowledge(entry.dataset.id);
    }
  }

  #step(entry, step, target) {
    const titles = [...document.querySelectorAll("li[data-id] .title")];
    const at = titles.findIndex((title) => title.closest("li") === entry);
    const isInside = entry !== null || target.closest("#mail") !== null;
    const next = at === -1 ? titles[0] : titles[at + step];
    if (isInside && next !== undefined) {
      next.focus();
      next.closest("li").scrollIntoView({ block: "nearest" });
    }
    return isInside && titles.length > 0;
  }
}

export const complain = (text) => notice($("error"), text);
