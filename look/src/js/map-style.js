// The town drawn from its own streets and areas: no tiles, no glyph server. Colours come from the page's tokens.

const LABEL_FONT = ["Commissioner"];
const WIDTH = { primary: 5, secondary: 4.5, tertiary: 4, residential: 3, living_street: 2.6, unclassified: 3, service: 1.8, pedestrian: 2.4 };

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Width of a street in px by zoom: a street of class c is about WIDTH[c] m wide at zoom 15, and doubles with each zoom. */
function streetWidth(extra) {
  const base = ["match", ["get", "highway"], ...Object.entries(WIDTH).flat(), 2.6];
  const at = (factor) => ["+", ["*", base, factor], extra];
  return ["interpolate", ["exponential", 1.6], ["zoom"], 12, at(0.3), 15, at(1), 18, at(5)];
}

const empty = { type: "FeatureCollection", features: [] };
const source = (data) => ({ type: "geojson", data: data ?? empty });

/** Return the MapLibre style of one town from its GeoJSON; `sheet` is the polygon that its map covers. */
export function townStyle({ sheet, streets, areas, places, trucks, bins }) {
  const line = { "line-cap": "round", "line-join": "round" };
  return {
    version: 8,
    sources: { sheet: source(sheet), areas: source(areas), streets: source(streets), places: source(places), bins: source(bins), trucks: source(trucks) },
    layers: [
      { id: "out", type: "background", paint: { "background-color": token("map-out") } },
      { id: "land", type: "fill", source: "sheet", paint: { "fill-color": token("map-land"), "fill-outline-color": token("map-casing") } },
      {
        id: "areas",
        type: "fill",
        source: "areas",
        filter: ["!=", ["get", "kind"], "building"],
        paint: {
          "fill-color": [
            "match", ["get", "kind"],
            ["sea", "water"], token("map-sea"),
            ["park", "sport"], token("map-park"),
            ["square", "beach"], token("map-square"),
            token("map-land"),
          ],
        },
      },
      {
        id: "buildings",
        type: "fill",
        source: "areas",
        minzoom: 14,
        filter: ["==", ["get", "kind"], "building"],
        paint: { "fill-color": token("map-building"), "fill-outline-color": token("map-casing") },
      },
      {
        id: "paths",
        type: "line",
        source: "streets",
        minzoom: 14,
        filter: ["==", ["get", "layer"], "path"],
        paint: { "line-color": token("map-path"), "line-width": 1.2, "line-dasharray": [2, 2] },
      },
      { id: "casing", type: "line", source: "streets", filter: ["==", ["get", "layer"], "street"], layout: line,
        paint: { "line-color": token("map-casing"), "line-width": streetWidth(1.6) } },
      { id: "streets", type: "line", source: "streets", filter: ["==", ["get", "layer"], "street"], layout: line,
        paint: { "line-color": token("map-street"), "line-width": streetWidth(0) } },
      {
        id: "street-names",
        type: "symbol",
        source: "streets",
        minzoom: 14,
        filter: ["all", ["==", ["get", "layer"], "street"], ["has", "name"]],
        layout: {
          "symbol-placement": "line",
          "symbol-spacing": 320,
          "text-field": ["get", "name"],
          "text-font": LABEL_FONT,
          "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10.5, 17, 14],
          "text-padding": 6,
        },
        paint: { "text-color": token("map-label"), "text-halo-color": token("map-halo"), "text-halo-width": 1.4 },
      },
      {
        id: "area-names",
        type: "symbol",
        source: "areas",
        filter: ["all", ["has", "name"], ["in", ["get", "kind"], ["literal", ["sea", "park", "square"]]]],
        layout: { "text-field": ["get", "name"], "text-font": LABEL_FONT, "text-size": 11.5, "text-letter-spacing": 0.03, "text-max-width": 8 },
        paint: { "text-color": token("map-label"), "text-halo-color": token("map-halo"), "text-halo-width": 1.2, "text-opacity": 0.9 },
      },
      {
        id: "bins",
        type: "symbol",
        source: "bins",
        layout: {
          "icon-image": ["concat", "bin-", ["get", "state"]],
          "icon-size": ["interpolate", ["linear"], ["zoom"], 12, 0.45, 14, 0.65, 16, 0.95, 18, 1.25],
          "icon-allow-overlap": true,
          "icon-ignore-placement": true,
          "symbol-sort-key": ["match", ["get", "state"], "old", 3, "recent", 2, "today", 1, 0],
        },
      },
      {
        id: "place-names",
        type: "symbol",
        source: "places",
        minzoom: 15.5,
        filter: ["all", ["has", "name"], ["!", ["in", ["get", "kind"], ["literal", ["bus_stop", "parking", "bicycle_parking"]]]]],
        layout: { "text-field": ["get", "name"], "text-font": LABEL_FONT, "text-size": 11, "text-max-width": 9, "text-variable-anchor": ["top", "bottom", "left", "right"], "text-radial-offset": 0.5 },
        paint: { "text-color": token("calm"), "text-halo-color": token("map-halo"), "text-halo-width": 1.3 },
      },
      {
        id: "trucks",
        type: "symbol",
        source: "trucks",
        layout: {
          "icon-image": ["concat", "truck-", ["case", ["get", "up"], "on", "off"], ["case", ["==", ["get", "course"], null], "-still", ""]],
          "icon-rotate": ["coalesce", ["get", "course"], 0],
          "icon-rotation-alignment": "map",
          "icon-allow-overlap": true,
          "icon-ignore-placement": true,
          "text-field": ["get", "name"],
          "text-font": LABEL_FONT,
          "text-size": 13,
          "text-offset": [0, 1.7],
          "text-anchor": "top",
          "text-optional": true,
        },
        paint: { "text-color": token("ink"), "text-halo-color": token("map-halo"), "text-halo-width": 2 },
      },
    ],
  };
}

