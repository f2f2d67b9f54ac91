/* The page's sentences about numbers, times and refusals. */

import { Unreachable } from "./api.js";

const dayAndTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const fullInstant = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "medium" });
const counts = new Intl.NumberFormat("en-GB");

export const count = (number) => counts.format(number);
export const credits = (number) => `${count(number)} ${number === 1 ? "credit" : "credits"}`;
export const signed = (number) => (number > 0 ? `+${count(number)}` : number < 0 ? `−${count(-number)}` : "0");
export const sentence = (text) => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

export function instant(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return { short: "", full: "" };
  const today = new Date().toDateString() === at.toDateString();
  return { short: today ? `today, ${dayAndTime.format(at).split(", ").pop()}` : dayAndTime.format(at), full: fullInstant.format(at) };
}

function wait(seconds) {
  if (!seconds) return "in a moment";
  if (seconds < 90) return `in ${seconds} ${seconds === 1 ? "second" : "seconds"}`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}

/** Return a sentence about a failed request for the customer: what happened, then what to do. */
export function explain(error) {
  if (error instanceof Unreachable) return "No answer came from the studio. Check the connection and try again.";
  if (error.status === 429) return `Too many tries in a short time. Try again ${wait(error.retryAfterSeconds)}.`;
  if (error.status === 503) return `The studio is busy just now. Try again ${wait(error.retryAfterSeconds)}.`;
  if (error.status === 401) return "Your session has ended. Sign in again.";
  if (error.status >= 500) return "Something went wrong on the studio’s side. Try again.";
  return sentence(error.message);
}
