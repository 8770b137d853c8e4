// Reads the bus's health again and again while it is looked at; not while the window is hidden.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../api';
import { announce } from '../../components';
import { t } from '../../i18n';
import type { Health } from './data';

const EVERY_MS = 15_000;

export interface Watch {
  readonly health: Health | null;
  readonly error: unknown;
  readonly read: () => void;
  /** This machine's time as the server's, at the last look or since. */
  readonly at: number;
}

export function useHealth(): Watch {
  const [health, setHealth] = useState<Health | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [at, setAt] = useState(Date.now());
  const reading = useRef<AbortController | null>(null);
  const calls = useRef<number | null>(null);

  const read = useCallback((): void => {
    reading.current?.abort();
    const stop = new AbortController();
    reading.current = stop;
    get<Health>('/api/health', {}, stop.signal).then(
      (found) => {
        const now = found.findings.filter((one) => one.severity === 'error' || one.severity === 'warning').length;
        if (calls.current !== null && calls.current !== now) announce(callsText(now));
        calls.current = now;
        setHealth(found);
        setAt(Date.now());
        setError(null);
      },
      (failed: unknown) => {
        if (stop.signal.aborted) return;
        setError(failed);
        setAt(Date.now());
      },
    );
  }, []);

  useEffect(() => {
    read();
    const timer = window.setInterval(() => document.hidden || read(), EVERY_MS);
    const shown = (): void => {
      if (!document.hidden) read();
    };
    document.addEventListener('visibilitychange', shown);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener('visibilitychange', shown);
      reading.current?.abort();
    };
  }, [read]);
  return { health, error, read, at };
}

/** How many findings call for action, in words. */
export function callsText(count: number): string {
  return count === 0 ? t('health.calls.none') : count === 1 ? t('health.calls.one') : t('health.calls', { n: count });
}
