// The list of tasks, flat or by incident. j and k move, Enter shows details, a answers, o opens the incident.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, isTyping, Level, useKeys } from '../../components';
import { t, title } from '../../i18n';
import { Link, go } from '../../router';
import type { OpenTask } from '../../types';
import { keyOf, type Group } from './tasks';
import { TaskItem } from './TaskItem';

interface TaskListProps {
  department: string;
  /** By incident; null for a flat list. */
  groups: readonly Group[] | null;
  tasks: readonly OpenTask[];
  selected: string | null;
  onSelect: (task: string | null) => void;
  onDone: () => void;
}

const PAGE = 60; // tasks that are drawn at first, and each time more are wanted

export function TaskList({ department, groups, tasks, selected, onSelect, onDone }: TaskListProps): JSX.Element {
  const [limit, setLimit] = useState(PAGE);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [answering, setAnswering] = useState<string | null>(null);
  const at = tasks.findIndex((task) => task.task === selected);
  const shown = tasks.slice(0, limit);

  const move = (to: number): void => {
    const task = tasks[Math.max(0, Math.min(tasks.length - 1, to))];
    if (!task) return;
    if (to >= limit) setLimit(limit + PAGE);
    onSelect(task.task);
  };
  const toggle = (task: string): void => {
    const next = new Set(opened);
    if (!next.delete(task)) next.add(task);
    setOpened(next);
  };
  useKeys({
    j: () => move(at + 1),
    k: () => move(at < 0 ? 0 : at - 1),
    Enter: (event) => {
      const inner = event.target instanceof Element && event.target.closest('a,button,summary');
      if (selected && !inner) toggle(selected);
    },
    a: () => setAnswering(selected),
    o: () => at >= 0 && go('/incident', { id: tasks[at]?.instance }),
  });
  useEffect(() => {
    const item = selected === null ? null : document.getElementById(`task-${selected}`);
    item?.scrollIntoView({ block: 'nearest' });
    if (item && !item.contains(document.activeElement) && !isTyping(document.activeElement)) item.focus({ preventScroll: true });
  }, [selected]);
  const before = useRef(0);
  useEffect(() => {
    // a task that is over takes the focus with it: the one in its place gets it
    if (at >= 0) before.current = at;
    else if (selected !== null) onSelect(tasks[Math.min(before.current, tasks.length - 1)]?.task ?? null);
  }, [at, selected, tasks]);

  const item = (task: OpenTask): JSX.Element => (
    <TaskItem
      key={task.task}
      task={task}
      department={department}
      within={groups !== null}
      selected={task.task === selected}
      opened={opened.has(task.task)}
      answering={answering === task.task}
      onSelect={() => onSelect(task.task)}
      onToggle={() => toggle(task.task)}
      onAnswered={() => setAnswering(null)}
      onDone={onDone}
    />
  );
  return (
    <>
      {groups === null ? (
        <ul class="duty-list" aria-label={t('department.list')}>
          {shown.map(item)}
        </ul>
      ) : (
        groups.map((group) => {
          const within = group.tasks.filter((task) => shown.includes(task));
          return within.length === 0 ? null : (
            <section key={group.instance} class="duty-group" aria-label={`${title(group.titles)} ${keyOf(group.instance)}`}>
              <h2>
                <Link to="/incident" query={{ id: group.instance }}>
                  {title(group.titles)}
                </Link>
                <code>{keyOf(group.instance)}</code>
                <Level level={group.level} />
                <span class="faint">{group.tasks.length === 1 ? t('department.group.count.one') : t('department.group.count', { n: group.tasks.length })}</span>
              </h2>
              <ul class="duty-list">{within.map(item)}</ul>
            </section>
          );
        })
      )}
      {tasks.length > limit && (
        <p class="duty-more">
          <Button onClick={() => setLimit(limit + PAGE)}>{t('department.more', { n: Math.min(PAGE, tasks.length - limit) })}</Button>
          <span class="faint">{t('department.shown', { shown: limit, all: tasks.length })}</span>
        </p>
      )}
    </>
  );
}
