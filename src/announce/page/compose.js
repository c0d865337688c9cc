// Publishing from the inbox, for those whose token allows it.

import { $, say } from "./dom.js";
import { complain } from "./lists.js";
import { publishable, randomKey } from "./token.js";
import { count, feedWords } from "./words.js";

// The server takes no longer message.
const MESSAGE_BYTES_MAX = 65_536;

export class Compose {
  // What was sent and not answered yet. It is sent again after the connection broke: the server
  // knows it by its key.
  #pending = null;
  #token = null;
  #connection = null;

  constructor() {
    $("publish-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    $("publish-form").addEventListener("input", () => say($("published"), ""));
    $("to").addEventListener("change", () => this.refresh());
  }

  use(token, connection) {
    this.#token = token;
    this.#connection = connection;
    const { feeds, open } = publishable(token);
    const choices = feeds.map((feed) => new Option(feedWords(feed), feed));
    if (open) {
      choices.push(new Option("Another feed…", ""));
    }
    const chosen = $("to").value;
    $("to").replaceChildren(...choices);
    if (choices.some((choice) => choice.value === chosen)) {
      $("to").value = chosen;
    }
    $("compose").hidden = choices.length === 0;
    $("publish-hint").hidden = choices.length > 0;
    this.refresh();
  }

  reset() {
    this.#pending = null;
    this.#connection = null;
    $("publish-form").reset();
    $("compose").open = false;
    say($("published"), "");
  }

  refresh() {
    $("to-other-field").hidden = $("to").value !== "" || $("to").options.length === 0;
    $("to-other").required = !$("to-other-field").hidden;
    $("publish-fields").disabled = this.#pending !== null || !this.#connection?.isSigned;
  }

  connected() {
    if (this.#pending !== null) {
      this.#send();
    }
    this.refresh();
  }

  #submit() {
    const draft = {
      feed: $("to").value || $("to-other").value.trim(),
      title: $("title").value,
      body: $("body").value || undefined,
      priority: $("priority").value,
      require_ack: $("require-ack").checked || undefined,
      key: randomKey(),
    };
    if (new TextEncoder().encode(JSON.stringify(draft)).length > MESSAGE_BYTES_MAX - 256) {
      complain("The announcement is too long.");
      return;
    }
    complain("");
    say($("published"), "");
    this.#pending = draft;
    this.#send();
    this.refresh();
  }

  async #send() {
    const connection = this.#connection;
    try {
      const { audience, online } = await connection.request("publish", this.#pending);
      this.#pending = null;
      $("publish-form").reset();
      const people = count(audience, "person", "people");
      const here = count(online, "connection", "connections");
      say($("published"), `Published for ${people}; ${here} online.`);
    } catch (error) {
      if (error.code === "lost") {
        say($("published"), "Not confirmed yet. It is sent again when the connection is back.");
      } else {
        this.#pending = null;
        complain(`That was not published: ${error.message}.`);
      }
    }
    this.refresh();
  }
}

