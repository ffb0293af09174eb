// The map: what leads from listeners through hosts and routes to backends and endpoints. The worst and the busiest are
// drawn; the tables below have the rest.

import {by, each, el, say, set, svg} from "./dom.js";
import * as format from "./format.js";
import {endpointsOf} from "./backends.js";
import {RANK, isRelayed, levelOf, levelOfCluster, levelOfEndpoint, mark, remark} from "./marks.js";
import {named} from "./verdict.js";

const COLUMNS = [
  ["listeners", "Listeners"],
  ["hosts", "Hosts"],
  ["routes", "Routes"],
  ["clusters", "Backends"],
  ["endpoints", "Endpoints"],
];
const MOST = 12;
const MOST_NARROW = 5;
const MOST_ENDPOINTS = 3;
/** How much more or less traffic makes a route change places. */
const CHANGE = 1.6;

export class FlowMap {
  #ranked = new Map();
  #links = [];
  #cards = new Map();
  #over = null;

  /**
   * @param open Called with the id of a route that was chosen.
   * @param filter Called with a text that what was chosen has in it.
   */
  constructor(open, filter) {
    this.open = open;
    this.filter = filter;
    this.lines = svg("svg", {class: "lines", "aria-hidden": "true"});
    this.lists = Object.fromEntries(COLUMNS.map(([name]) => [name, el("ul", {})]));
    const columns = COLUMNS.map(([name, title]) => el("div", {class: "column"}, el("h3", {}, title), this.lists[name]));
    this.element = by("map");
    this.element.append(this.lines, ...columns);
    this.narrow = matchMedia("(max-width: 760px)");
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  show(state) {
    const shown = this.#choose(state);
    for (const [name] of COLUMNS) {
      each(
        this.lists[name],
        shown[name],
        row => row.key,
        row => this.#make(row),
        (item, row) => this.#update(item, row),
      );
    }
    this.#cards = new Map(COLUMNS.flatMap(([name]) => [...this.lists[name].known]));
    this.#links = shown.links;
    const [drawn, all] = [shown.routes.length, state.routes.rows.length + state.routes.rest];
    const part = `${format.many(drawn, "route")} of ${format.count(all)}: the worst, then the busiest`;
    say(by("map-words"), drawn < all ? part : "");
    this.#draw();
  }

  // What is shown ---------------------------------------------------------------------------------------------------

  #choose(state) {
    const most = this.narrow.matches ? MOST_NARROW : MOST;
    const routes = this.#order(state.routes.rows)
      .slice(0, most)
      .map(row => routeCard(row));
    const found = {
      listeners: new Map(),
      hosts: new Map(),
      routes: new Map(),
      clusters: new Map(),
      endpoints: new Map(),
      links: [],
    };
    for (const {row} of routes) {
      const host = state.hosts.get(row.host_id) ?? {id: row.host_id, host: row.host};
      const listener = state.listeners.get(row.listener) ?? {id: row.listener, address: row.listener, servers: []};
      const keys = [`l ${listener.id}`, `h ${host.id}`, `r ${row.id}`];
      put(found.listeners, keys[0], () => listenerCard(listener));
      put(found.hosts, keys[1], () => hostCard(host));
      put(found.routes, keys[2], () => routeCard(row));
      link(found.links, keys[0], keys[1], host);
      link(found.links, keys[1], keys[2], row);
      this.#behind(state, row, keys[2], found);
    }
    const lists = COLUMNS.map(([name]) => [name, [...found[name].values()]]);
    return {...Object.fromEntries(lists), links: found.links};
  }