/** Draw the signs of bins and trucks; each state has a shape of its own, so that none is told by colour alone. */
export function addSigns(map) {
  const ratio = 2;
  const sign = (name, size, draw) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = size * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.translate(size / 2, size / 2);
    draw(pen);
    if (map.hasImage(name)) map.removeImage(name);
    map.addImage(name, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: ratio });
  };
  const filled = (pen, color, edge = token("map-halo")) => {
    pen.fillStyle = color;
    pen.strokeStyle = edge;
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
  };
  sign("bin-today", 16, (pen) => { pen.beginPath(); pen.arc(0, 0, 5.5, 0, 7); filled(pen, token("bin-today")); });
  sign("bin-recent", 16, (pen) => { pen.beginPath(); pen.rect(-4.5, -4.5, 9, 9); filled(pen, token("bin-recent")); });
  sign("bin-old", 18, (pen) => { pen.rotate(Math.PI / 4); pen.beginPath(); pen.rect(-5, -5, 10, 10); filled(pen, token("bin-old")); });
  sign("bin-unknown", 16, (pen) => { pen.beginPath(); pen.arc(0, 0, 4.5, 0, 7); pen.fillStyle = token("map-halo"); pen.fill(); pen.lineWidth = 2.5; pen.strokeStyle = token("bin-unknown"); pen.stroke(); });
  for (const [state, color] of [["on", token("map-truck")], ["off", token("map-truck-off")]]) {
    sign(`truck-${state}`, 40, (pen) => {
      pen.beginPath();
      pen.moveTo(0, -16); pen.lineTo(11, 12); pen.lineTo(0, 6); pen.lineTo(-11, 12);
      pen.closePath();
      pen.lineJoin = "round";
      pen.lineWidth = 3.5; pen.strokeStyle = token("map-halo"); pen.stroke();
      pen.fillStyle = color; pen.fill();
    });
    sign(`truck-${state}-still`, 40, (pen) => {
      pen.beginPath(); pen.roundRect(-9, -9, 18, 18, 5); pen.lineWidth = 3.5; pen.strokeStyle = token("map-halo"); pen.stroke();
      pen.fillStyle = color; pen.fill();
    });
  }
}
