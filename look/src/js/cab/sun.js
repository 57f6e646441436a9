// Day and night colours by the sun over the town.
import { getPosition } from "suncalc";

const DUSK_DEGREES = -3;

/** "night" when the sun is more than 3 degrees below the horizon of a place [lon, lat] at `now` (ms), else "day". */
export function colours(now, [lon, lat]) {
  return getPosition(new Date(now), lat, lon).altitude < DUSK_DEGREES ? "night" : "day";
}
