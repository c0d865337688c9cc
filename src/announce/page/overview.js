// Live figures.

import { make } from "./dom.js";
import { empty, loading } from "./panel.js";
import { plot } from "./plots.js";
import { count, duration, number } from "./words.js";

const EVERY_MS = 5000;

export class Overview {
  #timer = 0;
  #isLive = false;

  constructor(api, root) {
    this.api = api;
    this.root = root;
    this.body = make("div", { class: "stack" }, loading());
    root.append(make("h2", { tabindex: "-1" }, "Overview"), this.body);
  }

  async show() {
    this.#isLive = true;
    clearTimeout(this.#timer);
    if (!document.hidden) {
      await this.#draw();
    }
    if (this.#isLive) {
      this.#timer = setTimeout(() => this.show(), EVERY_MS);
    }
  }

  leave() {
    this.#isLive = false;
    clearTimeout(this.#timer);
  }

  async #draw() {
    let figures;
    try {
      figures = await this.api.get("statistics");
    } catch (error) {
      this.body.replaceChildren(empty("No figures for now.", `${error.message}.`));
      return;
    }
    const { connections, people_online: people, uptime_s: uptime, store } = figures;
    const dialects = Object.entries(connections.by_dialect ?? {})
      .map(([dialect, open]) => `${dialect}: ${number(open)}`).join(" · ");
    const tile = (name, value, hint) => make("div", { class: "card tile" },
      make("dt", {}, name), make("dd", {}, value), hint ? make("dd", { class: "hint" }, hint) : null);
    this.body.replaceChildren(
      make("dl", { class: "tiles" },
        tile("People online", number(people)),
        tile("Connections", number(connections.total), dialects),
        tile("Running for", duration(uptime)),
        tile("Writes to the store", number(store.writes), `in ${count(store.commits, "commit", "commits")}`)),
      make("div", { class: "plots" },
        plot("Announcements", figures.announcements_per_minute, "announcement", "announcements"),
        plot("Deliveries", figures.deliveries_per_minute, "delivery", "deliveries")),
      make("p", { class: "hint" }, "Renewed every 5 seconds."));
  }
}
