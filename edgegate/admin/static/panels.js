// What is small: reloads, certificates, limits and workers.

import {by, each, el, say, set} from "./dom.js";
import * as format from "./format.js";
import {mark, remark} from "./marks.js";
import {Table, number, place, text} from "./table.js";

// Reloads -------------------------------------------------------------------------------------------------------------

export class Reloads {
  constructor() {
    this.table = new Table("What became of the files, the newest first", [
      text("At", row => format.moment(row.at), {head: true, time: true}),
      {
        title: "Outcome",
        show: (cell, row) => {
          if (!cell.firstChild) cell.append(mark());
          remark(cell.firstChild, row.outcome === "refused" ? "warn" : "ok", row.outcome);
        },
      },
      {title: "What is different", show: showChanges},
      number("Took", row => format.milliseconds(row.seconds * 1000)),
    ]);
    by("reloads-table").append(this.table.element);
  }

  show({reloads}) {
    showRefused(by("refused"), reloads.refused);
    const rows = (reloads.history ?? []).map((row, index, all) => ({
      ...row,
      id: row.at,
      first: index === all.length - 1,
    }));
    this.table.show(rows, "The files have not been read yet.");
  }
}

function showRefused(element, refused) {
  element.hidden = !refused;
  if (!refused) return;
  if (!element.firstChild) {
    element.append(el("h3", {}), el("p", {class: "soft"}), el("ol", {class: "problems"}), el("p", {class: "soft"}));
  }
  const [title, words, list, more] = element.children;
  set(element, "data-level", refused.current ? "warn" : "none");
  say(title, `Refused at ${format.moment(refused.at)}`);
  say(
    words,
    refused.current ? "What was served before goes on. Mend this:" : "Files that were taken since are served.",
  );
  const errorsFirst = [...refused.problems].sort(
    (one, other) => (other.severity === "error") - (one.severity === "error"),
  );
  each(
    list,
    errorsFirst,
    problem => JSON.stringify(problem),
    () => el("li", {}, el("code", {}), " ", el("span", {}), el("span", {class: "soft"})),
    (item, problem) => {
      const [at, message, path] = item.children;
      say(at, `${problem.file}:${problem.line}:${problem.column}`);
      say(message, problem.severity === "warning" ? `warning: ${problem.message}` : problem.message);
      say(path, problem.path ? ` (${problem.path})` : "");
    },
  );
  const rest = refused.problems_total - refused.problems.length;
  more.hidden = rest <= 0;
  say(more, `and ${format.count(rest)} more`);
}

function showChanges(cell, row) {
  const problems = row.problems ?? [];
  const lines =
    row.outcome === "refused"
      ? problems.map(each => `${each.file}:${each.line}:${each.column} ${each.message}`)
      : (row.changes ?? []);
  const total = row.outcome === "refused" ? row.problems_total : row.changes_total;
  if (!cell.firstChild) {
    cell.append(el("span", {}), el("details", {}, el("summary", {}), el("ul", {})));
  }
  const [words, details] = cell.children;
  details.hidden = !lines.length;
  words.hidden = Boolean(lines.length);
  say(words, row.first ? "the start" : "nothing");
  say(
    details.firstElementChild,
    row.outcome === "refused"
      ? format.many(total, "problem")
      : [
          [row.added, "added"],
          [row.removed, "removed"],
          [row.changed, "changed"],
        ]
          .filter(([number]) => number)
          .map(([number, what]) => `${format.count(number)} ${what}`)
          .join(", ") || format.many(total, "change"),
  );
  const shown = total > lines.length ? [...lines, `and ${format.count(total - lines.length)} more`] : lines;
  each(
    details.lastElementChild,
    shown,
    line => line,
    () => el("li", {}),
    say,
  );
}

// Certificates, limits, workers ---------------------------------------------------------------------------------------

export class Certificates {
  constructor() {
    this.table = new Table("Certificates, those first that end first", [
      text("For", row => (row.names?.length ? row.names : (row.hosts ?? [])).slice(0, 3).join(", ") || row.name, {
        head: true,
      }),
      {
        title: "State",
        show: (cell, row) => {
          if (!cell.firstChild) cell.append(mark());
          remark(cell.firstChild, ...stateOf(row));
        },
      },
      number("Days left", row => format.count(row.days_left === null ? null : Math.max(row.days_left, 0))),
      text("Ends", row => format.day(row.not_after), {wide: true, time: true}),
      text(
        "Is",
        row =>
          ({"Cert Chain": "shown to clients", CA: "an authority", "Client Cert": "shown to backends"})[row.type] ??
          row.type,
        {wide: true},
      ),
      text("Issued by", issuedBy, {wide: true, wordy: true}),
      place(),
    ]);
    by("certificates-table").append(this.table.element);
  }

