// Explains a request: asks what the files in force make of it, and shows the way that it would take.

import {by, el, say, set} from "./dom.js";

export class Explain {
  #asked = 0;

  /**
   * @param token Returns the token, or null.
   * @param refused Called where the gateway wants another one.
   */
  constructor(token, refused) {
    this.token = token;
    this.refused = refused;
    by("explain-form").addEventListener("submit", event => {
      event.preventDefault();
      this.#ask();
    });
  }

  async #ask() {
    const asked = ++this.#asked;
    say(by("explain-words"), "Asking");
    let words = "";
    let tree = null;
    try {
      const body = new URLSearchParams({
        method: by("explain-method").value,
        url: by("explain-url").value,
        headers: by("explain-headers").value,
      });
      const token = this.token();
      const headers = token ? {authorization: `Bearer ${token}`} : {};
      const post = () => fetch("explain", {method: "POST", body, headers, cache: "no-store"});
      let response = await post();
      if (response.status === 429) {
        // others ask, too: so many are explained in a second
        await after(Number(response.headers.get("retry-after")) || 1);
        if (asked !== this.#asked) return;
        response = await post();
      }
      if (response.status === 401) {
        this.refused();
        return;
      }
      if (response.ok) {
        const found = await response.json();
        tree = found.tree;
        words = found.served ? "It is served." : "It is not served.";
      } else words = (await response.text()).trim().split("\n")[0] || `status ${response.status}`;
    } catch {
      words = "The gateway can't be reached.";
    }
    if (asked !== this.#asked) return; // another was asked meanwhile
    say(by("explain-words"), words);
    by("explain-tree").replaceChildren(...(tree ? [el("ul", {}, item(tree))] : []));
    set(by("explain-tree"), "hidden", tree === null);
  }
}

function after(seconds) {
  return new Promise(over => setTimeout(over, 1000 * seconds));
}

function item(node) {
  return el(
    "li",
    {},
    el("span", {"data-mood": node.mood}, node.text),
    node.place ? el("span", {class: "place"}, node.place) : null,
    node.children.length ? el("ul", {}, ...node.children.map(item)) : null,
  );
}
