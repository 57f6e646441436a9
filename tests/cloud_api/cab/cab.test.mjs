// What a driver relies on from the tablet's own decisions. Run by test_cab_tablet.py with `node --test`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asksWay, guide, offRoute, sideOf, toSay, withDetour } from "../../../look/src/js/cab/guide.js";
import { newest, speed, standing, step } from "../../../look/src/js/cab/lock.js";
import { changes, progress, verdict } from "../../../look/src/js/cab/merge.js";
import { onLine } from "../../../look/src/js/cab/place.js";
import { asSent, backoff, due, dueAt, settle } from "../../../look/src/js/cab/queue.js";
import { colours } from "../../../look/src/js/cab/sun.js";
import { nothing, type } from "../../../look/src/js/cab/wedge.js";

const M = 1 / 111_195; // degrees of a metre northwards
const T = (minute) => `2026-11-24T06:${String(minute).padStart(2, "0")}:00Z`;
const bin = (n, id, more = {}) => ({ n, kind: "bin", id, lat: 39 + n * 100 * M, lon: 23, street: `Οδός ${id}`, eta: T(n), kg: 80, stream: "residual", ...more });
const route = (version, stops, more = {}) => ({ version, made: T(0), stops, path: null, figures: {}, ...more });
const shift = (more = {}) => ({ route: null, outcomes: [], lifts: [], actions: [], ...more });
const said = (stop, outcome, minute, more = {}) => ({ key: `${stop}-${minute}`, stop, outcome, reason: outcome === "missed" ? "not_out" : null, said_by: "driver", at: T(minute), ...more });

test("a lift beats a driver who said that the bin was missed, and the disagreement shows", () => {
  const found = verdict([said("A", "missed", 5)], [{ t: T(3), net: 84 }]);
  assert.deepEqual([found.outcome, found.said_by, found.kg, found.disagrees], ["lifted", "lift", 84, true]);
});

test("among people the latest word counts, in whatever order it arrives", () => {
  const words = [said("A", "lifted", 9), said("A", "missed", 5)];
  assert.equal(verdict(words, []).outcome, "lifted");
  assert.equal(verdict([...words].reverse(), []).outcome, "lifted");
  assert.equal(verdict([], []), null);
});

test("an unsent action counts at once, and once only when the server has it too", () => {
  const base = shift({ route: route(1, [bin(1, "A"), bin(2, "B")]) });
  const mine = { kind: "outcome", ...said("A", "missed", 5) };
  assert.equal(progress(base, [mine]).missed, 1);
  const there = { ...base, outcomes: [said("A", "missed", 5)] };
  const both = progress(there, [mine]);
  assert.deepEqual([both.missed, both.done, both.next], [1, 1, 1]);
});

test("what was done offline on an older version counts on the newer one", () => {
  const fresh = route(2, [bin(1, "A"), bin(2, "B")], { made: T(30) });
  const late = said("A", "lifted", 10, { received: T(40) });
  assert.equal(progress(shift({ route: fresh, outcomes: [late] })).next, 1);
  const offline = { kind: "outcome", ...said("A", "lifted", 10), version: 1 };
  assert.equal(progress(shift({ route: fresh }), [offline]).next, 1);
});

test("a bin that the planner knew as lifted and lists again is to be emptied again", () => {
  const fresh = route(2, [bin(1, "A"), bin(2, "B", { done: true })], { made: T(30) });
  const before = ["A", "B"].map((id) => said(id, "lifted", 10, { received: T(10) }));
  const seen = progress(shift({ route: fresh, outcomes: before }));
  assert.deepEqual(seen.stops.map((s) => s.state), ["open", "lifted"]);
});

test("stations, breaks and the way home are done by what the driver says, and an older unload does not close the next one", () => {
  const stops = [bin(1, "A"), { ...bin(2, "T"), kind: "station" }, { ...bin(3, "P"), kind: "break" }, { ...bin(4, "G"), kind: "garage" }];
  const done = (actions, version = 2) => progress(shift({ route: route(version, stops, { made: T(20) }), actions, outcomes: [said("A", "lifted", 21)] })).next;
  const unload = { key: "u", kind: "unload", at: T(25), n: 2, version: 2, kg: 900 };
  assert.equal(done([]), 1);
  assert.equal(done([unload]), 2);
  assert.equal(done([{ ...unload, version: 1, n: 9, at: T(5) }]), 1);
  assert.equal(done([{ ...unload, version: 1, n: 9, at: T(22) }]), 2);
  assert.equal(done([unload, { key: "p", kind: "break_start", at: T(26), n: 3, version: 2 }]), 3);
});

test("the load is what was weighed since the truck was emptied", () => {
  const lifts = [{ t: T(1), bin: null, net: 100 }, { t: T(5), bin: "A", net: 70 }, { t: T(6), bin: "B", net: null }];
  assert.equal(progress(shift({ lifts })).loadKg, 170);
  assert.equal(progress(shift({ lifts, actions: [{ key: "u", kind: "unload", at: T(3), kg: 98 }] })).loadKg, 70);
});

