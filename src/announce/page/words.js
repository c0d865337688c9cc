// What is shown, in words.

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const NUMBER = new Intl.NumberFormat();
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const UNITS = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1000]];

export const PRIORITIES = ["urgent", "high", "normal", "low"];

const PRIORITY_WORDS = { urgent: "Urgent", high: "Important", low: "Low priority" };

// The words for a priority; none for the usual one.
export const priorityWords = (priority) => PRIORITY_WORDS[priority] ?? "";

export const number = (value) => NUMBER.format(value);

// "1 person", "2 people".
export function count(value, one, many) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

// A moment, short where it is today.
export function moment(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) {
    return "";
  }
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? `Today, ${CLOCK.format(date)}` : DAY.format(date);
}

const WALL = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  timeZone: "UTC",
});

// A time as the clock on a wall elsewhere shows it.
export function wallTime(local) {
  const date = new Date(`${local.slice(0, 16)}Z`);
  return Number.isNaN(date.getTime()) ? local : WALL.format(date);
}

// "in 2 hours", "3 minutes ago".
export function distance(text, now = Date.now()) {
  const away = new Date(text).getTime() - now;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? UNITS.at(-1);
  return RELATIVE.format(Math.trunc(away / size), unit);
}

// A length of time in its two largest units.
export function duration(seconds) {
  const parts = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  let left = Math.floor(seconds);
  const words = [];
  for (const [unit, size] of parts) {
    if (left >= size && words.length < 2) {
      words.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
  }
  return words.join(" ") || "0 s";
}

// The name of a feed as people say it.
export function feedWords(feed, user) {
  if (feed === "Public") {
    return "Everyone";
  }
  if (feed.startsWith("role:")) {
    return `Role ${feed.slice(5)}`;
  }
  if (feed.startsWith("user:")) {
    return feed.slice(5) === user ? "Only you" : `Only ${feed.slice(5)}`;
  }
  return feed;
}

// A field of an announcement, whatever its publisher put there.
export function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function titleOf(announcement) {
  const { title } = announcement;
  return title === undefined || title === "" ? "Announcement" : textOf(title);
}
