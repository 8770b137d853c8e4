// Level, grade and colour: three things, each with its own shape and text, so that none rests on colour alone.
import type { ComponentChildren, JSX } from 'preact';
import { t } from '../i18n';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'info';

const ROMAN: Record<string, string> = { I: 'Ⅰ', II: 'Ⅱ', III: 'Ⅲ', IV: 'Ⅳ' };
/** How grave, 4 the gravest. */
export const RANK: Record<string, number> = { IV: 1, III: 2, II: 3, I: 4, blue: 1, yellow: 2, orange: 3, red: 4 };

/** I to IV as Roman numerals. */
export function roman(level: string): string {
  return ROMAN[level] ?? level;
}

/** A short word in a frame. */
export function Badge({ tone = 'plain', title, children }: { tone?: Tone; title?: string; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`badge tone-${tone}`} title={title}>
      {children}
    </span>
  );
}

const BARS = [1, 2, 3, 4].map((bar) => `M${(bar - 1) * 4 + 0.5} 15v-${bar * 3 + 2}h3v${bar * 3 + 2}z`);

/** The response level in force: bars, as many as it is grave. */
export function Level({ level, compact = false }: { level: string | null; compact?: boolean }): JSX.Element {
  if (!level) return <None text={t('level.none')} compact={compact} />;
  const rank = RANK[level] ?? 0;
  return (
    <span class={`mark level rank-${rank}`} title={`${t('level.title')}: ${t('level.value', { roman: roman(level) })}`}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
        <path class="on" d={BARS.slice(0, rank).join('')} />
        <path class="off" d={BARS.slice(rank).join('')} />
      </svg>
      {compact ? roman(level) : t('level.value', { roman: roman(level) })}
    </span>
  );
}

/** The event's grade: a hexagon with its numeral. */
export function Grade({ grade, compact = false }: { grade: string | null; compact?: boolean }): JSX.Element {
  if (!grade) return <None text={t('none')} compact={compact} />;
  const known = `grade.${grade}`;
  return (
    <span class={`mark grade rank-${RANK[grade] ?? 0}`} title={`${t('grade.title')}: ${t(`${known}.long`)}`}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 1l6 3.5v7L8 15l-6-3.5v-7z" />
      </svg>
      {compact ? roman(grade) : t(known)}
    </span>
  );
}

/** A warning's colour: a triangle with its name. */
export function Colour({ colour, compact = false }: { colour: string | null; compact?: boolean }): JSX.Element {
  if (!colour) return <None text={t('none')} compact={compact} />;
  return (
    <span class={`mark colour colour-${RANK[colour] ? colour : 'other'}`} title={`${t('colour.title')}: ${t(`colour.${colour}`)}`}>
      <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 1.5l7 12.5H1z" />
      </svg>
      {t(`colour.${colour}`)}
    </span>
  );
}

function None({ text, compact }: { text: string; compact: boolean }): JSX.Element {
  return <span class="faint">{compact ? '–' : text}</span>;
}
