// Times: when something was, how long is left. In Beijing time; clocks that stand still say so.
import type { JSX } from 'preact';
import { moment, momentExact, span, t } from '../i18n';
import { now } from '../live';

/** When something was, to the minute; the second is in its title. */
export function Moment({ at }: { at: number | null | undefined }): JSX.Element {
  if (at == null) return <span class="faint">–</span>;
  return (
    <time class="moment" dateTime={new Date(at).toISOString()} title={momentExact(at)}>
      {moment(at)}
    </time>
  );
}

interface CountdownProps {
  due: number;
  /** Since when the clock stands, or whether it does. */
  paused?: boolean | number | null;
  /** What falls due, before the time that is left. */
  label?: string;
  /** The time to count from; without it the time that it is now. */
  at?: number;
}

/** How long is left until `due`, or for how long it has passed. */
export function Countdown({ due, paused, label, at }: CountdownProps): JSX.Element {
  if (paused) {
    return (
      <span class="countdown paused" title={t('due.paused.hint')}>
        <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4 2h3v12H4zM9 2h3v12H9z" />
        </svg>
        {label ? `${label} ` : ''}
        {t('due.paused')}
      </span>
    );
  }
  const left = due - (at ?? now.value);
  const late = left < 0;
  const state = late ? 'late' : left < 30 * 60_000 ? 'soon' : 'ample';
  return (
    <span class={`countdown ${state}`} title={momentExact(due)}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
        {late ? <path d="M7 1h2l-.3 9H7.3zM7 12h2v2.5H7z" /> : <path d="M8 1a7 7 0 107 7h-2A5 5 0 118 3zM8 4v4.5l3 2 .8-1.2L9.4 7.8V4z" />}
      </svg>
      {label ? `${label} ` : ''}
      {t(late ? 'due.over' : 'due.left', { span: span(left) })}
    </span>
  );
}
