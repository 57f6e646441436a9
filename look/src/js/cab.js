// The in-cab screen: puts state, screens, map, voice, queue and the server's events together. <body data-cab="{…}"> holds its settings.
import { html, render } from "lit-html";
import { App } from "./cab/app.js";
import { driveScreen } from "./cab/drive.js";
import { startMap } from "./cab/map.js";
import { startSender } from "./cab/sender.js";
import { sheetOf } from "./cab/sheets.js";
import { checkScreen, signInScreen, summaryScreen, truckScreen } from "./cab/start.js";
import { openStore } from "./cab/store.js";
import { startVoice } from "./cab/voice.js";
import { type } from "./cab/wedge.js";

const settings = JSON.parse(document.body.dataset.cab);
const { words } = settings;
const root = document.getElementById("cab");
const night = document.getElementById("night");
const SILENT_MS = 40_000;
const MAP_EVERY_MS = 400;

const t = (name, values) => {
  const text = words[name];
  return values ? text.replace(/\{(\w+)\}/g, (_, key) => values[key]) : text;
};

let drawing = false;
const app = new App({ store: await openStore(), t, lang: document.documentElement.lang, centre: settings.centre, draw });
app.zone = settings.zone;

// --- drawing

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    paint();
  });
}

const SCREENS = { truck: truckScreen, "sign-in": signInScreen, check: checkScreen, summary: summaryScreen, drive: (a) => driveScreen(a, mapPlace) };

function paint() {
  recolour();
  const screen = SCREENS[app.screen];
  if (!screen) return;
  root.querySelector(":scope > .loading")?.remove();
  render(html`${screen(app)}${sheetOf(app)}`, root);
  document.documentElement.dataset.screen = app.screen;
  for (const sheet of root.querySelectorAll("dialog:not([open])")) sheet.showModal();
  if (app.screen === "drive") drawMap();
  app.shown();
}

function recolour() {
  const colours = app.colours;
  if (document.documentElement.dataset.colours === colours) return;
  document.documentElement.dataset.colours = colours;
  night.media = colours === "night" ? "all" : "not all";
  // the map takes its colours from the sheet that has just come into force
  requestAnimationFrame(() => map?.recolour());
}

// --- the map

const mapPlace = document.createElement("div");
mapPlace.className = "map";
let map;
let mapDrawn = 0;
let following = "";

function drawMap() {
  if (map === undefined) {
    map = null;
    startMap(mapPlace, { layers: settings.layers, worker: settings.worker, label: t("map"), centre: app.nextStop ? [app.nextStop.lon, app.nextStop.lat] : settings.centre })
      .then((made) => {
        map = made;
        if (made === null) mapPlace.textContent = t("no_map");
        draw();
      })
      .catch(() => { mapPlace.textContent = t("no_map"); });
  }
  if (!map || !app.view || performance.now() - mapDrawn < MAP_EVERY_MS) return;
  mapDrawn = performance.now();
  const place = app.place();
  const self = place && { ...place, course: (place.kmh ?? 0) > 3 ? app.course : null };
  map.show({ stops: app.view.stops, next: app.view.next, path: app.way?.path, self, legs: app.guided?.legs ?? [] });
  const target = place ?? app.nextStop;
  const at = target && `${target.lon},${target.lat},${app.course}`;
  if (at && at !== following) map.follow(target, app.course);
  following = at;
}
addEventListener("resize", () => map?.resize());

// --- the server's events

let events = null;
let heard = 0;

function connect() {
  if (!app.who || app.signedOut || (events && events.readyState !== EventSource.CLOSED)) return;
  heard = Date.now();
  events = new EventSource("/api/cab/events");
  const on = (name, act) => events.addEventListener(name, (event) => {
    heard = Date.now();
    if (!app.reached) {
      app.reached = true;
      draw();
    }
    act(event.data);
  });
  on("open", () => sender.flush());
  on("quiet", () => undefined);
  on("shift", () => app.loadShift());
  on("position", (data) => {
    const p = JSON.parse(data);
    if (!p) return;
    app.moved({ source: "truck", lon: p.lon, lat: p.lat, kmh: p.v === null ? null : p.v * 3.6, course: p.course, at: Date.parse(p.t), accuracy: 0 });
  });
  events.addEventListener("error", () => {
    app.reached = false;
    draw();
  });
}

function disconnect() {
  events?.close();
  events = null;
}
Object.assign(app, { connect, disconnect });

addEventListener("offline", () => {
  disconnect();
  app.reached = false;
  draw();
});
addEventListener("online", () => {
  connect();
  app.loadShift();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) app.loadShift();
});

// --- the queue, the voice, the tablet's own receiver, the keys of a card reader

const sender = startSender({
  store: app.store,
  onChange: (entries, refused) => {
    app.entries = entries;
    app.refused = [...app.refused, ...refused];
    app.derive();
    if (entries.length === 0) app.loadShift();
    draw();
  },
  onState: (state) => {
    app.reached = state !== "unreachable";
    app.signedOut = state === "signed_out";
    draw();
  },
});
app.sender = sender;

app.voice = startVoice(document.documentElement.lang, (has) => {
  app.hasVoice = has;
  draw();
});

let watching = false;
function watchPlace() {
  if (watching || !navigator.geolocation) return;
  watching = true;
  navigator.geolocation.watchPosition(
    ({ coords: c, timestamp }) =>
      app.moved({ source: "tablet", lon: c.longitude, lat: c.latitude, kmh: c.speed === null ? null : c.speed * 3.6, course: c.heading === null || Number.isNaN(c.heading) ? null : c.heading, at: timestamp + app.offset, accuracy: c.accuracy }),
    () => undefined, // not allowed, or no sky: the truck's own receiver is there
    { enableHighAccuracy: true, maximumAge: 2000 },
  );
}

document.addEventListener("keydown", (event) => {
  if (app.screen !== "sign-in" || event.ctrlKey || event.metaKey || event.altKey) return;
  const { typed, card } = type(app.wedge, event.key, event.timeStamp);
  app.wedge = typed;
  if (card) {
    event.preventDefault();
    app.pin = "";
    app.signIn({ card });
  } else if (/^[0-9]$/.test(event.key)) app.digit(event.key);
  else if (event.key === "Backspace") app.digit("erase");
  else if (event.key === "Enter" && app.pin.length >= 6 && event.target === document.body) app.signIn({ pin: app.pin });
});

// --- the screen stays on while the truck is on duty

let awake = null;
async function stayAwake() {
  if (document.hidden || app.screen !== "drive" || awake?.released === false) return;
  awake = await navigator.wakeLock?.request("screen").catch(() => null);
}

let second = 0;
setInterval(() => {
  second += 1;
  const changed = app.tick();
  if (app.screen === "drive") {
    watchPlace();
    stayAwake();
    if (events && Date.now() - heard > SILENT_MS) disconnect();
    if (navigator.onLine) connect();
  }
  if (changed || app.toast || app.view?.resting || second % 5 === 0) draw();
}, 1000);

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/cab/sw.js", { scope: "/cab" }).catch(() => undefined);
await app.start();
connect();
sender.flush();
draw();
