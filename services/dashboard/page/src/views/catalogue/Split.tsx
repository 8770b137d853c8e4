// A list with the details of one of its rows beside it; in narrow windows the one or the other.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button, width } from '../../components';
import { t } from '../../i18n';

const BESIDE = 1000; // from this width on both have room, in CSS pixels

interface SplitProps {
  list: ComponentChildren;
  /** The heading of the details; null while nothing is chosen. */
  heading: string | null;
  details: ComponentChildren;
  onClose: () => void;
}

export function Split({ list, heading, details, onClose }: SplitProps): JSX.Element {
  const beside = width.value >= BESIDE;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // beside a list the focus stays there, so that the keys go on from row to row
    if (heading !== null && !beside) title.current?.focus();
  }, [heading, beside]);
  const shown = heading !== null && (
    <section class="catalogue-details" aria-label={heading} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
      <header>
        <h2 ref={title} tabIndex={-1}>
          {heading}
        </h2>
        <Button kind="quiet" onClick={onClose}>
          {t(beside ? 'catalogue.close' : 'catalogue.back')}
        </Button>
      </header>
      {details}
    </section>
  );
  if (!beside && shown) return shown;
  return (
    <div class={shown ? 'catalogue-split' : undefined}>
      <div class="catalogue-list">{list}</div>
      {shown}
    </div>
  );
}

/** What one thing is and its value, in a list of such. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A row in a narrow window: what it is, and below what matters of it. */
export function Block({ head, children }: { head: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return (
    <div class="catalogue-block">
      <div>{head}</div>
      <div class="faint">{children}</div>
    </div>
  );
}

/** How high such a row is, in CSS pixels. */
export const BLOCK = 60;

/** How high a list is: what the window leaves. */
export const HEIGHT = 'max(320px, calc(100dvh - 216px))';
