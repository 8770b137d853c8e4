// Filters kept under names in this browser.
import { signal, type Signal } from '@preact/signals';

const STORED = 'deptbus.filters';
const KEPT_MAX = 50;

/** The query of each, by name. */
export const saved: Signal<Record<string, string>> = signal(first());

export function save(name: string, query: string): void {
  keep({ ...saved.value, [name]: query });
}

export function discard(name: string): void {
  keep(Object.fromEntries(Object.entries(saved.value).filter(([one]) => one !== name)));
}

function keep(filters: Record<string, string>): void {
  saved.value = Object.fromEntries(Object.entries(filters).slice(-KEPT_MAX));
  try {
    localStorage.setItem(STORED, JSON.stringify(saved.value));
  } catch {
    // they last as long as the page
  }
}

function first(): Record<string, string> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return {};
    return Object.fromEntries(Object.entries(stored).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
  } catch {
    return {};
  }
}
