// The dialog in which an officer answers a task. It stays open until the broker has the answer.
import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ApiError, get, post } from '../api';
import { announce, Button, Countdown, Dialog, ErrorNote, Field as Labelled, Spinner } from '../components';
import { t, title } from '../i18n';
import { departmentTitle, session } from '../session';
import type { Published } from '../types';
import type { Act, ActionTask } from './answers';
import { assemble } from './assemble';
import { beginAll, type Field, type Group } from './fields';
import { keepRemarks, remarksOf } from './remarks';
import { SchemaForm, type Wrongs } from './SchemaForm';

interface AnswerDialogProps {
  task: ActionTask;
  act: Act;
  allowed: readonly Act[];
  onChoose: (act: Act) => void;
  onClose: () => void;
}

/** What `/api/task/form` says: the event that completes a task, or the several of which one is to be chosen. */
interface FormOf {
  type: string | null;
  types: string[];
  fields: Field[];
}

const NONE: Wrongs = new Map();
/** The server, or something before it, gave up waiting: the broker may have the answer all the same. */
const UNCLEAR = new Set([0, 500, 502, 503, 504]);

export function AnswerDialog({ task, act, allowed, onChoose, onClose }: AnswerDialogProps): JSX.Element {
  const [words, setWords] = useState('');
  const [basis, setBasis] = useState('');
  const [subject, setSubject] = useState('');
  const [wrong, setWrong] = useState<Wrongs>(NONE);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  const event = useEventForm(task, act === 'complete');
  const asked = act === 'complete' && (task.completes_with?.length ?? 0) > 0;
  const ready = !asked || (event.form !== null && event.form.type !== null);

  useEffect(() => {
    setWrong(NONE);
    setError(null);
  }, [act]);
  useEffect(() => {
    if (wrong.size > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [wrong]);

  const publish = async (): Promise<void> => {
    const [body, found] = draftOf({ task, act, words, basis, subject, event });
    setWrong(found);
    setError(null);
    if (found.size > 0) return;
    setBusy(true);
    try {
      const published = await post<Published>(`/api/task/${act}`, body);
      keepRemarks(published);
      announce([t('receipt.waiting', { act: t(`act.${act}`) }), ...remarksOf(published.event_id)].join(' '));
      onClose();
    } catch (failed) {
      const at = failed instanceof ApiError && failed.field ? place(failed.field, act, event.typed) : null;
      if (failed instanceof ApiError && at !== null) setWrong(new Map([[at, failed.message()]]));
      else setError(failed);
    } finally {
      setBusy(false);
    }
  };
  const submit = (submitted: Event): void => {
    submitted.preventDefault();
    if (!busy && ready) void publish();
  };

  return (
    <Dialog
      open
      wide={asked}
      title={t('act.of', { act: t(`act.${act}`), task: title(task.titles) })}
      onClose={() => !busy && onClose()}
      footer={
        <>
          {wrong.size > 0 && <span class="form-count">{wrong.size === 1 ? t('form.wrong.count.one') : t('form.wrong.count', { n: wrong.size })}</span>}
          <Button onClick={onClose} disabled={busy}>
            {t('dialog.cancel')}
          </Button>
          <Button kind={act === 'decline' ? 'danger' : 'primary'} type="submit" form={id} busy={busy} disabled={!ready} autofocus={act !== 'decline' && act !== 'progress'}>
            {busy ? t('act.publishing') : t(`act.${act}`)}
          </Button>
        </>
      }
    >
      <form class="schema-form" id={id} ref={form} onSubmit={submit} noValidate>
        <Choices act={act} allowed={allowed} onChoose={onChoose} busy={busy} />
        <About task={task} />
        <p>{t(asked ? 'act.means.complete.event' : `act.means.${act}`)}</p>
        <ErrorNote error={error} />
        {error instanceof ApiError && UNCLEAR.has(error.status) && <p class="form-unclear">{t('act.unclear')}</p>}
        {asked ? <EventFields event={event} wrong={wrong} /> : <Words act={act} words={words} wrong={wrong} onChange={setWords} />}
        <details class="form-more" open={wrong.has('basis') || wrong.has('subject') || undefined}>
          <summary>{t('act.basis.other')}</summary>
          {task.basis && <p class="faint">{task.basis}</p>}
          <Labelled label={t('act.basis')} hint={t('act.basis.hint')} error={wrong.get('basis')}>
            <input type="text" value={basis} onInput={(typed) => setBasis(typed.currentTarget.value)} />
          </Labelled>
          {asked && (
            <Labelled label={t('act.subject')} hint={t('act.subject.hint')} error={wrong.get('subject')}>
              <input type="text" value={subject} onInput={(typed) => setSubject(typed.currentTarget.value)} />
            </Labelled>
          )}
        </details>
        <p class="faint">{t('act.as', { person: session.value?.person?.name ?? '', department: departmentTitle(task.department) })}</p>
      </form>
    </Dialog>
  );
}

function Choices({ act, allowed, onChoose, busy }: { act: Act; allowed: readonly Act[]; onChoose: (act: Act) => void; busy: boolean }): JSX.Element | null {
  const name = useId();
  if (allowed.length < 2) return null;
  return (
    <fieldset class="form-choices" disabled={busy}>
      <legend class="heard-only">{t('act.choose')}</legend>
      {allowed.map((one) => (
        <label key={one} class={one === act ? 'on' : undefined}>
          <input type="radio" name={name} value={one} checked={one === act} onChange={() => onChoose(one)} />
          {t(`act.${one}`)}
        </label>
      ))}
    </fieldset>
  );
}

/** Which task it is, so that nobody answers another one. */
function About({ task }: { task: ActionTask }): JSX.Element {
  const acknowledged = task.acknowledged_at != null;
  const due = acknowledged ? task.complete_by : task.acknowledge_by;
  return (
    <p class="answer-about">
      <span>{departmentTitle(task.department)}</span>
      {task.subject && <span>{task.subject}</span>}
      {task.instance && <code>{task.instance}</code>}
      {due !== undefined && <Countdown due={due} paused={task.paused_at} label={t(acknowledged ? 'act.due.complete' : 'act.due.acknowledge')} />}
    </p>
  );
}

function Words({ act, words, wrong, onChange }: { act: Act; words: string; wrong: Wrongs; onChange: (words: string) => void }): JSX.Element {
  const [key, path] = act === 'decline' ? ['act.reason', 'reason'] : act === 'progress' ? ['act.note.progress', 'note'] : ['act.note', 'note'];
  const needed = act === 'decline' || act === 'progress';
  return (
    <Labelled label={t(key)} error={wrong.get(path)} required={needed}>
      <textarea rows={3} maxLength={10_000} value={words} aria-required={needed} autofocus={needed} onInput={(typed) => onChange(typed.currentTarget.value)} />
    </Labelled>
  );
}

interface EventForm {
  form: FormOf | null;
  typed: Group;
  error: unknown;
  choose: (type: string) => void;
  retry: () => void;
  change: (typed: Group) => void;
}

/** The form of the event that completes a task; fetched when it is wanted, and kept while the dialog is open. */
function useEventForm(task: ActionTask, wanted: boolean): EventForm {
  const [form, setForm] = useState<FormOf | null>(null);
  const [typed, change] = useState<Group>(beginAll([]));
  const [error, setError] = useState<unknown>(null);
  const [type, choose] = useState<string | null>(null);
  const [attempt, setAttempt] = useState(0);
  const needed = wanted && (task.completes_with?.length ?? 0) > 0;
  useEffect(() => {
    if (!needed) return undefined;
    const stop = new AbortController();
    setError(null);
    get<FormOf>('/api/task/form', { task: task.task, type }, stop.signal).then(
      (found) => {
        setForm(found);
        change(beginAll(found.fields));
      },
      (failed: unknown) => !stop.signal.aborted && setError(failed),
    );
    return () => stop.abort();
  }, [needed, task.task, type, attempt]);
  return { form, typed, error, choose, retry: () => setAttempt(attempt + 1), change };
}

function EventFields({ event, wrong }: { event: EventForm; wrong: Wrongs }): JSX.Element {
  const { form } = event;
  if (event.error) return <ErrorNote error={event.error} retry={event.retry} />;
  if (form === null) return <Spinner label={t('act.loading')} />;
  return (
    <>
      {form.types.length > 1 && (
        <Labelled label={t('act.type')} error={wrong.get('type')} required>
          <select value={form.type ?? ''} onChange={(chosen) => event.choose(chosen.currentTarget.value)}>
            {form.type === null && <option value="">{t('form.choose')}</option>}
            {form.types.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </Labelled>
      )}
      {form.types.length === 1 && form.type && (
        <p class="faint">
          <code>{form.type}</code>
        </p>
      )}
      <SchemaForm fields={form.fields} typed={event.typed} wrong={wrong} onChange={event.change} />
    </>
  );
}

interface Said {
  task: ActionTask;
  act: Act;
  words: string;
  basis: string;
  subject: string;
  event: EventForm;
}

/** The body of the request, and what is wrong with it, in words by field. */
function draftOf({ task, act, words, basis, subject, event }: Said): [Record<string, unknown>, Wrongs] {
  const wrong = new Map<string, string>();
  const body: Record<string, unknown> = { task: task.task };
  if (task.instance) body['instance'] = task.instance;
  if (basis.trim()) body['basis'] = basis.trim();
  if (act === 'complete' && event.form?.type) {
    const made = assemble(event.form.fields, event.typed);
    for (const [path, mistake] of made.wrong) wrong.set(path, t(`form.error.${mistake}`));
    body['type'] = event.form.type;
    body['data'] = made.data;
    if (subject.trim()) body['subject'] = subject.trim();
    return [body, wrong];
  }
  const text = words.trim();
  if (act === 'decline' && !text) wrong.set('reason', t('act.reason.missing'));
  if (act === 'progress' && !text) wrong.set('note', t('act.note.missing'));
  if (text) body[act === 'decline' ? 'reason' : 'note'] = text;
  return [body, wrong];
}

/** Where the dialog shows what is wrong with a field that the server names; null where it has no such field. */
function place(field: string, act: Act, typed: Group): string | null {
  const path = field.replace(/^data\./, '');
  const top = path.split(/[.[]/, 1)[0] ?? '';
  const own = act === 'decline' ? ['reason', 'basis'] : act === 'complete' && Object.keys(typed.parts).length > 0 ? ['basis', 'subject', 'type'] : ['note', 'basis'];
  return top in typed.parts || own.includes(path) ? path : null;
}
