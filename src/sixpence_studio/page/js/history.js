/* The drawer with the customer's credit history, newest first, a page at a time. */

import { ask } from "./api.js";
import { byId, element, remark } from "./element.js";
import { balance } from "./balance.js";
import { featureNames, featureTitle } from "./features.js";
import { count, credits, explain, instant, signed } from "./wording.js";

const pageRows = 20;
const kinds = {
  signup: "Welcome gift", grant: "Credits received", consume: "Picture made", plan_change: "Plan changed",
  expire: "Credits expired", take_effect: "Credits activated", ensure: "Account opened",
  hold: "Set aside for a picture", capture: "Picture finished", release: "Returned", hold_expire: "Returned automatically",
  refund: "Refunded", void: "Credits withdrawn", adjust: "Corrected", allowance: "Credits of the plan", rollover: "Credits carried over",
};
const steps = { hold: "set aside", release: "returned", hold_expire: "returned automatically", refund: "refunded" };
let cursor = null;
let reading = 0;

export function startHistory() {
  byId("counter").addEventListener("click", open);
  byId("history-close").addEventListener("click", () => byId("history").close());
  byId("history").addEventListener("close", () => byId("counter").focus());
  byId("history").addEventListener("click", (event) => { if (event.target === byId("history")) byId("history").close(); });
  byId("history-filters").addEventListener("change", () => read(true));
  byId("history-filters").addEventListener("submit", (event) => event.preventDefault());
  byId("history-more").addEventListener("click", () => read(false));
}

export function fillHistoryFilters() {
  byId("history-kind").replaceChildren(choice("", "everything"), ...Object.entries(kinds).map(([kind, words]) => choice(kind, words.toLowerCase())));
  byId("history-feature").replaceChildren(choice("", "every feature"), ...featureNames().map((name) => choice(name, featureTitle(name))));
}

/** Empty the drawer and close it; an answer that comes later is dropped. */
export function forgetHistory() {
  reading += 1;
  byId("history-rows").replaceChildren();
  if (byId("history").open) byId("history").close();
}

const choice = (value, words) => element("option", { value }, words);

function open() {
  const now = balance();
  byId("history-summary").textContent = !now ? "" : now.unlimited ? "Your plan is unlimited: pictures are noted here and cost nothing." : `${credits(now.remaining)} left of ${count(now.total)} received.`;
  byId("history").showModal();
  read(true);
}

async function read(fromStart) {
  const mine = ++reading;
  if (fromStart) {
    cursor = null;
    byId("history-rows").replaceChildren();
  }
  remark(byId("history-error"), "");
  byId("history-empty").hidden = true;
  byId("history").setAttribute("aria-busy", "true");
  try {
    const page = await ask(`/api/user/credits/history?${query()}`);
    if (mine === reading) append(page);
  } catch (error) {
    if (mine !== reading) return;
    remark(byId("history-error"), explain(error), element("button", { type: "button", class: "quiet", onclick: () => read(fromStart) }, "Try again"));
  } finally {
    if (mine === reading) byId("history").removeAttribute("aria-busy");
  }
}

function query() {
  const parameters = new URLSearchParams({ limit: String(pageRows) });
  if (cursor) parameters.set("cursor", cursor);
  for (const name of ["kind", "feature"]) if (byId(`history-${name}`).value) parameters.set(name, byId(`history-${name}`).value);
  return parameters;
}

function append(page) {
  const focusNext = document.activeElement === byId("history-more");
  const rows = page.transactions.map(row);
  byId("history-rows").append(...rows);
  cursor = page.next_cursor ?? null;
  byId("history-more").hidden = cursor === null;
  // A filtered page may be short although more pages follow.
  byId("history-empty").hidden = byId("history-rows").children.length > 0 || cursor !== null;
  if (focusNext && cursor === null) rows[0]?.focus();
}

function row(transaction) {
  const at = instant(transaction.created_at);
  const reason = transaction.kind === "grant" ? transaction.metadata?.reason : null;
  const charged = transaction.credits_consumed;
  const step = steps[transaction.kind] ?? (charged === 0 ? "no charge" : transaction.kind === "capture" && `finished, ${credits(charged)} charged`);
  return element("tr", { tabindex: "-1", "data-testid": "history-row", "data-kind": transaction.kind, "data-seq": transaction.seq },
    element("th", { scope: "row" },
      element("span", { class: "ledger-what" }, transaction.feature_used ? featureTitle(transaction.feature_used) : kinds[transaction.kind] ?? transaction.kind),
      element("small", {}, element("time", { datetime: transaction.created_at, title: at.full }, at.short), typeof reason === "string" && ` · ${reason}`, step && ` · ${step}`)),
    element("td", { class: `number ${transaction.amount > 0 ? "gain" : ""}` }, signed(transaction.amount)),
    element("td", { class: "number" }, count(transaction.balance_after)));
}
