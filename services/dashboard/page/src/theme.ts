// Light or dark: as the system has it, or as chosen for this browser.
import { effect, signal, type Signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const STORED = 'deptbus.theme';

export const theme: Signal<Theme> = signal(first());

const system = window.matchMedia('(prefers-color-scheme: dark)');
const isDark = signal(system.matches);
system.addEventListener('change', () => {
  isDark.value = system.matches;
});

effect(() => {
  const shown = theme.value === 'auto' ? (isDark.value ? 'dark' : 'light') : theme.value;
  document.documentElement.setAttribute('data-theme', shown);
});

effect(() => {
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
