// Words in Chinese and English, times and spans. The browser's language decides at first, then what was chosen.
import { effect, signal, type Signal } from '@preact/signals';
import type { Titles } from '../types';
import { kinds } from './kinds';
import { common } from './words';

export type Lang = 'zh' | 'en';
export type Words = Record<string, Titles>;

const STORED = 'deptbus.language';
const BEIJING_MS = 8 * 3_600_000; // China keeps one time, without summer time
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const modules = import.meta.glob<{ words: Words }>(['../views/*/words.ts', '../forms/words.ts'], { eager: true });
const words: Words = Object.assign({}, common, kinds, ...Object.values(modules).map((module) => module.words));

export const lang: Signal<Lang> = signal(first());

effect(() => {
  document.documentElement.lang = lang.value === 'zh' ? 'zh-CN' : 'en';
});

/** Choose a language for this browser. */
export function choose(next: Lang): void {
  lang.value = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // a browser that keeps nothing still shows the page
  }
}

/** The text of a key, with `{name}` filled in; the key itself where no text is known. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = words[key]?.[lang.value];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** Whether there is a text for a key. */
export function has(key: string): boolean {
  return key in words;
}

/** A title in the language chosen; in the other one where it is missing. */
export function title(x: Titles | null | undefined): string {
  if (!x) return '';
  return x[lang.value] || x.zh || x.en;
}

/** Beijing time, to the minute: `2026-07-21 14:05`. */
export function moment(ms: number | null | undefined): string {
  return ms == null || !Number.isFinite(ms) ? '–' : beijing(ms).slice(0, 16).replace('T', ' ');
}

/** Beijing time, to the second. */
export function momentExact(ms: number): string {
  return beijing(ms).slice(0, 19).replace('T', ' ');
}

/** What a `datetime-local` input takes, in Beijing time. */
export function toInput(ms: number): string {
  return beijing(ms).slice(0, 16);
}

/** The milliseconds that a `datetime-local` input means in Beijing time; null where it is empty. */
export function fromInput(text: string): number | null {
  const ms = Date.parse(`${text}${text.length === 16 ? ':00' : ''}Z`);
  return Number.isNaN(ms) ? null : ms - BEIJING_MS;
}

/** A length of time in at most two units; its sign is left away. */
export function span(ms: number): string {
  const size = Math.abs(ms);
  if (size < MINUTE) return t('span.s', { n: Math.floor(size / 1000) });
  if (size < HOUR) return t('span.min', { n: Math.floor(size / MINUTE) });
  const [big, small, bigKey, smallKey]: [number, number, string, string] =
    size < DAY ? [HOUR, MINUTE, 'span.h', 'span.min'] : [DAY, HOUR, 'span.d', 'span.h'];
  const rest = Math.floor((size % big) / small);
  const head = t(bigKey, { n: Math.floor(size / big) });
  return rest === 0 ? head : `${head}${lang.value === 'zh' ? '' : ' '}${t(smallKey, { n: rest })}`;
}

function beijing(ms: number): string {
  return new Date(ms + BEIJING_MS).toISOString();
}

function first(): Lang {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === 'zh' || stored === 'en') return stored;
  } catch {
    // as above
  }
  return (navigator.languages ?? [navigator.language]).find((one) => /^(zh|en)/i.test(one))?.startsWith('en') ? 'en' : 'zh';
}
