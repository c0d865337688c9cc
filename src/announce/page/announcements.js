// The announcements that were published, and how far each has come.

import { button, make, time } from "./dom.js";
import { Details } from "./details.js";
import { attempt, empty, loading, table } from "./panel.js";
import { feedWords, moment, priorityWords, titleOf } from "./words.js";

const PAGE = 25;
const STATES = { pending: "Not visible yet", released: "Visible", recalled: "Recalled" };

export class Announcements {
  #cursor = null;
  #list = [];

  constructor(api, root) {
    this.api = api;
    this.root = root;
    this.state = make("select", { id: "state-filter" }, make("option", { value: "" }, "All"),
      ...Object.entries(STATES).map(([value, words]) => make("option", { value }, words)));
    this.feed = make("input", { id: "feed-filter", placeholder: "All feeds", autocomplete: "off" });
    this.body = make("div", { class: "stack" });
    const filters = make("form", { class: "line filters" },
      make("label", { for: "feed-filter" }, "Feed"), this.feed,
      make("label", { for: "state-filter" }, "State"), this.state,
      make("button", { type: "submit", class: "quiet" }, "Show"));
    filters.addEventListener("submit", (event) => {
      event.preventDefault();
      this.show();
    });
    this.details = new Details(api, () => this.show());
    root.append(make("h2", { tabindex: "-1" }, "Announcements"), filters, this.body, this.details.root);
  }

  leave() {
    this.details.close();
  }

  async show() {
    this.#cursor = null;
    this.#list = [];
    if (this.body.childElementCount === 0) {
      this.body.replaceChildren(loading());
    }
    await this.#load();
  }

  async #load() {
    const query = { feed: this.feed.value.trim(), state: this.state.value, limit: PAGE, cursor: this.#cursor };
    const page = await attempt("The announcements could not be loaded", () => this.api.get("announcements", query));
    if (page === undefined) {
      this.body.replaceChildren(empty("Not loaded."));
      return;
    }
    this.#list.push(...page.announcements);
    this.#cursor = page.cursor;
    this.#draw();
  }

  #draw() {
    if (this.#list.length === 0) {
      this.body.replaceChildren(empty("No announcements.", "What is published appears here."));
      return;
    }
    const rows = this.#list.map((it) => [
      button(titleOf(it), () => this.details.open(it), { class: "link", "data-announcement": it.announcement }),
      feedWords(it.feed),
      STATES[it.state] ?? it.state,
      [priorityWords(it.priority), it.require_ack ? "to be acknowledged" : ""].filter(Boolean).join(", ") || "Normal",
      it.publisher,
      time(it.sent_at, moment(it.sent_at)),
    ]);
    const parts = [table("Announcements", ["Title", "Feed", "State", "Priority", "Publisher", "Sent"], rows)];
    if (this.#cursor) {
      parts.push(button("Show more", () => this.#load(), { class: "quiet more" }));
    }
    this.body.replaceChildren(...parts);
  }
}
