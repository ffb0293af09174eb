// States by word and shape, and never by colour alone.

import {el, say, set} from "./dom.js";

const SHAPES = {bad: "▲", warn: "◆", ok: "●", none: "○"};

/** Makes a mark: a shape, and a word beside it unless somebody says the same in other words. */
export function mark(level = "none", word = "") {
  const element = el("span", {class: "mark"}, el("span", {"aria-hidden": "true"}), el("span", {class: "word"}));
  remark(element, level, word);
  return element;
}

/** Has it show another state. */
export function remark(element, level, word = "") {
  const [shape, words] = element.children;
  set(element, "data-level", level);
  say(shape, SHAPES[level]);
  say(words, word);
}

/** Whether a route or a host is of TCP, whose connections are relayed, and not of HTTP. */
export function isRelayed(row) {
  return row.open !== undefined;
}

/** How well what had this traffic does. */
export function levelOf({rps, relays, errors, error_share: share}) {
  if (!rps && !relays) return "none";
  if (!errors || !share) return "ok";
  if (share >= 0.5) return "bad";
  return share >= 0.01 ? "warn" : "ok";
}

/** How well an endpoint does. */
export function levelOfEndpoint(row) {
  if (row.health !== "healthy") return "bad";
  const level = levelOf(row);
  return level === "none" ? "ok" : level;
}

/** How well a backend does. */
export function levelOfCluster(row) {
  if (row.endpoints > 0 && row.healthy === 0) return "bad";
  const level = levelOf(row);
  if (level === "bad") return level;
  if (row.healthy < row.endpoints || row.full?.length) return "warn";
  return level === "none" ? "ok" : level;
}

/** Says how an endpoint does. */
export function wordOfEndpoint(row) {
  if (row.health !== "healthy") return row.health;
  return {bad: "fails", warn: "fails at times"}[levelOfEndpoint(row)] ?? "healthy";
}

/** Says how a backend does. */
export function wordOfCluster(row) {
  if (!row.endpoints) return "no endpoint";
  const fit = `${row.healthy} of ${row.endpoints} can be used`;
  return {bad: `${fit}, fails`, warn: `${fit}, fails at times`}[row.healthy ? levelOf(row) : "none"] ?? fit;
}

/** The worse comes first. */
export const RANK = {bad: 3, warn: 2, ok: 1, none: 0};
