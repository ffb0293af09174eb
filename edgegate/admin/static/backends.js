// The backends: each cluster with its endpoints below it.

import {by, el, say, set} from "./dom.js";
import * as format from "./format.js";
import {RANK, levelOfCluster, levelOfEndpoint, mark, remark, wordOfCluster, wordOfEndpoint} from "./marks.js";
import {showShare} from "./routes.js";
import {Table, number, place} from "./table.js";

export class Backends {
  constructor() {
    this.table = new Table("Backends and their endpoints", [
      {title: "Backend", head: true, show: showName},
      {title: "State", wordy: true, show: showState},
      number("Req/s", row => format.rate(row.rps)),
      {title: "Fail", number: true, show: showShare},
      number("p95", row => format.milliseconds(row.backend_p95 ?? row.p95), {wide: true}),
      number("Under way", row => format.count(row.active), {wide: true}),
      number("Connections", row => format.count(row.connections), {wide: true}),
      number("Not connected", row => (row.cluster ? format.count(row.connect_failures) : ""), {wide: true}),
      place(row => (row.rule_file ? `${row.file}, ${row.rule_file}` : row.file)),
    ]);
    by("backends-table").append(this.table.element);
  }

  show(state, filter) {
    const {clusters, endpoints} = state;
    const worst = [...clusters.rows].sort((one, other) => RANK[levelOfCluster(other)] - RANK[levelOfCluster(one)]);
    const rows = worst.flatMap(cluster => [cluster, ...endpointsOf(state, cluster.id)]);
    const count =
      clusters.rest > 0
        ? `${format.count(clusters.rows.length)} of ${format.many(clusters.rows.length + clusters.rest, "backend")}`
        : format.many(clusters.rows.length, "backend");
    say(by("backends-words"), endpoints.rest > 0 ? `${count}; ${format.many(endpoints.rest, "more endpoint")}` : count);
    this.table.show(rows, filter ? "No backend has that in it." : "No route leads to a backend.", (element, row) => {
      set(element, "data-level", row.cluster ? levelOfEndpoint(row) : levelOfCluster(row));
      set(element, "class", row.cluster ? "inner" : "outer");
    });
  }
}

/** Returns the endpoints of a cluster that are shown, those first that can't be used. */
export function endpointsOf(state, cluster) {
  const rows = state.endpoints.rows.filter(row => row.cluster === cluster);
  return rows.sort((one, other) => RANK[levelOfEndpoint(other)] - RANK[levelOfEndpoint(one)]);
}

function showName(cell, row) {
  say(cell, row.cluster ? row.address : format.cluster(row.id));
  set(cell, "title", row.cluster ? null : row.id);
}

function showState(cell, row) {
  if (!cell.firstChild) cell.append(mark(), el("span", {class: "soft"}));
  const [shape, more] = cell.children;
  if (row.cluster) {
    remark(shape, levelOfEndpoint(row), wordOfEndpoint(row));
    // each process has an opinion of its own
    say(more, row.unfit_workers > 1 ? `for ${format.many(row.unfit_workers, "worker")}` : "");
    return;
  }
  remark(shape, levelOfCluster(row), wordOfCluster(row));
  say(more, row.full?.length ? `full: ${row.full.join(", ")}` : "");
}
