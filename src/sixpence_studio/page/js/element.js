/* Making and finding elements. Data only ever becomes text or attributes here, never markup. */

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

/** Write a remark where its cause is, or take it away when `text` is empty. */
export function remark(target, text, ...remedies) {
  target.hidden = !text;
  target.replaceChildren(...(text ? [element("span", {}, text), ...remedies] : []));
}

let unsaid = [];

/** Say something once to whoever listens rather than looks; what is said in one breath (a result, a balance) is said together. */
export function announce(text) {
  unsaid.push(text);
  if (unsaid.length > 1) return;
  byId("announcer").textContent = "";
  setTimeout(() => {
    byId("announcer").textContent = unsaid.join(" ");
    unsaid = [];
  }, 60);
}

export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
