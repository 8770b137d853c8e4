// The tasks of one department over all incidents, what is due first at the top.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { acts } from '../../acts';
import { Button, Empty, ErrorNote, PageTitle, Spinner } from '../../components';
import { Receipts } from '../../forms/Receipts';
import { t, title } from '../../i18n';
import { coarseNow } from '../incidents/store';
import { amend, go, route } from '../../router';
import { departmentTitle, session } from '../../session';
import { Filters } from './Filters';
import { TaskList } from './TaskList';
import { counts, grouped, SITUATIONS, wanted, type Arranged, type Situation } from './tasks';
import { useTasks } from './useTasks';
import './department.css';

const STORED = 'deptbus.department';

export default function Department(): JSX.Element {
  const { query } = route.value;
  const choices = offered();
  const id = query.get('id') ?? preferred(choices);
  useEffect(() => {
    if (id && query.get('id') === null) go('/department', { id }, { replace: true });
    if (id) remember(id);
  }, [id]);

  if (choices.length === 0) {
    return (
      <>
        <PageTitle text={t('department.title')} />
        <Empty>{t('department.none')}</Empty>
      </>
    );
  }
  return (
    <>
      <div class="department-head">
        <PageTitle text={id ? t('department.title.of', { department: departmentTitle(id) }) : t('department.title')} />
        <label class="department-choose">
          <span>{t('department.choose')}</span>
          <select value={id ?? ''} onChange={(event) => go('/department', { id: event.currentTarget.value })}>
            {!id && <option value="">{t('department.choose.first')}</option>}
            {id && !choices.includes(id) && <option value={id}>{id}</option>}
            {choices.map((one) => (
              <option key={one} value={one}>
                {departmentTitle(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {id ? choices.includes(id) ? <Tasks key={id} id={id} /> : <Empty>{t('department.unknown', { id })}</Empty> : <Empty>{t('department.choose.first')}</Empty>}
    </>
  );
}

function Tasks({ id }: { id: string }): JSX.Element {
  const { query } = route.value;
  const found = useTasks(id);
  const [selected, select] = useState<string | null>(null);
  const situation = SITUATIONS.find((one) => one === query.get('state')) ?? 'open';
  const arranged: Arranged = query.get('by') === 'instance' ? 'instance' : 'due';
  const search = query.get('q') ?? '';

  if (found.error && found.tasks === null) return <ErrorNote error={found.error} retry={found.read} />;
  if (found.tasks === null) return <Spinner />;
  const at = coarseNow.value;
  const ordered = wanted(found.tasks, situation, search, at);
  // in groups the first task of each decides, and the keys follow what is seen
  const groups = arranged === 'instance' ? grouped(ordered) : null;
  const shown = groups ? groups.flatMap((group) => group.tasks) : ordered;
  const open = new Set(found.tasks.map((task) => task.task));
  const gone = acts.value.filter((act) => act.task !== null && found.all.has(act.task) && !open.has(act.task));
  return (
    <>
      <ErrorNote error={found.error} retry={found.read} />
      <Filters
        counts={counts(found.tasks, at)}
        situation={situation}
        search={search}
        arranged={arranged}
        onSituation={(next: Situation) => amend({ state: next === 'open' ? null : next }, { replace: true })}
        onSearch={(next) => amend({ q: next }, { replace: true })}
        onArranged={(next) => amend({ by: next === 'due' ? null : next }, { replace: true })}
      />
      <Receipts acts={gone} />
      {shown.length === 0 ? (
        <Empty>
          {found.tasks.length === 0 ? t('department.empty') : t('department.empty.filtered')}{' '}
          {found.tasks.length > 0 && <Button onClick={() => amend({ state: null, q: null }, { replace: true })}>{t('department.clear')}</Button>}
        </Empty>
      ) : (
        <TaskList department={id} groups={groups} tasks={shown} selected={selected} onSelect={select} onDone={found.read} />
      )}
    </>
  );
}

/** The departments whose tasks the person may look at, the person's own first. */
function offered(): string[] {
  const all = Object.keys(session.value?.departments ?? {});
  const own = session.value?.person?.departments;
  const seen = own ? all.filter((one) => own.includes(one)) : all;
  return seen.sort((one, other) => title(session.value?.departments[one]).localeCompare(title(session.value?.departments[other])));
}

function preferred(choices: readonly string[]): string | null {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    // a browser that keeps nothing has the first
  }
  return stored && choices.includes(stored) ? stored : (choices[0] ?? null);
}

function remember(id: string): void {
  try {
    localStorage.setItem(STORED, id);
  } catch {
    // as above
  }
}
