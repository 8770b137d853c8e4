// What stands where there is nothing yet, nothing at all, or something failed.
import type { ComponentChildren, JSX } from 'preact';
import { t } from '../i18n';
import { ApiError } from '../api';
import { Button } from './Button';

export function Spinner({ label }: { label?: string }): JSX.Element {
  return (
    <p class="spinner" role="status">
      <span class="spinner-mark" aria-hidden="true" />
      {label ?? t('loading')}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}

/** What went wrong, in the language chosen. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.message();
  return t('error.unexpected', { text: error instanceof Error ? error.message : String(error) });
}

export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }): JSX.Element | null {
  if (!error) return null;
  return (
    <div class="error-note" role="alert">
      <p>
        <strong>{t('error.title')}</strong> {typeof error === 'string' ? error : errorText(error)}
      </p>
      {retry && <Button onClick={retry}>{t('error.retry')}</Button>}
    </div>
  );
}

/** A line across the page, or a part of it, that must not be overlooked. */
export function Banner({ kind = 'info', children }: { kind?: 'info' | 'warn' | 'bad' | 'exercise' | 'past'; children: ComponentChildren }): JSX.Element {
  return <div class={`banner ${kind}`}>{children}</div>;
}

/** Controls above a table or list. */
export function Toolbar({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="toolbar" role="group" aria-label={label}>
      {children}
    </div>
  );
}
