/* The entry point: shows the studio to a signed-in user, and the sign-up page to anybody else. */

import { Unreachable, ask } from "./api.js";
import { byId, element, prefersStillness, remark } from "./element.js";
import { forgetBalance, refreshBalance } from "./balance.js";
import { startCounter } from "./counter.js";
import { currentUser, showForm, showUser, startSession } from "./session.js";
import { bring, forgetPicture, listenForPictures, startPicture } from "./picture.js";
import { chosenFeature, startFeatures } from "./features.js";
import { clearAreas, startAreas } from "./areas.js";
import { showFeature, showPicture, showResult, startStage } from "./stage.js";
import { forgetOrder, startGenerating } from "./generate.js";
import { openUpgrade, startUpgrade } from "./upgrade.js";
import { fillHistoryFilters, forgetHistory, startHistory } from "./history.js";
import { addToGallery, forgetGallery, readGallery, startGallery } from "./gallery.js";
import { forgetOperator, showOperator, startOperator } from "./operator.js";
import { explain } from "./wording.js";

let user = null;
let lastUserId = null;

start();

async function start() {
  startCounter();
  startSession(enter, leave);
  listenForPictures();
  startAreas();
  startStage({ carryOn });
  startGenerating({ made: addToGallery, unsure: lookAgain, lacking: (problem) => {
    refreshBalance().catch(() => {});
    openUpgrade(problem, byId("generate"));
  } });
  startUpgrade();
  startHistory();
  startGallery((generation) => {
    showResult(generation);
    byId("mount").scrollIntoView({ block: "center", behavior: prefersStillness() ? "auto" : "smooth" });
  });
  startOperator();
  watchConnection();
  tiltCoin();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  await open();
}

async function open() {
  try {
    const signedIn = await currentUser();
    if (signedIn) await enter(signedIn);
    else showGate();
  } catch (error) {
    showClosed(error);
  }
}

function showClosed(error) {
  showHalf("opening");
  byId("opening").replaceChildren(element("p", { role: "alert" }, explain(error)),
    element("button", { type: "button", class: "mint", onclick: open }, "Try again"));
}

async function enter(entered) {
  try {
    await layOut(entered);
  } catch (error) {
    // If the session ended meanwhile, the sign-up page is already shown.
    if (user) showClosed(error);
  }
}

async function layOut(entered) {
  if (lastUserId !== null && lastUserId !== entered.id) forgetEverything();
  user = entered;
  lastUserId = entered.id;
  showUser(user);
  showOperator(user);
  const [catalog] = await Promise.all([ask("/studio/catalog"), refreshBalance()]);
  startFeatures(catalog.features, (feature) => showFeature(feature.takes_area));
  startPicture(catalog.rooms, (picture) => {
    clearAreas();
    showPicture(picture, chosenFeature()?.takes_area ?? false);
  });
  fillHistoryFilters();
  showHalf("studio");
  readGallery();
}

function showGate(reason = "") {
  showHalf("gate");
  remark(byId("gate-notice"), reason);
  if (reason) {
    showForm("sign-in");
    byId("sign-in-email").focus();
  }
}

function showHalf(name) {
  byId("opening").hidden = name !== "opening";
  byId("gate").hidden = name !== "gate";
  byId("studio").hidden = name !== "studio";
  byId("purse").hidden = name !== "studio";
  document.body.dataset.half = name;
  scrollTo(0, 0);
  if (name === "studio") byId("main").focus({ preventScroll: true });
}

/** The session is over. The chosen room and feature stay in case the same user signs in again. */
function leave(reason) {
  if (!user) return;
  user = null;
  forgetBalance();
  forgetHistory();
  forgetGallery();
  forgetOrder();
  forgetOperator();
  if (byId("upgrade").open) byId("upgrade").close();
  showGate(reason);
}

function forgetEverything() {
  forgetBalance();
  forgetHistory();
  forgetGallery();
  forgetOrder();
  forgetOperator();
  forgetPicture();
  clearAreas();
}

/** The tab is visible again: in another one, the user may have signed out, changed, or spent credits. */
async function look() {
  if (!user) return;
  try {
    const present = await currentUser();
    if (!present) leave("Your session has ended. Sign in again.");
    else if (present.id !== user.id) await enter(present);
    else await refreshBalance();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
  }
}

/** After a cancelled wait or a lost answer, the server may still finish the picture: read the gallery now and once more. */
function lookAgain() {
  readGallery();
  setTimeout(() => { if (user) readGallery().then(refreshBalance).catch(() => {}); }, 4000);
}

async function carryOn(generation) {
  try {
    const answer = await fetch(generation.after_url);
    if (!answer.ok) throw new Unreachable("The picture did not come.");
    const blob = await answer.blob();
    await bring(new File([blob], "picture", { type: blob.type }), "Your last result");
  } catch {
    remark(byId("picture-error"), "That picture could not be fetched. Check the connection and try again.");
  }
}

function watchConnection() {
  const showOffline = () => { byId("offline").hidden = navigator.onLine; };
  addEventListener("offline", showOffline);
  addEventListener("online", () => { showOffline(); remark(byId("generate-error"), ""); look(); });
  showOffline();
}

/** The great coin leans a little towards the pointer. */
function tiltCoin() {
  byId("gate").addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || prefersStillness()) return;
    const box = byId("great-coin").getBoundingClientRect();
    const lean = (at, start, size) => Math.max(-1, Math.min(1, (at - start - size / 2) / size)) * 14;
    byId("great-coin").style.transform = `rotateY(${lean(event.clientX, box.left, box.width)}deg) rotateX(${-lean(event.clientY, box.top, box.height)}deg)`;
  });
}
