// The day on the map: routes, stops and closures over the town; an area drawn by clicks; one press, one question.
// <div class="map" data-board="/api/board/map.geojson?…" [data-only="closure"] [data-preview="/api/board/street.geojson?…"]>

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const EMPTY = { type: "FeatureCollection", features: [] };
const PATTERNS = [[1], [3, 1.4], [1, 1], [4, 1, 1, 1]];
const SIGNS = 8;
const byLayer = (data, layer) => ({ type: "FeatureCollection", features: data.features.filter((f) => f.properties.layer === layer) });
const color = () => ["match", ["get", "sign"], ...Array.from({ length: SIGNS }, (_, n) => [n, token(`route-${n}`)]).flat(), token("calm")];

function pen(size) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * 2;
  const found = canvas.getContext("2d");
  found.scale(2, 2);
  found.translate(size / 2, size / 2);
  return found;
}

/** Each state has a shape of its own: a disc with a tick, a square with a cross, a ring, a double ring, a diamond. */
function addStopSigns(map) {
  const add = (name, size, draw) => {
    const p = pen(size);
    p.lineCap = "round";
    draw(p);
    if (map.hasImage(name)) map.removeImage(name);
    map.addImage(name, p.getImageData(0, 0, size * 2, size * 2), { pixelRatio: 2 });
  };
  const disc = (p, r, fill, edge, width = 1.5) => {
    p.beginPath(); p.arc(0, 0, r, 0, 7); p.fillStyle = fill; p.fill(); p.strokeStyle = edge; p.lineWidth = width; p.stroke();
  };
  const strokes = (p, ...lines) => {
    p.strokeStyle = token("surface"); p.lineWidth = 1.8; p.beginPath();
    for (const [first, ...rest] of lines) { p.moveTo(...first); for (const point of rest) p.lineTo(...point); }
    p.stroke();
  };
  const halo = token("map-halo");
  add("stop-served", 18, (p) => { disc(p, 7, token("good"), halo); strokes(p, [[-3, 0], [-0.8, 2.6], [3.4, -2.6]]); });
  for (const name of ["missed", "undone"]) {
    add(`stop-${name}`, 18, (p) => {
      p.beginPath(); p.rect(-6.5, -6.5, 13, 13); p.fillStyle = token("bad"); p.fill(); p.strokeStyle = halo; p.lineWidth = 1.5; p.stroke();
      strokes(p, [[-3, -3], [3, 3]], [[3, -3], [-3, 3]]);
    });
  }
  for (let n = 0; n < SIGNS; n += 1) {
    add(`stop-left-${n}`, 16, (p) => disc(p, 5, halo, token(`route-${n}`), 2.6));
    add(`stop-next-${n}`, 26, (p) => { disc(p, 11, token("focus"), token("focus-edge"), 2); disc(p, 5, halo, token(`route-${n}`), 3.5); });
    add(`stop-place-${n}`, 20, (p) => { p.beginPath(); p.rect(-7, -7, 14, 14); p.fillStyle = halo; p.fill(); p.strokeStyle = token(`route-${n}`); p.lineWidth = 3; p.stroke(); });
  }
  add("stop-other", 16, (p) => {
    p.rotate(Math.PI / 4); p.beginPath(); p.rect(-4.5, -4.5, 9, 9); p.fillStyle = token("warn"); p.fill(); p.strokeStyle = halo; p.lineWidth = 1.5; p.stroke();
  });
  const hatch = document.createElement("canvas");
  hatch.width = hatch.height = 16;
  const h = hatch.getContext("2d");
  h.strokeStyle = token("bad"); h.lineWidth = 3;
  for (const shift of [-16, 0, 16]) { h.beginPath(); h.moveTo(shift, 16); h.lineTo(shift + 16, 0); h.stroke(); }
  if (map.hasImage("hatch")) map.removeImage("hatch");
  map.addImage("hatch", h.getImageData(0, 0, 16, 16), { pixelRatio: 2 });
}

