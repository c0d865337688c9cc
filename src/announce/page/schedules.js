// Schedules: when they run, and running, pausing and trying them.

import { button, make, time } from "./dom.js";
import { part } from "./api.js";
import { attempt, confirmed, empty, loading, tell } from "./panel.js";
import { count, distance, feedWords, textOf, wallTime } from "./words.js";

export class Schedules {
  constructor(api, root) {
    this.api = api;
    this.body = make("div", { class: "stack" }, loading());
    root.append(make("h2", { tabindex: "-1" }, "Schedules"), this.body);
  }

  leave() {}

  async show() {
    const got = await attempt("The schedules could not be loaded", () => this.api.get("schedules"));
    if (got === undefined) {
      this.body.replaceChildren(empty("Not loaded."));
    } else if (got.schedules.length === 0) {
      this.body.replaceChildren(empty("No schedules.", "They are written in the configuration of the server."));
    } else {
      this.body.replaceChildren(...got.schedules.map((it) => this.#card(it)));
    }
  }

  #card(schedule) {
    const { id, paused } = schedule;
    const runs = (schedule.next_runs ?? []).slice(0, 5).map((it) => make("li", {},
      time(it.utc, wallTime(it.local)), make("span", { class: "hint" }, ` ${distance(it.utc)}`)));
    const last = schedule.last_run;
    const lastAt = typeof last === "string" ? last : last?.due_at;
    const preview = make("div", { class: "preview", role: "status" });
    const act = (words, verb, done, attributes) => button(words, () => this.#act(id, verb, done), {
      class: "small quiet", "aria-label": `${words}: ${id}`, ...attributes,
    });
    return make("section", { class: "card schedule", "aria-labelledby": `schedule-${id}` },
      make("div", { class: "heading" }, make("h3", { id: `schedule-${id}` }, id),
        make("span", { class: paused ? "badge ask" : "badge done" }, paused ? "Paused" : "Active")),
      make("p", { class: "when" }, schedule.words),
      make("p", { class: "hint" }, `To ${feedWords(schedule.feed)} · `, make("code", {}, schedule.cron),
        ` · ${schedule.timezone}`, lastAt ? ` · ran ${distance(lastAt)}` : " · has not run yet"),
      make("h4", {}, paused ? "Would run next" : "Runs next"),
      runs.length === 0 ? make("p", { class: "hint" }, "Never again.") : make("ul", { class: "runs" }, ...runs),
      make("p", { class: "tools" },
        button("Preview", () => this.#preview(id, preview), { class: "small quiet", "aria-label": `Preview: ${id}` }),
        paused ? act("Resume", "resume", "It runs again.") : act("Pause", "pause", "It is paused."),
        button("Run now", () => this.#run(id), { class: "small quiet", "aria-label": `Run now: ${id}` })),
      preview);
  }

  async #act(id, verb, done) {
    const ok = await attempt(`${id} could not be changed`, () => this.api.post(`schedules/${part(id)}/${verb}`));
    if (ok !== undefined) {
      await this.show();
      tell(`${id}: ${done}`);
      document.getElementById(`schedule-${id}`)?.closest("section").querySelectorAll(".tools button")[1]?.focus();
    }
  }

  async #run(id) {
    if (await confirmed(`Run “${id}” now? It announces at once.`, "Run now")) {
      await this.#act(id, "run", "It has run.");
    }
  }

  async #preview(id, place) {
    const shown = await attempt(`${id} has no preview`, () => this.api.post(`schedules/${part(id)}/preview`));
    if (shown !== undefined) {
      const { fields, audience, ...rest } = shown;
      const { Title: title, Body: body, ...data } = fields;
      const reach = audience.kind === "users" ? count(audience.count, "person", "people") : audience.kind;
      const others = Object.entries({ ...rest, audience: reach, ...data }).map(([name, value]) => make("div", {},
        make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, textOf(value))));
      place.replaceChildren(
        make("p", {}, make("strong", {}, title === undefined ? "What it would announce" : textOf(title))),
        body === undefined ? make("span") : make("p", { class: "body" }, textOf(body)),
        make("dl", { class: "pairs" }, ...others));
    }
  }
}
