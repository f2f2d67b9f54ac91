/* A result beside its original: one over the other with a slider, or side by side. */

import { element, prefersStillness } from "./element.js";

const remembered = "sixpence-studio-view";

/** "slider" or "pair", as last chosen in this browser. */
export function comparison() {
  try {
    return localStorage.getItem(remembered) ?? "slider";
  } catch {
    return "slider";
  }
}

export function rememberComparison(view) {
  try {
    localStorage.setItem(remembered, view);
  } catch { /* A browser without storage still shows both views. */ }
}

/** Whether a slider can split this result: a moving one is shown whole, since a split would hide half of the movement. */
export const splits = (generation) => generation.feature !== "video" && !generation.media_type.startsWith("video/");

/** Return nodes that show the result with its original; a moving result alone, unless the view is a pair. */
export function comparisonOf(generation, title, view) {
  if (view === "pair") return pair(generation, title);
  return splits(generation) ? slider(generation, title) : [moving(generation, title)];
}

function slider(generation, title) {
  const handle = element("span", { class: "split-handle", "aria-hidden": "true" }, element("img", { src: "art/sixpence.svg", alt: "" }));
  const range = element("input", {
    type: "range", class: "split-range", min: 0, max: 100, step: 1, value: 50, "aria-label": "Slide between the original and the result",
    "data-testid": "compare-slider", oninput: (event) => move(Number(event.target.value)),
  });
  const before = still(generation.before_url, "The original", "before-image", "split-before");
  const nodes = [
    still(generation.after_url, `The result: ${title}`, "result-image", "split-after"), before, range, handle,
    element("span", { class: "split-label start", "aria-hidden": "true" }, "Original"), element("span", { class: "split-label end", "aria-hidden": "true" }, "Result"),
  ];
  const move = (part) => {
    before.style.clipPath = `inset(0 ${100 - part}% 0 0)`;
    handle.style.left = `${part}%`;
    range.setAttribute("aria-valuetext", `${part} % original, ${100 - part} % result`);
  };
  move(50);
  return nodes;
}

function pair(generation, title) {
  const after = splits(generation) ? still(generation.after_url, `The result: ${title}`, "result-image") : moving(generation, title);
  return [
    element("figure", {}, still(generation.before_url, "The original", "before-image"), element("figcaption", {}, "Original")),
    element("figure", {}, after, element("figcaption", {}, "Result")),
  ];
}

const still = (url, alt, testid, style) => element("img", { src: url, alt, class: style, draggable: "false", "data-testid": testid });

function moving(generation, title) {
  const calm = prefersStillness();
  if (generation.media_type.startsWith("video/")) {
    const film = element("video", { src: generation.after_url, controls: true, loop: true, playsinline: true, autoplay: !calm, "aria-label": `The result: ${title}`, "data-testid": "result-image" });
    // Only the property mutes an element made by script, and browsers autoplay only muted videos.
    film.muted = true;
    return film;
  }
  const picture = still(calm ? generation.before_url : generation.after_url, `The result: ${title}`, "result-image");
  if (!calm) return picture;
  const play = element("button", { type: "button", class: "quiet play", "data-testid": "play-result", onclick: () => {
    const playing = play.textContent === "Stop";
    picture.src = playing ? generation.before_url : generation.after_url;
    play.textContent = playing ? "Play the result" : "Stop";
  } }, "Play the result");
  return element("div", { class: "moving" }, picture, play);
}
