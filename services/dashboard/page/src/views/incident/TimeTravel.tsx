// Goes back to any moment at which something changed, and to the present again.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../components';
import { moment, t } from '../../i18n';
import { amend } from '../../router';

const PAUSE_MS = 250; // while the slider moves nothing is read

interface Props {
  moments: number[];
  /** The moment looked at; null for the present. */
  at: number | null;
  loading: boolean;
}

export function TimeTravel({ moments, at, loading }: Props): JSX.Element | null {
  const last = moments.length; // one beyond the last moment is the present
  const here = at === null ? last : Math.max(0, upTo(moments, at) - 1);
  const [position, setPosition] = useState(here);
  const timer = useRef<number>();
  const moving = useRef(false);
  useEffect(() => {
    if (!moving.current) setPosition(here);
  }, [here]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  if (moments.length < 2) return null;

  const shown = Math.min(position, last);
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(last, to));
    setPosition(next);
    moving.current = true;
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      moving.current = false;
      amend({ at: next === last ? null : moments[next] }, { replace: at !== null });
    }, PAUSE_MS);
  };
  const text = shown === last ? t('past.now') : moment(moments[shown] ?? null);
  return (
    <div class="time-travel" role="group" aria-label={t('past.label')}>
      <Button kind="quiet" aria-label={t('past.earlier')} disabled={shown === 0} onClick={() => move(shown - 1)}>
        ‹
      </Button>
      <input type="range" min={0} max={last} value={shown} aria-label={t('past.label')} aria-valuetext={text} onInput={(event) => move(Number(event.currentTarget.value))} />
      <Button kind="quiet" aria-label={t('past.later')} disabled={shown === last} onClick={() => move(shown + 1)}>
        ›
      </Button>
      <output class={shown === last ? 'present' : 'past'}>{text}</output>
      {loading && <span class="faint">{t('loading')}</span>}
    </div>
  );
}

/** How many moments are not after `at`. */
function upTo(moments: number[], at: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
