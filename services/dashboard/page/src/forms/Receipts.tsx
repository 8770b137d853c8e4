// What was published of a task: where it stands, and whether it took effect.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { forget, type Act } from '../acts';
import { Button } from '../components';
import { has, t } from '../i18n';
import { remarksOf } from './remarks';

const SLOW_MS = 60_000;
const SHOWN_MS = 30_000; // what took effect is shown so long

/** Whether an act is still to be shown. */
export function isFresh(act: Act, at: number): boolean {
  return act.state !== 'seen' || at - act.at < SHOWN_MS;
}

/** The acts, the latest first; those that took effect go away by themselves. */
export function Receipts({ acts }: { acts: readonly Act[] }): JSX.Element | null {
  const at = useClock(acts.length > 0);
  const fresh = acts.filter((act) => isFresh(act, at));
  if (fresh.length === 0) return null;
  return (
    <ul class="receipts">
      {fresh.map((act) => (
        <Receipt key={act.event} act={act} slow={at - act.at > SLOW_MS} />
      ))}
    </ul>
  );
}

function Receipt({ act, slow }: { act: Act; slow: boolean }): JSX.Element {
  const state = act.state === 'waiting' && slow ? 'slow' : act.state;
  return (
    <li class={`receipt ${state}`} title={`${t('receipt.where')} ${act.where}`}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPE[state]} />
      </svg>
      <span>{receiptText(act, state)}</span>
      <code>{act.where}</code>
      {remarksOf(act.event).map((remark) => (
        <span key={remark} class="receipt-remark">
          {remark}
        </span>
      ))}
      {state !== 'waiting' && (
        <Button kind="quiet" onClick={() => forget(act.event)}>
          {t('receipt.dismiss')}
        </Button>
      )}
    </li>
  );
}

/** What became of an act, in words. */
export function receiptText(act: Act, state: Act['state'] | 'slow' = act.state): string {
  const name = has(`act.${act.act}`) ? t(`act.${act.act}`) : act.act;
  const kinds = [...new Set(act.lines)].map((kind) => (has(`kind.${kind}`) ? t(`kind.${kind}`) : kind));
  return t(`receipt.${state}`, { act: name, kinds: kinds.join(t('receipt.and')) });
}

const SHAPE = {
  waiting: 'M8 1a7 7 0 107 7h-2A5 5 0 118 3zM8 4v4.5l3 2 .8-1.2L9.4 7.8V4z',
  slow: 'M7 1h2l-.3 9H7.3zM7 12h2v2.5H7z',
  seen: 'M2 8.5l1.5-1.6L6.3 9.8l6.3-7L14 4.3 6.4 13z',
  void: 'M3 4.4L4.4 3 8 6.6 11.6 3 13 4.4 9.4 8l3.6 3.6-1.4 1.4L8 9.4 4.4 13 3 11.6 6.6 8z',
} as const;

/** This machine's time, each second while it is asked for. */
function useClock(on: boolean): number {
  const [at, setAt] = useState(Date.now());
  useEffect(() => {
    if (!on) return undefined;
    setAt(Date.now());
    const timer = window.setInterval(() => setAt(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [on]);
  return at;
}
