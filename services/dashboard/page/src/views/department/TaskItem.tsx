// One task: what is asked, by when, how it stands, and what can be answered; the rest on demand.
import type { ComponentChildren, JSX } from 'preact';
import { Badge, Button, Countdown, Level, Moment, type Tone } from '../../components';
import { TaskActions } from '../../forms/TaskActions';
import { moment, t, title } from '../../i18n';
import { coarseNow } from '../incidents/store';
import { Link } from '../../router';
import type { OpenTask } from '../../types';
import { keyOf } from './tasks';

interface TaskItemProps {
  task: OpenTask;
  department: string;
  /** Whether it stands under its incident already. */
  within: boolean;
  selected: boolean;
  opened: boolean;
  answering: boolean;
  onSelect: () => void;
  onToggle: () => void;
  onAnswered: () => void;
  onDone: () => void;
}

const TONE: Record<string, Tone> = { requested: 'warn', acknowledged: 'info', accepted: 'info', committed: 'good', progressed: 'good' };

export function TaskItem({ task, department, within, selected, opened, answering, onSelect, onToggle, onAnswered, onDone }: TaskItemProps): JSX.Element {
  const late = task.paused_at === null && coarseNow.value > task.due;
  const what = t(task.acknowledged_at === null ? 'department.due.acknowledge' : 'department.due.complete');
  const details = `task-${task.task}-details`;
  return (
    <li id={`task-${task.task}`} tabIndex={-1} aria-current={selected || undefined} class={`duty${selected ? ' selected' : ''}${late ? ' late' : ''}`} onClick={onSelect}>
      <div class="duty-due">
        <span class="faint">{what}</span>
        <Countdown due={task.due} paused={task.paused_at} />
      </div>
      <div class="duty-what">
        <p class="duty-title">
          <span>{title(task.titles)}</span>
          {task.subject && <span class="duty-subject">{task.subject}</span>}
          <Badge tone={TONE[task.state] ?? 'plain'}>{t(`state.${task.state}`)}</Badge>
          {task.attempt > 1 && <Badge>{t('department.attempt', { n: task.attempt })}</Badge>}
        </p>
        <p class="duty-where">
          {!within && (
            <>
              <Link to="/incident" query={{ id: task.instance }}>
                {title(task.instance_titles)}
              </Link>
              <code>{keyOf(task.instance)}</code>
              {task.level && <Level level={task.level} compact />}
            </>
          )}
          {task.unit && <span>{task.unit}</span>}
          {task.region && task.region !== task.subject && <span>{task.region}</span>}
          <span class="duty-basis">{task.basis}</span>
          {task.paused_at !== null && <span class="countdown paused">{t('department.paused.since', { at: moment(task.paused_at) })}</span>}
        </p>
      </div>
      <div class="duty-answer">
        <TaskActions task={{ ...task, department }} onDone={onDone} open={answering} onClosed={onAnswered} />
        <Button kind="quiet" aria-expanded={opened} aria-controls={opened ? details : undefined} aria-label={t('department.details.of', { task: title(task.titles) })} onClick={onToggle}>
          {t('department.details')}
        </Button>
      </div>
      {opened && <Details id={details} task={task} />}
    </li>
  );
}

function Details({ id, task }: { id: string; task: OpenTask }): JSX.Element {
  const context = task.context;
  return (
    <dl id={id} class="duty-details">
      <Detail name="department.requested.at">
        <Moment at={task.requested_at} />
      </Detail>
      <Detail name="department.due.acknowledge.by">
        <Moment at={task.acknowledge_by} />
      </Detail>
      <Detail name="department.acknowledged.at">
        <Moment at={task.acknowledged_at} />
      </Detail>
      <Detail name="department.due.complete.by">
        <Moment at={task.complete_by} />
      </Detail>
      <Detail name="department.basis">{task.basis}</Detail>
      <Detail name="department.completes">
        {task.completes_with.length === 0 ? t('department.completes.answer') : task.completes_with.map((type) => (
          <Link key={type} to="/catalogue" query={{ tab: 'types', type }}>
            <code>{type}</code>
          </Link>
        ))}
      </Detail>
      <Detail name="department.step">
        <code>{task.step}</code>
      </Detail>
      <Detail name="department.task">
        <code>{task.task}</code>
      </Detail>
      {context.length > 0 && (
        <Detail name="department.context">
          {context.map(({ name, titles, value }) => (
            <span key={name} class="duty-context">
              <span class="faint">{title(titles)}</span> {value}
            </span>
          ))}
        </Detail>
      )}
    </dl>
  );
}

function Detail({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd>{children}</dd>
    </div>
  );
}
