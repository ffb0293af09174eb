// One route: where it is said, what it does, its last errors and its slowest requests.

import {by, el, say} from "./dom.js";
import {endpointsOf} from "./backends.js";
import {whose, words} from "./flags.js";
import * as format from "./format.js";
import {
  isRelayed,
  levelOf,
  levelOfCluster,
  levelOfEndpoint,
  mark,
  remark,
  wordOfCluster,
  wordOfEndpoint,
} from "./marks.js";
import {Table, number, text} from "./table.js";
import {named, titleOf} from "./verdict.js";

export class Detail {
  #id = null;
  #row = null;

  constructor() {
    this.dialog = by("route");
    this.mark = mark();
    this.title = el("h2", {id: "route-title"});
    this.place = el("p", {class: "place"});
    this.facts = el("dl", {class: "facts"});
    this.flags = new Table("Response flags, and what they mean", [
      text("Flag", row => row.id, {head: true}),
      text("What happened", row => row.told),
      text("Look at", row => whose(row.id)),
      number("A second", row => format.rate(row.rate)),
    ]);
    this.targets = new Table("Where it leads to", [
      {title: "Backend", head: true, show: (cell, row) => say(cell, row.name)},
      {title: "State", show: showState},
      number("Req/s", row => format.rate(row.rps)),
      number("Fail", row => (row.rps || row.relays ? format.share(row.error_share) : "–")),
    ]);
    this.errors = new Table("Its last errors", columns(true));
    this.slowest = new Table("Its slowest requests", columns(false));
    const close = el("button", {type: "button", class: "close", click: () => this.dialog.close()}, "Close");
    this.dialog.append(
      el("div", {class: "bar"}, el("div", {class: "named"}, this.mark, this.title), close),
      this.place,
      this.facts,
      el("h3", {}, "Leads to"),
      scrolling(this.targets),
      el("h3", {}, "What went wrong, by response flag"),
      scrolling(this.flags),
      el("h3", {}, "Last errors"),
      scrolling(this.errors),
      el("h3", {}, "Slowest requests"),
      scrolling(this.slowest),
    );
    this.dialog.addEventListener("close", () => {
      this.#id = this.#row = null;
    });
    // a click beside it closes it
    this.dialog.addEventListener("click", event => {
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  /** Opens it. */
  open(id, state) {
    this.#id = id;
    this.#row = null;
    this.show(state);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  /** Shows what is new, where it is open. */
  show(state) {
    if (this.#id === null) return;
    const row = (this.#row = state.routes.get(this.#id) ?? this.#row);
    if (row === null) return;
    remark(this.mark, levelOf(row));
    say(this.title, titleOf(row));
    say(this.place, [row.file, row.resource, named(row) ? `route ${row.name}` : ""].filter(Boolean).join(" · "));
    facts(this.facts, [
      ...(isRelayed(row) ? relayed(row) : requested(row)),
      ["Matches", row.match],
      ["Does", row.action ?? "–"],
    ]);
    this.targets.show(
      (row.clusters ?? []).flatMap(id => targets(state, id)),
      "It leads to no backend.",
    );
    const flags = Object.entries(row.flags ?? {})
      .sort(([, one], [, other]) => other - one)
      .map(([id, rate]) => ({id, rate, told: words([id], state.flags)}));
    this.flags.show(flags, "Nothing, in the last seconds.");
    const {errors = [], slowest = []} = state.examples[this.#id] ?? {};
    this.errors.show(
      errors.map(each => example(each, state.flags)),
      "None is known.",
    );
    this.slowest.show(
      slowest.map(each => example(each, state.flags)),
      "None is known.",
    );
  }
}

function requested(row) {
  return [
    ["Requests/s", format.rate(row.rps)],
    ["Fail", format.share(row.error_share)],
    ["4xx", format.share(row.client_share)],
    ["p50", format.milliseconds(row.p50)],
    ["p95", format.milliseconds(row.p95)],
    ["p99", format.milliseconds(row.p99)],
    ["Backend's p95", format.milliseconds(row.backend_p95)],
  ];
}

function relayed(row) {
  return [
    ["Open", format.count(row.open)],
    ["Ended/s", format.rate(row.relays)],
    ["Fail", format.share(row.error_share)],
    ["From clients", `${format.bytes(row.received)}/s`],
    ["To clients", `${format.bytes(row.sent)}/s`],
  ];
}

function scrolling(table) {
  return el(
    "div",
    {class: "wide", role: "group", "aria-label": table.table.caption.textContent, tabindex: "0"},
    table.element,
  );
}

function facts(list, pairs) {
  while (list.children.length < pairs.length) list.append(el("div", {}, el("dt", {}), el("dd", {})));
  pairs.forEach(([name, value], index) => {
    const [term, description] = list.children[index].children;
    say(term, name);
    say(description, value);
  });
}

function targets(state, id) {
  const cluster = state.clusters.get(id);
  const level = cluster ? levelOfCluster(cluster) : "none";
  const told = cluster ? wordOfCluster(cluster) : "";
  return [
    {...cluster, id, name: format.cluster(id), level, told},
    ...endpointsOf(state, id).map(each => ({
      ...each,
      name: each.address,
      level: levelOfEndpoint(each),
      told: wordOfEndpoint(each),
    })),
  ];
}

function showState(cell, row) {
  if (!cell.firstChild) cell.append(mark());
  remark(cell.firstChild, row.level, row.told);
}

function example(found, meanings) {
  const {time, request_id: request, method, path, endpoint, milliseconds} = found;
  const why = [words(found.flags ?? [], meanings), found.reason].filter(Boolean).join(": ");
  return {...found, why, id: [time, request, method, path, endpoint, milliseconds].join("\n")};
}

function columns(failed) {
  return [
    text("At", row => format.moment(row.time), {time: true}),
    text("Request", row => `${row.method ?? ""} ${row.path ?? ""}`, {head: true}),
    number("Status", row => row.status || "none"),
    ...(failed
      ? [
          text("Flags", row => (row.flags ?? []).join(" ") || "–"),
          text("What happened", row => row.why || "the backend's own answer", {wordy: true}),
        ]
      : []),
    number("Took", row => format.milliseconds(row.milliseconds)),
    number("Backend", row => format.milliseconds(row.backend_milliseconds)),
    text("Endpoint", row => row.endpoint ?? "–"),
    number("Tries", row => format.count(row.attempts)),
    text("Request id", row => row.request_id ?? "–", {mono: true}),
  ];
}
