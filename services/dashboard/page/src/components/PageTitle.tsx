// The heading of a view: names the document too, and takes the focus when the view is gone to.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';

let first = true; // at first the focus stays where the browser has it

export function PageTitle({ text, children }: { text: string; children?: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!first) heading.current?.focus();
    first = false;
  }, []);
  useEffect(() => {
    document.title = `${text} · ${t('app.title')}`;
  });
  return (
    <h1 ref={heading} tabIndex={-1} class="page-title">
      {children ?? text}
    </h1>
  );
}
