// Where it is: a map that needs nothing from outside, moved by buttons, keys or the pointer, and the same as a list.
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../../api';
import { Badge, Button, Colour, Empty, ErrorNote, Moment, Spinner } from '../../../components';
import { lang, t, title } from '../../../i18n';
import { onLive } from '../../../live';
import { Drawing } from './Drawing';
import { isGround, isOver, kindOf, nameOf, type Place, type Places } from './places';
import { enclose, fitting, moved, positions, zoomed, type View } from './projection';

const STEP_PX = 60;
const ZOOM = 1.5;
const SOON_MS = 2_000;

export function MapTab({ id, past }: { id: string; past: boolean }): JSX.Element {
  const [places, setPlaces] = useState<Place[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let over = false;
    let timer: number | undefined;
    const read = (): void => {
      timer = undefined;
      get<Places>('/api/incident/map', { id }).then(
        (found) => {
          if (over) return;
          setPlaces(found.features);
          setError(null);
        },
        (failure: unknown) => !over && setError(failure),
      );
    };
    read();
    const end = onLive('line', (told: { instance: string }) => {
      if (told.instance === id) timer ??= window.setTimeout(read, SOON_MS);
    });
    return () => {
      over = true;
      window.clearTimeout(timer);
      end();
    };
  }, [id]);
  if (error !== null && places === null) return <ErrorNote error={error} />;
  if (places === null) return <Spinner />;
  return (
    <>
      {past && <p class="faint">{t('map.present')}</p>}
      {places.length === 0 ? <Empty>{t('map.empty')}</Empty> : <Map places={places.filter((one) => !isGround(one))} ground={places.filter(isGround)} />}
    </>
  );
}

function Map({ places, ground }: { places: Place[]; ground: Place[] }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 640, height: 420 });
  const [view, setView] = useState<View | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const drag = useRef<{ x: number; y: number } | null>(null);

  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const whole = (): View => fitting(enclose(places.map((place) => place.geometry)) as never, size.width, size.height);
  const shown = view ?? whole();
  const move = (dx: number, dy: number): void => setView(moved(shown, dx, dy));
  const zoom = (factor: number): void => setView(zoomed(shown, factor));
  const show = (index: number): void => {
    setChosen(index);
    const place = places[index];
    const box = place && enclose([place.geometry]);
    if (!place || !box) return;
    const single = positions(place.geometry).length === 1;
    setView(single ? { ...shown, longitude: box.west, latitude: box.south } : fitting(box, size.width, size.height));
  };
  const key = (event: KeyboardEvent): void => {
    const acts: Record<string, () => void> = {
      ArrowLeft: () => move(-STEP_PX, 0),
      ArrowRight: () => move(STEP_PX, 0),
      ArrowUp: () => move(0, -STEP_PX),
      ArrowDown: () => move(0, STEP_PX),
      '+': () => zoom(ZOOM),
      '=': () => zoom(ZOOM),
      '-': () => zoom(1 / ZOOM),
      '0': () => setView(null),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };

  return (
    <div class="map">
      <div class="map-side">
        <div class="toolbar" role="group" aria-label={t('map.controls')}>
          <Button aria-label={t('map.in')} onClick={() => zoom(ZOOM)}>
            +
          </Button>
          <Button aria-label={t('map.out')} onClick={() => zoom(1 / ZOOM)}>
            −
          </Button>
          <Button aria-label={t('map.west')} onClick={() => move(-STEP_PX, 0)}>
            ←
          </Button>
          <Button aria-label={t('map.east')} onClick={() => move(STEP_PX, 0)}>
            →
          </Button>
          <Button aria-label={t('map.north')} onClick={() => move(0, -STEP_PX)}>
            ↑
          </Button>
          <Button aria-label={t('map.south')} onClick={() => move(0, STEP_PX)}>
            ↓
          </Button>
          <Button onClick={() => setView(null)}>{t('map.whole')}</Button>
        </div>
        <div
          ref={frame}
          class="map-frame"
          role="group"
          tabIndex={0}
          aria-label={t('map.label', { n: places.length })}
          onKeyDown={key}
          onPointerDown={(event) => {
            drag.current = { x: event.clientX, y: event.clientY };
          }}
          onPointerMove={(event) => {
            const from = drag.current;
            if (!from || (event.buttons & 1) === 0) return;
            event.preventDefault();
            move(from.x - event.clientX, from.y - event.clientY);
            drag.current = { x: event.clientX, y: event.clientY };
          }}
          onPointerUp={() => {
            drag.current = null;
          }}
        >
          <Drawing places={places} ground={ground} view={shown} width={size.width} height={size.height} chosen={chosen} onChoose={setChosen} />
        </div>
        <Legend />
      </div>
      <List places={places} chosen={chosen} onChoose={show} />
    </div>
  );
}

function Legend(): JSX.Element {
  const kinds: [string, string][] = [
    ['region', 'M8 2l6 6-6 6-6-6z'],
    ['area', 'M8 2l7 12H1z'],
    ['checkpoint', 'M2 2h12v12H2z'],
    ['site', 'M8 3a5 5 0 100 10A5 5 0 008 3z'],
  ];
  return (
    <ul class="legend">
      {kinds.map(([kind, path]) => (
        <li key={kind}>
          <svg class={`shape place kind-${kind}`} viewBox="0 0 16 16" aria-hidden="true">
            <path d={path} />
          </svg>
          {t(`map.kind.${kind}`)}
        </li>
      ))}
    </ul>
  );
}

function List({ places, chosen, onChoose }: { places: Place[]; chosen: number | null; onChoose: (index: number) => void }): JSX.Element {
  return (
    <ul class="map-list" aria-label={t('map.list')}>
      {places.map((place, index) => {
        const { code, exact, at, record, colour, state, steps, type } = place.properties;
        return (
          <li key={index}>
            <button type="button" aria-pressed={chosen === index} onClick={() => onChoose(index)}>
              {nameOf(place)}
            </button>
            <p>
              {kindOf(place)} {code && <code>{code}</code>} {exact === false && <span class="faint">{t('map.about')}</span>}{' '}
              {colour && <Colour colour={colour} />} {state && <Badge tone={isOver(place) ? 'plain' : 'warn'}>{t(`map.state.${state}`)}</Badge>}
            </p>
            {steps && steps.length > 0 && <p class="faint">{steps.map(title).join(lang.value === 'zh' ? '、' : ', ')}</p>}
            {at !== undefined && (
              <p class="faint">
                <Moment at={at} /> {type} <code>{record}</code>
              </p>
            )}
          </li>
        );
      })}
    </ul>
  );
}
