/* The newest balance that the server has sent. An older version never replaces a newer one. Nothing is drawn here. */

import { ask } from "./api.js";

let shown = null;
let owner = 0;
const watchers = new Set();

export const balance = () => shown;

/** Call `watcher(balance, previous)` after every change; `previous` is null for the first balance after sign-in. */
export function watchBalance(watcher) {
  watchers.add(watcher);
}

/** Accept the fields of a balance that an answer has, unless a newer balance is already shown. */
export function acceptBalance(received) {
  if (shown && received.version < shown.version) return;
  const previous = shown;
  shown = { ...shown };
  for (const name of ["remaining", "total", "unlimited", "held", "subscription_status", "version"]) {
    if (received[name] !== undefined && received[name] !== null) shown[name] = received[name];
  }
  for (const watcher of watchers) watcher(shown, previous);
}

/** Request the balance. The answer is dropped if its user has signed out meanwhile. */
export async function refreshBalance() {
  const requester = owner;
  const received = await ask("/api/user/credits");
  if (requester === owner) acceptBalance(received);
}

export function forgetBalance() {
  owner += 1;
  shown = null;
}
