/* The upgrade dialog and the demo checkout, and the way back to the free plan. */

import { ask } from "./api.js";
import { announce, byId, element, remark } from "./element.js";
import { acceptBalance, balance, watchBalance } from "./balance.js";
import { credits, explain, sentence } from "./wording.js";

const proOffer = { plan: "pro", title: "Pro", unlimited: true };
let opener = null;
let paying = false;

export function startUpgrade() {
  byId("upgrade-close").addEventListener("click", () => byId("upgrade").close());
  byId("upgrade").addEventListener("close", () => opener?.focus());
  byId("upgrade").addEventListener("click", (event) => { if (event.target === byId("upgrade")) byId("upgrade").close(); });
  byId("see-pro").addEventListener("click", (event) => openUpgrade(null, event.currentTarget));
  byId("leave-pro").addEventListener("click", leave);
  watchBalance((now) => {
    byId("empty-notice").hidden = now.unlimited || now.remaining > 0;
    byId("leave-pro").hidden = !now.unlimited;
  });
}

/** Explain which credits are missing (`problem` is the 402's body, or null) and show the offers. */
export function openUpgrade(problem, returnTo) {
  opener = returnTo;
  const left = problem?.remaining ?? balance()?.remaining ?? 0;
  byId("upgrade-title").textContent = left > 0 ? "This needs more than you have." : "You’re out of credits.";
  byId("upgrade-words").textContent = wordProblem(problem, left);
  remark(byId("upgrade-error"), "");
  byId("offers").replaceChildren(...(problem?.offers?.length ? problem.offers : [proOffer]).map(offerCard));
  if (!byId("upgrade").open) byId("upgrade").showModal();
  byId("offers").querySelector("button").focus();
}

function wordProblem(problem, left) {
  if (!problem) return "Your free credits are spent. Pro makes pictures without counting; what you made stays yours either way.";
  if (problem.required === undefined) return sentence(problem.detail ?? "The credits do not suffice.");
  return `This picture costs ${credits(problem.required)} and you have ${left === 0 ? "none" : credits(left)} left. Nothing was charged, and what you made stays yours.`;
}

function offerCard(offer) {
  return element("div", { class: "offer" },
    element("div", {},
      element("b", { class: "offer-title" }, offer.title),
      element("p", {}, offer.unlimited ? "Unlimited pictures, all features, no counting." : "More credits.")),
    element("button", { type: "button", class: "mint", "data-testid": offer.plan === "pro" ? "checkout-button" : `checkout-${offer.plan}`, onclick: (event) => buy(offer, event.currentTarget) },
      `Upgrade to ${offer.title}`));
}

async function buy(offer, button) {
  if (paying) return;
  paying = true;
  button.setAttribute("aria-disabled", "true");
  remark(byId("upgrade-error"), "");
  try {
    acceptBalance(await ask("/studio/checkout", { method: "POST", json: { plan: offer.plan } }));
    opener = byId("generate");
    byId("upgrade").close();
    remark(byId("generate-error"), "");
    announce(`You are on ${offer.title} now. Generate makes pictures without charge.`);
  } catch (error) {
    remark(byId("upgrade-error"), `${explain(error)} Your plan has not changed on this page; no money is involved.`);
  } finally {
    paying = false;
    button.removeAttribute("aria-disabled");
  }
}

async function leave() {
  try {
    acceptBalance(await ask("/studio/checkout", { method: "POST", json: { plan: "free" } }));
    byId("account-menu").open = false;
    byId("account-menu").querySelector("summary").focus();
    announce("You are on the free plan again.");
  } catch (error) {
    remark(byId("account-error"), explain(error));
  }
}
