/* The stage shows one thing at a time: the chosen picture, the wait for a result, or a result. */

import { byId, element } from "./element.js";
import { comparison, comparisonOf, rememberComparison, splits } from "./compare.js";
import { featureTitle } from "./features.js";
import { showAreas } from "./areas.js";
import { instant } from "./wording.js";

let picture = null;
let takesArea = false;
let generation = null;
let clock = null;
let actions = {};

/** Calls `carryOn(generation)` when the customer wants to use a result as the next picture. */
export function startStage(given) {
  actions = given;
  byId("source-image").addEventListener("load", () => { if (!generation) shape(byId("source-image")); });
}

export function showPicture(chosen, withAreas) {
  picture = chosen;
  takesArea = withAreas;
  generation = null;
  draw();
}

/** Areas are drawn on the original, so a feature that takes them shows it again; others leave a result on the stage. */
export function showFeature(withAreas) {
  takesArea = withAreas;
  if (withAreas) generation = null;
  draw();
}

export function showResult(made) {
  generation = made;
  draw();
}

/** Cover the stage while a picture is made; `stopped` is called when the customer stops waiting. */
export function showWorking(title, stopped) {
  const began = performance.now();
  const count = () => { byId("elapsed").textContent = String(Math.floor((performance.now() - began) / 1000)); };
  byId("working-words").textContent = `${title} is being made…`;
  byId("working").hidden = false;
  byId("mount").classList.add("busy");
  byId("stop-waiting").onclick = stopped;
  count();
  clock = setInterval(count, 250);
}

export function hideWorking() {
  clearInterval(clock);
  byId("working").hidden = true;
  byId("mount").classList.remove("busy");
}

function draw() {
  const source = byId("source-image");
  const view = comparison();
  source.hidden = generation !== null || !picture;
  if (picture && source.getAttribute("src") !== picture.url) source.src = picture.url;
  source.alt = picture ? picture.title : "";
  byId("result").hidden = generation === null;
  byId("frame").dataset.view = generation ? view : "source";
  showAreas(generation === null && takesArea);
  if (generation) drawResult(view);
  else drawSource(source);
}

function drawSource(source) {
  byId("result").replaceChildren();
  byId("stage-caption").textContent = picture ? picture.title : "";
  byId("stage-tools").replaceChildren();
  shape(source);
}

function drawResult(view) {
  const title = featureTitle(generation.feature);
  const nodes = comparisonOf(generation, title, view);
  byId("result").replaceChildren(...nodes);
  const first = byId("result").querySelector("img, video");
  first.addEventListener(first.tagName === "VIDEO" ? "loadedmetadata" : "load", () => shape(first));
  byId("stage-caption").replaceChildren(element("b", {}, title), ` ${instant(generation.created_at).short}`);
  byId("stage-tools").replaceChildren(...tools(view));
}

function tools(view) {
  const drawable = ["image/png", "image/jpeg", "image/webp"].includes(generation.media_type) && generation.feature !== "video";
  const made = generation;
  return [
    element("span", { class: "views", role: "group", "aria-label": "How to compare" }, viewButton("slider", splits(made) ? "Slider" : "Result", view), viewButton("pair", "Side by side", view)),
    element("button", { type: "button", class: "quiet", "data-testid": "back-to-original", onclick: () => { generation = null; draw(); } }, "Back to the original"),
    drawable && element("button", { type: "button", class: "quiet", "data-testid": "carry-on", onclick: () => actions.carryOn(made) }, "Work on from this"),
    element("a", { class: "quiet", href: made.after_url, download: `sixpence-${made.feature}-${made.generation_id.slice(0, 8)}`, "data-testid": "download" }, "Download"),
  ].filter(Boolean);
}

function viewButton(view, label, current) {
  return element("button", { type: "button", "aria-pressed": String(view === current), "data-testid": `view-${view}`, onclick: () => {
    rememberComparison(view);
    draw();
    byId("stage-tools").querySelector(`[data-testid="view-${view}"]`).focus();
  } }, label);
}

/** Give the frame the picture's own proportions, so that the shares of an area fit the picture. */
function shape(shown) {
  const [width, height] = [shown.naturalWidth || shown.videoWidth, shown.naturalHeight || shown.videoHeight];
  if (width && height) byId("frame").style.setProperty("--shape", String(width / height));
}
