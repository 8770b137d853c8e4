// One incident as the server tells it, read again whenever the stream says that something changed in it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { settleFrom } from '../../acts';
import { get } from '../../api';
import { onLive } from '../../live';
import type { Incident, Line } from '../../types';

const SOON_MS = 300;
const PATIENCE = 4; // a reading that takes long is not begun again at once

export interface Reading {
  incident: Incident | null;
  error: unknown;
  loading: boolean;
  /** All moments at which something changed, also those after the one that is looked at. */
  moments: number[];
  reload: () => void;
}

/** The incident, as it is now or as it was at `at`. */
export function useIncident(id: string, at: number | null): Reading {
  const [incident, setIncident] = useState<Incident | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [loading, setLoading] = useState(true);
  const [moments, setMoments] = useState<number[]>([]);
  const whole = useRef(false); // whether `moments` are all that there are
  const reload = useRef<() => void>(() => undefined);

  useEffect(() => {
    setIncident(null);
    setMoments([]);
    whole.current = false;
  }, [id]);

  useEffect(() => {
    let over = false;
    let running = false;
    let again = false;
    let timer: number | undefined;
    let took = 0;
    const abort = new AbortController();

    const read = async (): Promise<void> => {
      timer = undefined;
      if (running) {
        again = true;
        return;
      }
      running = true;
      again = false;
      setLoading(true);
      const begun = performance.now();
      try {
        const found = await get<Incident>('/api/incident', { id, at }, abort.signal);
        if (over) return;
        setIncident(found);
        settleFrom(found.row.instance, found.timeline);
        setError(null);
        if (at !== null && whole.current) return;
        // the past tells of no moments after it
        const present = at === null ? found : await get<Incident>('/api/incident', { id }, abort.signal);
        if (over) return;
        setMoments(present.moments);
        whole.current = true;
      } catch (failure) {
        if (!over) setError(failure);
      } finally {
        running = false;
        took = performance.now() - begun;
        if (!over) {
          setLoading(false);
          if (again) soon();
        }
      }
    };
    const soon = (): void => {
      if (at === null) timer ??= window.setTimeout(() => void read(), Math.max(SOON_MS, took * PATIENCE));
    };

    reload.current = () => void read();
    void read();
    const ends = [
      onLive('line', (told: { instance: string; line: Line }) => told.instance === id && soon()),
      onLive('incident', (row: { instance: string }) => row.instance === id && soon()),
      onLive('reset', soon),
    ];
    return () => {
      over = true;
      abort.abort();
      window.clearTimeout(timer);
      for (const end of ends) end();
    };
  }, [id, at]);

  return { incident, error, loading, moments, reload: () => reload.current() };
}
