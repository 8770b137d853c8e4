// Which view an address shows. A view is the default export of `views/<name>/index.tsx`, fetched when first needed.
import { Component, type ComponentChildren, type ComponentType, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadSession, admitted, session } from './session';
import { Empty, ErrorNote, PageTitle, Spinner } from './components';
import { t } from './i18n';
import { Link, go, route } from './router';
import { Shell } from './components/Shell';
import { clearIncidents, startIncidents } from './views/incidents/store';

type View = { default: ComponentType };
const views = import.meta.glob<View>('./views/*/index.tsx');

const PATHS = new Set(['/incidents', '/incident', '/department', '/catalogue', '/health', '/afteraction', '/signin']);

export function App(): JSX.Element {
  const [error, setError] = useState<unknown>(null);
  const load = (): void => {
    setError(null);
    loadSession().catch(setError);
  };
  useEffect(load, []);
  useEffect(() => {
    if (admitted.value) startIncidents();
    else clearIncidents();
  }, [admitted.value]);
  const { path } = route.value;
  useEffect(() => {
    if (path === '/') go('/incidents', route.value.query, { replace: true });
  }, [path]);

  if (error) return <main class="alone"><ErrorNote error={error} retry={load} /></main>;
  if (session.value === null) return <main class="alone"><Spinner /></main>;
  const name = !admitted.value ? 'signin' : PATHS.has(path) ? path.slice(1) : null;
  return (
    <Shell>
      <Guarded key={name}>{path === '/' ? <Spinner /> : name ? <Loaded key={name} name={name} /> : <NotFound />}</Guarded>
    </Shell>
  );
}

function Loaded({ name }: { name: string }): JSX.Element {
  const [found, setFound] = useState<{ View: ComponentType } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    const view = views[`./views/${name}/index.tsx`];
    if (!view) return setError(t('app.notfound'));
    view().then((module) => setFound({ View: module.default }), setError);
    return undefined;
  }, [name]);
  if (error) return <ErrorNote error={error} retry={() => location.reload()} />;
  return found ? <found.View /> : <Spinner />;
}

function NotFound(): JSX.Element {
  return (
    <>
      <PageTitle text={t('app.notfound')} />
      <Empty>
        <Link to="/incidents">{t('app.notfound.back')}</Link>
      </Empty>
    </>
  );
}

/** Keeps a fault of one view from taking the shell with it. */
class Guarded extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: null };

  override componentDidCatch(error: unknown): void {
    this.setState({ error });
  }

  override render(): ComponentChildren {
    if (!this.state.error) return this.props.children;
    return <ErrorNote error={this.state.error} retry={() => this.setState({ error: null })} />;
  }
}
