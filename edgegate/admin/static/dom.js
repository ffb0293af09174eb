// What the page is made of. Text is always a text node: what files and clients say never becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element; attributes that are null or false are left out, functions are listeners. */
export function el(name, attributes = {}, ...children) {
  return dress(document.createElement(name), attributes, children);
}

/** Makes an element of SVG. */
export function svg(name, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, name), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

/** Sets an attribute where it is another; null and false take it away. */
export function set(element, name, value) {
  if (typeof value === "function") element.addEventListener(name, value);
  else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Sets an element's text where it is another, so that what nothing has changed is not read out or laid out again. */
export function say(element, text) {
  const words = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== words) element.textContent = words;
}

/**
 * Has an element one child for each item, in their order. A child stays with its item, whatever its place: what has
 * the focus keeps it.
 */
export function each(parent, items, keyOf, make, update) {
  const known = (parent.known ??= new Map());
  const wanted = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (wanted.has(key)) continue;
    let child = known.get(key);
    if (child === undefined) child = make(item);
    update(child, item);
    wanted.set(key, child);
  }
  for (const [key, child] of known) if (wanted.get(key) !== child) child.remove();
  parent.known = wanted;
  const focused = document.activeElement;
  let at = parent.firstElementChild;
  for (const child of wanted.values()) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  // moving what has the focus takes it away
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({preventScroll: true});
}

/** Returns the element with an id. */
export function by(id) {
  return document.getElementById(id);
}
