// What is wrong, in words, the worst first. Titles have no figures: they are read out, and would be each second.

import * as format from "./format.js";
import {FAILING, cause, failing, few, ofCluster, ofHidden} from "./verdict_backends.js";

const ROUTE_AILING = 0.05;
const DAYS = 14;
const LAG = 200;
const NEAR = 0.9;
const LATELY = 600_000;

/**
 * Returns what is wrong: its level ("bad" or "warn"), a key that stays, a title, figures that change, the place in the
 * files, and where the page shows it (a section's id, and a route's where it is one).
 */
export function troubles(state) {
  const clusters = state.clusters.rows.flatMap(row => ofCluster(state, row));
  const explained = new Set(clusters.filter(each => each.explains).map(each => each.cluster));
  const found = [
    ...ofGateway(state),
    ...clusters,
    ...ofHidden(state),
    ...state.routes.rows.flatMap(row => ofRoute(state, row, explained)),
    ...ofReloads(state),
    ...state.certificates.rows.flatMap(ofCertificate),
    ...(state.limits.rows ?? []).flatMap(ofLimit),
    ...ofUnknown(state),
  ];
  return found.sort((one, other) => rank(other) - rank(one));
}

function rank(trouble) {
  return (trouble.level === "bad" ? 1e9 : 0) + Math.min(trouble.weight ?? 0, 1e8);
}

/** Says all of it in a few words. */
export function headline(found) {
  if (!found.length) return "All is well";
  const bad = found.filter(each => each.level === "bad").length;
  const rest = found.length - bad;
  if (!bad) return rest === 1 ? "1 thing needs a look" : `${rest} things need a look`;
  const wrong = bad === 1 ? "1 thing is wrong" : `${bad} things are wrong`;
  return rest ? `${wrong}, ${rest} more ${rest === 1 ? "needs" : "need"} a look` : wrong;
}

// The gateway itself --------------------------------------------------------------------------------------------------

function ofGateway(state) {
  const {gateway} = state;
  const found = [];
  if (gateway.state === "draining") {
    const figures = `${format.many(gateway.connections ?? 0, "connection")} left`;
    found.push({
      level: "bad",
      key: "draining",
      title: "The gateway drains: it takes nothing new, and ends",
      figures,
      section: "workers",
      weight: 1e7,
    });
  } else if (gateway.state === "waiting") {
    found.push({
      level: "warn",
      key: "waiting",
      title: "The gateway is not ready: it waits for its first certificates",
      section: "certificates",
      weight: 1e7,
    });
  } else if (!state.listeners.rows.length) {
    found.push({level: "warn", key: "closed", title: "No port is open: no file opens one", section: "reloads"});
  }
  const serving = new Set(state.workers.rows.map(row => row.worker));
  const told = new Set();
  for (const {worker, pid, at} of state.lost) {
    const replaced = serving.has(worker);
    if (!replaced && told.has(worker)) continue;
    told.add(worker);
    if (replaced && state.now - Date.parse(at) > LATELY) continue;
    const after = replaced ? "another process serves in its place" : "no process serves in its place";
    found.push({
      level: replaced ? "warn" : "bad",
      key: `ended ${pid}`,
      section: "workers",
      title: `Worker ${worker} ended at ${format.clock(at)}: ${after}`,
      figures: `process ${pid}`,
      weight: 1e7,
    });
  }
  if (gateway.loop_lag_ms > LAG) {
    const figures = `a turn of its loop took ${format.milliseconds(gateway.loop_lag_ms)}`;
    found.push({
      level: "warn",
      key: "lag",
      title: "The gateway is slow: it has more to do than it can",
      figures,
      section: "limits",
    });
  }
  return found;
}

// Routes --------------------------------------------------------------------------------------------------------------

/** Whether a route has a name of its own. */
export function named(row) {
  return Boolean(row.name) && row.name !== "default";
}

/** Says what a route is called: its host and what it matches. */
export function titleOf(row) {
  const match = row.match === "/*" ? "" : row.match;
  return `${row.host || "no host"} ${match}`.trim();
}

