// Lines over the last hours. Each has a dash of its own beside its colour; the same figures stand in a table.
import type { JSX } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { has, lang, moment, t, title } from '../../i18n';
import { session } from '../../session';
import type { Series } from './data';
import { brief, clock, nearest, place, times, values, type Scale } from './scale';

const BOX = { width: 560, height: 180, left: 48, right: 12, top: 8, bottom: 24 } as const;
const DRAWN_MAX = 6; // more lines cannot be told apart
const ROWS_MAX = 60;

export function Chart({ name, series }: { name: string; series: readonly Series[] }): JSX.Element {
  const id = useId();
  const drawing = useRef<SVGSVGElement>(null);
  const [read, setRead] = useState<number | null>(null);
  const drawn = [...series].sort((one, other) => peak(other) - peak(one)).slice(0, DRAWN_MAX);
  const at = [...new Set(series.flatMap((one) => one.points.map(([ms]) => ms)))].sort((one, other) => one - other);
  const first = at[0] ?? 0;
  const last = at[at.length - 1] ?? 1;
  const x = times(first, last, 6);
  const y = values(Math.max(...drawn.map(peak)));
  const shown = name && has(`health.series.${name}`) ? t(`health.series.${name}`) : name;
  const index = read === null ? -1 : nearest(at, read);
  const when = at[index];

  const point = (event: PointerEvent): void => {
    const box = drawing.current?.getBoundingClientRect();
    if (!box) return;
    const across = ((event.clientX - box.left) / box.width) * BOX.width;
    setRead(first + ((across - BOX.left) / (BOX.width - BOX.left - BOX.right)) * (last - first));
  };
  const key = (event: KeyboardEvent): void => {
    const to: Record<string, number> = { ArrowLeft: Math.max(0, (index < 0 ? at.length : index) - 1), ArrowRight: Math.min(at.length - 1, index + 1), Home: 0, End: at.length - 1 };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setRead(at[next] ?? null);
  };
  return (
    <figure class="chart">
      <figcaption id={id}>{shown}</figcaption>
      <svg
        ref={drawing}
        viewBox={`0 0 ${BOX.width} ${BOX.height}`}
        role="img"
        aria-label={t('health.series.chart', { name: shown, from: moment(first), to: moment(last) })}
        tabIndex={0}
        onKeyDown={key}
        onPointerMove={point}
        onPointerLeave={() => setRead(null)}
        onBlur={() => setRead(null)}
      >
        <Axes x={x} y={y} />
        {drawn.map((one, line) => (
          <path key={one.label} class={`plot plot-${line}`} d={path(one, x, y)} />
        ))}
        {when !== undefined && <line class="cross" x1={across(x, when)} x2={across(x, when)} y1={BOX.top} y2={BOX.height - BOX.bottom} />}
      </svg>
      <ul class="chart-legend" aria-live={read === null ? 'off' : 'polite'}>
        {when !== undefined && <li class="legend-at">{moment(when)}</li>}
        {drawn.map((one, line) => (
          <li key={one.label}>
            <svg class="legend-line" viewBox="0 0 24 8" aria-hidden="true">
              <path class={`plot plot-${line}`} d="M0 4H24" />
            </svg>
            {label(one, shown)}
            <span class="legend-value">{valueText(one, when)}</span>
          </li>
        ))}
      </ul>
      {series.length > DRAWN_MAX && <p class="faint">{t('health.series.more', { n: series.length - DRAWN_MAX })}</p>}
      <Figures name={shown} series={series} at={at} />
    </figure>
  );
}

function Axes({ x, y }: { x: Scale; y: Scale }): JSX.Element {
  return (
    <g aria-hidden="true">
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line class="grid" x1={BOX.left} x2={BOX.width - BOX.right} y1={down(y, tick)} y2={down(y, tick)} />
          <text class="tick" x={BOX.left - 6} y={down(y, tick) + 4} text-anchor="end">
            {brief(tick, lang.value)}
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <text key={tick} class="tick" x={across(x, tick)} y={BOX.height - 6} text-anchor="middle">
          {clock(tick)}
        </text>
      ))}
    </g>
  );
}

/** The same figures as a table, the latest first; drawn only once it is wanted. */
function Figures({ name, series, at }: { name: string; series: readonly Series[]; at: readonly number[] }): JSX.Element {
  const [wanted, setWanted] = useState(false);
  const step = Math.max(1, Math.ceil(at.length / ROWS_MAX));
  const rows = wanted ? [...at].reverse().filter((_, index) => index % step === 0) : [];
  const of = wanted ? series.map((one) => new Map(one.points)) : [];
  return (
    <details onToggle={(event) => setWanted(event.currentTarget.open)}>
      <summary>{t('health.series.table', { name })}</summary>
      {wanted && (
        <div class="figures" tabIndex={0} role="region" aria-label={t('health.series.table', { name })}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('health.series.time')}</th>
                {series.map((one) => (
                  <th key={one.label} scope="col" class="end">
                    {label(one, name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((ms) => (
                <tr key={ms}>
                  <th scope="row">{moment(ms)}</th>
                  {of.map((points, index) => (
                    <td key={index} class="end">
                      {points.has(ms) ? brief(points.get(ms) ?? 0, lang.value) : '–'}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

function peak(one: Series): number {
  return Math.max(0, ...one.points.map(([, value]) => value));
}

function label(one: Series, name: string): string {
  return title(session.value?.departments[one.label]) || one.label || name;
}

function valueText(one: Series, at: number | undefined): string {
  const found = at === undefined ? one.points[one.points.length - 1] : one.points.find(([ms]) => ms === at);
  return found ? brief(found[1], lang.value) : '–';
}

function across(x: Scale, ms: number): number {
  return place(x, ms, BOX.left, BOX.width - BOX.right);
}

function down(y: Scale, value: number): number {
  return place(y, value, BOX.height - BOX.bottom, BOX.top);
}

/** A line that is broken where points are missing for long: nothing was looked at then. */
function path(one: Series, x: Scale, y: Scale): string {
  const gaps = one.points.slice(1).map(([ms], index) => ms - (one.points[index]?.[0] ?? ms));
  const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
  let before = -Infinity;
  return one.points
    .map(([ms, value]) => {
      const joined = ms - before <= usual * 3;
      before = ms;
      return `${joined ? 'L' : 'M'}${across(x, ms).toFixed(1)} ${down(y, value).toFixed(1)}`;
    })
    .join('');
}