  #behind(state, row, key, found) {
    for (const id of row.clusters ?? []) {
      const cluster = state.clusters.get(id) ?? {id};
      const name = `c ${id}`;
      const known = found.clusters.has(name);
      put(found.clusters, name, () => clusterCard(cluster));
      link(found.links, key, name, row.clusters.length === 1 ? row : {rps: row.rps});
      if (known) continue;
      const endpoints = endpointsOf(state, id);
      for (const each of endpoints.slice(0, MOST_ENDPOINTS)) {
        put(found.endpoints, `e ${each.id}`, () => endpointCard(each));
        link(found.links, name, `e ${each.id}`, each, levelOfEndpoint(each));
      }
      const rest = Math.max(cluster.endpoints ?? 0, endpoints.length) - Math.min(endpoints.length, MOST_ENDPOINTS);
      if (rest > 0) {
        const title = endpoints.length
          ? `and ${format.many(rest, "more endpoint", "more endpoints")}`
          : format.many(rest, "endpoint");
        put(found.endpoints, `m ${id}`, () => ({
          key: `m ${id}`,
          title,
          level: "none",
          row: {},
          figures: "",
          filter: "",
        }));
        link(found.links, name, `m ${id}`, {});
      }
    }
  }

  /** The worst first, then the busiest; a little more traffic does not have routes change places all the time. */
  #order(rows) {
    const ranked = new Map();
    for (const row of rows) {
      const known = this.#ranked.get(row.id);
      const rps = row.rps ?? 0;
      const steady = known && rps < known.rps * CHANGE && rps > known.rps / CHANGE;
      ranked.set(row.id, {level: RANK[levelOf(row)], rps: steady ? known.rps : rps});
    }
    this.#ranked = ranked;
    const bad = ({level}) => (level > 1 ? level : 1);
    return [...rows].sort((one, other) => {
      const [a, b] = [ranked.get(one.id), ranked.get(other.id)];
      return bad(b) - bad(a) || b.rps - a.rps;
    });
  }

  // How it is shown -------------------------------------------------------------------------------------------------

  #make(card) {
    const parts = {
      mark: mark(),
      title: el("span", {class: "title"}),
      figures: el("span", {class: "figures"}),
      latency: el("span", {class: "latency"}),
      failing: el("span", {class: "failing"}),
    };
    const does = () => (item.card.route ? this.open(item.card.route) : this.filter(item.card.filter));
    const inner = [parts.mark, parts.title, parts.figures, parts.latency, parts.failing];
    const body =
      card.route || card.filter
        ? el("button", {type: "button", class: "card", click: does}, ...inner)
        : el("div", {class: "card"}, ...inner);
    const item = el(
      "li",
      {
        pointerenter: () => this.#light(item.card.key),
        pointerleave: () => this.#light(null),
        focusin: () => this.#light(item.card.key),
        focusout: () => this.#light(null),
      },
      body,
    );
    item.parts = parts;
    return item;
  }

  #update(item, card) {
    const {parts} = item;
    item.card = card;
    remark(parts.mark, card.level);
    say(parts.title, card.title);
    set(parts.title, "title", card.title);
    const {errors, error_share: share} = card.row;
    const failing = errors && (share >= 0.01 || !card.words) ? `${format.share(share)} fail` : (card.words ?? "");
    say(parts.figures, card.figures);
    say(parts.failing, failing);
    say(parts.latency, failing ? "" : (card.latency ?? ""));
    set(item, "data-level", card.level);
  }

  #light(key) {
    this.#over = key;
    this.#shade();
  }

  /** Shows with what one of them is connected, either way. */
  #shade() {
    const near = this.#over === null ? null : connected(this.#over, this.#links);
    for (const [key, item] of this.#cards) set(item, "data-far", near !== null && !near.has(key));
    for (const path of this.lines.children)
      set(path, "data-far", near !== null && !(near.has(path.from) && near.has(path.to)));
  }

  #draw() {
    if (this.narrow.matches) {
      this.lines.replaceChildren();
      return;
    }
    const frame = this.element.getBoundingClientRect();
    set(this.lines, "width", Math.round(frame.width));
    set(this.lines, "height", Math.round(frame.height));
    const boxes = new Map([...this.#cards].map(([key, item]) => [key, item.firstElementChild.getBoundingClientRect()]));
    each(
      this.lines,
      this.#links,
      ({from, to}) => `${from}\n${to}`,
      ({from, to}) => Object.assign(svg("path", {}), {from, to}),
      (path, {from, to, rps, level}) => {
        set(path, "d", curve(boxes.get(from), boxes.get(to), frame));
        set(path, "stroke-width", rps ? (1 + Math.min(Math.log10(1 + rps), 4)).toFixed(1) : 1);
        set(path, "data-level", level);
      },
    );
    this.#shade();
  }
}

/** Leads from the right of a box to the left of another, within a frame. */
function curve(start, end, frame) {
  const [x1, y1] = [start.right - frame.left, start.top + start.height / 2 - frame.top].map(Math.round);
  const [x2, y2] = [end.left - frame.left, end.top + end.height / 2 - frame.top].map(Math.round);
  const bend = Math.round((x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function put(map, key, make) {
  if (!map.has(key)) map.set(key, make());
}

function link(links, from, to, row, level = levelOf(row)) {
  links.push({from, to, rps: row.rps ?? 0, level});
}

function connected(key, links) {
  const near = new Set([key]);
  const walk = (from, to) => {
    for (let last = [key]; last.length;) {
      last = links
        .filter(each => last.includes(each[from]))
        .map(each => each[to])
        .filter(each => !near.has(each) || each === key);
      last.forEach(each => near.add(each));
    }
  };
  walk("from", "to");
  walk("to", "from");
  return near;
}

function traffic(row) {
  if (isRelayed(row)) {
    return {figures: `${format.count(row.open)} open`, latency: `${format.bytes(row.received + row.sent)}/s`};
  }
  if (!row.rps && row.received + row.sent > 0) return {figures: `${format.bytes(row.received + row.sent)}/s`};
  if (!row.rps) return {figures: "no requests"};
  return {figures: `${format.rate(row.rps)}/s`, latency: `p95 ${format.milliseconds(row.p95)}`};
}

function listenerCard(row) {
  const kinds = [...new Set((row.servers ?? []).map(each => each.type))].join(", ");
  const figures = [kinds, row.rps ? `${format.rate(row.rps)}/s` : `${format.many(row.connections ?? 0, "connection")}`]
    .filter(Boolean)
    .join(" · ");
  return {key: `l ${row.id}`, title: row.address, level: levelOf(row), row, figures};
}

function hostCard(row) {
  return {
    key: `h ${row.id}`,
    title: row.host || "no host",
    level: levelOf(row),
    row,
    ...traffic(row),
    filter: row.host,
  };
}

function routeCard(row) {
  const title = named(row) ? `${row.match} · ${row.name}` : row.match;
  return {key: `r ${row.id}`, title, level: levelOf(row), row, ...traffic(row), route: row.id};
}

function clusterCard(row) {
  const down = row.endpoints > 0 && row.healthy === 0;
  const words = down ? "none up" : row.healthy < row.endpoints ? `${row.healthy} of ${row.endpoints} up` : "";
  return {
    key: `c ${row.id}`,
    title: format.cluster(row.id),
    level: levelOfCluster(row),
    row,
    ...traffic(row),
    filter: format.cluster(row.id).split(":")[0],
    words,
  };
}

function endpointCard(row) {
  const words = row.health === "healthy" ? "" : row.health;
  return {
    key: `e ${row.id}`,
    title: row.address,
    level: levelOfEndpoint(row),
    row,
    ...traffic(row),
    filter: row.address,
    words,
  };
}
