// The map itself: areas, regions, sites and checkpoints, each of another shape and with its name.
import type { JSX } from 'preact';
import { isOver, nameOf, type Place } from './places';
import { project, rings, scaleBar, type Position, type View } from './projection';

interface Props {
  places: Place[];
  /** Areas that the places lie among. */
  ground: Place[];
  view: View;
  width: number;
  height: number;
  chosen: number | null;
  onChoose: (index: number) => void;
}

export function Drawing({ places, ground, view, width, height, chosen, onChoose }: Props): JSX.Element {
  const at = (position: Position): Position => project(position, view, width, height);
  const bar = scaleBar(view, 120);
  const labels = labelled(places, at);
  const grounds = labelled(ground.filter(isMark), at, labels);
  return (
    <svg class="map-drawing" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <g class="ground">
        {ground.map((place) => (
          <Shape key={place.properties.code} place={place} at={at} />
        ))}
        {grounds.map(({ text, x, y }) => (
          <text key={text} x={x} y={y}>
            {text}
          </text>
        ))}
      </g>
      {places.map((place, index) => (
        <g key={index} class={`place kind-${place.properties.kind}${isOver(place) ? ' over' : ''}${chosen === index ? ' chosen' : ''} ${colourOf(place)}`} onClick={() => onChoose(index)}>
          <Shape place={place} at={at} />
        </g>
      ))}
      {labels.map(({ index, x, y, text }) => (
        <text key={index} x={x} y={y} class={chosen === index ? 'chosen' : undefined} onClick={() => onChoose(index)}>
          {text}
        </text>
      ))}
      <g class="scale-bar" transform={`translate(16 ${height - 16})`}>
        <path d={`M0 -6v6h${bar.pixels}v-6`} />
        <text x={bar.pixels / 2} y={-8}>
          {bar.km >= 1 ? `${bar.km} km` : `${Math.round(bar.km * 1000)} m`}
        </text>
      </g>
    </svg>
  );
}

function Shape({ place, at }: { place: Place; at: (position: Position) => Position }): JSX.Element | null {
  const { geometry, properties } = place;
  if (geometry.type === 'Point') {
    const [x, y] = at(geometry.coordinates as Position);
    const move = `translate(${x} ${y})`;
    if (properties.kind === 'ground') return <circle cx={x} cy={y} r={2} />;
    if (properties.kind === 'region') return <path transform={move} d={properties.of?.includes('incident') ? 'M0 -9l9 9-9 9-9-9z' : 'M0 -6l6 6-6 6-6-6z'} />;
    if (properties.kind === 'checkpoint') return <path transform={move} d="M-6 -6h12v12h-12zM-3 0h6M0 -3v6" />;
    if (properties.kind === 'area') return <path transform={move} d="M0 -7l7 12h-14z" />;
    return <circle cx={x} cy={y} r={5} />;
  }
  const closed = geometry.type.endsWith('Polygon');
  const path = rings(geometry)
    .map((ring) => `M${ring.map((position) => at(position).map((one) => one.toFixed(1)).join(' ')).join('L')}${closed ? 'Z' : ''}`)
    .join('');
  return path ? <path d={path} class={closed ? 'surface' : 'course'} /> : null;
}

interface Label {
  index: number;
  x: number;
  y: number;
  text: string;
  width: number;
}

function isMark({ geometry }: Place): boolean {
  return geometry.type === 'Point';
}

/** Names that do not lie on each other; those left away are in the list beside the map. */
function labelled(places: Place[], at: (position: Position) => Position, others: Label[] = []): Label[] {
  const taken = others.map(({ x, y, width }) => ({ x, y: y - 4, width }));
  const found: Label[] = [];
  places.forEach((place, index) => {
    const text = nameOf(place);
    const [x, y] = at(anchor(place));
    const width = [...text].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) > 0x2e80 ? 12 : 7), 0);
    const free = [14, -10, 28, -24]
      .map((dy) => y + dy)
      .find((line) => taken.every((one) => Math.abs(one.y - line) >= 14 || Math.abs(one.x - x) >= (one.width + width) / 2));
    if (free === undefined) return;
    taken.push({ x, y: free, width });
    found.push({ index, x, y: free + 4, text, width });
  });
  return found;
}

function anchor({ geometry }: Place): Position {
  if (geometry.type === 'Point') return geometry.coordinates as Position;
  const [ring = [[0, 0]]] = [...rings(geometry)].sort((one, other) => other.length - one.length); // not an islet
  const sum = ring.reduce(([a, b], [x, y]) => [a + x, b + y] as Position, [0, 0] as Position);
  return [sum[0] / ring.length, sum[1] / ring.length];
}

function colourOf({ properties: { colour } }: Place): string {
  return colour && ['red', 'orange', 'yellow', 'blue'].includes(colour) ? `colour-${colour}` : '';
}
