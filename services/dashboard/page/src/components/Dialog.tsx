// A modal dialog: the browser keeps the focus inside, Esc closes it, and the focus goes back to where it was.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';

interface DialogProps {
  open: boolean;
  title: ComponentChildren;
  onClose: () => void;
  /** The buttons at its foot. */
  footer?: ComponentChildren;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ open, title, onClose, footer, wide = false, children }: DialogProps): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const shown = dialog.current;
    if (!open || !shown) return undefined;
    const before = document.activeElement;
    if (!shown.open) shown.showModal();
    // not on the button that closes it, where the browser puts the focus
    if (document.activeElement?.closest('dialog > header')) {
      shown.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea, button)')?.focus();
    }
    return () => {
      shown.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [open]);
  if (!open) return null;
  const cancel = (event: Event): void => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={dialog} class={wide ? 'dialog wide' : 'dialog'} aria-labelledby={id} onCancel={cancel}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="button quiet" aria-label={t('dialog.close')} onClick={onClose}>
          <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M3 4.4L4.4 3 8 6.6 11.6 3 13 4.4 9.4 8l3.6 3.6-1.4 1.4L8 9.4 4.4 13 3 11.6 6.6 8z" />
          </svg>
        </button>
      </header>
      <div class="dialog-body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </dialog>
  );
}
