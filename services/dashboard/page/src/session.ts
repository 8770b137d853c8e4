// Who is signed on, what that person may do, and which world this is.
import { computed, signal, type Signal } from '@preact/signals';
import { authority, get, remove } from './api';
import { title } from './i18n';
import { onRefused, setTicking, stopLive } from './live';
import type { Role, Session } from './types';

export type { Session } from './types';

export const session: Signal<Session | null> = signal(null);

/** Whether the page may be shown: somebody is signed on, or nobody needs to be. */
export const admitted = computed(() => session.value !== null && session.value.person !== null);

const INCLUDED: Record<Role, Role[]> = {
  viewer: ['viewer', 'officer', 'commander', 'operator'],
  officer: ['officer'],
  commander: ['commander'],
  operator: ['operator'],
};

/** Ask the server who is signed on. Throws `ApiError`. */
export async function loadSession(): Promise<Session> {
  const found = await get<Session>('/api/session');
  authority.csrf = found.csrf;
  setTicking(found.world.namespace === '');
  if (found.person === null) stopLive();
  session.value = found;
  return found;
}

/** End the session. */
export async function signOut(): Promise<void> {
  await remove('/api/session');
  await loadSession();
}

/** Whether the person has a role. */
export function may(role: Role): boolean {
  const person = session.value?.person;
  return !!person && INCLUDED[role].some((one) => person.roles.includes(one));
}

/** Whether the person acts as an officer of a department. */
export function actsFor(department: string): boolean {
  const person = session.value?.person;
  return !!person && may('officer') && (person.departments === null || person.departments.includes(department));
}

/** The title of a department; its id where it is not known. */
export function departmentTitle(id: string | null | undefined): string {
  if (!id) return '';
  return title(session.value?.departments[id]) || id;
}

authority.lost = () => {
  stopLive();
  const before = session.value;
  if (before?.person) session.value = { ...before, person: null };
};

onRefused(() => void loadSession().catch(() => undefined));
