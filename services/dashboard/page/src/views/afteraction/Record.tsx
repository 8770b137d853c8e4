// The record of one incident: what it was in a few figures, and the whole of it to take away.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { address, get } from '../../api';
import { Banner, ErrorNote, Level, Moment, RANK, Spinner } from '../../components';
import { lang, span, t, title } from '../../i18n';
import { Link } from '../../router';
import type { Incident } from '../../types';
import { ofTasks } from './data';
import { FiguresTable } from './FiguresTable';

export function Record({ id }: { id: string }): JSX.Element {
  const [incident, setIncident] = useState<Incident | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setError(null);
    get<Incident>('/api/incident', { id }, stop.signal).then(setIncident, (failed: unknown) => !stop.signal.aborted && setError(failed));
    return () => stop.abort();
  }, [id, attempt]);
  return (
    <section class="after-panel" aria-labelledby="record-title">
      <header>
        <h2 id="record-title">
          {t('afteraction.record')}
          {incident && `: ${title(incident.row.titles)}`}
        </h2>
        <Link to="/afteraction">{t('afteraction.other')}</Link>
      </header>
      <ErrorNote error={error} retry={() => setAttempt(attempt + 1)} />
      {incident ? <Summary incident={incident} /> : error === null && <Spinner />}
      {error === null && <Downloads id={id} />}
      {incident && incident.tasks.length > 0 && (
        <>
          <h3>{t('afteraction.deadlines')}</h3>
          <FiguresTable figures={ofTasks(incident.tasks, incident.as_of)} label={t('afteraction.deadlines')} />
        </>
      )}
    </section>
  );
}

function Summary({ incident }: { incident: Incident }): JSX.Element {
  const { row } = incident;
  const opened = incident.opened_at ?? row.opened_at;
  const closed = incident.closed_at ?? row.closed_at;
  return (
    <>
      {closed === null && <Banner>{t('afteraction.still')}</Banner>}
      <dl class="record-summary">
        <Fact name="afteraction.opened.at">
          <Moment at={opened} />
        </Fact>
        <Fact name="afteraction.closed.at">
          <Moment at={closed} />
        </Fact>
        <Fact name="afteraction.lasted">{span((closed ?? incident.as_of) - opened)}</Fact>
        <Fact name="afteraction.level">
          <Level level={highest(incident)} />
        </Fact>
        <Fact name="afteraction.tasks">{incident.tasks.length}</Fact>
        <Fact name="afteraction.departments">{row.departments.length}</Fact>
      </dl>
      <p>
        <Link to="/incident" query={{ id: row.instance }}>
          {t('afteraction.incident')}
        </Link>{' '}
        <code>{row.instance}</code>
      </p>
    </>
  );
}

function Fact({ name, children }: { name: string; children: JSX.Element | string | number }): JSX.Element {
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Downloads({ id }: { id: string }): JSX.Element {
  const file = (format: string): string => address('/api/afteraction', { id, format, lang: lang.value });
  return (
    <p class="downloads" role="group" aria-label={t('afteraction.downloads')}>
      <strong>{t('afteraction.downloads')}</strong>
      <a class="button" href={file('json')} download>
        {t('afteraction.json')}
      </a>
      <a class="button" href={file('csv')} download>
        {t('afteraction.csv')}
      </a>
      <a class="button" href={file('html')} target="_blank" rel="noopener noreferrer">
        {t('afteraction.html')} <span class="faint">({t('afteraction.html.new')})</span>
      </a>
    </p>
  );
}

/** The gravest level that was in force. */
function highest({ levels, level }: Incident): string | null {
  const all = [level, ...levels.map((change) => change.to_level)];
  return all.reduce((one, other) => ((RANK[other ?? ''] ?? 0) > (RANK[one ?? ''] ?? 0) ? other : one), null);
}
