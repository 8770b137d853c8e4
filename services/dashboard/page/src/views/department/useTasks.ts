// Reads the open tasks of a department, and reads them again when the stream tells of a change that concerns it.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../api';
import { announce } from '../../components';
import { t, title } from '../../i18n';
import { connected, onLive, setNow } from '../../live';
import type { Line, OpenTask, Row, Titles } from '../../types';

interface Answer {
  now: number;
  titles: Titles;
  tasks: OpenTask[];
}

export interface Tasks {
  /** Null until they are read for the first time. */
  readonly tasks: readonly OpenTask[] | null;
  readonly error: unknown;
  /** Every task that was seen while this is shown, also those that are over. */
  readonly all: ReadonlyMap<string, OpenTask>;
  readonly read: () => void;
}

/** After a change others often follow at once; they are read together, this much later. */
const GATHER_MS = 400;
/** At least so long between two reads, for a department in many incidents would read without end. */
const BETWEEN_MS = 2_000;

export function useTasks(department: string): Tasks {
  const [tasks, setTasks] = useState<readonly OpenTask[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const all = useRef(new Map<string, OpenTask>());
  const open = useRef<ReadonlySet<string> | null>(null);
  const timer = useRef<number | undefined>(undefined);
  const reading = useRef<AbortController | null>(null);
  const readAt = useRef(0);

  const read = useCallback((): void => {
    window.clearTimeout(timer.current);
    timer.current = undefined;
    reading.current?.abort();
    const stop = new AbortController();
    reading.current = stop;
    readAt.current = Date.now();
    get<Answer>('/api/department', { id: department }, stop.signal).then(
      (answer) => {
        setNow(answer.now);
        tell(answer.tasks, open.current, all.current);
        open.current = new Set(answer.tasks.map((task) => task.task));
        for (const task of answer.tasks) all.current.set(task.task, task);
        setTasks(answer.tasks);
        setError(null);
      },
      (failed: unknown) => !stop.signal.aborted && setError(failed),
    );
  }, [department]);

  useEffect(() => {
    const soon = (): void => {
      timer.current ??= window.setTimeout(read, Math.max(GATHER_MS, readAt.current + BETWEEN_MS - Date.now()));
    };
    read();
    const ends = [
      onLive('incident', (row: Row) => row.departments.includes(department) && soon()),
      onLive('line', ({ line }: { line: Line }) => (line.department === department || (line.task !== null && open.current?.has(line.task))) && soon()),
      onLive('reset', soon),
    ];
    return () => {
      for (const end of ends) end();
      window.clearTimeout(timer.current);
      timer.current = undefined;
      reading.current?.abort();
    };
  }, [read, department]);

  const live = connected.value;
  const first = useRef(true);
  useEffect(() => {
    // what changed before the stream began may be missing from what was read
    if (live && !first.current) read();
    first.current = false;
  }, [live, read]);

  return { tasks, error, all: all.current, read };
}

/** Say which tasks came and went since the last time. */
function tell(tasks: readonly OpenTask[], before: ReadonlySet<string> | null, all: ReadonlyMap<string, OpenTask>): void {
  if (before === null) return;
  const after = new Set(tasks.map((task) => task.task));
  const came = tasks.filter((task) => !before.has(task.task));
  const went = [...before].filter((task) => !after.has(task)).map((task) => all.get(task));
  const said: string[] = [];
  if (came.length === 1) said.push(t('department.came.one', { task: title(came[0]?.titles) }));
  else if (came.length > 1) said.push(t('department.came', { n: came.length }));
  if (went.length === 1) said.push(t('department.went.one', { task: title(went[0]?.titles) }));
  else if (went.length > 1) said.push(t('department.went', { n: went.length }));
  if (said.length > 0) announce(said.join(' '));
}
