// The pictograms, as SVG drawn in the colour of the text beside them. Each stands beside words: none is the only sign of anything.
import { svg } from "lit-html";

const draw = (paths, size = 40) => svg`<svg class="sign-svg" width=${size} height=${size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
  stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${paths}</svg>`;

const TURNS = {
  straight: svg`<path d="M12 21V4M5.5 10.5 12 4l6.5 6.5"/>`,
  right: svg`<path d="M6 21v-8a4 4 0 0 1 4-4h9M14 4l5 5-5 5"/>`,
  left: svg`<path d="M18 21v-8a4 4 0 0 0-4-4H5M10 4 5 9l5 5"/>`,
  slight_right: svg`<path d="M8 21v-7l8.5-8.5M9.5 5h7v7"/>`,
  slight_left: svg`<path d="M16 21v-7L7.5 5.5M14.5 5h-7v7"/>`,
  sharp_right: svg`<path d="M7 21V6l9 9M16 8v7H9"/>`,
  sharp_left: svg`<path d="M17 21V6l-9 9M8 8v7h7"/>`,
  uturn: svg`<path d="M17 21V9.5a5 5 0 0 0-10 0V18M2.5 13.5 7 18l4.5-4.5"/>`,
  roundabout: svg`<circle cx="12" cy="10" r="4.5"/><path d="M12 21v-6.5M15.5 7 20 3M15.5 3H20v4.5"/>`,
  arrive: svg`<path d="M12 21c4-5 6.5-8 6.5-11.5a6.5 6.5 0 0 0-13 0C5.5 13 8 16 12 21z"/><circle cx="12" cy="9.5" r="2.2"/>`,
};

/** The arrow of a turn of this type; one that we don't know points straight on. */
export function arrow(type, size = 72) {
  const name = TURNS[type] ? type : ["uturn", "roundabout", "arrive"].find((t) => type?.includes(t)) ?? (type?.includes("right") ? "right" : type?.includes("left") ? "left" : "straight");
  return draw(TURNS[name], size);
}

const SIGNS = {
  check: svg`<path d="m4 13 5.5 5.5L20 6.5"/>`,
  not_out: svg`<path d="M7 8h10l-1 12H8zM5 8h14M10 8V5h4v3"/><path d="M3 3l18 18"/>`,
  contaminated: svg`<path d="M7 9h10l-1 11H8zM5 9h14"/><path d="M12 12v3.5M12 18v.01M9 3l1.5 3M15 3l-1.5 3"/>`,
  overloaded: svg`<path d="M5 21h14l-2-9H7zM12 12V8M9 5.5a3 3 0 1 1 6 0 3 3 0 0 1-6 0z"/>`,
  no_access: svg`<circle cx="12" cy="12" r="9"/><path d="M7 12h10"/>`,
  damaged: svg`<path d="M7 8h10l-1 12H8zM5 8h14"/><path d="m13 8-2.5 4 3 2-2 6"/>`,
  unsafe: svg`<path d="M12 3.5 22 20.5H2zM12 10v5M12 17.8v.01"/>`,
  list: svg`<path d="M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01"/>`,
  message: svg`<path d="M4 5h16v11H10l-5 4v-4H4z"/>`,
  full: svg`<path d="M5 8h14v12H5zM3 8h18M8 4h8M8.5 12h7M8.5 16h7"/>`,
  unload: svg`<path d="M12 3v11M7.5 9.5 12 14l4.5-4.5M4 17v4h16v-4"/>`,
  rest: svg`<path d="M5 9h11v6a5 5 0 0 1-11 0zM16 10.5h2a2.5 2.5 0 0 1 0 5h-2.3M8.5 3v2.5M12.5 3v2.5"/>`,
  breakdown: svg`<path d="M12 3.5 22 20.5H2zM9.5 17l5-5M9.5 12l5 5"/>`,
  end: svg`<path d="M6 21V4h12l-2.5 4 2.5 4H6"/>`,
  menu: svg`<path d="M4 7h16M4 12h16M4 17h16"/>`,
  voice: svg`<path d="M4 10v4h3.5L12 18V6L7.5 10zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11"/>`,
  muted: svg`<path d="M4 10v4h3.5L12 18V6L7.5 10zM16 9.5l5 5M21 9.5l-5 5"/>`,
  day: svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"/>`,
  night: svg`<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>`,
  auto: svg`<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor"/>`,
  camera: svg`<path d="M4 8h4l1.5-2.5h5L16 8h4v11H4z"/><circle cx="12" cy="13.3" r="3.3"/>`,
  undo: svg`<path d="M8.5 5 4 9.5 8.5 14M4 9.5h10a5.5 5.5 0 0 1 0 11h-4"/>`,
  close: svg`<path d="M5 5l14 14M19 5 5 19"/>`,
  truck: svg`<path d="M2.5 6h11v11h-11zM13.5 10h4l3.5 3.5V17h-7.5z"/><circle cx="7" cy="18" r="2"/><circle cx="17" cy="18" r="2"/>`,
  erase: svg`<path d="M9 6h11v12H9l-6-6zM12 9.5l5 5M17 9.5l-5 5"/>`,
  home: svg`<path d="m3.5 11.5 8.5-7 8.5 7M6 10v10h12V10M10 20v-5h4v5"/>`,
  garage: svg`<path d="M3 9.5 12 4l9 5.5V20H3zM7 20v-7h10v7M7 16.5h10"/>`,
};

export function sign(name, size = 32) {
  return draw(SIGNS[name], size);
}
