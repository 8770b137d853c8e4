// The board: a lane for each department with what is asked of it, what is overdue first.
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Badge, Empty } from '../../components';
import { t } from '../../i18n';
import { departmentTitle } from '../../session';
import type { Incident, TaskRecord } from '../../types';
import { coarseNow } from '../incidents/store';
import { TaskCard } from './TaskCard';
import { lanes, type Lane } from './tasks';

interface Props {
  incident: Incident;
  past: boolean;
  /** Where the person commands: give an order about a task. */
  onOrder?: (task: TaskRecord) => void;
  onDone: () => void;
}

export function Board({ incident, past, onOrder, onDone }: Props): JSX.Element {
  const at = past ? incident.as_of : coarseNow.value;
  const found = lanes(incident.tasks, at);
  if (found.length === 0) return <Empty>{t('board.empty')}</Empty>;
  return (
    <div class="lanes">
      {found.map((lane) => (
        <LaneColumn key={lane.department} lane={lane} incident={incident} past={past} onOrder={onOrder} onDone={onDone} />
      ))}
    </div>
  );
}

function LaneColumn({ lane, ...card }: Props & { lane: Lane }): JSX.Element {
  const [shown, setShown] = useState(lane.open.length === 0 && lane.ended.length < 4);
  return (
    <section class={`lane${lane.late ? ' late' : ''}`} aria-label={departmentTitle(lane.department)}>
      <header>
        <h2>{departmentTitle(lane.department)}</h2>
        <Badge>{t('board.open', { n: lane.open.length })}</Badge>
        {lane.late > 0 && <Badge tone="bad">{t('board.late', { n: lane.late })}</Badge>}
      </header>
      <ul>
        {lane.open.map((task) => (
          <li key={task.task}>
            <TaskCard task={task} {...card} />
          </li>
        ))}
      </ul>
      {lane.ended.length > 0 && (
        <details open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
          <summary>{t('board.ended', { n: lane.ended.length })}</summary>
          {shown && (
            <ul>
              {lane.ended.map((task) => (
                <li key={task.task}>
                  <TaskCard task={task} {...card} />
                </li>
              ))}
            </ul>
          )}
        </details>
      )}
    </section>
  );
}