  show({certificates}) {
    this.table.show(certificates.rows ?? [], "No file names a certificate.");
  }
}

/** Returns how well a certificate is, and its state in words. */
function stateOf(row) {
  if (row.state === "failing") return ["bad", "is not issued"];
  if (row.status === "TO BE ISSUED") return ["warn", "is to be issued"];
  const words = {EXPIRED: "ended", "NOT YET VALID": "not valid yet"}[row.status];
  if (words) return ["bad", words];
  if (row.state === "renewal fails") return ["warn", "is not renewed"];
  if (row.state === "revoked") return ["bad", "was revoked"];
  return row.days_left <= 14 ? ["warn", "ends soon"] : ["ok", "valid"];
}

/** Says who issues a certificate, when that is asked next, and why it failed last; nothing of one that others issue. */
function issuedBy({issued_by: issuer, next, last_error: error}) {
  if (!issuer) return "–";
  const when = next ? `, next ${next === "now" ? next : format.moment(next)}` : "";
  return `${issuer}${when}${error ? `; last error: ${error}` : ""}`;
}

export class Limits {
  constructor() {
    this.table = new Table("Limits, and how near they are", [
      text("Limit", row => format.figureName(row.name), {head: true}),
      number("Now", row => format.figure(row.name, row.value)),
      number("Most", row => (row.limit === null ? "none" : format.figure(row.name, row.limit))),
      {
        title: "Used",
        wide: true,
        show: (cell, row) => {
          if (!cell.firstChild) cell.append(el("div", {class: "meter", "aria-hidden": "true"}, el("div")));
          const used = row.limit ? Math.min(row.value / row.limit, 1) : 0;
          cell.firstChild.hidden = !row.limit;
          cell.firstChild.firstChild.style.width = `${(used * 100).toFixed(1)}%`;
          set(cell.firstChild, "data-level", used >= 0.9 ? "warn" : "ok");
        },
      },
      number("Met", row => format.count(row.reached)),
      {
        title: "State",
        show: (cell, row) => {
          if (!cell.firstChild) cell.append(mark());
          const near = row.limit && row.value / row.limit >= 0.9;
          remark(
            cell.firstChild,
            row.reached_rate > 0 || near ? "warn" : "ok",
            row.reached_rate > 0 ? "met now" : near ? "near" : "free",
          );
        },
      },
    ]);
    by("limits-table").append(this.table.element);
  }

  show({limits}) {
    const rows = [...(limits.rows ?? [])].map(row => ({...row, id: row.name}));
    rows.sort((one, other) => (other.reached_rate ?? 0) - (one.reached_rate ?? 0) || other.reached - one.reached);
    this.table.show(rows, "There are no limits.");
  }
}

export class Workers {
  constructor() {
    this.table = new Table("Processes that serve", [
      text("Worker", row => (row.alone ? "this process" : `worker ${row.worker}`), {head: true}),
      number("Process", row => String(row.pid)),
      number("Req/s", row => format.rate(row.rps)),
      number("Under way", row => format.count(row.active), {wide: true}),
      number("Connections", row => format.count(row.connections)),
      number("Loop lag", row => format.milliseconds(row.loop_lag_ms), {wide: true}),
      number("Memory", row => format.bytes(row.memory_bytes), {wide: true}),
      {
        title: "Files",
        show: (cell, row) => {
          if (!cell.firstChild) cell.append(mark());
          remark(cell.firstChild, row.files === "older" ? "none" : "ok", row.files ?? "");
        },
      },
    ]);
    by("workers-table").append(this.table.element);
  }

  show({workers, lost}) {
    const rows = workers.rows ?? [];
    const alone = rows.length === 1 && !lost.length;
    this.table.show(
      rows.map(row => ({...row, alone, id: `${row.worker} ${row.pid}`})),
      "No worker serves.",
    );
  }
}
