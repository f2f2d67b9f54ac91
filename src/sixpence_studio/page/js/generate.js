/* One generation from order to answer. An unanswered order keeps its id, so a retry never charges twice. */

import { Refusal, Unreachable, ask, freshId } from "./api.js";
import { announce, byId, element, prefersStillness, remark } from "./element.js";
import { acceptBalance, refreshBalance } from "./balance.js";
import { areaList } from "./areas.js";
import { chosenFeature, chosenOptions } from "./features.js";
import { chosenPicture } from "./picture.js";
import { hideWorking, showResult, showWorking } from "./stage.js";
import { explain, sentence } from "./wording.js";

let running = null;
let unanswered = null;
let after = {};

/** Calls `made(generation)` after each result, `lacking(problem)` when there are too few credits, `unsure()` when the outcome is unknown. */
export function startGenerating(given) {
  after = given;
  byId("order").addEventListener("submit", (event) => {
    event.preventDefault();
    generate();
  });
}

/** Stop waiting for a running order, silently: its owner signed out. */
export function forgetOrder() {
  running?.abort();
  unanswered = null;
  remark(byId("generate-error"), "");
}

async function generate() {
  if (running) return;
  const order = writeOrder();
  if (order.fault) return remark(byId("generate-error"), order.fault);
  if (unanswered?.signature !== order.signature) unanswered = { id: freshId(), signature: order.signature };
  running = new AbortController();
  const mine = running;
  begin(order);
  try {
    const form = order.form(unanswered.id);
    const generation = await ask("/studio/generations", { method: "POST", form, signal: mine.signal });
    unanswered = null;
    acceptBalance(generation);
    showResult(generation);
    announce(`${order.title} is ready. The result is on the stage.`);
    after.made(generation);
  } catch (error) {
    if (!byId("studio").hidden) refuse(error);
  } finally {
    running = null;
    end();
  }
}

function writeOrder() {
  const [feature, picture] = [chosenFeature(), chosenPicture()];
  if (!navigator.onLine) return { fault: "You are offline. Generate works again when the connection is back; what you have chosen stays." };
  if (!picture) return { fault: "Choose a room or bring a picture first." };
  const area = feature.takes_area ? areaList() : [];
  if (feature.takes_area && !area.length) return { fault: "Mark what should go first: draw over it on the picture, or press “Add an area” below it." };
  const options = JSON.stringify(chosenOptions());
  return { title: feature.title, signature: JSON.stringify([feature.name, picture.key, options, area]), form: (id) => fill(id, feature, picture, options, area) };
}

function fill(id, feature, picture, options, area) {
  const form = new FormData();
  form.set("generation_id", id);
  form.set("feature", feature.name);
  form.set("options", options);
  if (picture.file) form.set("picture", picture.file, picture.file.name);
  else form.set("room", picture.room);
  if (area.length) form.set("area", JSON.stringify(area));
  return form;
}

function begin(order) {
  remark(byId("generate-error"), "");
  byId("generate").setAttribute("aria-disabled", "true");
  byId("generate-words").textContent = "Working…";
  showWorking(order.title, () => running?.abort());
  announce(`${order.title} is being made.`);
  // Not at once: the second half of a double click would hit what the scrolling moves under the pointer.
  setTimeout(() => { if (running) byId("mount").scrollIntoView({ block: "nearest", behavior: prefersStillness() ? "auto" : "smooth" }); }, 400);
}

function end() {
  hideWorking();
  byId("generate").removeAttribute("aria-disabled");
  byId("generate-words").textContent = "Generate";
}

function refuse(error) {
  if (error.name === "AbortError") return stopped();
  if (error instanceof Unreachable) return unknown("The answer got lost on its way. Your picture may be ready: trying again brings it, and never charges twice.");
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 402) return after.lacking(error.data);
  if (error.status === 401) return undefined;
  if (error.status >= 500 || error.status === 409) return unknown(`${error.status === 409 ? sentence(error.message) : explain(error)} Trying again never charges twice.`);
  if (error.status === 429) return remark(byId("generate-error"), explain(error));
  unanswered = null;
  return remark(byId("generate-error"), `${sentence(error.message)} Nothing was charged.`, ...remedyFor(error));
}

function stopped() {
  remark(byId("generate-error"), "You stopped waiting. If the picture was finished all the same, it hangs in your gallery below; the same order again brings it without a second charge.");
  after.unsure();
}

function unknown(text) {
  remark(byId("generate-error"), text, element("button", { type: "button", class: "quiet", "data-testid": "try-again", onclick: generate }, "Try again"));
  after.unsure();
  refreshBalance().catch(() => {});
}

function remedyFor(error) {
  if (!/picture|image|upload/i.test(error.message)) return [];
  return [element("button", { type: "button", class: "quiet", onclick: () => byId("picture-file").click() }, "Choose another picture")];
}
