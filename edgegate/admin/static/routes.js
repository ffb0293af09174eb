// The routes: the worst first, then the busiest, unless somebody wants them otherwise.

import {by, el, say, set} from "./dom.js";
import * as format from "./format.js";
import {isRelayed, levelOf, mark, remark} from "./marks.js";
import {Sparkline} from "./sparkline.js";
import {Table, number, place, text} from "./table.js";
import {named} from "./verdict.js";

export class Routes {
  /**
   * @param open Called with the id of a route that was chosen.
   * @param sorted Called with what the rows are to be sorted by.
   */
  constructor(open, sorted) {
    this.table = new Table("Routes and their traffic", this.#columns(open), sorted);
    by("routes-table").append(this.table.element);
  }

  #columns(open) {
    return [
      {title: "Route", head: true, sort: "name", show: (cell, row) => showRoute(cell, row, open)},
      number("Req/s", row => (isRelayed(row) ? `${format.count(row.open)} open` : format.rate(row.rps)), {sort: "rps"}),
      {title: "Fail", number: true, sort: "errors", show: showShare},
      number("4xx", row => format.share(row.client_share), {wide: true}),
      number("p50", row => format.milliseconds(row.p50), {wide: true}),
      number("p95", row => format.milliseconds(row.p95), {wide: true}),
      number("p99", row => format.milliseconds(row.p99), {sort: "p99"}),
      {title: "2 minutes", wide: true, show: (cell, row) => this.#trend(cell, row)},
      text("Leads to", target, {wide: true}),
      place(),
    ];
  }

  #trend(cell, row) {
    cell.spark ??= new Sparkline(["trace", "trace bad"]);
    if (!cell.firstChild) cell.append(cell.spark.element);
    const traffic = this.state.traffic(row.id);
    cell.spark.draw(
      [
        traffic.map(([rps]) => rps),
        traffic.map(([rps, errors]) => (errors >= 0.005 * rps && errors > 0 ? errors : null)),
      ],
      120,
    );
  }

  show(state, sort, filter) {
    this.state = state;
    const {rows, total, rest} = state.routes;
    this.table.sortedBy(sort);
    say(by("routes-words"), counted(rows.length, total, rest, sort, filter));
    this.table.show(rows, filter ? "No route has that in it." : "No route is served.", (element, row) =>
      set(element, "data-level", levelOf(row)),
    );
  }
}

const FIRST = {
  errors: "the worst first, then the busiest",
  rps: "the busiest first",
  p99: "the slowest first",
  name: "by name",
};

function counted(shown, total, rest, sort, filter) {
  const found = filter ? shown + rest : total;
  const which = filter ? ` with “${filter}” in them` : "";
  const part = rest > 0 ? `${format.count(shown)} of ${format.many(found, "route")}` : format.many(shown, "route");
  return `${part}${which}, ${FIRST[sort]}`;
}

function showRoute(cell, row, open) {
  if (!cell.firstChild) {
    cell.parts = {mark: mark(), host: el("span", {class: "host"}), match: el("span", {class: "match"})};
    const {mark: state, host, match} = cell.parts;
    const button = el("button", {type: "button", class: "plain", click: () => open(cell.row.id)}, host, " ", match);
    cell.classList.add("named");
    cell.append(state, button);
  }
  cell.row = row;
  remark(cell.parts.mark, levelOf(row));
  say(cell.parts.host, row.host || "no host");
  say(cell.parts.match, named(row) ? `${row.match} · ${row.name}` : row.match);
}

/** Shows which part of requests, or of relays, fails. */
export function showShare(cell, row) {
  say(cell, row.rps || row.relays ? format.share(row.error_share) : "–");
  const level = levelOf(row);
  set(cell, "data-level", level === "ok" && row.errors ? "some" : level);
}

function target(row) {
  if (row.action && row.action !== "forward") return row.action;
  const names = (row.clusters ?? []).map(format.cluster);
  return names.length > 2 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ") || "–";
}
