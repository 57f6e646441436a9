// What has become of each stop: what the lift weighed, what drivers and dispatchers said, and what is still unsent on this tablet.
// A lift beats what anybody says; among people the latest word counts; all is kept.

const at = (said) => Date.parse(said.at);

/** The verdict on one bin: { outcome, reason, said_by, at, kg, key, photo, disagrees } or null when nothing was said. */
export function verdict(outcomes, lifts) {
  const people = outcomes.filter((o) => o.said_by !== "lift").sort((a, b) => at(a) - at(b));
  const latest = people.at(-1) ?? null;
  const weighed = [...lifts.map((l) => ({ at: l.t, kg: l.net })), ...outcomes.filter((o) => o.said_by === "lift" && o.outcome === "lifted")];
  if (!weighed.length) return latest && { ...latest, disagrees: false };
  const last = weighed.sort((a, b) => at(a) - at(b)).at(-1);
  return { outcome: "lifted", reason: null, said_by: "lift", at: last.at, kg: last.kg ?? null, key: latest?.key ?? null,
    photo: latest?.photo ?? null, disagrees: people.some((o) => o.outcome === "missed") };
}

/** The tablet's unsent actions as if the server had them. */
function outcomesOf(pending) {
  return pending.filter((a) => a.kind === "outcome").map((a) => ({ ...a, said_by: "driver" }));
}

const KNOWN_MS = 60_000;
const VISITS = { station: "unload", break: "break_start", garage: "end" };

/**
 * Which of the visits said so belong to which stop: by number and version. A route lists no unloads and breaks that are behind it,
 * so one of an older version counts only when it came after this route was made, without coverage.
 */
function visits(route, kind, actions) {
  const free = actions.filter((a) => a.kind === VISITS[kind]).sort((a, b) => at(a) - at(b));
  const found = new Map();
  const take = (stop, fits) => {
    const index = free.findIndex(fits);
    if (index >= 0) found.set(stop.n, free.splice(index, 1)[0]);
  };
  const stops = route.stops.filter((s) => s.kind === kind);
  for (const stop of stops) take(stop, (a) => a.version === route.version && a.n === stop.n);
  for (const stop of stops) if (!found.has(stop.n)) take(stop, (a) => a.version !== route.version && at(a) >= Date.parse(route.made));
  return found;
}

/**
 * Whether what was said of a bin is news to the route. What had reached the server a minute before the route was made was known to the
 * planner: if the route lists the bin as open all the same, it is to be emptied again. What was on its way then still counts.
 */
function isNews(route, received) {
  return received === undefined || Date.parse(received) > Date.parse(route.made) - KNOWN_MS;
}

/**
 * Merge a shift document with the tablet's unsent actions.
 * Returns { stops, next, lifted, missed, done, total, loadKg, resting, unloads }: each stop with `state` open | lifted | missed | done;
 * `next` the index of the first open one, or -1; `loadKg` what the lifts weighed since the last unload.
 */
export function progress(shift, pending = []) {
  const known = new Set([...shift.outcomes, ...shift.actions].map((a) => a.key));
  const unsent = pending.filter((a) => !known.has(a.key));
  const outcomes = [...shift.outcomes, ...outcomesOf(unsent)];
  const actions = [...shift.actions, ...unsent].sort((a, b) => at(a) - at(b));
  const route = shift.route;
  const byStop = group(outcomes, (o) => o.stop);
  const liftsOf = group(shift.lifts.filter((l) => l.bin), (l) => l.bin);
  const visited = route ? Object.fromEntries(Object.keys(VISITS).map((kind) => [kind, visits(route, kind, actions)])) : {};

  const stops = (route?.stops ?? []).map((stop) => {
    if (stop.kind !== "bin") {
      const visit = visited[stop.kind]?.get(stop.n);
      // where the truck starts is behind it
      const isStart = stop.kind === "garage" && stop === route.stops[0];
      return { ...stop, state: visit || isStart ? "done" : "open", at: visit?.at ?? null, kgDone: visit?.kg ?? null };
    }
    const counts = (received) => stop.done || isNews(route, received);
    const found = verdict((byStop.get(stop.id) ?? []).filter((o) => counts(o.received)), (liftsOf.get(stop.id) ?? []).filter((l) => counts(l.rx)));
    return { ...stop, state: found?.outcome ?? (stop.done ? "lifted" : "open"), reason: found?.reason ?? null, saidBy: found?.said_by ?? null, at: found?.at ?? null,
      kgDone: found?.kg ?? null, key: found?.key ?? null, photo: found?.photo ?? null, disagrees: found?.disagrees ?? false };
  });

  const unloads = actions.filter((a) => a.kind === "unload");
  const since = unloads.length ? at(unloads.at(-1)) : 0;
  const loadKg = shift.lifts.filter((l) => Date.parse(l.t) > since).reduce((sum, l) => sum + (l.net ?? 0), 0);
  const lastBreak = actions.filter((a) => a.kind === "break_start" || a.kind === "break_end").at(-1);
  const bins = stops.filter((s) => s.kind === "bin");
  return {
    stops,
    next: stops.findIndex((s) => s.state === "open"),
    total: bins.length,
    lifted: bins.filter((s) => s.state === "lifted").length,
    missed: bins.filter((s) => s.state === "missed").length,
    done: bins.filter((s) => s.state !== "open").length,
    loadKg,
    liftedKg: shift.lifts.reduce((sum, l) => sum + (l.net ?? 0), 0),
    resting: lastBreak?.kind === "break_start" ? lastBreak.at : null,
    unloads,
  };
}

function group(items, keyOf) {
  const found = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (found.has(key)) found.get(key).push(item);
    else found.set(key, [item]);
  }
  return found;
}

/** What a new route version changed for the driver: { added, dropped, moved } of open stops; `moved` counts those in another order. */
export function changes(before, after, isDone = () => false) {
  const key = (stop) => `${stop.kind}/${stop.id}`;
  const open = (route) => (route?.stops ?? []).filter((s) => s.kind === "bin" && !isDone(s));
  const old = open(before);
  const fresh = open(after);
  const oldKeys = new Set(old.map(key));
  const freshKeys = new Set(fresh.map(key));
  const stayedOld = old.filter((s) => freshKeys.has(key(s))).map(key);
  const stayedFresh = fresh.filter((s) => oldKeys.has(key(s))).map(key);
  return {
    added: fresh.filter((s) => !oldKeys.has(key(s))),
    dropped: old.filter((s) => !freshKeys.has(key(s))),
    moved: stayedFresh.length - longestRise(stayedFresh.map((k) => stayedOld.indexOf(k))),
  };
}

/** Length of the longest increasing subsequence: those that kept their order. */
function longestRise(numbers) {
  const tails = [];
  for (const n of numbers) {
    const at = tails.findIndex((t) => t >= n);
    if (at < 0) tails.push(n);
    else tails[at] = n;
  }
  return tails.length;
}
