// Whether the truck moves: above 5 km/h only the big one-tap buttons work. Below 3 km/h for two seconds it stands.

const MOVES_AT = 5;
const STANDS_AT = 3;
const SETTLE_MS = 2000;
const FRESH_MS = 15_000;

export const standing = { moving: false, slowSince: null };

/** The next state from a speed in km/h (null: unknown) at `now` ms. What is not known to move is not locked. */
export function step(state, kmh, now) {
  if (kmh === null) return standing;
  if (!state.moving) return kmh > MOVES_AT ? { moving: true, slowSince: null } : standing;
  if (kmh >= STANDS_AT) return { moving: true, slowSince: null };
  const slowSince = state.slowSince ?? now;
  return now - slowSince >= SETTLE_MS ? standing : { moving: true, slowSince };
}

/** The speed to believe, km/h: the newest of the truck's receiver and the tablet's own, when it is not older than 15 s; else null. */
export function speed(fixes, now) {
  const fresh = fixes.filter((fix) => fix && fix.kmh !== null && now - fix.at <= FRESH_MS).sort((a, b) => b.at - a.at);
  return fresh[0]?.kmh ?? null;
}

/** The place to believe: the newest fix { lon, lat, at, course, accuracy }; null when there is none. */
export function newest(fixes) {
  return fixes.filter(Boolean).sort((a, b) => b.at - a.at)[0] ?? null;
}
