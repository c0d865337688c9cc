// The token of this tab. It is kept in the tab's own storage and goes nowhere but to the server.

const KEY = "framewire.token";
const EVERY_CHANNEL = "announce:channel";

export const kept = () => sessionStorage.getItem(KEY);
export const keep = (token) => sessionStorage.setItem(KEY, token);
export const forget = () => sessionStorage.removeItem(KEY);

// The claims are read to explain things; what is permitted is settled by the server.
export function claimsOf(token) {
  try {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) || {};
  } catch {
    return {};
  }
}

export function scopesOf(token) {
  const { scope } = claimsOf(token);
  const scopes = typeof scope === "string" ? scope.split(" ") : scope;
  return Array.isArray(scopes) ? scopes.filter((it) => typeof it === "string" && it !== "") : [];
}

export function namespacesOf(token) {
  const { namespaces } = claimsOf(token);
  return Array.isArray(namespaces) ? namespaces.filter((it) => typeof it === "string") : [];
}

// The feeds that the scopes name. `open` says that others may be named by hand: any channel,
// any person.
export function publishable(token) {
  const scopes = scopesOf(token);
  const feeds = [];
  for (const scope of scopes) {
    if (scope === "announce:public") {
      feeds.unshift("Public");
    } else if (scope.startsWith(`${EVERY_CHANNEL}:`)) {
      feeds.push(scope.slice(EVERY_CHANNEL.length + 1));
    } else if (scope.startsWith("announce:role:")) {
      feeds.push(scope.slice("announce:".length));
    }
  }
  const open = scopes.includes(EVERY_CHANNEL) || scopes.includes("announce:user");
  return { feeds: [...new Set(feeds)], open };
}

// A name for something that is to happen once, however often it is asked for.
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
