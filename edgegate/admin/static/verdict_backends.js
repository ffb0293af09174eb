// What is wrong with backends, in words.

import {causes, words} from "./flags.js";
import * as format from "./format.js";

/** Parts of requests that fail: a backend fails, or does at times. */
export const FAILING = 0.5;
const AILING = 0.01;
/** Errors below which a share says little: one request that fails is no outage. */
const FEW = 1.5;
/** Endpoints that are named one by one. */
const NAMED = 3;

/** Returns what is wrong with a backend. */
export function ofCluster(state, row) {
  const name = format.cluster(row.id);
  const place = row.file;
  const base = {section: "backends", cluster: row.id, place, weight: row.errors ?? 0};
  const endpoints = state.endpoints.rows.filter(each => each.cluster === row.id);
  const found = [];
  const down = row.endpoints > 0 && row.healthy === 0;
  const share = row.error_share ?? 0;
  const fails = share >= FAILING && !few(state, row);
  if (down || fails) {
    const {title, why} = isDown(state, row, endpoints, down, share);
    found.push({
      ...base,
      level: "bad",
      key: `down ${row.id}`,
      title: `The backend ${name} ${title}`,
      explains: true,
      figures: [why, failing(row)].filter(Boolean).join("; "),
    });
  } else if (share >= AILING) {
    found.push({
      ...base,
      level: "warn",
      key: `ailing ${row.id}`,
      title: `The backend ${name} fails at times: ${cause(state, row)}`,
      explains: true,
      figures: failing(row),
    });
  }
  if (!down) found.push(...ofEndpoints(state, row, name, base, endpoints, fails));
  for (const what of row.full ?? []) {
    found.push({
      ...base,
      level: "warn",
      key: `full ${row.id} ${what}`,
      title: `The backend ${name} is at its limit of ${what}: more are turned away`,
      figures: failing(row),
    });
  }
  return found;
}

function isDown(state, row, endpoints, down, share) {
  if (down) {
    const health = endpoints.map(each => `${each.address} ${each.health}`);
    const title =
      row.endpoints === 1 ? "is down: its endpoint can't be used" : "is down: none of its endpoints can be used";
    return {title, why: health.slice(0, 3).join(", ")};
  }
  const [flag] = largest(row.flags);
  const one = endpoints.length === 1 ? endpoints[0].address : "";
  if (flag === "UF" && share > 0.98) {
    return {title: `is down: no connection to ${one || "it"} comes about`, why: reasons(state, row)};
  }
  return {title: `is failing: ${cause(state, row)}`, why: ""};
}

function ofEndpoints(state, row, name, base, endpoints, fails) {
  const found = out(row, name, base, endpoints);
  if (!fails) {
    for (const each of endpoints) {
      if (each.health === "healthy" && state.refuses(each.id)) {
        found.push({
          ...base,
          level: "warn",
          key: `refuses ${each.id}`,
          explains: true,
          title: `Connections to ${each.address} of the backend ${name} fail`,
          figures: `${format.count(each.connect_failures)} since the start`,
        });
      }
    }
  }
  return found;
}

/** Names endpoints that can't be used, and counts them where there are many. */
function out(row, name, base, endpoints) {
  const all = endpoints.filter(each => each.health !== "healthy");
  const fit = `${row.healthy} of ${row.endpoints} can be used`;
  if (all.length > NAMED) {
    const addresses = all
      .slice(0, NAMED)
      .map(each => each.address)
      .join(", ");
    const title = `Several endpoints of the backend ${name} can't be used`;
    return [{...base, level: "warn", key: `out ${row.id}`, title, figures: `${fit}; out are ${addresses} and others`}];
  }
  return all.map(each => ({
    ...base,
    level: "warn",
    key: `out ${each.id}`,
    place: each.file || base.place,
    title: `${each.address} of the backend ${name} is ${each.health}`,
    figures: fit,
  }));
}

/** Returns what is out of backends that are not among those that are told. */
export function ofHidden(state) {
  const out = state.endpoints.rows.filter(each => each.health !== "healthy" && !state.clusters.get(each.cluster));
  return out.map(each => ({
    level: "warn",
    key: `out ${each.id}`,
    place: each.file,
    section: "backends",
    title: `${each.address} of the backend ${format.cluster(each.cluster)} is ${each.health}`,
  }));
}

/** Says why what a row is of fails. */
export function cause(state, row) {
  const [flag] = largest(row.flags);
  return flag ? words([flag], state.flags) : "5xx are answered";
}

function reasons(state, row) {
  for (const {errors = []} of Object.values(state.examples)) {
    const found = errors.find(each => each.cluster === row.id && each.reason);
    if (found) return found.reason;
  }
  return "";
}

/** Whether so little fails that a share says nothing. */
export function few(state, row) {
  return (row.errors ?? 0) * state.window < FEW;
}

/** Says how much of what a row is of fails. */
export function failing(row) {
  return row.errors ? `${format.share(row.error_share)} of ${format.rate(row.rps)} requests/s fail` : "";
}

/** Returns the flag that is there most and says why; nothing where none is. Those of clients are none of it. */
function largest(flags) {
  const found = Object.entries(flags ?? {}).filter(([flag]) => !["DC", "DPE", "NR"].includes(flag));
  return causes(found.sort(([, one], [, other]) => other - one).map(([flag]) => flag));
}
