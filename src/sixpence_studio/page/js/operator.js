/* The operator's form: a grant is entered, reviewed as a sentence, and only then granted. */

import { Refusal, Unreachable, ask, freshId } from "./api.js";
import { byId, element, remark } from "./element.js";
import { refreshBalance } from "./balance.js";
import { credits, explain, instant, sentence } from "./wording.js";

const amountMax = Number.MAX_SAFE_INTEGER;
// The key belongs to one intended grant: a second click or a retry sends it again, an edited form gets a new one.
let intended = null;
let granting = false;
let ownId = null;

export function startOperator() {
  byId("grant").addEventListener("submit", (event) => { event.preventDefault(); preview(); });
  byId("grant").addEventListener("input", () => { showCheck(false); remark(byId("grant-result"), ""); });
  byId("grant-back").addEventListener("click", () => { showCheck(false); byId("grant-amount").focus(); });
  byId("grant-confirm").addEventListener("click", confirm);
}

export function showOperator(user) {
  ownId = user.id;
  byId("operator").hidden = user.role !== "admin";
}

export function forgetOperator() {
  byId("operator").hidden = true;
  byId("grant").reset();
  intended = null;
  showCheck(false);
  for (const id of ["grant-result", "grant-error"]) remark(byId(id), "");
}

function preview() {
  remark(byId("grant-error"), "");
  remark(byId("grant-result"), "");
  const grant = read();
  if (!grant) return;
  const words = JSON.stringify(grant);
  if (intended?.words !== words) intended = { words, key: freshId(), grant };
  const until = grant.expires_at ? `They can be spent until ${instant(grant.expires_at).full}.` : "They never expire.";
  byId("grant-sentence").replaceChildren("Give ", element("b", {}, credits(grant.amount)), " to ", element("b", {}, grant.user_id), `, because: “${grant.reason}”. ${until}`);
  showCheck(true);
  byId("grant-sentence").focus();
}

/** Return the grant as entered, or null after showing each fault at its field. */
function read() {
  const [account, amount, reason, expires] = ["account", "amount", "reason", "expires"].map((name) => byId(`grant-${name}`));
  const number = /^[1-9]\d{0,15}$/.test(amount.value.trim()) ? Number(amount.value.trim()) : NaN;
  const until = expires.value ? new Date(expires.value) : null;
  const faults = [
    [account, account.value.trim() ? "" : "Whose account? Paste the account id."],
    [amount, number <= amountMax ? "" : "Please write a whole number, 1 or more."],
    [expires, expires.validity.badInput || (until && until <= new Date()) ? "Choose a moment that is still to come, or leave it empty." : ""],
    [reason, reason.value.trim() ? "" : "Please say why. It is kept with the grant."],
  ];
  for (const [input, text] of faults) mark(input, text);
  const first = faults.find(([, text]) => text);
  if (first) first[0].focus();
  if (first) return null;
  const grant = { user_id: account.value.trim(), amount: number, reason: reason.value.trim() };
  return until ? { ...grant, expires_at: until.toISOString() } : grant;
}

function mark(input, text) {
  remark(byId(`${input.id}-error`), text);
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function showCheck(shown) {
  byId("grant-check").hidden = !shown;
  byId("grant-preview").hidden = shown;
}

async function confirm() {
  if (granting || !intended) return;
  granting = true;
  byId("grant-confirm").setAttribute("aria-disabled", "true");
  remark(byId("grant-error"), "");
  try {
    const { grant, key } = intended;
    const given = await ask("/api/admin/credits/grant", { method: "POST", json: grant, headers: { "idempotency-key": key } });
    finish(grant, given);
  } catch (error) {
    refuse(error);
  } finally {
    granting = false;
    byId("grant-confirm").removeAttribute("aria-disabled");
  }
}

function finish(grant, given) {
  intended = null;
  byId("grant").reset();
  showCheck(false);
  remark(byId("grant-result"), `Done: ${given.account_id ?? grant.user_id} received ${credits(given.amount)} and now has ${credits(given.remaining)}.`,
    element("small", {}, ` Transaction ${given.transaction_id}`));
  byId("grant-account").focus();
  if ((given.account_id ?? grant.user_id) === ownId) refreshBalance().catch(() => {});
}

function refuse(error) {
  if (error instanceof Unreachable || error.status >= 500) {
    return remark(byId("grant-error"), `${explain(error)} It is not known whether the credits arrived; pressing Grant again gives them once at most.`);
  }
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 404) {
    showCheck(false);
    mark(byId("grant-account"), `${sentence(error.message)} The account id is under the customer’s initial, top right on their page.`);
    return byId("grant-account").focus();
  }
  return remark(byId("grant-error"), `${explain(error)} Nothing was granted.`);
}
