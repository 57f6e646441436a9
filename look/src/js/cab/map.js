// The map of the cab: the town's own streets from the tablet, the route, its stops, the truck; it turns with the truck.
import { Map as TownMap, setWorkerUrl } from "maplibre-gl";
import { addSigns, townStyle } from "../map-style.js";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const features = (list) => ({ type: "FeatureCollection", features: list });
const FOLLOW_ZOOM = 16.6;
const BESIDE_DEGREES = 2e-4; // about 20 m

function routeLayers() {
  const line = { "line-cap": "round", "line-join": "round" };
  const number = { "text-font": ["Commissioner"], "text-allow-overlap": true, "text-ignore-placement": true };
  return [
    { id: "way-done", type: "line", source: "way", filter: ["==", ["get", "part"], "later"], layout: line,
      paint: { "line-color": token("cab-later"), "line-width": 5, "line-opacity": 0.75 } },
    { id: "way-edge", type: "line", source: "way", filter: ["==", ["get", "part"], "next"], layout: line,
      paint: { "line-color": token("map-halo"), "line-width": 15 } },
    { id: "way-next", type: "line", source: "way", filter: ["==", ["get", "part"], "next"], layout: line,
      paint: { "line-color": token("cab-way"), "line-width": 10 } },
    { id: "way-air", type: "line", source: "way", filter: ["==", ["get", "part"], "air"], layout: line,
      paint: { "line-color": token("cab-way"), "line-width": 4, "line-dasharray": [1, 2] } },
    { id: "stops", type: "circle", source: "stops",
      paint: {
        "circle-radius": ["match", ["get", "state"], "next", 17, "open", 10, 7],
        "circle-color": ["match", ["get", "state"], "next", token("cab-stop"), "open", token("surface"), "lifted", token("good"), "missed", token("bad"), token("cab-later")],
        "circle-stroke-color": ["match", ["get", "state"], "open", token("cab-way"), token("map-halo")],
        "circle-stroke-width": ["match", ["get", "state"], "next", 4, 3],
      } },
    { id: "stop-numbers", type: "symbol", source: "stops", filter: ["in", ["get", "state"], ["literal", ["next", "open"]]],
      layout: { ...number, "text-field": ["to-string", ["get", "n"]], "text-size": ["match", ["get", "state"], "next", 17, 11] },
      paint: { "text-color": ["match", ["get", "state"], "next", token("cab-on-stop"), token("ink")] } },
    { id: "self", type: "symbol", source: "self",
      layout: { "icon-image": ["concat", "truck-on", ["case", ["==", ["get", "course"], null], "-still", ""]], "icon-size": 1.5,
        "icon-rotate": ["coalesce", ["get", "course"], 0], "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true } },
  ];
}

/** Start the map in `place`; `layers` are the addresses of streets, areas and places. Returns null where WebGL is missing. */
export async function startMap(place, { layers, worker, label, centre }) {
  if (!document.createElement("canvas").getContext("webgl2")) return null;
  await document.fonts.load('16px "Commissioner"', "Ερμού").catch(() => undefined);
  const read = (url) => fetch(url, { headers: { Accept: "application/geo+json" } }).then((r) => (r.ok ? r.json() : undefined)).catch(() => undefined);
  const [streets, areas, places] = await Promise.all(layers.map(read));
  setWorkerUrl(new URL(worker, location.href).href);
  let shown = { way: features([]), stops: features([]), self: features([]) };
  const style = () => {
    const town = townStyle({ streets, areas, places });
    for (const layer of town.layers) if (layer.type === "background") layer.paint["background-color"] = token("map-land");
    const names = new Set(["bins", "trucks"]);
    town.layers = [...town.layers.filter((layer) => !names.has(layer.id)).map(bigger), ...routeLayers()];
    for (const name of names) delete town.sources[name];
    for (const [name, data] of Object.entries(shown)) town.sources[name] = { type: "geojson", data };
    return town;
  };
  const map = new TownMap({
    container: place, style: style(), center: centre, zoom: FOLLOW_ZOOM, attributionControl: false, interactive: false, maxZoom: 18,
    fadeDuration: 0, locale: { "Map.Title": label },
  });
  map.on("style.load", () => addSigns(map));
  map.on("styleimagemissing", () => addSigns(map));
  map.on("movestart", () => { delete place.dataset.ready; });
  map.on("idle", () => { place.dataset.ready = "yes"; });
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  return {
    /** Show a route with the states of its stops, the truck { lon, lat, course } or null, and the legs (their numbers) to the next stop. */
    show({ stops, next, path, self, legs }) {
      const way = [];
      stops.forEach((stop, i) => {
        const ahead = i === next || legs.includes(stop.n);
        if (next < 0 || (i < next && !ahead)) return;
        const leg = path?.find((l) => l.to === stop.n);
        if (leg?.shape?.length > 1) way.push(lineOf(leg.shape, ahead ? "next" : "later"));
      });
      if (next >= 0 && self && !way.some((f) => f.properties.part === "next")) way.push(lineOf([[self.lon, self.lat], [stops[next].lon, stops[next].lat]], "air"));
      const order = (stop, i) => (i === next ? 3 : stop.state === "open" ? 2 : 1);
      // of bins that stand together only the next one's number is legible
      const beside = (stop, i) => i !== next && next >= 0 && Math.hypot(stop.lon - stops[next].lon, stop.lat - stops[next].lat) < BESIDE_DEGREES;
      const points = stops.map((stop, i) => [order(stop, i), point(stop, { n: beside(stop, i) ? "" : stop.n, state: i === next ? "next" : stop.state })]);
      shown = {
        way: features(way.reverse()),
        stops: features(points.sort((a, b) => a[0] - b[0]).map(([, f]) => f)),
        self: features(self ? [point(self, { course: self.course })] : []),
      };
      for (const [name, data] of Object.entries(shown)) map.getSource(name)?.setData(data);
    },
    /** Follow the truck, or show the next stop while its place is unknown. */
    follow(target, course) {
      const to = { center: [target.lon, target.lat], bearing: course ?? map.getBearing(), zoom: FOLLOW_ZOOM };
      if (still()) map.jumpTo(to);
      else map.easeTo({ ...to, duration: 900 });
    },
    recolour: () => map.setStyle(style(), { diff: false }),
    resize: () => map.resize(),
  };
}

/** Labels that can be read at arm's length. */
function bigger(layer) {
  if (layer.type !== "symbol" || layer.id === "area-names") return layer;
  return { ...layer, layout: { ...layer.layout, "text-size": layer.id === "street-names" ? 18 : 15 } };
}

const lineOf = (coordinates, part) => ({ type: "Feature", properties: { part }, geometry: { type: "LineString", coordinates } });
const point = ({ lon, lat }, properties) => ({ type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] } });
