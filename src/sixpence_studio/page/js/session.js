/* Signing up, in and out, and the account menu. `startSession` takes the listeners. */

import { Refusal, ask } from "./api.js";
import { byId, element, remark } from "./element.js";
import { credits, explain, sentence } from "./wording.js";
import { watchBalance } from "./balance.js";

let listener;

/** Calls `entered(user)` after every sign-in, and `left(reason)` after every end of a session. */
export function startSession(entered, left) {
  listener = { entered, left };
  byId("show-sign-up").addEventListener("click", () => showForm("sign-up"));
  byId("show-sign-in").addEventListener("click", () => showForm("sign-in"));
  for (const name of ["sign-up", "sign-in"]) byId(name).addEventListener("submit", (event) => submit(event, name));
  byId("sign-out").addEventListener("click", signOut);
  byId("copy-account").addEventListener("click", copyAccount);
  document.addEventListener("studio:session-ended", () => left("Your session has ended. Sign in again; what you had chosen is still here."));
  document.addEventListener("click", (event) => { if (!byId("account-menu").contains(event.target)) byId("account-menu").open = false; });
  byId("account-menu").addEventListener("keydown", closeByEscape);
  watchBalance((now) => {
    byId("account-plan").textContent = `${now.subscription_status ?? "–"}${now.unlimited ? ", unlimited" : `, ${credits(now.remaining)}`}`;
  });
}

/** Return the signed-in user, or null. */
export async function currentUser() {
  const session = await ask("/api/auth/get-session");
  return session ? session.user : null;
}

export function showUser(user) {
  byId("account-name").textContent = user.name || user.email;
  byId("account-email").textContent = user.email;
  byId("account-id").textContent = user.id;
  byId("account-initial").textContent = [...(user.name || user.email)][0].toUpperCase();
  for (const form of ["sign-up", "sign-in"]) byId(form).reset();
}

export function showForm(name) {
  for (const each of ["sign-up", "sign-in"]) {
    byId(each).hidden = each !== name;
    byId(`show-${each}`).setAttribute("aria-pressed", String(each === name));
  }
}

async function submit(event, name) {
  event.preventDefault();
  const form = byId(name);
  if (form.dataset.busy || !checkFields(form, name)) return;
  form.dataset.busy = "yes";
  byId("gate-notice").hidden = true;
  try {
    await ask(form.getAttribute("action"), { method: "POST", json: Object.fromEntries(new FormData(form)) });
    const user = await currentUser();
    if (user) listener.entered(user);
    else remark(byId(`${name}-error`), "You are signed in, but this browser did not keep the cookie. Allow cookies for this page and sign in again.");
  } catch (error) {
    showRefusal(error, name);
  } finally {
    delete form.dataset.busy;
  }
}

function checkFields(form, name) {
  remark(byId(`${name}-error`), "");
  const wrong = [...form.querySelectorAll("input")].filter((input) => {
    const text = fieldFault(input);
    markField(input, text);
    return text;
  });
  if (wrong.length) wrong[0].focus();
  return wrong.length === 0;
}

function fieldFault(input) {
  if (input.validity.valueMissing || !input.value.trim()) return `${input.labels[0].firstChild.textContent.trim()} is missing.`;
  if (input.validity.typeMismatch) return "This is not an e-mail address. It should look like ada@example.com.";
  if (input.minLength > 0 && input.value.length < input.minLength) return `Too short: ${input.minLength} characters or more, please.`;
  return "";
}

function markField(input, text, ...remedies) {
  remark(byId(`${input.id}-error`), text, ...remedies);
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function showRefusal(error, name) {
  const field = error instanceof Refusal ? refusedField(error, name) : null;
  if (!field) return remark(byId(`${name}-error`), wordRefusal(error));
  markField(field, wordRefusal(error), ...(error.code.startsWith("USER_ALREADY_EXISTS") ? [signInInstead(field.value)] : []));
  field.focus();
}

function refusedField(error, name) {
  if (error.code.startsWith("USER_ALREADY_EXISTS")) return byId(`${name}-email`);
  if (error.code.startsWith("PASSWORD_TOO")) return byId(`${name}-password`);
  const named = /\[body\.(\w+)\]/.exec(error.message);
  return named ? byId(`${name}-${named[1]}`) : null;
}

function wordRefusal(error) {
  if (error.code === "INVALID_EMAIL_OR_PASSWORD") return "That e-mail and password do not belong together. Check both and try again.";
  if (error.code?.startsWith("USER_ALREADY_EXISTS")) return "This e-mail already has an account.";
  return error instanceof Refusal && error.status < 500 && error.status !== 429 ? sentence(error.message.replace(/^\[body\.\w+\]\s*/, "")) : explain(error);
}

function signInInstead(email) {
  return element("button", { type: "button", class: "quiet", onclick: () => {
    showForm("sign-in");
    byId("sign-in-email").value = email;
    byId("sign-in-password").focus();
  } }, "Sign in instead");
}

async function signOut() {
  try {
    await ask("/api/auth/sign-out", { method: "POST", json: {} });
    byId("account-menu").open = false;
    remark(byId("account-error"), "");
    listener.left("You are signed out.");
  } catch (error) {
    remark(byId("account-error"), `You are still signed in. ${explain(error)}`);
  }
}

async function copyAccount() {
  const button = byId("copy-account");
  try {
    await navigator.clipboard.writeText(byId("account-id").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("account-id"));
    button.textContent = "Selected: copy it with Ctrl C";
  }
  setTimeout(() => { button.textContent = "Copy the account id"; }, 3000);
}

function closeByEscape(event) {
  if (event.key !== "Escape" || !byId("account-menu").open) return;
  byId("account-menu").open = false;
  byId("account-menu").querySelector("summary").focus();
}
