// Small plots of what happened in each of the last minutes.

import { make } from "./dom.js";
import { count, number } from "./words.js";

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 64;

function shape(name, attributes) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, String(value));
  }
  return made;
}

// The figures in a sentence, for whoever does not see them.
export function words(values, one, many) {
  const sum = values.reduce((total, value) => total + value, 0);
  const most = Math.max(0, ...values);
  if (sum === 0) {
    return `No ${many} in the last ${values.length} minutes.`;
  }
  const ago = values.length - 1 - values.lastIndexOf(most);
  const when = ago === 0 ? "in this minute" : `${count(ago, "minute", "minutes")} ago`;
  return `${count(sum, one, many)} in the last ${values.length} minutes; `
    + `most were ${number(most)} in a minute, ${when}.`;
}

// Bars, one a minute, the newest at the right.
export function plot(title, values, one, many) {
  const text = words(values, one, many);
  const most = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length);
  const drawn = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${text}`,
    preserveAspectRatio: "none", class: "plot",
  });
  drawn.append(shape("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }));
  for (const [at, value] of values.entries()) {
    if (value > 0) {
      const height = Math.max(2, (value / most) * (HEIGHT - 4));
      drawn.append(shape("rect", {
        x: at * step + step * 0.1, y: HEIGHT - height, width: step * 0.8, height,
      }));
    }
  }
  return make("figure", { class: "card" },
    make("figcaption", {}, make("strong", {}, title), make("span", { class: "hint" }, text)),
    drawn,
    make("p", { class: "axis hint", "aria-hidden": "true" },
      make("span", {}, `${values.length} min ago`), make("span", {}, "now")));
}
