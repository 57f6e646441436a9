// The tablet's state and what may be done with it. Screens draw it; what decides is in the pure modules beside.
import { colours } from "./sun.js";
import { asksWay, guide, offRoute, toSay, withDetour } from "./guide.js";
import { newest, speed, standing, step } from "./lock.js";
import { changes, progress } from "./merge.js";
import { nothing } from "./wedge.js";
import { shrink } from "./picture.js";

const UNDO_MS = 8000;
const SIGN_IN_MS = 18 * 3_600_000;
const TOAST_MS = 9000;

export class App {
  /** `store` of store.js, `t(word, values)`, `lang`, `centre` of the town [lon, lat]; `draw()` is asked for after every change. */
  constructor({ store, t, lang, centre, draw }) {
    Object.assign(this, { store, t, lang, centre, draw });
    Object.assign(this, {
      screen: "starting", trucks: null, truck: null, who: null, duty: null, shift: null, route: null, entries: [], refused: [],
      reached: navigator.onLine, signedOut: false, failed: "", sheet: null, toast: null, muted: false, theme: "auto", hasVoice: false,
      pin: "", wedge: nothing, trying: false, wait: 0, checks: {}, notes: {}, kg: "", fixes: {}, course: null, lock: standing, off: null,
      view: null, guided: null, detour: null, askedAt: -Infinity, offset: 0, said: new Set(), readHere: new Set(), summary: null, kbd: "",
    });
    this.voice = { say() {}, quiet() {} };
    this.sender = { flush() {} };
  }

  /** The server's time as far as it is known: a tablet's own clock may be wrong. */
  now = () => Date.now() + this.offset;

  async start() {
    const kept = await this.store.kept();
    this.entries = await this.store.queue();
    for (const name of ["truck", "who", "duty", "shift", "route", "summary"]) this[name] = kept[name] ?? null;
    this.muted = kept.muted ?? false;
    this.theme = kept.theme ?? "auto";
    this.offset = kept.offset ?? 0;
    if (this.who && Date.now() - this.who.since > SIGN_IN_MS) this.who = null;
    this.route_();
    this.derive();
    this.loadTrucks();
    if (this.who) await this.loadShift();
  }

  /** Which screen it is time for. */
  route_() {
    if (!this.truck) this.screen = "truck";
    else if (this.summary) this.screen = "summary";
    else if (!this.who) this.screen = "sign-in";
    else if (!this.duty) this.screen = "check";
    else this.screen = "drive";
    this.draw();
  }

  // --- truck and driver

  async loadTrucks() {
    try {
      const answer = await fetch("/api/cab/trucks");
      if (answer.ok) this.trucks = await answer.json();
    } catch {
      this.reached = false;
    }
    this.draw();
  }

  async chooseTruck(truck) {
    this.truck = truck;
    await this.store.keep({ truck });
    this.route_();
  }

  async forgetTruck() {
    this.truck = null;
    await this.store.keep({ truck: null });
    this.loadTrucks();
    this.route_();
  }

  digit(key) {
    this.failed = "";
    if (key === "erase") this.pin = this.pin.slice(0, -1);
    else if (this.pin.length < 8) this.pin += key;
    this.draw();
  }

