// The unsent actions, oldest first. Pure: what to send next, what an answer settles, when to try again.

export const MOST_AT_ONCE = 50;
const FIRST_MS = 2000;
const LONGEST_MS = 60_000;

/**
 * The next sending out of entries { seq, key, kind, hold, … } in the order of `seq`: up to MOST_AT_ONCE actions, or one photo.
 * An entry that may still be undone (`hold` ms in the future) holds up what comes after it, so that the order stays that of the taps.
 */
export function due(entries, now) {
  const ready = [];
  for (const entry of [...entries].sort((a, b) => a.seq - b.seq)) {
    if ((entry.hold ?? 0) > now || ready.length === MOST_AT_ONCE) break;
    if (entry.kind === "photo") return ready.length ? ready : [entry];
    ready.push(entry);
  }
  return ready;
}

/** When the next entry may be sent: ms, or null when there is none. */
export function dueAt(entries, now) {
  if (!entries.length) return null;
  const first = entries.reduce((a, b) => (a.seq < b.seq ? a : b));
  return Math.max(now, first.hold ?? 0);
}

/** What the server's answers settle: { gone: numbers of entries to forget, refused: entries that it will never take, with why }. */
export function settle(sent, answers) {
  const byKey = new Map(answers.map((answer) => [answer.key, answer]));
  const gone = [];
  const refused = [];
  for (const entry of sent) {
    const answer = byKey.get(entry.key);
    if (!answer) continue; // not spoken of: it is sent again
    gone.push(entry.seq);
    if (answer.state === "refused") refused.push({ ...entry, why: answer.why ?? "" });
  }
  return { gone, refused };
}

/** How long to wait after `tries` failures in a row: 2 s, doubling, up to a minute. */
export function backoff(tries) {
  return tries === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1));
}

/** An action without the queue's own fields, as the server takes it. */
export function asSent({ seq: _seq, hold: _hold, ...action }) {
  return action;
}
