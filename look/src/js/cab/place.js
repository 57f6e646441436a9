// Places and distances on the scale of a town. A place is [lon, lat] in degrees; distances are metres.

const M_PER_DEGREE = 111_195;

/** Metres east and north from `a` to `b`: a plane is exact enough within a town. */
export function between(a, b) {
  const scale = Math.cos(((a[1] + b[1]) / 2) * (Math.PI / 180));
  return [(b[0] - a[0]) * M_PER_DEGREE * scale, (b[1] - a[1]) * M_PER_DEGREE];
}

export function metres(a, b) {
  return Math.hypot(...between(a, b));
}

/** Where on a line a place is: `metres` away from it, `along` metres from its start, on the piece after point `index`. */
export function onLine(line, place) {
  let best = { metres: line.length === 1 ? metres(line[0], place) : Infinity, along: 0, index: 0 };
  let along = 0;
  for (let i = 0; i + 1 < line.length; i += 1) {
    const [dx, dy] = between(line[i], line[i + 1]);
    const [px, py] = between(line[i], place);
    const length = Math.hypot(dx, dy);
    const share = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / (length * length)));
    const away = Math.hypot(px - share * dx, py - share * dy);
    if (away < best.metres) best = { metres: away, along: along + share * length, index: i };
    along += length;
  }
  return best;
}

/** Metres from the start of a line to each of its points. */
export function distances(line) {
  const found = [0];
  for (let i = 1; i < line.length; i += 1) found.push(found[i - 1] + metres(line[i - 1], line[i]));
  return found;
}

/** Compass degrees from `a` to `b`. */
export function bearing(a, b) {
  const [east, north] = between(a, b);
  return (Math.atan2(east, north) * 180) / Math.PI + (east < 0 ? 360 : 0);
}