function ofRoute(state, row, explained) {
  const share = row.error_share ?? 0;
  if (share < ROUTE_AILING || (row.clusters ?? []).some(each => explained.has(each))) return [];
  return [
    {
      level: share >= FAILING && !few(state, row) ? "bad" : "warn",
      key: `route ${row.id}`,
      title: `${titleOf(row)} fails: ${cause(state, row)}`,
      figures: failing(row),
      place: row.file,
      section: "routes",
      route: row.id,
      weight: row.errors,
    },
  ];
}

function ofUnknown(state) {
  const lost = state.totals.flags?.NR ?? 0;
  if (lost < 0.5 || lost < 0.2 * (state.totals.rps ?? 0)) return [];
  return [
    {
      level: "warn",
      key: "no route",
      title: "Many requests find no route",
      section: "routes",
      figures: `${format.rate(lost)} of ${format.rate(state.totals.rps)} a second`,
    },
  ];
}

// Files, certificates, limits -----------------------------------------------------------------------------------------

function ofReloads(state) {
  const refused = state.reloads.refused;
  if (!refused?.current) return [];
  const first = refused.problems.find(each => each.severity === "error") ?? refused.problems[0];
  const place = first ? `${first.file}:${first.line}` : "";
  const more = refused.problems_total > 1 ? `; ${format.many(refused.problems_total - 1, "more problem")}` : "";
  return [
    {
      level: "warn",
      key: `refused ${refused.at}`,
      section: "reloads",
      place,
      weight: 1e6,
      title: `The files were refused at ${format.moment(refused.at)}: what was served before goes on`,
      figures: first ? `${first.message}${more}` : "",
    },
  ];
}

function ofCertificate(row) {
  const names = row.names?.length ? row.names : (row.hosts ?? []);
  const whose = names.length ? names.slice(0, 3).join(", ") : row.name;
  const base = {key: `certificate ${row.id}`, place: row.file, section: "certificates"};
  const failing = {failing: `No certificate is issued for ${whose}`, "renewal fails": `A certificate is not renewed: ${whose}`};
  if (row.state in failing) {
    const missing = row.state === "failing";
    return [
      {
        ...base,
        level: missing || row.days_left < 2 ? "bad" : "warn",
        title: failing[row.state],
        weight: 1e5,
        figures: `${row.last_error ?? "the try failed"}${missing ? "" : `; it ends on ${format.day(row.not_after)}`}`,
      },
    ];
  }
  if (row.status === "TO BE ISSUED") return [];
  if (row.state === "revoked") {
    const figures = "another one is to be issued; it is served until then";
    return [{...base, level: "bad", title: `A certificate was revoked: ${whose}`, weight: 1e5, figures}];
  }
  if (row.status === "EXPIRED") {
    return [
      {
        ...base,
        level: "bad",
        title: `A certificate has ended: ${whose}`,
        weight: 1e5,
        figures: `on ${format.day(row.not_after)}`,
      },
    ];
  }
  if (row.status === "NOT YET VALID")
    return [{...base, level: "bad", title: `A certificate is not valid yet: ${whose}`}];
  if (row.days_left > DAYS) return [];
  const left = row.days_left < 1 ? "ends within a day" : `ends in ${format.many(row.days_left, "day")}`;
  return [
    {
      ...base,
      level: row.days_left < 2 ? "bad" : "warn",
      title: `A certificate ${left}: ${whose}`,
      figures: `on ${format.moment(row.not_after)}`,
      weight: DAYS - row.days_left,
    },
  ];
}

function ofLimit(row) {
  const base = {key: `limit ${row.name}`, section: "limits"};
  const [value, most] = [row.value, row.limit].map(each => format.figure(row.name, each));
  const figures = row.limit === null ? value : `${value} of ${most}`;
  const name = format.figureName(row.name);
  if (row.reached_rate > 0) {
    return [
      {
        ...base,
        level: "warn",
        title: `A limit is met: ${name}`,
        weight: 1e4,
        figures: `${figures} now; met ${format.rate(row.reached_rate)} times a second`,
      },
    ];
  }
  if (row.limit && row.value / row.limit >= NEAR) {
    return [{...base, level: "warn", title: `A limit is near: ${name}`, figures}];
  }
  return [];
}
