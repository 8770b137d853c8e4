// From what an event follows and what follows from it, down to where each record stands and who has handled it.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api';
import { Badge, Button, Empty, ErrorNote, Field, Moment, Spinner, type Tone } from '../../components';
import { has, lang, span, t } from '../../i18n';
import { amend, Link } from '../../router';
import { departmentTitle } from '../../session';
import type { Incident, Lineage, LineageNode } from '../../types';

const OPEN_DEPTH = 4; // levels that are open at first
const SHOWN = 40; // effects of one event that are shown at first
const TONES: Record<string, Tone> = { handled: 'good', waiting: 'warn', failed: 'bad' };

export function LineageTab({ incident, event }: { incident: Incident; event: string | null }): JSX.Element {
  const opening = incident.timeline.find((line) => line.kind === 'opened')?.cause ?? null;
  const asked = event ?? opening;
  const [found, setFound] = useState<Lineage | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [wanted, setWanted] = useState('');
  const [again, setAgain] = useState(0);
  useEffect(() => {
    if (!asked) return undefined;
    const abort = new AbortController();
    setFound(null);
    setError(null);
    get<Lineage>('/api/lineage', { id: asked }, abort.signal).then(setFound, (failure: unknown) => !abort.signal.aborted && setError(failure));
    return () => abort.abort();
  }, [asked, again]);

  const submit = (submitted: Event): void => {
    submitted.preventDefault();
    if (wanted.trim()) amend({ event: wanted.trim() });
  };
  return (
    <>
      <form class="lineage-ask" onSubmit={submit}>
        <Field label={t('lineage.event')} hint={t('lineage.event.hint')}>
          <input value={wanted} placeholder={asked ?? ''} spellcheck={false} onInput={(typed) => setWanted(typed.currentTarget.value)} />
        </Field>
        <Button type="submit">{t('lineage.show')}</Button>
        {event && event !== opening && (
          <Button kind="quiet" onClick={() => amend({ event: null })}>
            {t('lineage.opening')}
          </Button>
        )}
        {asked && (
          <Button kind="quiet" onClick={() => setAgain(again + 1)}>
            {t('lineage.again')}
          </Button>
        )}
      </form>
      {!asked && <Empty>{t('lineage.none')}</Empty>}
      {error !== null && <ErrorNote error={error} retry={() => setAgain(again + 1)} />}
      {asked && !found && error === null && <Spinner label={t('lineage.loading')} />}
      {found && (
        <>
          {found.whole === false && <p class="faint">{t('lineage.cut')}</p>}
          {[found.tree, ...(found.others ?? [])].map((tree) => (
            <ul key={tree.id} class="lineage">
              <Event node={tree} depth={0} id={incident.row.instance} />
            </ul>
          ))}
        </>
      )}
    </>
  );
}

function Event({ node, depth, id }: { node: LineageNode; depth: number; id: string }): JSX.Element {
  const [open, setOpen] = useState(depth < OPEN_DEPTH || node.effects.some(leadsToAsked));
  const [shown, setShown] = useState(SHOWN);
  const count = node.effects.length;
  return (
    <li>
      <div class={`lineage-event${node.is ? ' asked' : ''}`} aria-current={node.is ? 'true' : undefined}>
        {count > 0 ? (
          <button type="button" class="button quiet twist" aria-expanded={open} aria-label={t(open ? 'lineage.fold' : 'lineage.unfold', { n: count })} onClick={() => setOpen(!open)}>
            {open ? '▾' : '▸'}
          </button>
        ) : (
          <span class="twist" aria-hidden="true">
            ·
          </span>
        )}
        <div class="lineage-what">
          <p>
            <strong>{node.type}</strong> {node.is && <Badge tone="info">{t('lineage.asked')}</Badge>} <span>{departmentTitle(node.department)}</span>{' '}
            {node.actor && <span>· {node.actor}</span>} <Moment at={node.at} />
            {node.latency_ms !== null && <span class="faint"> {t('lineage.after', { span: delay(node.latency_ms) })}</span>}
          </p>
          <p>
            <code>
              {node.topic}[{node.partition}]@{node.offset}
            </code>{' '}
            <Link to="/incident" query={{ id, tab: 'lineage', event: node.id }}>
              <code>{node.id}</code>
            </Link>
          </p>
          {node.basis && (
            <p>
              <span class="faint">{t('timeline.basis')}</span> {node.basis}
            </p>
          )}
          <Handled node={node} />
          {node.cause_gone && <p class="faint">{t('lineage.gone')}</p>}
          {node.hidden && <p class="faint">{t('lineage.hidden')}</p>}
          {node.data !== null && node.data !== undefined && (
            <details>
              <summary>{t('lineage.data')}</summary>
              <pre>{JSON.stringify(node.data, null, 2)}</pre>
            </details>
          )}
        </div>
      </div>
      {open && count > 0 && (
        <ul>
          {node.effects.slice(0, shown).map((effect) => (
            <Event key={effect.id} node={effect} depth={depth + 1} id={id} />
          ))}
          {count > shown && (
            <li>
              <Button kind="quiet" onClick={() => setShown(shown + SHOWN)}>
                {t('lineage.more', { n: count - shown })}
              </Button>
            </li>
          )}
        </ul>
      )}
      {(node.more ?? 0) > 0 && <p class="faint">{t('lineage.elsewhere', { n: node.more ?? 0 })}</p>}
    </li>
  );
}

function Handled({ node }: { node: LineageNode }): JSX.Element | null {
  if (node.handled.length === 0) return null;
  return (
    <p class="handled">
      <span class="faint">{t('lineage.handled')}</span>
      {node.handled.map((one, index) => (
        <span key={index}>
          {one.by} <Badge tone={TONES[one.state] ?? 'plain'}>{has(`lineage.state.${one.state}`) ? t(`lineage.state.${one.state}`) : one.state}</Badge>{' '}
          {one.reason && <span class="faint">{[one.reason, one.message].filter(Boolean).join(lang.value === 'zh' ? '：' : ': ')}</span>}
        </span>
      ))}
    </p>
  );
}

function leadsToAsked(node: LineageNode): boolean {
  const left = [node];
  for (let one = left.pop(); one; one = left.pop()) {
    if (one.is) return true;
    left.push(...one.effects);
  }
  return false;
}

function delay(ms: number): string {
  return Math.abs(ms) < 1000 ? `${ms} ms` : span(ms);
}
