// The HTTP interface of the server.

const ROOT = "api/v1/";

// An answer that is no success: `status` of HTTP, 0 where none came, and the server's `code`.
export class Failed extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class Api {
  #token;
  #namespace;

  constructor(token, namespace, unauthorized) {
    this.#token = token;
    this.#namespace = namespace;
    this.unauthorized = unauthorized;
  }

  get(path, query) {
    return this.call("GET", path, { query });
  }

  // `key` names what is stored, so that asking twice stores it once.
  post(path, body, key) {
    return this.call("POST", path, { body, key });
  }

  async call(method, path, { query = {}, body, key } = {}) {
    const url = new URL(ROOT + path, document.baseURI);
    const asked = { namespace: this.#namespace, ...query };
    for (const [name, value] of Object.entries(asked)) {
      if (value !== undefined && value !== null && value !== "") {
        url.searchParams.set(name, value);
      }
    }
    const headers = { Authorization: `Bearer ${this.#token}`, Accept: "application/json" };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    if (key !== undefined) {
      headers["Idempotency-Key"] = key;
    }
    const text = body === undefined ? undefined : JSON.stringify(body);
    let response;
    let answer;
    try {
      response = await fetch(url, { method, headers, body: text, cache: "no-store" });
      answer = await response.text();
    } catch {
      throw new Failed(0, "lost", "The server cannot be reached");
    }
    return this.#read(response, answer);
  }

  #read(response, text) {
    let answer = {};
    try {
      answer = text === "" ? {} : JSON.parse(text);
    } catch {
      throw new Failed(response.status, "error", "The server gave an answer that is no JSON");
    }
    if (response.ok) {
      return answer;
    }
    const { code = "error", message = `The server answered ${response.status}` } = answer.error ?? {};
    const failed = new Failed(response.status, code, message);
    if (response.status === 401) {
      this.unauthorized();
    }
    throw failed;
  }
}

// A part of a path.
export const part = (name) => encodeURIComponent(name);
