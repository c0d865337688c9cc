// The page at `/console`: for those who run the server.

import { Connections, Revocations, Rooms } from "./access.js";
import { Announcements } from "./announcements.js";
import { Api } from "./api.js";
import { $, notice, say } from "./dom.js";
import { Overview } from "./overview.js";
import { complain, tell } from "./panel.js";
import { Publish } from "./publish.js";
import { Schedules } from "./schedules.js";
import * as token from "./token.js";

const PANELS = {
  overview: Overview,
  publish: Publish,
  announcements: Announcements,
  schedules: Schedules,
  connections: Connections,
  rooms: Rooms,
  revocations: Revocations,
};
const FIRST = "overview";

let panels = new Map();
let shown = null;
let api = null;
let text = null;

function panel(name) {
  if (!panels.has(name)) {
    const root = document.createElement("div");
    root.className = "panel";
    $("panel").append(root);
    panels.set(name, { root, view: new PANELS[name](api, root, text) });
  }
  return panels.get(name);
}

function show(focuses) {
  if (api === null) {
    return;
  }
  const asked = location.hash.slice(1);
  const name = asked in PANELS ? asked : FIRST;
  complain("");
  tell("");
  shown?.view.leave();
  shown = panel(name);
  for (const { root } of panels.values()) {
    root.hidden = root !== shown.root;
  }
  for (const link of $("panels").querySelectorAll("a")) {
    const isHere = link.hash === `#${name}`;
    link.toggleAttribute("aria-current", isHere);
    if (isHere) {
      link.setAttribute("aria-current", "page");
    }
  }
  const heading = shown.root.querySelector("h2");
  document.title = `${heading.textContent} · Console`;
  if (focuses) {
    heading.focus();
  }
  shown.view.show();
}

function start(namespace) {
  shown?.view.leave();
  shown = null;
  panels = new Map();
  $("panel").replaceChildren();
  api = new Api(text, namespace, () => {
    signOut("The token is not valid, or not any more. Sign in with a new one.");
  });
}

// Nothing is shown before the server has said that the token allows it.
async function signIn(given, focuses) {
  text = given;
  complain("");
  $("sign-in").disabled = true;
  say($("status"), "Signing in…");
  const namespaces = token.namespacesOf(given);
  start(namespaces[0]);
  const asked = api;
  try {
    await asked.get("statistics");
  } catch (error) {
    if (api === asked) {
      const isRefused = error.status === 403;
      signOut(isRefused ? "This token does not allow the console: it lacks the scope admin." : `${error.message}.`);
    }
    return;
  }
  token.keep(given);
  const claims = token.claimsOf(given);
  say($("who"), String(claims.preferred_username ?? claims.sub ?? "operator"));
  say($("status"), "Signed in");
  $("status").dataset.state = "open";
  $("namespace").replaceChildren(...namespaces.map((name) => new Option(name, name)));
  $("namespace-field").hidden = namespaces.length < 2;
  $("account").hidden = false;
  $("sign-in-section").hidden = true;
  $("signed-in").hidden = false;
  show(focuses);
}

function signOut(reason) {
  shown?.view.leave();
  shown = null;
  api = null;
  text = null;
  token.forget();
  panels = new Map();
  $("panel").replaceChildren();
  if ($("question").open) {
    $("question").close("no");
  }
  $("account").hidden = true;
  $("namespace-field").hidden = true;
  $("signed-in").hidden = true;
  $("sign-in-section").hidden = false;
  $("sign-in").disabled = false;
  document.title = "Console";
  say($("status"), "Not signed in");
  $("status").dataset.state = "closed";
  tell("");
  notice($("error"), reason);
  $("token").focus();
}

$("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("token").value.trim();
  $("sign-in-form").reset();
  if (given !== "") {
    signIn(given, true);
  }
});
$("sign-out").addEventListener("click", () => signOut(""));
$("namespace").addEventListener("change", () => {
  start($("namespace").value);
  show(false);
});
window.addEventListener("hashchange", () => show(true));

const kept = token.kept();
if (kept !== null) {
  signIn(kept, false);
}
