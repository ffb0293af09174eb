// A line of the last minutes.

import {set, svg} from "./dom.js";

const WIDTH = 120;
const HEIGHT = 28;

/** Draws lines over each other; what it shows is said in words beside it. */
export class Sparkline {
  constructor(classes) {
    this.lines = classes.map(name => svg("polyline", {class: name, fill: "none"}));
    const shape = {
      class: "spark",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    };
    this.element = svg("svg", shape, ...this.lines);
  }

  /**
   * @param series A list of numbers (or nulls) for each line, oldest first; all of one scale.
   * @param slots How many numbers fill the width.
   * @param least What the top of the scale is at least.
   */
  draw(series, slots, least = 0) {
    const top = Math.max(least, ...series.flat().filter(each => each !== null), 1e-9);
    series.forEach((numbers, index) => set(this.lines[index], "points", points(numbers.slice(-slots), slots, top)));
  }
}

function points(numbers, slots, top) {
  const first = slots - numbers.length;
  const step = WIDTH / Math.max(slots - 1, 1);
  return numbers
    .map((number, index) =>
      number === null ? null : [(first + index) * step, HEIGHT - 1.5 - (number / top) * (HEIGHT - 3)],
    )
    .filter(each => each !== null)
    .map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`)
    .join(" ");
}