function addLayers(map, data, only) {
  addStopSigns(map);
  const below = "place-names";
  const add = (layer) => map.addLayer(layer, map.getLayer(below) ? below : undefined);
  map.addSource("closures", { type: "geojson", data: byLayer(data, "closure") });
  add({ id: "closures", type: "fill", source: "closures", paint: { "fill-pattern": "hatch", "fill-opacity": 0.8 } });
  add({ id: "closure-edges", type: "line", source: "closures", paint: { "line-color": token("bad"), "line-width": 2.5 } });
  if (only === "closure") return;
  map.addSource("routes", { type: "geojson", data: byLayer(data, "route") });
  map.addSource("stops", { type: "geojson", data: byLayer(data, "stop") });
  const round = { "line-cap": "butt", "line-join": "round" };
  add({ id: "route-halo", type: "line", source: "routes", layout: round, paint: { "line-color": token("map-halo"), "line-width": 6, "line-opacity": 0.75 } });
  PATTERNS.forEach((pattern, n) => add({
    id: `routes-${n}`, type: "line", source: "routes", layout: round, filter: ["==", ["%", ["get", "sign"], PATTERNS.length], n],
    paint: { "line-color": color(), "line-width": 3.2, ...(pattern.length > 1 ? { "line-dasharray": pattern } : {}) },
  }));
  add({
    id: "route-letters", type: "symbol", source: "routes",
    layout: { "symbol-placement": "line", "symbol-spacing": 140, "text-field": ["get", "letter"], "text-font": ["Commissioner"], "text-size": 14, "text-rotation-alignment": "viewport", "text-padding": 2 },
    paint: { "text-color": color(), "text-halo-color": token("map-halo"), "text-halo-width": 3 },
  });
  add({
    id: "stops", type: "symbol", source: "stops",
    layout: {
      "icon-image": ["case", ["!=", ["get", "kind"], "bin"], ["concat", "stop-place-", ["coalesce", ["get", "sign"], 0]],
        ["match", ["get", "state"], "served", "stop-served", ["missed"], "stop-missed", ["undone"], "stop-undone",
          "next", ["concat", "stop-next-", ["get", "sign"]], "left", ["concat", "stop-left-", ["get", "sign"]], "stop-other"]],
      "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.55, 14, 0.8, 17, 1.2],
      "icon-allow-overlap": true, "icon-ignore-placement": true,
      "symbol-sort-key": ["match", ["get", "state"], "next", 3, "missed", 2, "served", 0, 1],
    },
  });
}

async function open(place, { map, popup, describe }) {
  const only = place.dataset.only;
  const ask = async () => {
    const answer = await fetch(place.dataset.board);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  let data = EMPTY;
  const settle = () => {
    if (map.getSource("closures")) return;
    addLayers(map, data, only);
    filter();
  };
  const filter = () => {
    const wanted = new URLSearchParams(location.search);
    const says = [["truck", "edge"], ["state", "state"]].filter(([name]) => wanted.get(name)).map(([name, key]) => ["==", ["get", key], wanted.get(name)]);
    if (map.getLayer("stops")) map.setFilter("stops", says.length ? ["all", ...says] : null);
    if (map.getLayer("route-halo")) {
      const truck = wanted.get("truck");
      PATTERNS.forEach((_, n) => {
        const pattern = ["==", ["%", ["get", "sign"], PATTERNS.length], n];
        map.setFilter(`routes-${n}`, truck ? ["all", pattern, ["==", ["get", "edge"], truck]] : pattern);
      });
      for (const id of ["route-halo", "route-letters"]) map.setFilter(id, truck ? ["==", ["get", "edge"], truck] : null);
    }
  };
  try { data = await ask(); } catch { /* the page says that the server is away; the town is drawn */ }
  if (map.isStyleLoaded()) settle();
  map.on("style.load", settle);
  map.on("idle", settle);
  for (const layer of ["stops", "closures"]) {
    map.on("click", layer, (event) => {
      if (place.classList.contains("map--drawing")) return;
      const [feature] = event.features;
      const at = feature.geometry.type === "Point" ? feature.geometry.coordinates.slice() : event.lngLat;
      if (typeof feature.properties.lines === "string") feature.properties.lines = JSON.parse(feature.properties.lines);
      popup.setLngLat(at).setDOMContent(describe(feature)).addTo(map);
    });
    map.on("mouseenter", layer, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", layer, () => { map.getCanvas().style.cursor = ""; });
  }
  const again = async () => {
    try { data = await ask(); } catch { return; }
    map.getSource("closures")?.setData(byLayer(data, "closure"));
    map.getSource("routes")?.setData(byLayer(data, "route"));
    map.getSource("stops")?.setData(byLayer(data, "stop"));
  };
  addEventListener("asty:changed", again);
  addEventListener("asty:taken", filter);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fit]");
    if (!button) return;
    const points = data.features.filter((f) => f.properties.edge === button.dataset.fit)
      .flatMap((f) => (f.geometry.type === "Point" ? [f.geometry.coordinates] : f.geometry.coordinates));
    if (!points.length) return;
    const [lons, lats] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    map.fitBounds([[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]], { padding: 60, maxZoom: 17, animate: !still });
    place.scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
  });
  draw(place, map);
  preview(place, map);
}

