// A task in its lane: what is asked, by when, on what basis, what was answered, and what can be said of it.
import type { ComponentChildren, JSX } from 'preact';
import { Badge, Button, Countdown, Moment, type Tone } from '../../components';
import { TaskActions } from '../../forms/TaskActions';
import { t, title } from '../../i18n';
import { Link } from '../../router';
import { actsFor, departmentTitle } from '../../session';
import type { Incident, TaskRecord } from '../../types';
import { coarseNow } from '../incidents/store';
import { isLate } from './tasks';

interface Props {
  task: TaskRecord;
  incident: Incident;
  past: boolean;
  onOrder?: (task: TaskRecord) => void;
  onDone: () => void;
}

const TONES: Record<string, Tone> = { requested: 'warn', completed: 'good', declined: 'bad', cancelled: 'plain' };

export function TaskCard({ task, incident, past, onOrder, onDone }: Props): JSX.Element {
  const at = past ? incident.as_of : undefined;
  const late = isLate(task, at ?? coarseNow.value);
  const context = task.context.filter(({ value }) => value !== '');
  const id = incident.row.instance;
  return (
    <article class={`task${late ? ' late' : ''}${task.outcome ? ' over' : ''}`}>
      <header>
        <h3>{title(task.titles)}</h3>
        <Badge tone={TONES[task.state] ?? 'info'}>{t(`state.${task.state}`)}</Badge>
        {task.attempt > 1 && <Badge tone="warn">{t('task.attempt', { n: task.attempt })}</Badge>}
      </header>
      {task.outcome === null ? (
        <p class="dues">
          {task.acknowledged_at === null && <Countdown due={task.acknowledge_by} paused={task.paused_at} label={t('task.acknowledge')} at={at} />}
          <Countdown due={task.complete_by} paused={task.paused_at} label={t('task.complete')} at={at} />
        </p>
      ) : (
        <p class="dues">
          <Moment at={task.ended_at} /> {task.completed_late && <Badge tone="warn">{t('task.completed_late')}</Badge>}
        </p>
      )}
      {context.length > 0 && (
        <p class="context">
          {context.map(({ name, titles, value }) => (
            <span key={name}>
              <span class="faint">{title(titles)}</span> {value}
            </span>
          ))}
        </p>
      )}
      {task.escalations.map((one, index) => (
        <p key={index} class={one.withdrawn_at === null ? 'escalation' : 'escalation faint'}>
          {t(one.withdrawn_at === null ? 'task.escalated' : 'task.escalated.withdrawn', { to: departmentTitle(one.to) || one.to })} <Moment at={one.at} />
        </p>
      ))}
      {!past && task.outcome === null && actsFor(task.department) && <TaskActions task={{ ...task, instance: id }} onDone={onDone} />}
      <details class="more">
        <summary>{t('task.more')}</summary>
        <dl>
          <Detail name={t('task.unit')}>{task.unit}</Detail>
          <Detail name={t('task.role')}>{task.role}</Detail>
          <Detail name={t('incidents.column.region')}>{task.region}</Detail>
          <Detail name={t('task.subject')}>{task.subject}</Detail>
          <Detail name={t('task.basis')}>{task.basis}</Detail>
          <Detail name={t('task.requested')}>
            <Moment at={task.requested_at} />
          </Detail>
          <Detail name={t('task.acknowledge_by')}>
            <Moment at={task.acknowledge_by} />
          </Detail>
          <Detail name={t('task.complete_by')}>
            <Moment at={task.complete_by} />
          </Detail>
          {task.acknowledged_at !== null && (
            <Detail name={t('state.acknowledged')}>
              <Moment at={task.acknowledged_at} /> {task.acknowledged_by} {task.acknowledged_late && <Badge tone="warn">{t('task.acknowledged_late')}</Badge>}
            </Detail>
          )}
          <Detail name={t('task.id')}>
            <code>{task.task}</code>
          </Detail>
        </dl>
        <Answers task={task} />
        <p class="links">
          <Link to="/incident" query={{ id, tab: 'lineage', event: task.cause }}>
            {t('incident.cause')}
          </Link>
          {onOrder && task.outcome === null && (
            <Button kind="quiet" onClick={() => onOrder(task)}>
              {t('task.order')}
            </Button>
          )}
        </p>
      </details>
    </article>
  );
}

function Answers({ task }: { task: TaskRecord }): JSX.Element | null {
  if (task.answers.length === 0) return null;
  return (
    <ol class="answers">
      {task.answers.map((answer, index) => (
        <li key={index}>
          <Moment at={answer.at} /> {t(`state.${answer.disposition}`)} · {departmentTitle(answer.department)}
          {answer.actor && ` · ${answer.actor}`}
        </li>
      ))}
    </ol>
  );
}

function Detail({ name, children }: { name: string; children: ComponentChildren }): JSX.Element | null {
  if (children === null || children === undefined || children === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