test("a new version says what it adds, drops and reorders of what is still to do", () => {
  const before = route(1, [bin(1, "A"), bin(2, "B"), bin(3, "C"), bin(4, "D")]);
  const after = route(2, [bin(1, "A"), bin(2, "D"), bin(3, "B"), bin(4, "E")]);
  const what = changes(before, after, (s) => s.id === "A");
  assert.deepEqual([what.added.map((s) => s.id), what.dropped.map((s) => s.id), what.moved], [["E"], ["C"], 1]);
  assert.deepEqual(changes(before, before), { added: [], dropped: [], moved: 0 });
});

// 200 m north, then 100 m east to the stop, which lies south of the street
const E = M / Math.cos((39 * Math.PI) / 180);
const corner = [[23, 39], [23, 39 + 200 * M], [23 + 100 * E, 39 + 200 * M]];
const way = route(3, [{ ...bin(1, "A"), lon: 23 + 100 * E, lat: 39 + 192 * M }], {
  path: [{ to: 1, metres: 300, seconds: 60, shape: corner, turns: [
    { at: 0, type: "straight", text: "Ξεκινήστε" }, { at: 1, type: "right", text: "Στρίψτε δεξιά", say: "Δεξιά" }, { at: 2, type: "arrive", text: "Φτάσατε" }] }],
});

test("the next turn, its distance and the side of the street follow from the position", () => {
  const here = guide(way, 0, [23, 39 + 150 * M]);
  assert.equal(here.turn.type, "right");
  assert.ok(Math.abs(here.turn.metres - 50) < 1);
  assert.ok(Math.abs(here.metres - 150) < 1);
  assert.equal(here.then.type, "arrive");
  assert.equal(here.side, "right");
  assert.equal(guide(way, 0, [23 + 40 * E, 39 + 200 * M]).turn.type, "arrive");
  assert.equal(sideOf(corner, [23 + 100 * E, 39 + 208 * M]), "left");
  assert.equal(sideOf(corner, [23 + 100 * E, 39 + 200 * M]), null);
});

test("a truck that skipped a stop is still led along the way to it", () => {
  const two = { ...way, stops: [...way.stops, { ...bin(2, "B"), lon: 23 + 100 * E, lat: 39 + 300 * M }],
    path: [...way.path, { to: 2, metres: 100, seconds: 20, shape: [[23 + 100 * E, 39 + 200 * M], [23 + 100 * E, 39 + 300 * M]], turns: [{ at: 1, type: "arrive", text: "Φτάσατε" }] }] };
  const here = guide(two, 1, [23, 39 + 100 * M]);
  assert.equal(here.turn.type, "right");
  assert.ok(Math.abs(here.metres - 300) < 2);
  assert.equal(here.then.stop, 2);
});

test("new directions from where the truck is lead to the stop, until the route has another version", () => {
  const astray = [23 - 300 * E, 39];
  const leg = { to: 1, metres: 400, seconds: 60, shape: [astray, [23 - 300 * E, 39 + 200 * M], [23 + 100 * E, 39 + 200 * M]],
    turns: [{ at: 1, type: "right", text: "Στρίψτε δεξιά" }, { at: 2, type: "arrive", text: "Φτάσατε" }] };
  assert.ok(guide(way, 0, astray).off > 200);
  const here = guide(withDetour(way, { version: way.version, leg }), 0, astray);
  assert.equal(here.off, 0);
  assert.equal(here.turn.type, "right");
  assert.ok(Math.abs(here.turn.metres - 200) < 1);
  assert.equal(withDetour(way, { version: way.version + 1, leg }), way);
  assert.equal(withDetour(way, null), way);
});

test("directions are asked for off the route and with coverage, and not at every fix", () => {
  assert.equal(asksWay({ off: true }, true, -Infinity, 0), true);
  assert.equal(asksWay({ off: true }, false, -Infinity, 0), false);
  assert.equal(asksWay({ off: false }, true, -Infinity, 0), false);
  assert.equal(asksWay({ off: true }, true, 1000, 10_000), false);
  assert.equal(asksWay(null, true, -Infinity, 0), false);
});

test("without directions the stop is still found as the crow flies", () => {
  const here = guide(route(1, [bin(1, "A")]), 0, [23, 39]);
  assert.equal(here.metres, null);
  assert.ok(Math.abs(here.air - 100) < 1);
});

test("a place beside a line is measured to its nearest piece", () => {
  const found = onLine(corner, [23 + 50 * E, 39 + 220 * M]);
  assert.ok(Math.abs(found.metres - 20) < 1);
  assert.ok(Math.abs(found.along - 250) < 1);
});

