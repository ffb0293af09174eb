// What the gateway has told so far. Schema 1 of the stream: see docs/admin.md.

const TABLES = ["listeners", "hosts", "routes", "clusters", "endpoints"];
const WHOLE = [
  "gateway",
  "totals",
  "certificates",
  "reloads",
  "limits",
  "workers",
  "flags",
  "window",
  "time",
  "sequence",
];

/** Seconds of the lines. */
export const REMEMBERED = 600;

/** Milliseconds after a reload in which processes may take each other's place. */
const SETTLING = 60_000;

/** Rows of a table, in their order. */
class Table {
  rows = [];
  total = 0;
  rest = 0;
  #known = new Map();

  replace({rows, total, rest}) {
    this.#known = new Map(rows.map(row => [row.id, row]));
    this.rows = rows;
    this.total = total ?? rows.length;
    this.rest = rest ?? 0;
  }

  change({rows = [], order, total, rest}) {
    for (const row of rows) this.#known.set(row.id, row);
    const ids = order ?? this.rows.map(row => row.id);
    this.rows = ids.map(id => this.#known.get(id)).filter(row => row !== undefined);
    if (order) this.#known = new Map(this.rows.map(row => [row.id, row]));
    this.total = total ?? this.total;
    this.rest = rest ?? this.rest;
  }

  get(id) {
    return this.#known.get(id);
  }
}

export class State {
  /** Whether anything was told. */
  known = false;
  gateway = {};
  totals = {};
  window = 0;
  time = "";
  flags = {};
  certificates = {rows: []};
  reloads = {history: [], refused: null};
  limits = {rows: []};
  workers = {rows: []};
  examples = {};
  /** The totals of the last minutes, oldest first. */
  history = [];

  /** Workers that ended by themselves while somebody looked, newest first. */
  lost = [];

  #routes = new Map();
  #failures = new Map();
  #workers = [];
  #generation = "";
  #changed = -Infinity;

  constructor() {
    for (const name of TABLES) this[name] = new Table();
  }

  /** Takes an event; others than these two mean nothing. */
  apply(name, data) {
    if (name !== "full" && name !== "change") return;
    const full = name === "full";
    for (const key of WHOLE) if (key in data) this[key] = data[key];
    for (const key of TABLES) if (key in data) this[key][full ? "replace" : "change"](data[key]);
    if ("examples" in data) this.examples = full ? data.examples : {...this.examples, ...data.examples};
    this.known = true;
    this.#remember();
  }

  /** Milliseconds by the gateway's clock. */
  get now() {
    return Date.parse(this.time);
  }

  /** What a route has had of late, oldest first: [requests a second, errors a second]. */
  traffic(id) {
    return this.#routes.get(id)?.values ?? [];
  }

  /** Whether connections to an endpoint have failed in the last 10 seconds, as its counter tells. */
  refuses(id) {
    const found = this.#failures.get(id);
    return found !== undefined && this.now - found.at < 10_000;
  }

  #remember() {
    const {totals, gateway, now} = this;
    this.#rememberWorkers(now);
    // nothing was measured yet
    if (!this.window) return;
    const last = this.history.at(-1);
    if (last && now - last.at < 500) this.history.pop();
    this.history.push({at: now, ...totals, active: gateway.active, connections: gateway.connections});
    while (this.history.length && now - this.history[0].at > REMEMBERED * 1000) this.history.shift();
    this.#rememberRoutes(now);
    for (const row of this.endpoints.rows) {
      const known = this.#failures.get(row.id);
      // where the counter is new, nobody knows when they failed
      const at = known && row.connect_failures > known.count ? now : (known?.at ?? -Infinity);
      this.#failures.set(row.id, {count: row.connect_failures, at});
    }
  }

  #rememberWorkers(now) {
    const generation = `${this.gateway.started} ${this.gateway.generation_at}`;
    if (this.#generation !== generation && this.#generation) this.#changed = now;
    this.#generation = generation;
    const rows = this.workers.rows ?? [];
    const pids = new Set(rows.map(row => row.pid));
    for (const {pid, worker, files} of this.#workers) {
      // who serves older files is to end, and so are those whose place others take after a reload
      if (pids.has(pid) || files === "older" || now - this.#changed < SETTLING) continue;
      this.lost = [{worker, pid, at: this.time}, ...this.lost.slice(0, 19)];
    }
    this.#workers = rows;
  }

  #rememberRoutes(now) {
    for (const row of this.routes.rows) {
      const known = this.#routes.get(row.id) ?? {values: []};
      known.values = [...known.values.slice(-119), [row.rps ?? 0, row.errors ?? 0]];
      known.at = now;
      this.#routes.set(row.id, known);
    }
    if (this.#routes.size > 1000) {
      for (const [id, {at}] of this.#routes) if (at !== now) this.#routes.delete(id);
    }
  }
}
