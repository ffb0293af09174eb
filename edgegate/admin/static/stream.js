// Server-sent events by fetch: an EventSource can't send a token.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/** Reads the text of an event stream (HTML Living Standard, 9.2.6) as it comes, and gives each event that is whole. */
export class EventParser {
  #rest = "";
  #name = "";
  #data = [];

  *feed(text) {
    this.#rest += text;
    for (;;) {
      const end = this.#rest.search(/[\r\n]/);
      if (end < 0) return;
      const both = this.#rest.startsWith("\r\n", end);
      // what follows may be the other half of a line's end
      if (!both && this.#rest[end] === "\r" && end + 1 === this.#rest.length) return;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + (both ? 2 : 1));
      if (line === "") {
        if (this.#data.length) yield {name: this.#name || "message", data: this.#data.join("\n")};
        this.#name = "";
        this.#data = [];
      } else this.#field(line);
    }
  }

  #field(line) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
  }
}

/**
 * Keeps a stream open. It connects again where it ends or falls silent, later each time, and says what there is:
 * "connecting", "live", "waiting" (until it tries again, with why), "token" (one is asked for) or "paused".
 */
export class Stream {
  #abort = null;
  #timer = null;
  #silence = null;
  #wait = FIRST_WAIT;

  /**
   * @param address Returns the URL.
   * @param token Returns the token, or null.
   * @param event Takes the name and the data of each event.
   * @param state Takes what there is, and more of it.
   * @param silent After how many milliseconds without a byte the other side is gone.
   */
  constructor({address, token, event, state, silent}) {
    Object.assign(this, {address, token, event, state, silent});
  }

  /** Connects, now. */
  open() {
    this.#end();
    this.#run();
  }

  /** Ends until it is opened again. */
  pause() {
    this.#end();
    this.state("paused");
  }

  #end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#abort?.abort();
    this.#abort = null;
  }

  async #run() {
    const abort = (this.#abort = new AbortController());
    const ended = () => this.#abort !== abort;
    this.state("connecting");
    let why = "the gateway has ended the stream";
    try {
      this.#listen(abort);
      const token = this.token();
      const headers = {accept: "text/event-stream", ...(token ? {authorization: `Bearer ${token}`} : {})};
      const response = await fetch(this.address(), {headers, signal: abort.signal, cache: "no-store"});
      if (ended()) return;
      if (response.status === 401) {
        this.#end();
        this.state("token");
        return;
      }
      if (!response.ok) throw new Error((await response.text()).trim().split("\n")[0] || `status ${response.status}`);
      await this.#read(response.body, abort, ended);
    } catch (error) {
      if (ended()) return;
      why = abort.signal.aborted ? "nothing came for too long" : reason(error);
    }
    if (ended()) return;
    this.#end();
    this.#again(why);
  }

  async #read(body, abort, ended) {
    const parser = new EventParser();
    const decoder = new TextDecoder();
    for (const reader = body.getReader(); ;) {
      const {value, done} = await reader.read();
      if (ended() || done) return;
      this.#listen(abort);
      for (const {name, data} of parser.feed(decoder.decode(value, {stream: true}))) {
        this.#wait = FIRST_WAIT;
        this.state("live");
        this.event(name, JSON.parse(data));
      }
    }
  }

  #listen(abort) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => abort.abort(), this.silent);
  }

  #again(why) {
    // many pages that lost the same gateway don't all come back at once
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
    this.state("waiting", {why});
    this.#timer = setTimeout(() => this.#run(), wait);
  }
}

function reason(error) {
  return error instanceof TypeError ? "the gateway can't be reached" : error.message;
}
