// The open tasks of one department: what is counted, filtered, ordered and grouped. Pure.

import type { OpenTask, Titles } from '../../types';

export type Situation = 'open' | 'late' | 'soon' | 'new' | 'paused';
export const SITUATIONS: readonly Situation[] = ['open', 'late', 'soon', 'new', 'paused'];

export type Arranged = 'due' | 'instance';

/** So far ahead is soon. */
const SOON_MS = 3_600_000;

export interface Group {
  readonly instance: string;
  readonly titles: Titles;
  readonly level: string | null;
  readonly tasks: readonly OpenTask[];
}

/** Whether a task is in a situation; a stopped clock is neither late nor soon. */
export function is(task: OpenTask, situation: Situation, now: number): boolean {
  const runs = task.paused_at === null;
  switch (situation) {
    case 'open':
      return true;
    case 'late':
      return runs && now > task.due;
    case 'soon':
      return runs && now <= task.due && task.due - now <= SOON_MS;
    case 'new':
      return task.acknowledged_at === null;
    case 'paused':
      return !runs;
  }
}

/** How many tasks are in each situation. */
export function counts(tasks: readonly OpenTask[], now: number): Record<Situation, number> {
  const found: Record<Situation, number> = { open: 0, late: 0, soon: 0, new: 0, paused: 0 };
  for (const task of tasks) {
    for (const situation of SITUATIONS) {
      found[situation] += is(task, situation, now) ? 1 : 0;
    }
  }
  return found;
}

/** The tasks wanted; what is due first at the top, what has a stopped clock at the end. */
export function wanted(tasks: readonly OpenTask[], situation: Situation, search: string, now: number): OpenTask[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (task: OpenTask): boolean => {
    const text = texts(task).join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return tasks.filter((task) => is(task, situation, now) && fits(task)).sort(order);
}

/** By instance, the one with what is due first at the top. */
export function grouped(ordered: readonly OpenTask[]): Group[] {
  const found = new Map<string, OpenTask[]>();
  for (const task of ordered) {
    found.set(task.instance, [...(found.get(task.instance) ?? []), task]);
  }
  return [...found].map(([instance, tasks]) => ({
    instance,
    titles: tasks[0]?.instance_titles ?? { zh: instance, en: instance },
    level: tasks[0]?.level ?? null,
    tasks,
  }));
}

/** `guangdong/440100` of `epidemic/guangdong/440100/1`: what tells instances of one workflow apart. */
export function keyOf(instance: string): string {
  return instance.split('/').slice(1, -1).join('/');
}

function order(one: OpenTask, other: OpenTask): number {
  const stopped = Number(one.paused_at !== null) - Number(other.paused_at !== null);
  return stopped || one.due - other.due || one.complete_by - other.complete_by || one.task.localeCompare(other.task);
}

function texts(task: OpenTask): string[] {
  const context = task.context.map(({ value }) => value);
  return [
    task.task, task.instance, task.titles.zh, task.titles.en, task.instance_titles.zh, task.instance_titles.en,
    task.subject, task.region ?? '', task.unit, task.basis, ...context,
  ];
}
