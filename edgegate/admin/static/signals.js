// How the gateway does: what it is, and its signals with a line of the last minutes.

import {by, each, el, say, set} from "./dom.js";
import * as format from "./format.js";
import {Sparkline} from "./sparkline.js";
import {REMEMBERED} from "./state.js";

// The gateway ---------------------------------------------------------------------------------------------------------

export function showIdentity(state) {
  const {gateway} = state;
  const pairs = [
    ["State", gateway.state],
    ["Files", gateway.config],
    ["In force since", gateway.generation_at ? format.moment(gateway.generation_at) : null],
    ["Version", gateway.version, "wide-only"],
    ["Running since", gateway.started ? format.moment(gateway.started) : null, "wide-only"],
    ["Process", gateway.pid, "wide-only"],
  ].filter(([, value]) => value !== null && value !== undefined);
  const make = ([name, , kind]) => el("div", {class: kind}, el("dt", {}, name), el("dd", {}));
  each(
    by("identity"),
    pairs,
    ([name]) => name,
    make,
    (element, [, value]) => say(element.lastElementChild, value),
  );
}

// The signals ---------------------------------------------------------------------------------------------------------

const SIGNALS = [
  {
    name: "Requests",
    unit: "a second",
    value: totals => format.rate(totals.rps),
    lines: ["trace"],
    series: [each => each.rps],
  },
  {
    name: "Fail",
    unit: "of all requests",
    value: totals => (totals.rps ? format.share(totals.error_share) : "–"),
    lines: ["trace"],
    series: [each => each.error_share ?? 0],
    least: 0.05,
    level: totals => (totals.error_share >= 0.5 ? "bad" : totals.error_share >= 0.01 ? "warn" : "ok"),
  },
  {
    name: "Latency",
    unit: "p95",
    value: totals => format.milliseconds(totals.p95),
    lines: ["trace faint", "trace", "trace faint"],
    series: [each => each.p50, each => each.p95, each => each.p99],
    more: totals => `p50 ${format.milliseconds(totals.p50)}, p99 ${format.milliseconds(totals.p99)}`,
  },
  {
    name: "Requests under way",
    unit: "",
    value: (_, gateway) => format.count(gateway.active),
    lines: ["trace"],
    series: [each => each.active],
    least: 5,
    more: (_, gateway) => format.many(gateway.connections ?? 0, "connection"),
  },
];

export class Signals {
  constructor() {
    this.tiles = SIGNALS.map(signal => this.#tile(signal));
    by("signals").append(...this.tiles.map(tile => tile.element));
  }

  #tile({name, unit, lines}) {
    const tile = {
      value: el("span", {class: "value"}),
      more: el("p", {class: "soft"}),
      spark: new Sparkline(lines),
      span: el("p", {class: "soft span"}),
    };
    tile.element = el(
      "div",
      {class: "signal"},
      el("h3", {}, name),
      el("p", {}, tile.value, " ", el("span", {class: "soft"}, unit)),
      tile.more,
      tile.spark.element,
      tile.span,
    );
    return tile;
  }

  show({totals, gateway, history, now}) {
    const first = history.length ? Math.round((now - history[0].at) / 1000) : 0;
    SIGNALS.forEach((signal, index) => {
      const {value, more, spark, span, element} = this.tiles[index];
      say(value, signal.value(totals, gateway));
      const extreme = range(history.map(signal.series.at(signal.series.length > 1 ? 1 : 0)), signal);
      say(more, signal.more?.(totals, gateway) ?? "");
      more.hidden = !signal.more;
      set(element, "data-level", signal.level?.(totals) ?? "ok");
      const width = Math.max(24, Math.min(Math.ceil(first / 5) + 1, REMEMBERED / 5));
      spark.draw(
        signal.series.map(of => slots(history, of, now)),
        width,
        signal.least,
      );
      say(span, first < 5 ? "" : `${extreme} in ${format.duration(first)}`);
    });
  }
}

/** Says in words what a line shows: its least and most. */
function range(values, signal) {
  const known = values.filter(value => value !== null && value !== undefined);
  if (!known.length) return "nothing yet";
  const shown = signal.name === "Fail" ? format.share : signal.name === "Latency" ? format.milliseconds : format.rate;
  return `${shown(Math.min(...known))} to ${shown(Math.max(...known))}`;
}

/** Puts values into slots of five seconds, the mean of each. */
function slots(history, of, now) {
  const found = new Map();
  for (const each of history) {
    const value = of(each);
    if (value === null || value === undefined) continue;
    const slot = Math.floor((now - each.at) / 5000);
    const [sum, times] = found.get(slot) ?? [0, 0];
    found.set(slot, [sum + value, times + 1]);
  }
  const most = Math.max(0, ...found.keys());
  return Array.from({length: most + 1}, (_, index) => {
    const [sum, times] = found.get(most - index) ?? [0, 0];
    return times ? sum / times : null;
  });
}
