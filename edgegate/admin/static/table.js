// Tables whose rows stay where they are while somebody is at them.

import {each, el, say, set} from "./dom.js";

/**
 * A table.
 *
 * A column has a title and a way to show a row in its cell. It may be a number (aligned right), a time, typed letters
 * (mono), a sentence (wordy), hidden on narrow screens (wide), the row's head (head), or one by which the gateway can
 * sort (sort).
 */
export class Table {
  #order = [];

  /**
   * @param caption What the table is, for who does not see it.
   * @param columns Of {title, show(cell, row), number, time, mono, wordy, wide, head, sort}.
   * @param sorted Called with what a head that was clicked sorts by.
   */
  constructor(caption, columns, sorted = () => {}) {
    this.columns = columns;
    this.heads = columns.map(column => this.#head(column, sorted));
    this.body = el("tbody");
    this.empty = el("p", {class: "soft", hidden: true});
    const head = el("thead", {}, el("tr", {}, ...this.heads));
    this.table = el("table", {}, el("caption", {class: "unseen"}, caption), head, this.body);
    this.element = el("div", {}, this.table, this.empty);
  }

  #head({title, sort, ...kind}, sorted) {
    const inner = sort ? el("button", {type: "button", click: () => sorted(sort)}, title) : title;
    return el("th", {scope: "col", class: classes(kind)}, inner);
  }

  /** Says by which column the rows are sorted. */
  sortedBy(sort) {
    this.columns.forEach((column, index) => {
      if (!column.sort) return;
      set(this.heads[index], "aria-sort", column.sort !== sort ? "none" : sort === "name" ? "ascending" : "descending");
    });
  }

  /**
   * Shows rows.
   *
   * @param words Said where there are none.
   * @param besides What is done to a row's element besides.
   */
  show(rows, words, besides = () => {}) {
    this.table.hidden = !rows.length;
    this.empty.hidden = Boolean(rows.length);
    say(this.empty, words);
    each(
      this.body,
      this.#steady(rows),
      row => row.id,
      () => this.#row(),
      (element, row) => {
        this.columns.forEach(({show, head}, index) => {
          const cell = element.children[index];
          show(head ? cell.firstElementChild : cell, row);
        });
        besides(element, row);
      },
    );
  }

  #row() {
    return el(
      "tr",
      {},
      ...this.columns.map(({head, ...kind}) =>
        head
          ? el("th", {scope: "row", class: classes(kind)}, el("div", {class: "name"}))
          : el("td", {class: classes(kind)}),
      ),
    );
  }

  /** Keeps the order as long as a row is pointed at or has the focus. */
  #steady(rows) {
    const held = this.body.matches(":hover") || this.body.contains(document.activeElement);
    const place = new Map(this.#order.map((id, index) => [id, index]));
    const shown = held
      ? [...rows].sort((one, other) => (place.get(one.id) ?? 1e9) - (place.get(other.id) ?? 1e9))
      : rows;
    this.#order = shown.map(row => row.id);
    return shown;
  }
}

function classes({number, wide, time, mono, wordy}) {
  const found = [number && "number", wide && "wide-only", time && "time", mono && "place", wordy && "wordy"];
  return found.filter(Boolean).join(" ") || null;
}

/** A column of text. */
export function text(title, value, more = {}) {
  return {title, show: (cell, row) => say(cell, value(row)), ...more};
}

/** A column of numbers. */
export function number(title, value, more = {}) {
  return text(title, value, {number: true, ...more});
}

/** A column with a place in the files. */
export function place(value = row => row.file) {
  return text("Said in", row => value(row) || "–", {wide: true, mono: true});
}
