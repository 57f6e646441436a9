// Brings the queue home: when an action is added, when coverage or the page comes back, and by a timer. One tab at a time.
import { asSent, backoff, due, dueAt, settle } from "./queue.js";

const TIMER_MS = 15_000;

/**
 * `store` as of store.js; `onChange(entries, refused)` after every change; `onState("sent" | "unreachable" | "signed_out")`.
 * Returns { flush }: try now; safe to call at any time.
 */
export function startSender({ store, onChange, onState, now = Date.now }) {
  let tries = 0;
  let timer = 0;
  let again = false;
  let busy = false;

  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(flush, ms);
  };

  async function flush() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        // another tab may be at it: the queue is one
        await (navigator.locks ? navigator.locks.request("asty-cab-queue", drain) : drain());
      } while (again);
    } finally {
      busy = false;
    }
  }

  async function drain() {
    for (;;) {
      const entries = await store.queue();
      const batch = due(entries, now());
      if (!batch.length) {
        const at = dueAt(entries, now());
        later(at === null ? TIMER_MS : Math.max(50, at - now()));
        return;
      }
      const answer = await (batch[0].kind === "photo" ? sendPhoto(batch[0]) : sendActions(batch));
      if (answer === "signed_out" || answer === "unreachable") {
        onState(answer);
        tries += 1;
        later(answer === "signed_out" ? TIMER_MS : backoff(tries));
        return;
      }
      tries = 0;
      onState("sent");
      const { gone, refused } = settle(batch, answer);
      await store.forget(batch.filter((entry) => gone.includes(entry.seq)));
      onChange(await store.queue(), refused);
      if (!gone.length) return later(TIMER_MS);
    }
  }

  async function sendActions(batch) {
    return ask("/api/cab/actions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ actions: batch.map(asSent) }),
    }, async (response) => (await response.json()).answers);
  }

  async function sendPhoto(entry) {
    const blob = await store.photo(entry.key);
    if (!blob) return [{ key: entry.key, state: "refused", why: "the photo is gone from this tablet" }];
    return ask(`/api/cab/photos/${entry.key}?of=${entry.of}`, { method: "PUT", headers: { "Content-Type": blob.type }, body: blob }, async (response) =>
      response.status === 422 || response.status === 413
        ? [{ key: entry.key, state: "refused", why: (await response.json()).error }]
        : [{ key: entry.key, state: "stored" }]);
  }

  async function ask(url, options, read) {
    let response;
    try {
      response = await fetch(url, { ...options, signal: AbortSignal.timeout(20_000) });
    } catch {
      return "unreachable";
    }
    if (response.status === 401) return "signed_out";
    if (response.status >= 500 || response.status === 429 || response.status === 408) return "unreachable";
    try {
      return await read(response);
    } catch {
      return "unreachable";
    }
  }

  addEventListener("online", () => { tries = 0; flush(); });
  document.addEventListener("visibilitychange", () => document.hidden || flush());
  addEventListener("pageshow", () => flush());
  return { flush };
}
