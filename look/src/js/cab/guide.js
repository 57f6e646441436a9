// From a position and the route's path: how far the next stop is, the next turn, the side of the street, whether we left the route.
import { between, distances, metres, onLine } from "./place.js";

const LOOK_BACK = 3; // legs before the next stop on which a truck that skipped some may still be
const SAME = 15; // m: of two pieces about as near, the later is meant
const PASSED = 4; // m
const OFF_AT = 60;
const ON_AT = 40;
const FIXES = 3;
const EVERY_MS = 15_000;
const BESIDE = 2; // m off the axis of the street before a bin counts as on one side

/** The leg to stop number `n`; null where the route has no path. */
export function legTo(path, n) {
  return path?.find((leg) => leg.to === n) ?? null;
}

/** The route with new directions to one of its stops, `detour` { version, leg }; as it is when they are of another version, or none. */
export function withDetour(route, detour) {
  if (!route || detour?.version !== route.version) return route;
  return { ...route, path: [...(route.path ?? []).filter((leg) => leg.to !== detour.leg.to), detour.leg] };
}

/** Whether to ask for new directions: off the route, with coverage, and not asked in the last `EVERY_MS`. */
export function asksWay(off, online, askedAt, now) {
  return Boolean(off?.off) && online && now - askedAt > EVERY_MS;
}

/**
 * Guide to the open stop `stops[next]` from `place`.
 * Returns { metres, air, seconds, turn, then, off, side, legs }: `metres` along the route (null without a path), `air` as the crow flies;
 * `turn` the next instruction { text, say, type, metres } and `then` the one after it; `off` metres away from the route; `legs` the
 * numbers of the legs from here to the stop.
 */
export function guide(route, next, place) {
  const stop = route.stops[next];
  const target = [stop.lon, stop.lat];
  const air = metres(place, target);
  const legs = [];
  for (let i = Math.max(0, next - LOOK_BACK); i <= next; i += 1) {
    const leg = legTo(route.path, route.stops[i].n);
    if (leg?.shape?.length) legs.push(leg);
  }
  if (!legs.length || legs.at(-1).to !== stop.n) return { metres: null, air, seconds: null, turn: null, then: null, off: null, side: null, legs: [] };

  let here = null;
  legs.forEach((leg, at) => {
    const found = onLine(leg.shape, place);
    if (here === null || found.metres <= here.metres + (found.metres < OFF_AT ? SAME : 0)) here = { ...found, at };
  });

  let ahead = -here.along; // metres from here to the start of the leg that is looked at
  const turns = [];
  let seconds = 0;
  for (const leg of legs.slice(here.at)) {
    const along = distances(leg.shape);
    for (const turn of leg.turns ?? []) {
      const away = ahead + along[Math.min(turn.at, along.length - 1)];
      if (away > PASSED) turns.push({ text: turn.text, say: turn.say ?? turn.text, type: turn.type, metres: away, stop: leg.to });
    }
    const left = leg === legs[here.at] && along.at(-1) > 0 ? 1 - here.along / along.at(-1) : 1;
    seconds += leg.seconds * left;
    ahead += along.at(-1);
  }
  // "arrived" at a stop that was skipped is no news
  const said = turns.filter((turn) => turn.type !== "arrive" || turn.stop === stop.n);
  return { metres: Math.max(0, ahead), air, seconds, turn: said[0] ?? null, then: said[1] ?? null, off: here.metres, side: legs.at(-1).side ?? sideOf(legs.at(-1).shape, target), legs: legs.slice(here.at).map((leg) => leg.to) };
}

/** On which side of the street a stop lies for a truck that comes along `shape`: "left", "right", or null when it is not to be told. */
export function sideOf(shape, target) {
  const last = shape.length - 1;
  for (let i = last; i > 0; i -= 1) {
    const [dx, dy] = between(shape[i - 1], shape[i]);
    const length = Math.hypot(dx, dy);
    if (length < 3) continue;
    const [px, py] = between(shape[i - 1], target);
    const across = (dx * py - dy * px) / length;
    return Math.abs(across) < BESIDE ? null : across > 0 ? "left" : "right";
  }
  return null;
}

/** Whether the truck has left its route: `state` of the last call (null at first), metres off (null: unknown), accuracy in metres. */
export function offRoute(state, off, accuracy = 0) {
  const before = state ?? { off: false, fixes: 0 };
  if (off === null) return before;
  if (before.off) return off < ON_AT ? { off: false, fixes: 0 } : before;
  if (off - Math.min(accuracy, OFF_AT) <= OFF_AT) return { off: false, fixes: 0 };
  const fixes = before.fixes + 1;
  return { off: fixes >= FIXES, fixes };
}

/** What to say now: each turn twice, from afar and shortly before it; the stop once. `said` is a Set that the caller keeps. */
export function toSay(guided, key, kmh, said) {
  const speed = Math.max(kmh ?? 0, 10) / 3.6;
  for (const [name, seconds, least] of [["now", 4, 25], ["soon", 14, 80]]) {
    const turn = guided.turn;
    if (!turn || (name === "soon" && turn.type === "arrive") || turn.metres > Math.max(least, speed * seconds)) continue;
    const id = `${key}/${turn.stop}/${turn.text}/${name}`;
    if (said.has(id)) return null;
    said.add(id);
    return { when: name, text: turn.say, metres: turn.metres };
  }
  return null;
}
