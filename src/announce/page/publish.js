// Publishing from the console: first whom it reaches, then the sending.

import { $, make, say } from "./dom.js";
import { attempt, tell } from "./panel.js";
import { randomKey, publishable } from "./token.js";
import { count, feedWords, number } from "./words.js";

export class Publish {
  #key = null;

  constructor(api, root, token) {
    this.api = api;
    this.root = root;
    root.append($("publish-template").content.cloneNode(true));
    this.form = $("publish-form");
    this.#feeds(token);
    this.form.addEventListener("input", () => this.#changed());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(event.submitter);
    });
    this.#changed();
  }

  show() {}

  leave() {}

  // A list to choose from, and names to be typed where the scopes do not name them all.
  #feeds(token) {
    const { feeds } = publishable(token);
    $("feeds-known").replaceChildren(...feeds.map((feed) => make("option", { value: feed }, feedWords(feed))));
    $("feed").value = feeds[0] ?? "Public";
  }

  // What was checked is what is sent: any change asks for another check.
  #changed() {
    this.#key = null;
    $("send").disabled = true;
    say($("reach"), "Check first whom it reaches.");
  }

  #draft() {
    const moment = (id) => ($(id).value === "" ? undefined : new Date($(id).value).toISOString());
    return {
      feed: $("feed").value.trim(),
      title: $("title").value,
      body: $("body").value || undefined,
      priority: $("priority").value,
      require_ack: $("require-ack").checked || undefined,
      ack_by: $("require-ack").checked ? moment("ack-by") : undefined,
      visible_at: moment("visible-at"),
      expires_at: moment("expires-at"),
    };
  }

  async #submit(submitter) {
    const sends = submitter === $("send") && !$("send").disabled;
    if (!sends) {
      await this.#check();
      return;
    }
    $("send").disabled = true;
    const key = this.#key;
    const sent = await attempt("It was not published", () => this.api.post("announcements", this.#draft(), key));
    if (sent === undefined) {
      // The same key: what did arrive is not stored twice.
      $("send").disabled = this.#key !== key;
      return;
    }
    this.form.reset();
    $("feed").value = sent.feed;
    this.#changed();
    const people = count(sent.audience, "person", "people");
    tell(sent.state === "pending"
      ? `Accepted. ${people} will see it when its time comes.`
      : `Published for ${people}, ${number(sent.online)} online.`);
    $("title").focus();
  }

  async #check() {
    $("check").disabled = true;
    const draft = this.#draft();
    const ask = { ...draft, dry_run: true };
    const reached = await attempt("That cannot be published", () => this.api.post("announcements", ask));
    $("check").disabled = false;
    if (reached === undefined || JSON.stringify(draft) !== JSON.stringify(this.#draft())) {
      return;
    }
    const people = count(reached.audience, "person", "people");
    const online = reached.online === undefined ? "" : `, ${number(reached.online)} of them online now`;
    say($("reach"), `This reaches ${people}${online}.`);
    this.#key = randomKey();
    $("send").disabled = false;
    $("send").focus();
  }
}
