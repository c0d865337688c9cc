// What the panels of the console have in common: tables, errors, questions.

import { $, button, make, notice } from "./dom.js";

// A table with a caption. `columns` are the headings, `rows` the cells: texts or elements.
export function table(caption, columns, rows) {
  const cells = (row) => row.map((cell, at) => (at === 0
    ? make("th", { scope: "row", "data-column": columns[at] }, cell)
    : make("td", { "data-column": columns[at] }, cell)));
  return make("div", { class: "scroll" }, make("table", {},
    make("caption", { class: "unseen" }, caption),
    make("thead", {}, make("tr", {}, ...columns.map((it) => make("th", { scope: "col" }, it)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row))))));
}

export const empty = (strong, text = "") => make("p", { class: "empty" }, make("strong", {}, strong), text);

export const loading = () => make("div", { class: "loading" },
  make("p", { class: "unseen" }, "Loading…"), make("div", { class: "ghost" }));

export function complain(text) {
  notice($("error"), text);
}

export function tell(text) {
  notice($("done"), text);
}

// Does something and says how it went; `undefined` where it failed.
export async function attempt(what, work) {
  complain("");
  tell("");
  try {
    return await work();
  } catch (error) {
    if (error.status === undefined) {
      throw error;
    }
    const wrong = error.message.replace(/\.$/, "");
    complain(error.status === 403 ? `${what}: your token does not allow it (${wrong}).` : `${what}: ${wrong}.`);
    return undefined;
  }
}

// Asks before something that cannot be taken back. Resolves with whether to do it.
export function confirmed(question, verb) {
  const dialog = $("question");
  $("question-text").textContent = question;
  const answer = new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
  const yes = button(verb, () => dialog.close("yes"), { class: "danger", id: "question-yes" });
  const no = button("Cancel", () => dialog.close("no"), { class: "quiet" });
  $("question-answers").replaceChildren(no, yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return answer;
}
