/* Rectangles on the picture, as shares of its width and height (0 to 1), drawn by pointer or set by keyboard. */

import { announce, byId, element } from "./element.js";

const smallest = 0.02;
const areaMax = 12;
let areas = [];
let drawing = null;

/** The areas as the server takes them: a list of [x, y, width, height]. */
export const areaList = () => areas.map(({ x, y, w, h }) => [x, y, w, h].map((part) => Number(part.toFixed(4))));

export function startAreas() {
  const field = byId("areas");
  field.addEventListener("pointerdown", begin);
  field.addEventListener("pointermove", stretch);
  field.addEventListener("pointerup", finish);
  field.addEventListener("pointercancel", finish);
  byId("add-area").addEventListener("click", addInTheMiddle);
  byId("clear-areas").addEventListener("click", () => { clearAreas(); announce("All areas cleared."); byId("add-area").focus(); });
}

export function showAreas(wanted) {
  byId("areas").hidden = !wanted;
  byId("area-tools").hidden = !wanted;
}

export function clearAreas() {
  areas = [];
  drawing = null;
  draw();
}

function place(event) {
  const box = byId("areas").getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

function begin(event) {
  if (event.button !== 0 || event.target.closest(".area") || areas.length >= areaMax) return;
  event.preventDefault();
  const [x, y] = place(event);
  drawing = { from: [x, y], area: { x, y, w: 0, h: 0 } };
  byId("areas").setPointerCapture(event.pointerId);
}

function stretch(event) {
  if (!drawing) return;
  const [x, y] = place(event);
  const [fromX, fromY] = drawing.from;
  Object.assign(drawing.area, { x: Math.min(x, fromX), y: Math.min(y, fromY), w: Math.abs(x - fromX), h: Math.abs(y - fromY) });
  if (!areas.includes(drawing.area)) areas.push(drawing.area);
  draw();
}

function finish() {
  if (!drawing) return;
  // A tap without a stroke is not an area: a resting finger must not remove a speck of the picture.
  areas = areas.filter((area) => area !== drawing.area || (area.w >= smallest && area.h >= smallest));
  drawing = null;
  draw();
}

function addInTheMiddle() {
  if (areas.length >= areaMax) return announce(`There can be ${areaMax} areas at most.`);
  const shift = (areas.length % 5) * 0.05;
  areas.push({ x: 0.35 + shift, y: 0.35 + shift, w: 0.3, h: 0.3 });
  draw();
  byId("areas").lastElementChild.focus();
}

function draw(focused = -1) {
  byId("areas").replaceChildren(...areas.map(box));
  byId("clear-areas").hidden = areas.length === 0;
  if (focused >= 0) byId("areas").children[Math.min(focused, areas.length - 1)]?.focus();
}

function box(area, index) {
  const made = element("div", { class: "area", tabindex: "0", role: "group", "aria-roledescription": "area", "aria-label": describe(area, index), "aria-describedby": "area-help", "data-testid": `area-${index + 1}`, onkeydown: (event) => byKey(event, area, index) },
    element("button", { type: "button", class: "area-off", "aria-label": `Take away area ${index + 1}`, onclick: () => take(area, index) }, "×"));
  position(made, area);
  return made;
}

function position(target, area) {
  Object.assign(target.style, { left: `${area.x * 100}%`, top: `${area.y * 100}%`, width: `${area.w * 100}%`, height: `${area.h * 100}%` });
}

function byKey(event, area, index) {
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.target !== event.currentTarget) return;
  if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    return take(area, index);
  }
  if (!direction) return;
  event.preventDefault();
  const [dx, dy] = direction.map((part) => part * smallest);
  if (event.shiftKey) {
    area.w = clamp(area.w + dx, smallest, 1 - area.x);
    area.h = clamp(area.h + dy, smallest, 1 - area.y);
  } else {
    area.x = clamp(area.x + dx, 0, 1 - area.w);
    area.y = clamp(area.y + dy, 0, 1 - area.h);
  }
  position(event.currentTarget, area);
  event.currentTarget.setAttribute("aria-label", describe(area, index));
  announce(describe(area, index));
}

function take(area, index) {
  areas = areas.filter((each) => each !== area);
  draw(index);
  announce(`Area ${index + 1} taken away.`);
  if (!areas.length) byId("add-area").focus();
}

const percent = (part) => `${Math.round(part * 100)} %`;
const describe = ({ x, y, w, h }, index) => `Area ${index + 1}: ${percent(x)} from the left, ${percent(y)} from the top, ${percent(w)} wide, ${percent(h)} high`;
const clamp = (value, low = 0, high = 1) => Math.min(Math.max(value, low), high);
