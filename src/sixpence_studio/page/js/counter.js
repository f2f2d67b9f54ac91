/* The counter: a tray with six coins, and the number beside it. A spent coin turns over and disappears. */

import { announce, byId, element, prefersStillness } from "./element.js";
import { watchBalance } from "./balance.js";
import { count, credits } from "./wording.js";

const recesses = 6;
const turnMilliseconds = 620;
let ticking = null;

export function startCounter() {
  fillTray(byId("tray"));
  fillTray(byId("upgrade-tray"));
  watchBalance(show);
}

function fillTray(tray) {
  tray.replaceChildren(...Array.from({ length: recesses }, () =>
    element("span", { class: "recess" }, element("img", { class: "coin", src: "art/sixpence.svg", alt: "" }))));
}

function show(now, before) {
  const counter = byId("counter");
  counter.dataset.unlimited = String(now.unlimited === true);
  counter.dataset.version = String(now.version);
  byId("remaining-unit").textContent = now.unlimited ? "unlimited" : now.remaining === 1 ? "credit left" : "credits left";
  layCoins(byId("tray"), now.unlimited ? recesses : now.remaining, before !== null);
  layCoins(byId("upgrade-tray"), now.unlimited ? recesses : now.remaining, false);
  if (now.unlimited) settle("∞");
  else tick(before && !before.unlimited ? before.remaining : now.remaining, now.remaining);
  speak(now, before);
}

function layCoins(tray, held, moving) {
  [...tray.children].forEach((recess, place) => {
    const filled = place < held;
    if (recess.classList.contains("filled") === filled) return;
    recess.classList.toggle("filled", filled);
    recess.classList.remove("leaving", "arriving");
    if (!moving || prefersStillness()) return;
    recess.classList.add(filled ? "arriving" : "leaving");
    setTimeout(() => recess.classList.remove("leaving", "arriving"), turnMilliseconds);
  });
}

/** Count through the numbers between, always in half a second. */
function tick(from, to) {
  cancelAnimationFrame(ticking);
  if (from === to || prefersStillness()) return settle(count(to));
  const began = performance.now();
  const step = (at) => {
    const part = Math.min((at - began) / 500, 1);
    byId("remaining").textContent = count(Math.round(from + (to - from) * part));
    if (part < 1) ticking = requestAnimationFrame(step);
  };
  byId("counter").classList.remove("fell");
  void byId("counter").offsetWidth;
  if (to < from) byId("counter").classList.add("fell");
  ticking = requestAnimationFrame(step);
}

function settle(text) {
  cancelAnimationFrame(ticking);
  byId("remaining").textContent = text;
}

function speak(now, before) {
  if (!before) return;
  if (now.unlimited !== before.unlimited) announce(now.unlimited ? "Your plan is unlimited now." : `${credits(now.remaining)} left.`);
  else if (!now.unlimited && now.remaining !== before.remaining) announce(`${credits(now.remaining)} left.`);
}