test("leaving the route needs three fixes, and a bad receiver does not count as leaving", () => {
  const after = (...offs) => offs.reduce((state, [off, accuracy]) => offRoute(state, off, accuracy), null).off;
  assert.equal(after([90], [90]), false);
  assert.equal(after([90], [90], [90]), true);
  assert.equal(after([90], [20], [90], [90]), false);
  assert.equal(after([90, 50], [90, 50], [90, 50]), false);
  assert.equal(after([90], [90], [90], [50]), true);
  assert.equal(after([90], [90], [90], [30]), false);
  assert.equal(after([90], [90], [null], [90]), true);
});

test("each turn is said from afar and once more before it, and not again", () => {
  const heard = new Set();
  const say = (metres) => toSay({ turn: { metres, stop: 1, text: "Στρίψτε δεξιά", say: "Δεξιά" } }, "v1", 30, heard)?.when ?? null;
  assert.deepEqual([say(400), say(110), say(100), say(30), say(20)], [null, "soon", null, "now", null]);
  const arrive = (metres) => toSay({ turn: { metres, stop: 1, type: "arrive", text: "Φτάσατε" } }, "v1", 30, heard)?.when ?? null;
  assert.deepEqual([arrive(100), arrive(20)], [null, "now"], "nobody has arrived from afar");
});

test("the screen locks above 5 km/h, opens after standing, and does not lock on what it does not know", () => {
  let state = standing;
  for (const [kmh, now, moving] of [[4, 0, false], [6, 1000, true], [4, 2000, true], [1, 3000, true], [1, 4000, true], [1, 5000, false], [9, 6000, true], [null, 7000, false]]) {
    state = step(state, kmh, now);
    assert.equal(state.moving, moving, `${kmh} km/h at ${now}`);
  }
});

test("an old fix says neither speed nor, beside a newer one, a place", () => {
  const truck = { kmh: 30, at: 1000, lon: 1 };
  const tablet = { kmh: null, at: 30_000, lon: 2 };
  assert.equal(speed([truck, tablet], 10_000), 30);
  assert.equal(speed([truck, tablet], 31_000), null);
  assert.equal(newest([truck, tablet]).lon, 2);
  assert.equal(newest([]), null);
});

test("the queue is sent in the order of the taps, and what may be undone holds up what came after it", () => {
  const entries = [{ seq: 3, key: "c" }, { seq: 1, key: "a" }, { seq: 2, key: "b", hold: 5000 }];
  assert.deepEqual(due(entries, 1000).map((e) => e.key), ["a"]);
  assert.deepEqual(due(entries, 5000).map((e) => e.key), ["a", "b", "c"]);
  assert.equal(dueAt([entries[2]], 1000), 5000);
  assert.equal(dueAt([], 1000), null);
});

test("a photo travels alone, after its outcome", () => {
  const entries = [{ seq: 1, key: "a", kind: "outcome" }, { seq: 2, key: "p", kind: "photo" }, { seq: 3, key: "c", kind: "end" }];
  assert.deepEqual(due(entries, 0).map((e) => e.key), ["a"]);
  assert.deepEqual(due(entries.slice(1), 0).map((e) => e.key), ["p"]);
});

test("only what the server answered for leaves the queue, and a refusal is kept to be shown", () => {
  const sent = [{ seq: 1, key: "a" }, { seq: 2, key: "b" }, { seq: 3, key: "c" }];
  const { gone, refused } = settle(sent, [{ key: "a", state: "known" }, { key: "b", state: "refused", why: "no" }]);
  assert.deepEqual(gone, [1, 2]);
  assert.deepEqual(refused.map((e) => [e.key, e.why]), [["b", "no"]]);
  assert.deepEqual(asSent({ seq: 7, hold: 5, key: "a", kind: "unload", n: 3 }), { key: "a", kind: "unload", n: 3 });
});

test("failures are tried again later and later, up to a minute", () => {
  assert.deepEqual([0, 1, 2, 3, 9].map(backoff), [0, 2000, 4000, 8000, 60_000]);
});

test("a card reader is told from a hand by its pace", () => {
  const run = (keys, pace) => keys.reduce(({ typed }, key, i) => type(typed, key, 1000 + i * pace), { typed: nothing, card: null });
  assert.equal(run([..."0004512399", "Enter"], 8).card, "0004512399");
  assert.equal(run([..."246813", "Enter"], 180).card, null);
  assert.equal(run([..."12", "Enter"], 5).card, null);
});

test("a reader's number does not begin with digits that somebody typed before", () => {
  let typed = nothing;
  ({ typed } = type(typed, "7", 0));
  let card = null;
  [..."0004512399", "Enter"].forEach((key, i) => { ({ typed, card } = type(typed, key, 5000 + i * 8)); });
  assert.equal(card, "0004512399");
});

test("colours follow the sun over the town", () => {
  const volos = [22.94, 39.36];
  assert.equal(colours(Date.parse("2026-11-24T03:00:00Z"), volos), "night");
  assert.equal(colours(Date.parse("2026-11-24T10:00:00Z"), volos), "day");
  assert.equal(colours(Date.parse("2026-06-21T03:30:00Z"), volos), "day");
});
