// Building blocks of every view. Text goes in as text nodes only: nothing from the server is ever markup.

const SVG = "http://www.w3.org/2000/svg";
const LINE = { fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" };

// name: [size of the grid, path, filled?]
const icons = {
  mark: [24, "M10.1 20.3C10.1 16.7 6.6 14.7 2.7 15.7C3 18.9 6.1 21.5 10.1 20.3ZM5.2 15.6C7.5 13 6.2 9.5 2.7 7.9C0.9 10.3 1.5 14 5.2 15.6ZM5 9.6C8 9.1 9.2 5.9 7.7 2.8C5.1 3.5 3.4 6.4 5 9.6ZM13.9 20.3C13.9 16.7 17.4 14.7 21.3 15.7C21 18.9 17.9 21.5 13.9 20.3ZM18.8 15.6C16.5 13 17.8 9.5 21.3 7.9C23.1 10.3 22.5 14 18.8 15.6ZM19 9.6C16 9.1 14.8 5.9 16.3 2.8C18.9 3.5 20.6 6.4 19 9.6Z", true],
};

/** The panel brings its own icons, so that the launcher does not pay for them. */
export function addIcons(more) {
  Object.assign(icons, more);
}

/** The page's turn: none of ours takes long. */
export const turn = () => new Promise((done) => { setTimeout(done); });

/** An element. `props` are attributes; one named `onclick` and the like is a listener, null and false are left out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value == null || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else node.setAttribute(name, value === true ? "" : value);
}

export function icon(name) {
  const [grid, path, filled] = icons[name] ?? icons.mark;
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", `0 0 ${grid} ${grid}`);
  svg.setAttribute("aria-hidden", "true");
  for (const [key, value] of Object.entries(filled ? { fill: "currentColor" } : LINE)) line.setAttribute(key, value);
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** Puts `nodes` into `box` unless it shows the same already, and keeps the focus on the same thing. */
export function fill(box, shows, makeNodes) {
  const mark = JSON.stringify(shows);
  if (box.shows === mark) return;
  box.shows = mark;
  const held = box.getRootNode().activeElement;
  const key = box.contains(held) ? held.dataset.key : null;
  box.replaceChildren(...[makeNodes()].flat(Infinity).filter((node) => node != null && node !== false));
  if (key) [...box.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key)?.focus();
}

/** Only web addresses: one with another scheme (`javascript:`) counts as none. */
export function webAddress(text) {
  try {
    const url = new URL(text || "none:", document.baseURI);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** False when the browser forbids it: then what is `shown` is marked, ready to be copied by hand. */
export async function writeClipboard(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(shown);
    return false;
  }
}
