// One incident: what it is, what is asked of whom, what happened and why, where, and from what it follows.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { announce, Banner, Button, Empty, ErrorNote, PageTitle, Spinner, Tabs, type Tab } from '../../components';
import { moment, t, title } from '../../i18n';
import { onLive } from '../../live';
import { amend, Link, route } from '../../router';
import { departmentTitle, may } from '../../session';
import type { Incident as IncidentData, Line, TaskRecord } from '../../types';
import { Board } from './Board';
import { useIncident } from './data';
import { Header } from './Header';
import { LineageTab } from './Lineage';
import { MapTab } from './map/MapTab';
import { OrderDialog } from './OrderDialog';
import { OrdersUnderway } from './OrdersUnderway';
import type { OrderAct } from './orders';
import { Resources } from './Resources';
import { TimeTravel } from './TimeTravel';
import { Timeline } from './Timeline';
import { Why } from './Why';
import './incident.css';

const TABS = ['board', 'timeline', 'why', 'resources', 'map', 'lineage'];

export default function Incident(): JSX.Element {
  const { query } = route.value;
  const id = query.get('id') ?? '';
  if (!id) {
    return (
      <>
        <PageTitle text={t('incident.title')} />
        <Empty>
          <Link to="/incidents">{t('incident.choose')}</Link>
        </Empty>
      </>
    );
  }
  return <One key={id} id={id} at={time(query.get('at'))} tab={query.get('tab') ?? 'board'} />;
}

function One({ id, at, tab }: { id: string; at: number | null; tab: string }): JSX.Element {
  const { incident, error, loading, moments, reload } = useIncident(id, at);
  const [about, setAbout] = useState<TaskRecord | null>(null);
  const [ordering, setOrdering] = useState(false);
  const current = TABS.includes(tab) ? tab : 'board';
  useAnnouncements(id);

  if (!incident) {
    return (
      <>
        <PageTitle text={t('incident.title')} />
        {error ? <ErrorNote error={error} retry={reload} /> : <Spinner />}
      </>
    );
  }
  const past = at !== null;
  const commands = may('commander') && !past && incident.row.status === 'open';
  const order = (task: TaskRecord | null) => (): void => {
    setAbout(task);
    setOrdering(true);
  };
  return (
    <div class={`incident${past ? ' in-past' : ''}`}>
      <Header incident={incident} past={past}>
        {commands && (
          <Button kind="primary" onClick={order(null)}>
            {t('order.give')}
          </Button>
        )}
        <Link class="button" to="/afteraction" query={{ id }}>
          {t('nav.afteraction')}
        </Link>
      </Header>
      <OrdersUnderway instance={incident.row.instance} />
      {error !== null && <ErrorNote error={error} retry={reload} />}
      <TimeTravel moments={moments} at={at} loading={loading} />
      {past && (
        <Banner kind="past">
          {t('past.banner', { at: moment(incident.as_of) })}{' '}
          <Button onClick={() => amend({ at: null })}>{t('past.back')}</Button>
        </Banner>
      )}
      <Tabs label={t('incident.tabs')} tabs={tabs(incident)} current={current} onChange={(next) => amend({ tab: next, event: null }, { replace: true })}>
        {current === 'board' && <Board incident={incident} past={past} onOrder={commands ? (task) => order(task)() : undefined} onDone={reload} />}
        {current === 'timeline' && <Timeline incident={incident} />}
        {current === 'why' && <Why incident={incident} />}
        {current === 'resources' && <Resources incident={incident} />}
        {current === 'map' && <MapTab id={id} past={past} />}
        {current === 'lineage' && <LineageTab incident={incident} event={route.value.query.get('event')} />}
      </Tabs>
      <OrderDialog open={ordering} acts={acts(incident, about)} incident={incident} task={about} onClose={() => setOrdering(false)} />
    </div>
  );
}

function tabs(incident: IncidentData): Tab[] {
  const counts: Record<string, number> = {
    board: incident.tasks.filter((task) => task.outcome === null).length,
    timeline: incident.timeline.length,
    resources: incident.resources.length,
  };
  return TABS.map((id) => ({ id, title: t(`tab.${id}`), count: counts[id] }));
}

/** The acts that can have an effect as things stand. */
function acts(incident: IncidentData, about: TaskRecord | null): OrderAct[] {
  if (about) return ['extend', 'reassign'];
  const open = incident.tasks.some((task) => task.outcome === null);
  return [
    'level',
    ...(open ? (['extend', 'reassign'] as const) : []),
    ...(incident.row.lead ? (['split'] as const) : incident.row.parts.length === 0 ? (['merge'] as const) : []),
    'close',
  ];
}

function time(text: string | null): number | null {
  const ms = text === null ? Number.NaN : Number(text);
  return Number.isFinite(ms) ? ms : null;
}

/** Says what happens in the incident while it is looked at. */
function useAnnouncements(id: string): void {
  useEffect(
    () =>
      onLive('line', ({ instance, line }: { instance: string; line: Line }) => {
        if (instance !== id) return;
        announce([t(`kind.${line.kind}`), departmentTitle(line.department), title(line.why)].filter(Boolean).join(' · '));
      }),
    [id],
  );
}
