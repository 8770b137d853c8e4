// Light or dark: as the system has it, or as chosen for this browser.
import { effect, signal, type Signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const STORED = 'deptbus.theme';

export const theme: Signal<Theme> = signal(first());

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'auto') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', theme.value);
  try {
    localStorage.setItem(STORED, theme.value);
  } catch {
    // a browser that keeps nothing follows the system next time
  }
});

function first(): Theme {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch {
    return 'auto';
  }
}
