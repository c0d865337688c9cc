// One announcement: its ledger, who has not, why somebody did not get it, edit and recall.

import { button, make, say, time } from "./dom.js";
import { part } from "./api.js";
import { attempt, confirmed, empty, table, tell } from "./panel.js";
import { count, feedWords, moment, number, textOf, titleOf } from "./words.js";

const PAGE = 50;

const WHO = {
  not_acknowledged: "Who has not acknowledged it",
  not_read: "Who has not read it",
  not_delivered: "Whom it has not reached",
  not_sent: "To whom it was not sent",
  everyone: "Everyone",
};

const STEPS = {
  stored: "It was stored",
  in_audience: "The person is in its audience",
  not_in_audience: "The person is not in its audience: they were not in the feed at any time since",
  visible: "It became visible",
  not_visible_yet: "It is not visible yet",
  edited: "It was edited",
  sent: "It was sent to the person",
  not_sent: "It was not sent to the person while it was new",
  delivered: "The person's device confirmed it",
  not_delivered: "No device of the person has confirmed it",
  read: "The person has read it",
  not_read: "The person has not read it",
  acknowledged: "The person has acknowledged it",
  not_acknowledged: "The person has not acknowledged it",
  recalled: "It was recalled",
  expired: "It has expired",
};

export class Details {
  #announcement = null;

  constructor(api, changed) {
    this.api = api;
    this.changed = changed;
    this.root = make("section", { class: "card details", "aria-labelledby": "details-title", hidden: true });
  }

  get path() {
    return `announcements/${part(this.#announcement.announcement)}`;
  }

  close() {
    this.#announcement = null;
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  open(announcement) {
    this.#announcement = announcement;
    const title = make("h3", { id: "details-title", tabindex: "-1" }, titleOf(announcement));
    this.figures = make("dl", { class: "tiles small-tiles" });
    this.people = make("div", { class: "stack" });
    this.who = make("select", { id: "who-filter" },
      ...Object.entries(WHO).map(([value, words]) => make("option", { value }, words)));
    this.who.value = announcement.require_ack ? "not_acknowledged" : "not_read";
    this.who.addEventListener("change", () => this.#ledger(null));
    const body = announcement.body === undefined ? null : make("p", { class: "body" }, textOf(announcement.body));
    this.root.replaceChildren(
      make("div", { class: "heading" }, title, button("Close", () => this.close(), { class: "quiet small" })),
      make("p", { class: "hint" }, `To ${feedWords(announcement.feed)} · version ${announcement.version}`),
      ...[body].filter(Boolean),
      ...(announcement.state === "recalled" ? [] : [this.#change()]),
      make("h4", {}, "How far it has come"), this.figures,
      make("div", { class: "line" }, make("label", { for: "who-filter" }, "Show"), this.who),
      this.people, ...this.#explain());
    this.root.hidden = false;
    this.#ledger(null);
    title.focus();
    this.root.scrollIntoView({ block: "nearest" });
  }

  async #ledger(cursor) {
    const query = { who: this.who.value, limit: PAGE, cursor };
    const ledger = await attempt("The ledger could not be loaded", () => this.api.get(`${this.path}/ledger`, query));
    if (ledger === undefined) {
      return;
    }
    const figure = (name, value) => make("div", { class: "tile" },
      make("dt", {}, name), make("dd", {}, number(value)));
    this.figures.replaceChildren(...[
      ["Audience", ledger.audience], ["Sent", ledger.sent], ["Delivered", ledger.delivered], ["Read", ledger.read],
      ...(this.#announcement.require_ack ? [["Acknowledged", ledger.acknowledged]] : []),
    ].map(([name, value]) => figure(name, value)));
    const at = (moment_, otherwise) => (moment_ ? time(moment_, moment(moment_)) : otherwise);
    const rows = ledger.people.map((it) => [
      it.user, at(it.sent_at, "no"), at(it.delivered_at, "no"),
      at(it.read_at, it.is_read ? "yes" : "no"), at(it.acknowledged_at, "no"),
    ]);
    const list = rows.length === 0 ? empty("Nobody.")
      : table(WHO[this.who.value], ["Person", "Sent", "Delivered", "Read", "Acknowledged"], rows);
    const more = ledger.cursor
      ? [button("Next page", () => this.#ledger(ledger.cursor), { class: "quiet more" })] : [];
    this.people.replaceChildren(list, ...more);
  }

  #explain() {
    const person = make("input", { id: "explain-user", required: true, autocomplete: "off" });
    const steps = make("ol", { class: "steps", id: "steps" });
    const heard = make("p", { class: "unseen", role: "status" });
    const form = make("form", { class: "line" },
      make("label", { for: "explain-user" }, "Person"), person,
      make("button", { type: "submit", class: "quiet" }, "Explain"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const query = { user: person.value.trim() };
      const told = await attempt("That could not be explained", () => this.api.get(`${this.path}/explain`, query));
      if (told !== undefined) {
        steps.replaceChildren(...told.steps.map(step));
        say(heard, count(told.steps.length, "step", "steps"));
      }
    });
    return [make("h4", {}, "Why did this person not get it?"), form, heard, steps];
  }

  #change() {
    const { title: oldTitle, body: oldBody } = this.#announcement;
    const title = make("input", { id: "edit-title", maxlength: 200, required: true, value: oldTitle === undefined ? "" : textOf(oldTitle) });
    const body = make("textarea", { id: "edit-body", rows: 4, maxlength: 20000 });
    body.value = oldBody === undefined ? "" : textOf(oldBody);
    const again = make("input", { id: "edit-again", type: "checkbox" });
    const form = make("form", {},
      make("label", { for: "edit-title" }, "Title"), title,
      make("label", { for: "edit-body" }, "Body"), body,
      make("p", { class: "check" }, again,
        make("label", { for: "edit-again" }, "Unread again for everyone")),
      make("button", { type: "submit" }, "Save"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#edit(title.value, body.value, again.checked);
    });
    return make("div", { class: "line change" },
      make("details", {}, make("summary", {}, "Edit"), form),
      button("Recall", () => this.#recall(), { class: "danger small" }));
  }

  async #edit(title, body, again) {
    const { version, data } = this.#announcement;
    const edit = { title, body: body || undefined, data, version, unread_again: again || undefined };
    const done = await attempt("It was not changed", () => this.api.call("PATCH", this.path, { body: edit }));
    if (done !== undefined) {
      const announcement = { ...this.#announcement, title, body: edit.body, version: done.version };
      await this.changed();
      this.open(announcement);
      tell("Changed. Open screens show it already.");
    }
  }

  async #recall() {
    const question = `Recall “${titleOf(this.#announcement)}”? It disappears from every screen.`;
    if (!await confirmed(question, "Recall")) {
      return;
    }
    const done = await attempt("It was not recalled", () => this.api.call("DELETE", this.path));
    if (done !== undefined) {
      this.close();
      await this.changed();
      tell("Recalled.");
    }
  }
}

function step({ what, at, version, offset }) {
  const words = STEPS[what] ?? what.replaceAll("_", " ");
  const more = [version === undefined ? "" : `version ${version}`, offset === undefined ? "" : `place ${offset}`];
  const notes = more.filter(Boolean).join(", ");
  const isMissing = what.startsWith("not_");
  return make("li", { class: isMissing ? "missing" : "" },
    make("span", {}, notes === "" ? `${words}.` : `${words} (${notes}).`),
    at ? make("span", { class: "hint" }, time(at, moment(at))) : null);
}