  async signIn(credentials) {
    if (this.trying) return;
    Object.assign(this, { trying: true, failed: "" });
    this.draw();
    try {
      const answer = await fetch("/api/cab/sign-in", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ edge: this.truck.edge, ...credentials }),
        signal: AbortSignal.timeout(15_000),
      });
      const said = await answer.json();
      if (answer.ok) await this.signedIn(said);
      else if (answer.status === 429) this.failed = this.t("wait", { n: said.wait });
      else if (answer.status === 401) this.failed = this.t(said.left === 1 ? "wrong_one" : "wrong", { n: said.left });
      else if (answer.status === 404) this.failed = this.t("no_truck");
      else this.failed = this.t("server_away");
    } catch {
      this.failed = this.t("sign_in_offline");
    }
    Object.assign(this, { trying: false, pin: "" });
    this.draw();
  }

  async signedIn({ driver, edge }) {
    const same = this.who?.id === driver.id || (this.duty && this.duty.driver === driver.id);
    this.who = { ...driver, edge, since: Date.now() };
    this.signedOut = false;
    if (!same) Object.assign(this, { duty: null, checks: {}, notes: {} });
    await this.store.keep({ who: this.who, duty: this.duty });
    await this.loadShift();
    this.connect?.();
    this.sender.flush();
    this.route_();
  }

  /** Leave the tablet to the next driver; only when all is sent, since sending needs the sign-in. */
  async signOut() {
    await fetch("/api/cab/sign-out", { method: "POST" }).catch(() => undefined);
    this.disconnect?.();
    Object.assign(this, { who: null, duty: null, shift: null, route: null, summary: null, sheet: null, checks: {}, notes: {} });
    await this.store.keep({ who: null, duty: null, shift: null, route: null, summary: null });
    this.route_();
  }

  // --- the shift

  async loadShift() {
    if (!this.who) return;
    try {
      const answer = await fetch("/api/cab/shift", { signal: AbortSignal.timeout(20_000) });
      if (answer.status === 401) {
        this.signedOut = true;
        this.draw();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      this.take(await answer.json());
    } catch {
      this.reached = false;
    }
    this.draw();
  }

  /** Take a fresh shift document. */
  async take(shift) {
    const before = this.view;
    this.reached = true;
    this.signedOut = false;
    this.offset = Date.parse(shift.now) - Date.now();
    if (Math.abs(this.offset) < 2000) this.offset = 0;
    const first = this.shift?.day !== shift.day || this.shift?.edge !== shift.edge;
    if (first) this.route = null;
    this.shift = shift;
    if (!this.duty && !this.summary && shift.duty) {
      this.duty = { ...shift.duty, driver: this.who.id };
      this.route_();
    }
    // before the duty the newest route is simply today's; later the driver accepts a change
    if (!this.route || this.route.version === shift.route?.version || !this.acceptedOnce()) this.route = shift.route;
    await this.store.keep({ shift, route: this.route, duty: this.duty, offset: this.offset });
    if (shift.route && !shift.route.delivered && !this.hasSaid("delivered", shift.route.version)) {
      await this.act("route", { version: shift.route.version, state: "delivered" });
    }
    this.derive();
    this.announce(before);
    if (this.offered && this.offered.version !== this.spokenOffer) {
      this.spokenOffer = this.offered.version;
      this.speak(this.t("say_new_route"));
    }
  }

  acceptedOnce() {
    return Boolean(this.route?.accepted) || this.hasSaid("accepted", this.route?.version) || this.acceptedHere === this.route?.version;
  }

  hasSaid(state, version) {
    return this.entries.some((e) => e.kind === "route" && e.state === state && e.version === version);
  }

  /** The newer version that waits for the driver's yes; null when there is none. */
  get offered() {
    const fresh = this.shift?.route;
    return this.duty && fresh && this.route && (fresh.version !== this.route.version || !this.acceptedOnce()) ? fresh : null;
  }

  get offeredChanges() {
    if (!this.offered || this.offered.version === this.route.version) return null;
    const done = new Set((this.view?.stops ?? []).filter((s) => s.state !== "open").map((s) => s.id));
    return changes(this.route, this.offered, (s) => done.has(s.id));
  }

  /** Tell the dispatcher what the driver has on the screen: called when it has been drawn. */
  async shown() {
    if (this.screen !== "drive") return;
    const { offered } = this;
    if (offered && !this.sheet && !this.view?.resting && !offered.seen && this.sawVersion !== offered.version) {
      this.sawVersion = offered.version;
      await this.act("route", { version: offered.version, state: "seen" });
    }
    if (this.sheet?.name === "messages") for (const message of this.unread) await this.readMessage(message);
  }

  async accept() {
    const { offered } = this;
    if (!offered) return;
    this.acceptedHere = offered.version;
    this.route = { ...offered, accepted: new Date(this.now()).toISOString() };
    this.said.clear();
    this.off = null;
    await this.store.keep({ route: this.route });
    await this.act("route", { version: offered.version, state: "accepted" });
  }

  // --- what the driver does

  /** Write an action down and send it as soon as it may be; `undo` keeps it back for a few seconds. */
  async act(kind, body = {}, { undo = false } = {}) {
    const action = {
      key: crypto.randomUUID(), kind, at: new Date(this.now()).toISOString(), day: this.shift?.day ?? localDay(this.now()),
      edge: this.truck.edge, driver: this.who.id, duty: this.duty?.id ?? null, ...body,
    };
    const entry = await this.store.enqueue(undo ? { ...action, hold: Date.now() + UNDO_MS } : action);
    this.entries = [...this.entries, entry];
    this.derive();
    this.draw();
    this.sender.flush();
    return entry;
  }

  async undo() {
    const entry = this.toast?.undo;
    if (!entry || !this.entries.some((e) => e.seq === entry.seq)) return;
    await this.store.forget([entry]);
    this.entries = this.entries.filter((e) => e.seq !== entry.seq);
    this.toast = null;
    this.derive();
    this.draw();
  }

  /** Begin the duty; `broken`: the check found what keeps the truck from leaving, and the dispatcher is told so at once. */
  async begin({ broken = false } = {}) {
    const checks = this.t("checks").map(({ item }) => ({ item, ok: this.checks[item] === true, note: this.notes[item] ?? "" }));
    const entry = await this.act("begin", { checks });
    this.duty = { id: entry.key, began: entry.at, driver: this.who.id };
    await this.store.keep({ duty: this.duty });
    if (broken) await this.breakdown("other");
    this.derive();
    this.route_();
  }

  /** What became of a stop: lifted, or missed with a reason. */
  async outcome(stop, outcome, reason = null) {
    const place = this.place();
    const body = { stop: stop.id, outcome, reason, version: this.route.version, lat: place?.lat ?? null, lon: place?.lon ?? null };
    const entry = await this.act("outcome", body, { undo: true });
    const words = outcome === "lifted" ? this.t("lifted_by_hand") : this.t("reasons")[reason];
    this.say({ text: `${words}: ${stop.street ?? stop.id}`, undo: entry, photoOf: outcome === "missed" ? entry.key : null, bad: outcome === "missed" });
    this.sheet = null;
    this.draw();
  }

  async photograph(of, file) {
    try {
      const blob = await shrink(file);
      const action = { key: crypto.randomUUID(), kind: "photo", of };
      const entry = await this.store.enqueue(action, blob);
      this.entries = [...this.entries, entry];
      this.say({ text: this.t("photo_kept") });
      this.sender.flush();
    } catch {
      this.say({ text: this.t("photo_bad"), bad: true });
    }
    this.draw();
  }

  async unload(stop) {
    const kg = this.kg === "" ? null : Number(this.kg);
    await this.act("unload", { stop: stop?.id ?? "station", n: stop?.n ?? null, version: this.route?.version ?? null, kg });
    Object.assign(this, { sheet: null, kg: "" });
    this.say({ text: kg === null ? this.t("unloaded") : `${this.t("unloaded")}: ${this.number(kg)} kg` });
    this.draw();
  }

  async rest() {
    const stop = this.nextStop;
    const planned = stop?.kind === "break" ? { n: stop.n, version: this.route.version } : {};
    await this.act(this.view?.resting ? "break_end" : "break_start", this.view?.resting ? {} : planned);
    this.sheet = null;
    this.draw();
  }

  async full() {
    await this.act("truck_full", { kg: this.view?.loadKg || null, ...this.whereNow() }, { undo: true }).then((entry) =>
      this.say({ text: this.t("full_said"), undo: entry }));
    this.draw();
  }

  async breakdown(fault) {
    await this.act("breakdown", { fault, ...this.whereNow() });
    this.sheet = null;
    this.say({ text: this.t("breakdown_said"), bad: true });
    this.draw();
  }

  async write(text) {
    if (!text.trim()) return;
    await this.act("message", { text: text.trim() });
    this.sheet = null;
    this.say({ text: `${this.t("sent_word")}: ${text.trim()}` });
    this.draw();
  }

  async readMessage(message) {
    this.readHere.add(message.id);
    await this.act("message_read", { message: message.id });
  }

  async end() {
    const v = this.view;
    this.summary = {
      lifted: v.lifted, missed: v.missed, open: v.total - v.done, kg: v.liftedKg, unloads: v.unloads.length,
      unloadedKg: v.unloads.reduce((sum, u) => sum + (u.kg ?? 0), 0), began: this.duty.began, ended: new Date(this.now()).toISOString(), name: this.who.name,
    };
    await this.store.keep({ summary: this.summary });
    await this.act("end");
    this.sheet = null;
    this.duty = null;
    await this.store.keep({ duty: null });
    this.route_();
  }

  // --- what is derived

  /** Whether the server answers: a late answer does not count once the tablet knows that it has no coverage. */
  get online() {
    return this.reached && navigator.onLine;
  }

  get pending() {
    return this.entries.filter((e) => e.kind !== "photo");
  }

  get unsent() {
    const waits = (e) => !this.online || (e.hold ?? 0) <= Date.now(); // what may still be undone is not late
    return this.entries.filter((e) => e.kind !== "route" && e.kind !== "message_read" && waits(e)).length;
  }

  get nextStop() {
    return this.view && this.view.next >= 0 ? this.view.stops[this.view.next] : null;
  }

  get unread() {
    return (this.shift?.messages ?? []).filter((m) => m.sender === "dispatcher" && !m.read && !this.readHere.has(m.id));
  }

  place() {
    return newest(Object.values(this.fixes));
  }

  whereNow() {
    const place = this.place();
    return place ? { lat: place.lat, lon: place.lon } : {};
  }

  kmh() {
    return speed(Object.values(this.fixes), this.now());
  }

  derive() {
    this.view = this.shift ? progress({ ...this.shift, route: this.route }, this.pending) : null;
    const place = this.place();
    const next = this.view?.next ?? -1;
    if (this.detour && this.detour.leg.to !== this.nextStop?.n) this.detour = null;
    this.way = withDetour(this.route, this.detour);
    this.guided = place && next >= 0 ? guide(this.way, next, [place.lon, place.lat]) : null;
  }

  /** A new position: { source, lon, lat, kmh, course, at, accuracy }. */
  moved(fix) {
    this.fixes[fix.source] = fix;
    if (fix.course !== null && (fix.kmh ?? 0) > 3) this.course = fix.course;
    this.derive();
    this.tick();
    if (this.guided) {
      this.off = offRoute(this.off, this.guided.off, fix.accuracy ?? 0);
      if (asksWay(this.off, this.online, this.askedAt, Date.now())) this.askWay();
      const words = this.off.off || this.view.resting ? null : toSay(this.guided, `${this.route.version}`, this.kmh(), this.said);
      if (words) this.speak(words.when === "soon" ? this.t("say_in", { m: Math.max(10, Math.round(words.metres / 10) * 10), text: words.text }) : words.text);
    }
    this.draw();
  }

  /** Ask the server for directions from here to the next stop. Without an answer the driver goes by the line on the map. */
  async askWay() {
    const place = this.place();
    const stop = this.nextStop;
    const { version } = this.route;
    this.askedAt = Date.now();
    const query = new URLSearchParams({ lat: place.lat, lon: place.lon, to_lat: stop.lat, to_lon: stop.lon });
    const leg = await fetch(`/api/cab/way?${query}`, { headers: { Accept: "application/json" } }).then((r) => (r.ok ? r.json() : null)).catch(() => null);
    if (!leg || this.nextStop?.n !== stop.n || this.route?.version !== version) return;
    this.detour = { version, leg: { ...leg, to: stop.n } };
    this.off = null;
    this.said.clear();
    this.derive();
    this.draw();
  }

  tick() {
    const lock = step(this.lock, this.kmh(), this.now());
    const changed = lock.moving !== this.lock.moving;
    this.lock = lock;
    if (this.toast && Date.now() > this.toast.until) this.toast = null;
    return changed;
  }

  /** Say which stops the lift has confirmed since. */
  announce(before) {
    if (!before) return;
    const was = new Map(before.stops.map((s) => [`${s.kind}/${s.id}`, s]));
    for (const stop of this.view.stops) {
      const old = was.get(`${stop.kind}/${stop.id}`);
      if (stop.saidBy !== "lift" || !old || old.saidBy === "lift") continue;
      const kg = stop.kgDone === null ? "" : `, ${this.number(Math.round(stop.kgDone))} kg`;
      this.say({ text: `${this.t("lifted_by_lift")}: ${stop.street ?? stop.id}${kg}`, good: true });
      this.speak(this.t("say_lifted"));
    }
  }

  say(toast) {
    this.toast = { ...toast, until: Date.now() + (toast.undo ? UNDO_MS : TOAST_MS) };
  }

  speak(text) {
    if (!this.muted) this.voice.say(text);
  }

  async mute() {
    this.muted = !this.muted;
    if (this.muted) this.voice.quiet();
    await this.store.keep({ muted: this.muted });
    this.draw();
  }

  async nextTheme() {
    this.theme = { auto: "night", night: "day", day: "auto" }[this.theme];
    await this.store.keep({ theme: this.theme });
    this.draw();
  }

  /** The colours of now: chosen, or by the sun over the truck or the town. */
  get colours() {
    if (this.theme !== "auto") return this.theme;
    const place = this.place();
    return colours(this.now(), place ? [place.lon, place.lat] : this.centre);
  }

  open(name, more = {}) {
    this.sheet = { name, ...more };
    this.draw();
  }

  close() {
    this.sheet = null;
    this.draw();
  }

  number(value, digits = 0) {
    return new Intl.NumberFormat(this.lang, { maximumFractionDigits: digits, useGrouping: "always" }).format(value);
  }

  clock(moment) {
    // British English abbreviates European zones (EET); Greek would spell them out
    return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: this.zone, timeZoneName: "short" }).format(new Date(moment));
  }

  /** A distance as a driver hears it: 40 m, 350 m, 1,2 km. */
  distance(metres) {
    if (metres === null || metres === undefined) return "—";
    if (metres < 1000) return `${metres < 100 ? Math.round(metres / 5) * 5 : Math.round(metres / 10) * 10} m`;
    return `${this.number(metres / 1000, 1)} km`;
  }
}

function localDay(now) {
  return new Intl.DateTimeFormat("sv-SE").format(new Date(now));
}
