/* Requests to the server. What an answer means on the page is decided by the caller. */

/** The server refused the request. `data` is the whole body of its answer. */
export class Refusal extends Error {
  constructor(status, data, retryAfterSeconds) {
    super(data.detail || data.message || data.title || `The server answered ${status}.`);
    this.status = status;
    this.data = data;
    this.code = data.code || "";
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer came: the request may or may not have been carried out. */
export class Unreachable extends Error {}

/** Send a request; returns the parsed body, throws Refusal, Unreachable or the signal's AbortError. */
export async function ask(path, { method = "GET", json, form, headers = {}, signal } = {}) {
  const request = { method, headers: { accept: "application/json", ...headers }, signal, credentials: "same-origin", cache: "no-store" };
  if (json !== undefined) {
    request.body = JSON.stringify(json);
    request.headers["content-type"] = "application/json";
  }
  if (form !== undefined) request.body = form;
  const [answer, data] = await send(path, request);
  if (answer.ok) return data;
  if (answer.status === 401 && !path.startsWith("/api/auth/")) document.dispatchEvent(new CustomEvent("studio:session-ended"));
  throw new Refusal(answer.status, data ?? {}, retryAfter(answer));
}

/** A new id for one intended change; `randomUUID` is missing when a phone opens the page over plain http. */
export function freshId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

async function send(path, request) {
  let answer;
  try {
    answer = await fetch(path, request);
    const text = await answer.text();
    return [answer, text ? JSON.parse(text) : null];
  } catch (error) {
    if (error.name === "AbortError") throw error;
    // A success that broke off is as unknown as no answer; a refusal with an unreadable body is still a refusal.
    if (answer && !answer.ok) return [answer, null];
    throw new Unreachable("No answer came from the studio.");
  }
}

function retryAfter(answer) {
  const value = answer.headers.get("retry-after");
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.max(seconds, 1) : null;
}
