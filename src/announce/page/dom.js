// Elements. Whatever somebody wrote becomes text, never markup.

export const $ = (id) => document.getElementById(id);

// Makes an element. An attribute that is `true` stands without a value; one that is `false`,
// `null` or `undefined` is left out. Children are elements and texts.
export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) {
      made.setAttribute(key, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(key, String(value));
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A button that does something.
export function button(text, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

// A time as people say it, and as machines do.
export function time(moment, words) {
  return make("time", { datetime: moment }, words);
}

// Sets a text only where it is another, so that no reader hears it twice.
export function say(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

// Shows a message, or hides its place where there is none.
export function notice(element, text) {
  say(element, text);
  element.hidden = text === "";
}

// Puts back the focus that would be lost with `leaving`.
export function keepFocus(leaving, next) {
  if (leaving.contains(document.activeElement)) {
    next?.focus();
  }
}
