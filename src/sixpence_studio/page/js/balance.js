/* The balance as last told by the server. Never goes back to an older version; draws nothing itself. */

import { ask } from "./api.js";

let shown = null;
let owner = 0;
const watchers = new Set();

export const balance = () => shown;

/** Call `watcher(balance, previous)` at every change; `previous` is null for the first one after sign-in. */
export function watchBalance(watcher) {
  watchers.add(watcher);
}

/** Take in whatever part of a balance an answer carried, unless something newer is already shown. */
export function acceptBalance(told) {
  if (shown && told.version < shown.version) return;
  const previous = shown;
  shown = { ...shown };
  for (const name of ["remaining", "total", "unlimited", "held", "subscription_status", "version"]) {
    if (told[name] !== undefined && told[name] !== null) shown[name] = told[name];
  }
  for (const watcher of watchers) watcher(shown, previous);
}

/** Ask the server anew. An answer for somebody who has signed out meanwhile is dropped. */
export async function refreshBalance() {
  const asked = owner;
  const told = await ask("/api/user/credits");
  if (asked === owner) acceptBalance(told);
}

export function forgetBalance() {
  owner += 1;
  shown = null;
}
