// Says changes to those who hear the page rather than see it; a few words at a time.
import { signal } from '@preact/signals';
import type { JSX } from 'preact';

const said = signal('');
let last = 0;
let waiting: number | undefined;
const PAUSE_MS = 5_000;

/** Have something read out, politely; of several within a few seconds the last one is. */
export function announce(text: string): void {
  window.clearTimeout(waiting);
  waiting = window.setTimeout(() => {
    last = Date.now();
    said.value = text;
  }, Math.max(50, last + PAUSE_MS - Date.now()));
}

export function Announcements(): JSX.Element {
  return (
    <p class="heard-only" role="status" aria-live="polite">
      {said.value}
    </p>
  );
}
