// The page: it asks for the stream, and shows what comes.

import {Backends} from "./backends.js";
import {Detail} from "./detail.js";
import {by, each, el, say, set} from "./dom.js";
import {Explain} from "./explain.js";
import * as format from "./format.js";
import {FlowMap} from "./map.js";
import {mark, remark} from "./marks.js";
import {Certificates, Limits, Reloads, Workers} from "./panels.js";
import {Routes} from "./routes.js";
import {Signals, showIdentity} from "./signals.js";
import {State} from "./state.js";
import {Stream} from "./stream.js";
import {headline, troubles} from "./verdict.js";

const KEY = "edgegate-token";
const TOP = 50;
/** An event comes each second: after as many milliseconds without one the page is stale, or the other side gone. */
const STALE = 3000;
const SILENT = 8000;
const TYPED = 250;
/** Things that are wrong, of which each has a line. */
const LISTED = 12;

const view = {sort: "errors", filter: ""};
const link = {state: "connecting", heard: 0, more: {}};
let token = stored();
let state = new State();
let drawing = false;

const open = id => detail.open(id, state);
const routes = new Routes(open, sort);
const backends = new Backends();
const map = new FlowMap(open, filter);
const detail = new Detail();
const signals = new Signals();
new Explain(() => token, askForToken);
const panels = [new Reloads(), new Certificates(), new Limits(), new Workers()];

const stream = new Stream({
  address: () => `stream?${new URLSearchParams({top: TOP, sort: view.sort, filter: view.filter})}`,
  token: () => token,
  silent: SILENT,
  event(name, data) {
    link.heard = performance.now();
    state.apply(name, data);
    draw();
  },
  state(now, more = {}) {
    Object.assign(link, {state: now, more});
    if (now === "token") askForToken();
    showLink();
  },
});

// What is shown -------------------------------------------------------------------------------------------------------

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (state.known) show();
  });
}

function show() {
  format.now(state.time);
  by("shown").hidden = by("pause").hidden = false;
  showVerdict(troubles(state));
  showIdentity(state);
  signals.show(state);
  map.show(state);
  routes.show(state, view.sort, view.filter);
  backends.show(state, view.filter);
  for (const panel of panels) panel.show(state);
  detail.show(state);
}

function showVerdict(found) {
  const level = found[0]?.level ?? "ok";
  set(by("verdict"), "data-level", level);
  say(by("headline"), headline(found));
  say(by("said"), [headline(found), ...found.slice(0, 5).map(each => each.title)].join(". "));
  document.title = `${found.length ? `${level === "bad" ? "▲" : "◆"} ${found.length} – ` : ""}edgegate`;
  say(by("more"), found.length > LISTED ? `and ${found.length - LISTED} more` : "");
  each(by("troubles"), found.slice(0, LISTED), trouble => trouble.key, makeTrouble, updateTrouble);
}

function makeTrouble() {
  const item = el(
    "li",
    {},
    mark(),
    el(
      "div",
      {},
      el("button", {type: "button", class: "plain", click: () => go(item.trouble)}),
      " ",
      el("span", {class: "figures"}),
      " ",
      el("span", {class: "place"}),
    ),
  );
  return item;
}

function updateTrouble(item, trouble) {
  const [shape, body] = item.children;
  const [title, figures, place] = body.children;
  item.trouble = trouble;
  set(item, "data-level", trouble.level);
  remark(shape, trouble.level);
  say(title, trouble.title);
  say(figures, trouble.figures ?? "");
  say(place, trouble.place ?? "");
}

/** Leads to where the page shows more of it. */
function go({route, section}) {
  if (route) open(route);
  else {
    by(section).scrollIntoView();
    by(section).focus({preventScroll: true});
  }
}

function showLink() {
  const {state: now, more} = link;
  const silence = (performance.now() - link.heard) / 1000;
  const stale = state.known && now !== "paused" && link.heard > 0 && silence * 1000 > STALE;
  const words = {
    connecting: state.known ? "connecting again" : "connecting",
    live: stale ? "nothing comes" : "live",
    waiting: `${more.why ? `${more.why}, ` : ""}connecting again`,
    token: "waits for the token",
    paused: "paused",
  }[now];
  say(by("state"), stale ? `Stale: ${words}` : capital(words));
  // not read out, each second
  say(by("age"), stale ? `for ${format.duration(silence)}` : "");
  const level = stale ? "stale" : ({live: "live", paused: "paused"}[now] ?? (state.known ? "live" : "waiting"));
  set(document.body, "data-link", level);
}

// What is done --------------------------------------------------------------------------------------------------------

function sort(what) {
  view.sort = what;
  stream.open();
}

function filter(text) {
  const field = by("filter");
  // what is clicked again is shown no more alone
  field.value = field.value === text ? "" : text;
  filtered();
}

function filtered() {
  const text = by("filter").value.trim();
  if (text === view.filter) return;
  view.filter = text;
  stream.open();
}

let typed = 0;
by("filter").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(filtered, TYPED);
});

by("pause").addEventListener("click", () => {
  const pausing = link.state !== "paused";
  set(by("pause"), "aria-pressed", pausing ? "true" : "false");
  say(by("pause"), pausing ? "Go on" : "Pause");
  if (pausing) stream.pause();
  else stream.open();
});

setInterval(showLink, 500);

// The token -----------------------------------------------------------------------------------------------------------

function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function keep(text) {
  token = text;
  try {
    if (text === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, text);
  } catch {
    // it is in memory
  }
}

function askForToken() {
  if (token !== null) say(by("token-words"), "That is not the token. It is in the file that --admin-token-file names.");
  keep(null);
  state = new State();
  by("shown").hidden = by("pause").hidden = true;
  by("token").hidden = false;
  by("token-text").focus();
}

by("token").addEventListener("submit", event => {
  event.preventDefault();
  keep(by("token-text").value.trim());
  by("token-text").value = "";
  by("token").hidden = true;
  // these pages can't be opened by a link, which has no token
  by("pages").hidden = true;
  stream.open();
});

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

if (token !== null) by("pages").hidden = true;
stream.open();
