// Who is connected, who is in which room, and which tokens are not taken any more.

import { $, button, make, time } from "./dom.js";
import { part } from "./api.js";
import { attempt, confirmed, empty, loading, table, tell } from "./panel.js";
import { randomKey } from "./token.js";
import { count, distance, moment, number } from "./words.js";

export class Connections {
  constructor(api, root) {
    this.api = api;
    this.body = make("div", { class: "stack" }, loading());
    root.append(make("div", { class: "heading" }, make("h2", { tabindex: "-1" }, "Connections"),
      button("Renew", () => this.show(), { class: "quiet small" })), this.body);
  }

  leave() {}

  async show() {
    const got = await attempt("The connections could not be loaded", () => this.api.get("connections"));
    if (got === undefined) {
      this.body.replaceChildren(empty("Not loaded."));
      return;
    }
    const rows = got.connections.map((it) => [
      it.user ?? "Nobody yet", it.dialect, it.address,
      it.since ? time(it.since, distance(it.since)) : "",
      it.expires_at ? time(it.expires_at, moment(it.expires_at)) : "",
      it.user ? button("Disconnect", () => this.#disconnect(it.user), {
        class: "small danger", "aria-label": `Disconnect ${it.user}, ${it.address}`,
      }) : "",
    ]);
    const columns = ["Person", "Dialect", "Address", "Connected", "Token until", "Actions"];
    this.body.replaceChildren(rows.length === 0 ? empty("Nobody is connected.")
      : table("Connections", columns, rows));
    if (got.total > rows.length) {
      this.body.append(make("p", { class: "hint" }, `${number(rows.length)} of ${number(got.total)} are shown.`));
    }
  }

  async #disconnect(user) {
    if (!await confirmed(`Close every connection of ${user}? Their pages come back by themselves.`, "Disconnect")) {
      return;
    }
    const query = { user };
    const done = await attempt("Not disconnected", () => this.api.call("DELETE", "connections", { query }));
    if (done !== undefined) {
      await this.show();
      tell(`${count(done.closed, "connection", "connections")} of ${user} closed.`);
    }
  }
}

export class Rooms {
  constructor(api, root) {
    this.api = api;
    this.body = make("div", { class: "stack" }, loading());
    root.append(make("div", { class: "heading" }, make("h2", { tabindex: "-1" }, "Rooms"),
      button("Renew", () => this.show(), { class: "quiet small" })), this.body);
  }

  leave() {}

  async show() {
    const got = await attempt("The rooms could not be loaded", () => this.api.get("rooms"));
    if (got === undefined) {
      this.body.replaceChildren(empty("Not loaded."));
    } else if (got.rooms.length === 0) {
      this.body.replaceChildren(empty("No rooms.", "A room exists while somebody is in it."));
    } else {
      this.body.replaceChildren(...got.rooms.map((it) => this.#room(it)));
    }
  }

  #room({ room, people }) {
    const number_ = Array.isArray(people) ? people.length : people;
    const names = make("p", { class: "hint" }, "");
    const details = make("details", { class: "card" },
      make("summary", {}, room, make("span", { class: "hint" }, ` ${count(number_, "person", "people")}`)), names);
    details.addEventListener("toggle", async () => {
      if (details.open) {
        const got = await attempt("The room could not be loaded", () => this.api.get(`rooms/${part(room)}`));
        names.textContent = got === undefined ? "" : got.people.join(", ") || "Nobody any more.";
      }
    });
    return details;
  }
}

export class Revocations {
  constructor(api, root) {
    this.api = api;
    root.append($("revocations-template").content.cloneNode(true));
    this.body = $("revocations-list");
    $("revocation-kind").addEventListener("change", () => this.#kind());
    $("revocation-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#revoke();
    });
    this.#kind();
  }

  leave() {}

  async show() {
    const got = await attempt("The revocations could not be loaded", () => this.api.get("revocations"));
    const list = got?.revocations ?? [];
    if (list.length === 0) {
      this.body.replaceChildren(empty(got === undefined ? "Not loaded." : "Nothing is revoked."));
      return;
    }
    const rows = list.map((it) => [
      whose(it),
      it.issued_before ? time(it.issued_before, moment(it.issued_before)) : "any",
      it.until ? time(it.until, moment(it.until)) : "for good",
    ]);
    this.body.replaceChildren(table("Revocations", ["Revoked", "Issued before", "Until"], rows));
  }

  #kind() {
    const kind = $("revocation-kind").value;
    $("revocation-name-field").hidden = kind === "everyone";
    $("revocation-name").required = kind !== "everyone";
    $("revocation-name-label").textContent = kind === "user" ? "Person" : "Token id (jti)";
  }

  async #revoke() {
    const kind = $("revocation-kind").value;
    const body = kind === "everyone" ? { everyone: true } : { [kind]: $("revocation-name").value.trim() };
    const moment_ = (id) => ($(id).value === "" ? undefined : new Date($(id).value).toISOString());
    const revocation = { ...body, issued_before: moment_("issued-before"), until: moment_("revoked-until") };
    const question = `Revoke ${whose(revocation)}? Their connections are closed at once.`;
    if (!await confirmed(question, "Revoke")) {
      return;
    }
    const done = await attempt("Not revoked", () => this.api.post("revocations", revocation, randomKey()));
    if (done !== undefined) {
      $("revocation-form").reset();
      this.#kind();
      await this.show();
      tell("Revoked.");
    }
  }
}

// What is asked for names it by its field, what is listed by its kind.
function whose({ user, token_id: id, everyone, kind, subject }) {
  if (everyone || kind === "namespace") {
    return "the tokens of everyone";
  }
  const person = kind === "user" ? subject : user;
  return person ? `the tokens of ${person}` : `the token ${id ?? subject}`;
}