/** What would be closed: the chosen street's blocks, or the drawn area. */
function sketch(map, name, features) {
  const data = { type: "FeatureCollection", features };
  const put = () => {
    if (map.getSource(name)) return map.getSource(name).setData(data);
    map.addSource(name, { type: "geojson", data });
    map.addLayer({ id: `${name}-fill`, type: "fill", source: name, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": token("bad"), "fill-opacity": 0.35 } });
    map.addLayer({ id: `${name}-line`, type: "line", source: name, paint: { "line-color": token("bad"), "line-width": 2.5, "line-dasharray": [2, 1] } });
    map.addLayer({ id: `${name}-corners`, type: "circle", source: name, filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 5, "circle-color": token("bad"), "circle-stroke-color": token("map-halo"), "circle-stroke-width": 2 } });
  };
  if (map.isStyleLoaded()) put();
  else map.once("idle", put);
}

function preview(place, map) {
  const form = document.getElementById("close");
  if (!place.dataset.preview || !form) return;
  const show = async () => {
    const query = ["begin", "end"].map((name) => `&${name}=${encodeURIComponent(form.elements[name]?.value ?? "")}`).join("");
    const answer = await fetch(place.dataset.preview + query).catch(() => null);
    sketch(map, "preview", answer?.ok ? (await answer.json()).features : []);
  };
  for (const name of ["begin", "end"]) form.elements[name]?.addEventListener("change", show);
  show();
}

function draw(place, map) {
  const box = document.querySelector("[data-draw]");
  if (!box) return;
  const [start, undo, clear] = ["start", "undo", "clear"].map((name) => box.querySelector(`[data-draw-${name}]`));
  const field = box.querySelector("[name=area]");
  const say = box.querySelector("[data-draw-say]");
  let corners = field.value ? JSON.parse(field.value).coordinates[0].slice(0, -1) : [];
  const show = () => {
    const ring = [...corners, corners[0]];
    field.value = corners.length > 2 ? JSON.stringify({ type: "Polygon", coordinates: [ring] }) : "";
    say.textContent = corners.length ? `${say.dataset.corners} ${corners.length}` : say.dataset.none;
    undo.disabled = clear.disabled = !corners.length;
    const shape = corners.length > 2 ? { type: "Polygon", coordinates: [ring] } : corners.length === 2 ? { type: "LineString", coordinates: corners } : null;
    sketch(map, "drawn", [
      ...(shape ? [{ type: "Feature", properties: {}, geometry: shape }] : []),
      ...corners.map((at) => ({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } })),
    ]);
  };
  start.addEventListener("click", () => {
    const drawing = place.classList.toggle("map--drawing");
    start.setAttribute("aria-pressed", String(drawing));
    if (drawing) place.scrollIntoView({ block: "nearest" });
  });
  undo.addEventListener("click", () => { corners.pop(); show(); });
  clear.addEventListener("click", () => { corners = []; show(); });
  map.on("click", (event) => {
    if (!place.classList.contains("map--drawing")) return;
    corners.push([Number(event.lngLat.lng.toFixed(6)), Number(event.lngLat.lat.toFixed(6))]);
    show();
  });
  map.doubleClickZoom.disable();
  if (corners.length) show();
}

document.addEventListener("asty:map", (event) => {
  if (event.target.dataset.board) open(event.target, event.detail);
});

// A question that takes seconds says so, and is asked once.
document.addEventListener("submit", (event) => {
  const button = event.target.closest("form[data-wait]")?.querySelector("[type=submit]");
  if (!button) return;
  button.disabled = true;
  button.textContent = event.target.dataset.wait;
});
document.getElementById("answer")?.focus({ preventScroll: false });
