// A connection that speaks `announce.v1`, and comes back by itself.

const ANSWER_MS = 15_000;
const PROBE_MS = 5_000;
const LONGEST_MS = 30_000;
const STEADY_MS = 10_000;

// What ends a connection for good, by the code it was closed with.
const FINAL = {
  4400: "The server could not read what this page said.",
  4401: "The token is not valid, or not any more. Sign in with a new one.",
  4403: "The token does not give access here.",
  4409: "Too many connections are signed in with this name. This one was ended.",
};

// How long to wait at least where the server closed because it has too much to do.
const BUSY_MS = { 1013: 5_000, 4429: 10_000, 4508: 2_000 };

// An answer that is an error: `code` is the server's, or `lost` where the answer did not come.
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export class Connection {
  #socket = null;
  #timer = 0;
  #attempts = 0;
  #opened = 0;
  #requests = 0;
  #waiting = new Map();
  #returnIn = null;
  #signed = false;
  #ended = false;

  // `events` are told what happens: `greet()` gives the payload of `sign`, `signed(payload)`,
  // `message(type, payload)`, `state(name, milliseconds)`, `ended(why)`.
  constructor(url, events) {
    this.url = url;
    this.events = events;
    this.online = () => this.#online();
    this.offline = () => this.#waitForNetwork();
    this.seen = () => document.hidden || this.#probe();
    window.addEventListener("online", this.online);
    window.addEventListener("offline", this.offline);
    document.addEventListener("visibilitychange", this.seen);
  }

  get isSigned() {
    return this.#signed;
  }

  open() {
    clearTimeout(this.#timer);
    if (this.#ended || this.#socket !== null) {
      return;
    }
    this.events.state("connecting", 0);
    const socket = new WebSocket(this.url, ["announce.v1"]);
    this.#socket = socket;
    socket.onopen = () => this.#socket === socket && this.#sign();
    socket.onmessage = (event) => this.#socket === socket && this.#receive(event.data);
    // A socket that fails says so, and then that it is closed: what to do is settled there.
    socket.onerror = () => this.#socket === socket && this.events.state("failed", 0);
    socket.onclose = (event) => this.#socket === socket && this.#lost(event.code);
  }

  // Ends it for good.
  close() {
    this.#ended = true;
    clearTimeout(this.#timer);
    window.removeEventListener("online", this.online);
    window.removeEventListener("offline", this.offline);
    document.removeEventListener("visibilitychange", this.seen);
    this.#drop("lost");
  }

  // Asks for something; resolves with the payload of the answer.
  request(type, payload) {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refused("lost", "There is no connection to the server."));
    }
    this.#requests += 1;
    const id = this.#requests;
    const answered = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#lost(0), ANSWER_MS);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    socket.send(JSON.stringify({ type, id, payload }));
    return answered;
  }

  // Says something to which nobody waits for an answer.
  tell(type, payload) {
    if (this.#signed && this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type, payload }));
    }
  }

  async #sign() {
    try {
      const payload = await this.request("sign", this.events.greet());
      this.#signed = true;
      this.#opened = Date.now();
      this.events.state("open", 0);
      this.events.signed(payload);
    } catch (error) {
      if (error.code === "lost" || error.code === "unavailable" || error.code === "too_often") {
        this.#lost(error.code === "too_often" ? 4429 : 0);
      } else {
        this.#end(error.code === "bad_token" ? FINAL[4401] : error.message);
      }
    }
  }

  #receive(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    const { type, payload = {}, replyTo } = message ?? {};
    if (type === "drain") {
      this.#returnIn = Number(payload.retry_in_ms) || 0;
      this.events.state("drain", this.#returnIn);
      return;
    }
    const waiting = this.#waiting.get(replyTo);
    if (waiting === undefined) {
      this.events.message(type, payload);
      return;
    }
    this.#waiting.delete(replyTo);
    clearTimeout(waiting.timer);
    if (type === "error") {
      waiting.reject(new Refused(payload.code, payload.message));
    } else {
      waiting.resolve(payload);
    }
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#signed = false;
    socket?.close(1000);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of waiting) {
      clearTimeout(timer);
      reject(new Refused("lost", "The connection was lost before the server answered."));
    }
  }

  #lost(code) {
    if (this.#ended || this.#socket === null) {
      return;
    }
    const wasSteady = this.#signed && Date.now() - this.#opened > STEADY_MS;
    this.#attempts = wasSteady ? 0 : this.#attempts;
    this.#drop();
    if (code in FINAL) {
      this.#end(FINAL[code]);
      return;
    }
    if (!navigator.onLine) {
      this.#waitForNetwork();
      return;
    }
    const wait = this.#pause(code);
    this.#timer = setTimeout(() => this.open(), wait);
    this.events.state("waiting", wait);
  }

  // What a server that goes has asked for; else twice as long each time. Half of it is left to
  // chance, so that many pages do not come back in one moment.
  #pause(code) {
    const asked = this.#returnIn;
    this.#returnIn = null;
    if (asked !== null) {
      return Math.min(asked, LONGEST_MS);
    }
    const longest = Math.min(LONGEST_MS, 1000 * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.max(BUSY_MS[code] ?? 0, longest / 2) + (Math.random() * longest) / 2;
  }

  #end(why) {
    this.close();
    this.events.ended(why);
  }

  #online() {
    this.#attempts = 0;
    if (this.#socket === null) {
      this.open();
    } else {
      this.#probe();
    }
  }

  #waitForNetwork() {
    if (!this.#ended && this.#socket === null) {
      clearTimeout(this.#timer);
    }
    this.events.state("offline", 0);
  }

  // A network that has changed can leave a socket open on which nothing arrives any more.
  async #probe() {
    const socket = this.#socket;
    if (!this.#signed) {
      return;
    }
    const timer = setTimeout(() => this.#socket === socket && this.#lost(0), PROBE_MS);
    try {
      await this.request("unread", { limit: 1 });
      this.events.state("open", 0);
    } catch {
      // Whoever lost it has said so.
    } finally {
      clearTimeout(timer);
    }
  }
}

// Where the socket is: beside the page.
export function address() {
  const url = new URL("websockets", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  url.hash = "";
  return url.href;
}
