// How wide the window is, as a signal.
import { signal, type Signal } from '@preact/signals';

export const width: Signal<number> = signal(window.innerWidth);

/** Below this, tables become lists, in CSS pixels. */
export const NARROW = 720;

window.addEventListener('resize', () => {
  width.value = window.innerWidth;
});
