// Over all incidents that may be seen: how each department did against its deadlines in a period.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api';
import { Empty, ErrorNote, Field, Spinner, Toolbar } from '../../components';
import { t } from '../../i18n';
import { now } from '../../live';
import { amend } from '../../router';
import { dayOf, LATEST, limits, periodOf, type Performance } from './data';
import { FiguresTable } from './FiguresTable';

export function Overall({ query }: { query: URLSearchParams }): JSX.Element {
  const period = periodOf(query);
  const [found, setFound] = useState<Performance | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const within = limits(period, now.peek());
  const [from, to] = [within?.from ?? null, within?.to ?? null];
  const valid = within !== null;
  useEffect(() => {
    if (!valid) return undefined;
    const stop = new AbortController();
    setError(null);
    setFound(null);
    get<Performance>('/api/performance', { from, to }, stop.signal).then(setFound, (failed: unknown) => !stop.signal.aborted && setError(failed));
    return () => stop.abort();
  }, [from, to, valid, attempt]);
  return (
    <section class="after-panel" aria-labelledby="performance-title">
      <header>
        <h2 id="performance-title">{t('performance.title')}</h2>
        {found?.incidents !== undefined && <span class="faint">{t('performance.incidents', { n: found.incidents })}</span>}
      </header>
      <p class="faint">{t('performance.about')}</p>
      <PeriodChoice query={query} valid={valid} />
      <ErrorNote error={error} retry={() => setAttempt(attempt + 1)} />
      {valid && error === null && (found === null ? <Spinner /> : found.departments.length === 0 ? <Empty>{t('performance.empty')}</Empty> : <FiguresTable figures={found.departments} label={t('performance.title')} />)}
    </section>
  );
}

function PeriodChoice({ query, valid }: { query: URLSearchParams; valid: boolean }): JSX.Element {
  const period = periodOf(query);
  const chosen = 'days' in period ? String(period.days ?? 'all') : 'own';
  const choose = (next: string): void => {
    if (next === 'own') {
      const today = dayOf(now.peek());
      amend({ days: null, from: dayOf(now.peek() - 29 * 86_400_000), to: today }, { replace: true });
    } else amend({ days: next, from: null, to: null }, { replace: true });
  };
  return (
    <Toolbar label={t('performance.period')}>
      {[...LATEST.map(String), 'all', 'own'].map((one) => (
        <button key={one} type="button" class="button" aria-pressed={one === chosen} onClick={() => choose(one)}>
          {t(`performance.period.${one}`)}
        </button>
      ))}
      {!('days' in period) && (
        <div class="period-own">
          <Field label={t('performance.from')} error={valid ? undefined : t('performance.from.after')}>
            <input type="date" value={period.from} max={period.to || undefined} onChange={(event) => amend({ from: event.currentTarget.value, to: period.to }, { replace: true })} />
          </Field>
          <Field label={t('performance.to')}>
            <input type="date" value={period.to} min={period.from || undefined} onChange={(event) => amend({ from: period.from, to: event.currentTarget.value }, { replace: true })} />
          </Field>
          <span class="faint">{t('performance.days')}</span>
        </div>
      )}
    </Toolbar>
  );
}
