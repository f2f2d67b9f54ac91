/* Everything that the customer has made, newest first; a click shows it on the stage. */

import { ask } from "./api.js";
import { byId, element, prefersStillness, remark } from "./element.js";
import { featureTitle } from "./features.js";
import { explain, instant } from "./wording.js";

let reading = 0;
let show = () => {};

export function startGallery(chosen) {
  show = chosen;
}

export async function readGallery() {
  const mine = ++reading;
  try {
    const { generations } = await ask("/studio/generations");
    if (mine !== reading) return;
    remark(byId("gallery-error"), "");
    byId("gallery").replaceChildren(...generations.map(picture));
    showEmptiness();
  } catch (error) {
    if (mine === reading) remark(byId("gallery-error"), `Your earlier pictures could not be fetched. ${explain(error)}`, element("button", { type: "button", class: "quiet", onclick: readGallery }, "Try again"));
  }
}

/** Show a new result first; one that is already there (a retried order) is not shown twice. */
export function addToGallery(generation) {
  reading += 1;
  byId("gallery").querySelector(`[data-generation="${CSS.escape(generation.generation_id)}"]`)?.remove();
  byId("gallery").prepend(picture(generation));
  showEmptiness();
}

export function forgetGallery() {
  reading += 1;
  byId("gallery").replaceChildren();
}

function showEmptiness() {
  byId("gallery-empty").hidden = byId("gallery").children.length > 0;
}

function picture(generation) {
  const title = featureTitle(generation.feature);
  const at = instant(generation.created_at);
  return element("li", { "data-generation": generation.generation_id, "data-testid": "gallery-item" },
    element("button", { type: "button", class: "hung", onclick: () => show(generation), title: at.full },
      element("span", { class: "hung-frame" }, thumbnail(generation)),
      element("span", { class: "hung-words" }, element("b", {}, title), element("small", {}, at.short)), element("span", { class: "unseen" }, "Show it on the stage")));
}

function thumbnail(generation) {
  if (generation.media_type.startsWith("video/")) return element("video", { src: generation.after_url, muted: true, playsinline: true, preload: "metadata", "aria-hidden": "true", tabindex: "-1" });
  const still = generation.feature === "video" && prefersStillness();
  return element("img", { src: still ? generation.before_url : generation.after_url, alt: "", loading: "lazy" });
}
