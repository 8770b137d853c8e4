// A line for each department: what was asked of it, what became of that, and how long it took.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { lang, span, t } from '../../i18n';
import { departmentTitle } from '../../session';
import { parts, timely, total, type Figures, type Parts } from './data';

type Key = 'department' | 'asked' | 'timely' | 'completed' | 'completed_late' | 'missed' | 'declined' | 'acknowledged_late' | 'median_acknowledge_ms' | 'median_complete_ms';
const COLUMNS: readonly Key[] = [
  'department', 'asked', 'timely', 'completed', 'completed_late', 'missed', 'declined', 'acknowledged_late', 'median_acknowledge_ms', 'median_complete_ms',
];
const PARTS: readonly (keyof Parts)[] = ['timely', 'late', 'missed', 'declined', 'rest'];
const WORDS: Record<keyof Parts, string> = {
  timely: 'performance.timely', late: 'performance.completed_late', missed: 'performance.missed', declined: 'performance.declined', rest: 'performance.rest',
};

export function FiguresTable({ figures, label }: { figures: readonly Figures[]; label: string }): JSX.Element {
  const [sort, setSort] = useState<{ key: Key; down: boolean }>({ key: 'asked', down: true });
  const sign = sort.down ? -1 : 1;
  const rows = [...figures].sort((one, other) => sign * compare(sort.key, one, other));
  const most = Math.max(1, ...figures.map((one) => one.asked));
  return (
    <>
      <div class="performance" tabIndex={0} role="region" aria-label={t('performance.table', { name: label })}>
        <table>
          <thead>
            <tr>
              {COLUMNS.map((key) => (
                <th key={key} scope="col" class={key === 'department' ? undefined : 'end'} aria-sort={sort.key === key ? (sort.down ? 'descending' : 'ascending') : 'none'}>
                  <button type="button" onClick={() => setSort({ key, down: sort.key === key ? !sort.down : key !== 'department' })}>
                    {t(columnWord(key))}
                    <span aria-hidden="true">{sort.key === key ? (sort.down ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                </th>
              ))}
              <th scope="col">{t('performance.share')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((one) => (
              <Line key={one.department} figures={one} name={departmentTitle(one.department)} most={most} />
            ))}
          </tbody>
          {rows.length > 1 && (
            <tfoot>
              <Line figures={total(rows)} name={t('performance.total')} most={null} />
            </tfoot>
          )}
        </table>
      </div>
      <ul class="share-legend" aria-hidden="true">
        {PARTS.map((part) => (
          <li key={part}>
            <span class={`share-part ${part}`} /> {t(WORDS[part])}
          </li>
        ))}
      </ul>
    </>
  );
}

function Line({ figures, name, most }: { figures: Figures; name: string; most: number | null }): JSX.Element {
  const share = timely(figures);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="end">{figures.asked}</td>
      <td class="end">{share === null ? '–' : new Intl.NumberFormat(lang.value, { style: 'percent' }).format(share)}</td>
      <td class="end">{figures.completed}</td>
      <Count value={figures.completed_late} />
      <Count value={figures.missed} />
      <Count value={figures.declined} />
      <Count value={figures.acknowledged_late} />
      <td class="end">{figures.median_acknowledge_ms === null ? '–' : span(figures.median_acknowledge_ms)}</td>
      <td class="end">{figures.median_complete_ms === null ? '–' : span(figures.median_complete_ms)}</td>
      <td>{most !== null && <Bar figures={figures} most={most} />}</td>
    </tr>
  );
}

/** A count that should be nought. */
function Count({ value }: { value: number }): JSX.Element {
  return <td class={value > 0 ? 'end some' : 'end'}>{value}</td>;
}

/** How what was asked ended, as long as it is much; each part has a pattern beside its colour. */
function Bar({ figures, most }: { figures: Figures; most: number }): JSX.Element {
  const made = parts(figures);
  return (
    <span class="share" role="img" aria-label={t('performance.bar', { ...made })} style={{ width: `${Math.max(4, (figures.asked / most) * 100)}%` }}>
      {PARTS.filter((part) => made[part] > 0).map((part) => (
        <span key={part} class={`share-part ${part}`} title={`${t(WORDS[part])}: ${made[part]}`} style={{ flexGrow: made[part] }} />
      ))}
    </span>
  );
}

function columnWord(key: Key): string {
  return `performance.${key.replace(/_ms$/, '')}`;
}

function compare(key: Key, one: Figures, other: Figures): number {
  if (key === 'department') return departmentTitle(one.department).localeCompare(departmentTitle(other.department));
  const value = (of: Figures): number => (key === 'timely' ? timely(of) : of[key]) ?? -1;
  return value(one) - value(other);
}
