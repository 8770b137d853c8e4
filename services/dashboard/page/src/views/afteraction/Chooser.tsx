// Finds the incident whose record is wanted: those closed of late, or what is searched for.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Badge, Empty, Moment } from '../../components';
import { t, title } from '../../i18n';
import { Link } from '../../router';
import type { Row } from '../../types';
import { rows, wantClosed } from '../incidents/store';

const SHOWN = 12;

export function Chooser(): JSX.Element {
  const [words, setWords] = useState('');
  useEffect(wantClosed, []);
  const search = words.trim().toLowerCase();
  const all = rows.value;
  const found = (search ? all.filter((row) => fits(row, search)) : all.filter((row) => row.status === 'closed'))
    .sort((one, other) => (other.closed_at ?? other.changed_at) - (one.closed_at ?? one.changed_at))
    .slice(0, SHOWN);
  return (
    <section class="after-panel" aria-labelledby="chooser-title">
      <header>
        <h2 id="chooser-title">{t('afteraction.choose')}</h2>
        <input type="search" value={words} placeholder={t('afteraction.choose.hint')} aria-label={t('afteraction.choose')} onInput={(event) => setWords(event.currentTarget.value)} />
      </header>
      <h3 class="faint">{t(search ? 'afteraction.found' : 'afteraction.recent')}</h3>
      {found.length === 0 ? (
        <Empty>{t('afteraction.none')}</Empty>
      ) : (
        <ul class="chooser">
          {found.map((row) => (
            <li key={row.instance}>
              <Link to="/afteraction" query={{ id: row.instance }}>
                {title(row.titles)}
              </Link>
              <span>{title(row.region_titles) || row.region}</span>
              <code>{row.instance}</code>
              <Badge tone={row.status === 'open' ? 'info' : 'plain'}>{t(row.status === 'open' ? 'afteraction.open' : 'afteraction.closed')}</Badge>
              <Moment at={row.closed_at ?? row.opened_at} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function fits(row: Row, search: string): boolean {
  const text = [row.instance, row.titles.zh, row.titles.en, row.region ?? '', row.region_titles?.zh ?? '', row.region_titles?.en ?? ''].join('\n').toLowerCase();
  return search.split(/\s+/).every((word) => text.includes(word));
}
