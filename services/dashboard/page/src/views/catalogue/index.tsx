// The catalogue: what exists, whose it is, who may use it and on what basis, and who does.
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../../api';
import { ErrorNote, PageTitle, Spinner, Tabs, useKeys } from '../../components';
import { t } from '../../i18n';
import { amend, route } from '../../router';
import type { Catalogue } from './data';
import { Departments, Elements } from './Lists';
import { GraphTab } from './GraphTab';
import { Topics } from './Topics';
import { Types } from './Types';
import './catalogue.css';

const TABS = ['topics', 'types', 'elements', 'departments', 'graph'] as const;
type Tab = (typeof TABS)[number];
const EVERY_MS = 30_000; // rates and readers change; what is declared does not

export default function CatalogueView(): JSX.Element {
  const { query } = route.value;
  const { catalogue, error, read } = useCatalogue();
  const search = useRef<HTMLInputElement>(null);
  useKeys({
    '/': (event) => {
      event.preventDefault();
      search.current?.focus();
    },
  });
  const tab: Tab = TABS.find((one) => one === query.get('tab')) ?? (query.get('type') ? 'types' : 'topics');
  const words = query.get('q') ?? '';
  return (
    <>
      <div class="catalogue-head">
        <PageTitle text={t('catalogue.title')} />
        {tab !== 'graph' && (
          <input
            ref={search}
            type="search"
            value={words}
            placeholder={t('catalogue.search.hint')}
            aria-label={t('catalogue.search')}
            aria-keyshortcuts="/"
            onInput={(event) => amend({ q: event.currentTarget.value }, { replace: true })}
            onKeyDown={(event) => event.key === 'Escape' && search.current?.blur()}
          />
        )}
      </div>
      <ErrorNote error={error} retry={read} />
      {catalogue ? (
        <Tabs
          label={t('catalogue.tabs')}
          current={tab}
          onChange={(next) => amend({ tab: next, topic: null, type: null })}
          tabs={TABS.map((one) => ({ id: one, title: t(`catalogue.tab.${one}`), ...(one === 'graph' ? {} : { count: catalogue[one].length }) }))}
        >
          {tab === 'topics' && <Topics catalogue={catalogue} words={words} chosen={query.get('topic')} />}
          {tab === 'types' && <Types catalogue={catalogue} words={words} chosen={query.get('type')} />}
          {tab === 'elements' && <Elements catalogue={catalogue} words={words} />}
          {tab === 'departments' && <Departments catalogue={catalogue} words={words} />}
          {tab === 'graph' && <GraphTab catalogue={catalogue} query={query} />}
        </Tabs>
      ) : (
        error === null && <Spinner />
      )}
    </>
  );
}

function useCatalogue(): { catalogue: Catalogue | null; error: unknown; read: () => void } {
  const [catalogue, setCatalogue] = useState<Catalogue | null>(null);
  const [error, setError] = useState<unknown>(null);
  const reading = useRef<AbortController | null>(null);
  const read = useCallback((): void => {
    reading.current?.abort();
    const stop = new AbortController();
    reading.current = stop;
    get<Catalogue>('/api/catalogue', {}, stop.signal).then(
      (found) => {
        setCatalogue(found);
        setError(null);
      },
      (failed: unknown) => !stop.signal.aborted && setError(failed),
    );
  }, []);
  useEffect(() => {
    read();
    const timer = window.setInterval(() => document.hidden || read(), EVERY_MS);
    return () => {
      window.clearInterval(timer);
      reading.current?.abort();
    };
  }, [read]);
  return { catalogue, error, read };
}
