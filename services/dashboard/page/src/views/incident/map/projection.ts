// From degrees to the drawing: an equirectangular map around what is shown, without tiles or anything from outside.

export type Position = [number, number];
export interface Geometry {
  type: string;
  coordinates: unknown;
}
export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}
export interface View {
  /** The middle of the drawing, in degrees. */
  longitude: number;
  latitude: number;
  /** Pixels for a degree of latitude. */
  scale: number;
}

/** The width of a degree of longitude against one of latitude, at the middle of the view. */
function squeeze(view: View): number {
  return Math.max(0.1, Math.cos((view.latitude * Math.PI) / 180));
}

/** Where a place is in a drawing of this size. */
export function project([longitude, latitude]: Position, view: View, width: number, height: number): Position {
  return [
    width / 2 + (longitude - view.longitude) * squeeze(view) * view.scale,
    height / 2 - (latitude - view.latitude) * view.scale,
  ];
}

/** The view moved by pixels of the drawing. */
export function moved(view: View, dx: number, dy: number): View {
  return {
    ...view,
    longitude: view.longitude + dx / (squeeze(view) * view.scale),
    latitude: Math.max(-85, Math.min(85, view.latitude - dy / view.scale)),
  };
}

export const SCALE_MIN = 4;
export const SCALE_MAX = 200_000;

/** The view at another scale. */
export function zoomed(view: View, factor: number): View {
  return { ...view, scale: Math.max(SCALE_MIN, Math.min(SCALE_MAX, view.scale * factor)) };
}

/** All positions of a geometry. */
export function positions(geometry: Geometry): Position[] {
  const found: Position[] = [];
  const walk = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === 'number' && typeof value[1] === 'number') found.push([value[0], value[1]]);
    else value.forEach(walk);
  };
  walk(geometry.coordinates);
  return found;
}

/** The rings of polygons, or the courses of lines. */
export function rings(geometry: Geometry): Position[][] {
  const coordinates = geometry.coordinates as never;
  switch (geometry.type) {
    case 'Polygon':
    case 'MultiLineString':
      return coordinates as Position[][];
    case 'MultiPolygon':
      return (coordinates as Position[][][]).flat();
    case 'LineString':
      return [coordinates as Position[]];
    default:
      return [];
  }
}

/** What encloses all of them; null where there is nothing. */
export function enclose(geometries: Geometry[]): Box | null {
  const all = geometries.flatMap(positions);
  if (all.length === 0) return null;
  const box: Box = { west: 180, south: 90, east: -180, north: -90 };
  for (const [longitude, latitude] of all) {
    box.west = Math.min(box.west, longitude);
    box.east = Math.max(box.east, longitude);
    box.south = Math.min(box.south, latitude);
    box.north = Math.max(box.north, latitude);
  }
  return box;
}

const MARGIN_PX = 64;
const SPAN_MIN = 0.4; // degrees shown at least, where there is but one place

/** The view that shows a box whole. */
export function fitting(box: Box, width: number, height: number): View {
  const longitude = (box.west + box.east) / 2;
  const latitude = (box.south + box.north) / 2;
  const view: View = { longitude, latitude, scale: 1 };
  const wide = Math.max(SPAN_MIN, box.east - box.west) * squeeze(view);
  const high = Math.max(SPAN_MIN, box.north - box.south);
  const scale = Math.min(Math.max(80, width - 2 * MARGIN_PX) / wide, Math.max(80, height - 2 * MARGIN_PX) / high);
  return zoomed({ ...view, scale }, 1);
}

/** A round number of kilometres and how many pixels it takes, about `wanted` pixels long. */
export function scaleBar(view: View, wanted: number): { km: number; pixels: number } {
  const perKm = view.scale / 111.2; // kilometres of a degree of latitude
  const rough = wanted / perKm;
  const power = 10 ** Math.floor(Math.log10(rough));
  const km = ([5, 2, 1].find((one) => one * power <= rough) ?? 1) * power;
  return { km, pixels: km * perKm };
}
