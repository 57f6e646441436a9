// A map beside a list: <div data-map='{"streets": "/…", "areas": "/…", "places": "/…", "trucks": "/…", "bins": "/…"}'
// data-worker="/static/…" data-words="{…}">. Without WebGL it says so and the list has it all.
import { AttributionControl, LngLatBounds, Map as TownMap, NavigationControl, Popup, ScaleControl, setWorkerUrl } from "maplibre-gl";
import { addSigns, townStyle } from "./map-style.js";

const lang = document.documentElement.lang;
const MOVING = ["trucks", "bins"];

async function fetchJson(url) {
  const answer = await fetch(url, { headers: { Accept: "application/geo+json" } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function boundsOf(...collections) {
  const bounds = new LngLatBounds();
  const walk = (c) => (typeof c[0] === "number" ? bounds.extend(c) : c.forEach(walk));
  for (const collection of collections) for (const feature of collection.features) walk(feature.geometry.coordinates);
  return bounds;
}

/** The sheet that the town's map covers: beyond it nothing is known, and it is not drawn as land. */
function sheetOf(bounds) {
  if (bounds.isEmpty()) return undefined;
  const [[west, south], [east, north]] = bounds.toArray();
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  return { type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }] };
}

function popupText(feature, words) {
  const box = document.createElement("div");
  const { name, lines } = feature.properties;
  const title = document.createElement("strong");
  title.textContent = name;
  box.append(title);
  for (const line of lines ?? []) {
    const row = document.createElement("div");
    row.textContent = line;
    box.append(row);
  }
  box.setAttribute("aria-label", words.details);
  return box;
}

async function start(place) {
  const words = JSON.parse(place.dataset.words);
  const urls = JSON.parse(place.dataset.map);
  const say = (text) => {
    const line = document.createElement("p");
    line.className = "map__say";
    line.textContent = text;
    place.replaceChildren(line);
  };
  const probe = document.createElement("canvas");
  if (!probe.getContext("webgl2")) return say(words.no_webgl);

  let data;
  try {
    await document.fonts.load('16px "Commissioner"', "Ερμού Ermou").catch(() => undefined); // labels are drawn with it
    data = Object.fromEntries(await Promise.all(Object.entries(urls).map(async ([name, url]) => [name, await fetchJson(url)])));
  } catch {
    say(words.no_data);
    addEventListener("asty:changed", () => start(place), { once: true });
    return;
  }

  place.replaceChildren();
  setWorkerUrl(new URL(place.dataset.worker, location.href).href);
  const town = boundsOf(data.streets, data.areas);
  const moving = MOVING.filter((name) => urls[name]);
  const home = town.isEmpty() ? boundsOf(...moving.map((name) => data[name])) : town;
  data.sheet = sheetOf(town);
  const map = new TownMap({
    container: place,
    style: townStyle(data),
    bounds: home.isEmpty() ? undefined : home,
    fitBoundsOptions: { padding: 12 },
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    cooperativeGestures: matchMedia("(pointer: coarse)").matches,
    maxZoom: 19,
    locale: words.map,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-left");
  map.addControl(new AttributionControl({ compact: false, customAttribution: words.attribution }), "bottom-right");
  map.on("styleimagemissing", () => addSigns(map));
  map.on("style.load", () => addSigns(map));

  const popup = new Popup({ offset: 12, maxWidth: "18rem", locale: words.map });
  for (const layer of MOVING) {
    map.on("click", layer, (event) => {
      const [feature] = event.features;
      popup.setLngLat(feature.geometry.coordinates.slice()).setDOMContent(popupText(feature, words)).addTo(map);
    });
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }

  // The page follows what changed: positions and bins are asked for again, the town is not.
  addEventListener("asty:changed", async () => {
    for (const name of moving) {
      try {
        map.getSource(name)?.setData(await fetchJson(urls[name]));
      } catch {
        return; // the page itself says that the server is away
      }
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => map.setStyle(townStyle(data), { diff: false }));

  document.documentElement.dataset.mapped = "yes";
  // what a page adds to the town: its own module listens for this
  place.dispatchEvent(new CustomEvent("asty:map", { bubbles: true, detail: { map, popup, describe: (feature) => popupText(feature, words) } }));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-show-lon]");
    if (!button) return;
    const center = [Number(button.dataset.showLon), Number(button.dataset.showLat)];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    map[still ? "jumpTo" : "flyTo"]({ center, zoom: Math.max(map.getZoom(), 16.5) });
    place.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  });
  map.on("movestart", () => { delete place.dataset.ready; });
  map.on("idle", () => { place.dataset.ready = lang; });
}

for (const place of document.querySelectorAll("[data-map]")) start(place);
