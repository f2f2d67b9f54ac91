/* The six features as paint chips, and the options of the chosen one. Each feature keeps its own choices. */

import { byId, element } from "./element.js";
import { balance, watchBalance } from "./balance.js";
import { credits } from "./wording.js";

const segmentMax = 5;
const drawings = {
  interior: "M5 21v-6a3 3 0 0 1 3-3V8a3 3 0 0 1 3-3h10a3 3 0 0 1 3 3v4a3 3 0 0 1 3 3v6M8 12a3 3 0 0 1 3 3v2h10v-2a3 3 0 0 1 3-3M5 21h22v3H5zM8 24v3M24 24v3",
  exterior: "M4 15 16 5l12 10M7 13v14h18V13M13 27v-8h6v8M10 17h2M20 17h2M21 6h3v4",
  sketch: "M6 26l2-7L22 5l5 5-14 14zM19 8l5 5M8 19l5 5M4 28c8-2 16 1 24-1",
  furnish: "M5 14a3 3 0 0 1 3 3v2h16v-2a3 3 0 1 1 4 3v5H4v-5a3 3 0 0 1 1-6M7 14v-3a2 2 0 0 1 2-2h4M25 14v-3M6 25v2M26 25v2M21 3v8M17 7h8",
  remove: "M6 9V6h3M13 6h3M20 6h3v3M23 13v2M6 13v3M6 20v3h3M13 23h1M17 25l6-7 5 4-6 7h-3zM20 21l5 4",
  video: "M4 9h17v14H4zM21 14l7-4v12l-7-4M4 13h17M8 9v4M12.500 9v4M17 9v4",
};
const coinDrawing = "M16 4a12 12 0 1 1 0 24a12 12 0 1 1 0-24M16 9a7 7 0 1 1 0 14a7 7 0 1 1 0-14";
const picked = {};
let catalog = [];
let current = null;
let onFeature = () => {};

export const chosenFeature = () => current;
export const featureTitle = (name) => catalog.find((feature) => feature.name === name)?.title ?? name;
export const featureNames = () => catalog.map((feature) => feature.name);
export const chosenOptions = () => ({ ...picked[current.name] });

export function startFeatures(features, changed) {
  catalog = features;
  onFeature = changed;
  for (const feature of features) picked[feature.name] ??= defaults(feature);
  byId("features").replaceChildren(...features.map(chip));
  if (features.length) choose(features.find((feature) => feature.name === current?.name) ?? features[0]);
}

watchBalance(() => current && showPrice());

function choose(feature) {
  current = feature;
  for (const radio of byId("features").querySelectorAll("input")) radio.checked = radio.value === feature.name;
  byId("feature-words").textContent = feature.description;
  byId("options").replaceChildren(...feature.options.map((option) => optionField(feature, option)));
  showPrice();
  onFeature(feature);
}

function showPrice() {
  byId("price").textContent = balance()?.unlimited ? "no charge on this plan" : credits(current.credits);
}

function chip(feature) {
  return element("label", { class: "chip", "data-feature": feature.name },
    element("input", { type: "radio", name: "feature", value: feature.name, class: "cover", "data-testid": `feature-${feature.name}`, onchange: () => choose(feature) }),
    element("span", { class: "chip-paint" }, drawing(drawings[feature.name] ?? coinDrawing)),
    element("span", { class: "chip-name" }, feature.title));
}

function drawing(path) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(namespace, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const defaults = (feature) => Object.fromEntries(feature.options.map((option) => [option.name, option.default ?? option.choices[0]?.value]));

function optionField(feature, option) {
  return option.choices.length <= segmentMax ? segments(feature, option) : list(feature, option);
}

function segments(feature, option) {
  return element("fieldset", { class: "option" },
    element("legend", {}, option.label),
    element("div", { class: "segments" }, ...option.choices.map((choice) => element("label", { class: "segment" },
      element("input", {
        type: "radio", name: `option-${option.name}`, value: choice.value, class: "cover",
        checked: picked[feature.name][option.name] === choice.value,
        "data-testid": `option-${option.name}-${choice.value}`,
        onchange: () => { picked[feature.name][option.name] = choice.value; },
      }),
      element("span", {}, choice.label)))));
}

function list(feature, option) {
  const id = `option-${option.name}`;
  return element("div", { class: "option" },
    element("label", { for: id }, option.label),
    element("select", { id, "data-testid": id, onchange: (event) => { picked[feature.name][option.name] = option.choices[event.target.selectedIndex].value; } },
      ...option.choices.map((choice) => element("option", { value: choice.value, selected: picked[feature.name][option.name] === choice.value }, choice.label))));
}
