/* Making and finding elements. Data becomes text or attributes here, never markup. */

export const byId = (id) => document.getElementById(id);

/** An element with attributes, listeners (`onclick: fn`) and children; `null` and `false` are left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Show a remark beside its cause, or hide it if `text` is empty. */
export function remark(target, text, ...remedies) {
  target.hidden = !text;
  target.replaceChildren(...(text ? [element("span", {}, text), ...remedies] : []));
}

let unannounced = [];

/** Announce a text to screen readers; texts that come at the same time (a result, a balance) are joined. */
export function announce(text) {
  unannounced.push(text);
  if (unannounced.length > 1) return;
  byId("announcer").textContent = "";
  setTimeout(() => {
    byId("announcer").textContent = unannounced.join(" ");
    unannounced = [];
  }, 60);
}

export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
