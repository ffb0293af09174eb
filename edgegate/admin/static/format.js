// Numbers, times and names as people read them.

const WHOLE = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const NONE = "–";

/** A count, with commas. */
export function count(number) {
  return number === null || number === undefined ? NONE : WHOLE.format(number);
}

/** A rate a second: three digits, the rest as letters. */
export function rate(number) {
  if (number === null || number === undefined) return NONE;
  if (number === 0) return "0";
  if (number < 0.1) return "<0.1";
  if (number < 9.95) return number.toFixed(1);
  if (number < 9999.5) return WHOLE.format(number);
  return number < 999_500 ? `${digits(number / 1e3)}k` : `${digits(number / 1e6)}M`;
}

/** A part of a whole, 0 to 1, as per cent. */
export function share(part) {
  if (part === null || part === undefined || Number.isNaN(part)) return NONE;
  if (part === 0) return "0 %";
  if (part < 0.001) return "<0.1 %";
  if (part > 0.999 && part < 1) return ">99.9 %";
  return part < 0.0995 ? `${(part * 100).toFixed(1)} %` : `${Math.round(part * 100)} %`;
}

/** Milliseconds. */
export function milliseconds(number) {
  if (number === null || number === undefined) return NONE;
  if (number < 0.95) return "<1 ms";
  if (number < 9.95) return `${number.toFixed(1)} ms`;
  if (number < 999.5) return `${Math.round(number)} ms`;
  return number < 99_950 ? `${digits(number / 1000)} s` : duration(number / 1000);
}

/** Seconds, in the largest units: 3 d 4 h. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(whole, 60, "min", 1, "s", whole < 600);
  if (whole < 86_400) return pair(whole, 3600, "h", 60, "min", true);
  return pair(whole, 86_400, "d", 3600, "h", whole < 864_000);
}

function pair(whole, unit, name, part, partName, both) {
  const rest = Math.floor((whole % unit) / part);
  return `${Math.floor(whole / unit)} ${name}${both && rest ? ` ${rest} ${partName}` : ""}`;
}

function digits(number) {
  return number < 9.995 ? number.toFixed(2) : number < 99.95 ? number.toFixed(1) : WHOLE.format(number);
}

/** A moment that files or the gateway tell in ISO 8601, by the clock of whoever looks. */
export function clock(moment) {
  const time = new Date(moment);
  return Number.isNaN(time.getTime()) ? NONE : time.toLocaleTimeString("en-GB");
}

let today = "";

/** Says what time it is by the gateway's clock. */
export function now(moment) {
  today = day(moment);
}

/** The same with its day, where that is not today. */
export function moment(text) {
  return day(text) === today ? clock(text) : `${day(text)} ${clock(text)}`;
}

/** Its day: 2026-03-01. */
export function day(text) {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return NONE;
  const two = number => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** Bytes. */
export function bytes(number) {
  if (number === null || number === undefined) return NONE;
  if (number < 1024) return `${count(number)} B`;
  const power = Math.min(Math.floor(Math.log2(number) / 10), 4);
  return `${digits(number / 1024 ** power)} ${["KiB", "MiB", "GiB", "TiB"][power - 1]}`;
}

/** A figure whose name ends with its unit. */
export function figure(name, number) {
  if (/[ _]bytes$/.test(name)) return bytes(number);
  return /[ _]ms$/.test(name) ? milliseconds(number) : count(number);
}

/** What such a figure is of. */
export function figureName(name) {
  return name.replace(/[ _](bytes|ms)$/, "").replaceAll("_", " ");
}

/** A number with its noun: 1 endpoint, 2 endpoints. */
export function many(number, noun, plural = `${noun}s`) {
  return `${count(number)} ${number === 1 ? noun : plural}`;
}

/** A cluster's name as people say it: the service's short name, its port and subset. */
export function cluster(name) {
  const parts = String(name).split("|");
  if (parts.length !== 4) return String(name);
  const [, port, subset, host] = parts;
  const short = host.endsWith(".svc.cluster.local") ? host.slice(0, -".svc.cluster.local".length) : host;
  return `${short}:${port}${subset ? ` (${subset})` : ""}`;
}
