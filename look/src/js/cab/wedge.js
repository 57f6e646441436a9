// A card reader that poses as a keyboard types a number and Enter faster than any hand. A hand types a PIN.

const FASTEST_HAND_MS = 45;
const SHORTEST_CARD = 4;

/** The typed keys so far: { text, from, to } in ms. */
export const nothing = { text: "", from: 0, to: 0 };

/** Take one key at `now` ms: { typed, card } where `card` is the number once a reader has finished, else null. */
export function type(typed, key, now) {
  if (key === "Enter") {
    const pace = typed.text.length > 1 ? (typed.to - typed.from) / (typed.text.length - 1) : Infinity;
    return { typed: nothing, card: typed.text.length >= SHORTEST_CARD && pace <= FASTEST_HAND_MS ? typed.text : null };
  }
  if (!/^[0-9A-Za-z]$/.test(key)) return { typed, card: null };
  const fresh = typed.text === "" || now - typed.to > 1000;
  return { typed: fresh ? { text: key, from: now, to: now } : { text: typed.text + key, from: typed.from, to: now }, card: null };
}
