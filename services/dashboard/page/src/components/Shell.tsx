// What is around every view: which world this is, where one can go, whether the page is live.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { choose, lang, moment, t } from '../i18n';
import { connected, now, standing } from '../live';
import { Link, go, route } from '../router';
import { admitted, may, session, signOut } from '../session';
import { theme, type Theme } from '../theme';
import { Announcements } from './announce';
import { Button } from './Button';
import { KeyboardHelp } from './KeyboardHelp';
import { useKeys } from './keys';
import { Banner } from './Notes';

export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  const [help, setHelp] = useState(false);
  useKeys({
    '?': () => setHelp(true),
    i: () => go('/incidents'),
  });
  const skip = (event: Event): void => {
    event.preventDefault();
    document.getElementById('content')?.focus();
  };
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={skip}>
        {t('app.skip')}
      </a>
      <WorldBanner />
      <header class="top">
        <div class="brand">
          <svg class="shape logo" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2 3h12v2H2zM2 7h7v2H2zM2 11h10v2H2z" />
          </svg>
          <span>{t('app.title')}</span>
          <World />
        </div>
        {admitted.value && <Navigation />}
        <div class="top-end">
          {admitted.value && <Connection />}
          <Button kind="quiet" lang={lang.value === 'zh' ? 'en' : 'zh-CN'} aria-label={t('app.language.label')} onClick={() => choose(lang.value === 'zh' ? 'en' : 'zh')}>
            {t('app.language')}
          </Button>
          <label class="theme">
            <span class="heard-only">{t('app.theme')}</span>
            <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
              {(['auto', 'light', 'dark'] as Theme[]).map((one) => (
                <option key={one} value={one}>
                  {t(`app.theme.${one}`)}
                </option>
              ))}
            </select>
          </label>
          <Button kind="quiet" aria-label={t('app.keys')} title={t('app.keys')} aria-keyshortcuts="?" onClick={() => setHelp(true)}>
            ?
          </Button>
          <Person />
        </div>
      </header>
      {admitted.value && standing.value !== 'following' && <Banner kind="warn">{t(`live.${standing.value}`)}</Banner>}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Announcements />
      <KeyboardHelp open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function WorldBanner(): JSX.Element | null {
  const world = session.value?.world;
  if (!world || world.mode === 'actual') return null;
  return <Banner kind="exercise">{t(`app.banner.${world.mode}`, { namespace: world.namespace })}</Banner>;
}

function World(): JSX.Element | null {
  const world = session.value?.world;
  if (!world) return null;
  return (
    <span class={`world ${world.mode}`}>
      {t(`app.world.${world.mode}`)}
      {world.namespace && <code>{world.namespace}</code>}
    </span>
  );
}

function Navigation(): JSX.Element {
  const own = session.value?.person?.departments;
  const { path } = route.value;
  const places: [string, string, Record<string, string>?][] = [
    ['/incidents', 'nav.incidents'],
    ['/department', 'nav.department', own?.[0] ? { id: own[0] } : {}],
    ['/catalogue', 'nav.catalogue'],
    ...(may('operator') ? ([['/health', 'nav.health']] as [string, string][]) : []),
    ['/afteraction', 'nav.afteraction'],
  ];
  return (
    <nav class="places" aria-label={t('app.menu')}>
      {places.map(([to, key, query]) => {
        const here = path === to || (to === '/incidents' && path === '/incident');
        return (
          <Link key={to} to={to} query={query} class={here ? 'here' : undefined} aria-current={here ? (path === to ? 'page' : 'true') : undefined}>
            {t(key)}
          </Link>
        );
      })}
    </nav>
  );
}

function Connection(): JSX.Element {
  const key = connected.value ? 'live.on' : 'live.off';
  const exercise = (session.value?.world.namespace ?? '') !== '';
  return (
    <>
      <span class="clock">{t(exercise ? 'app.time.exercise' : 'app.time', { at: moment(now.value) })}</span>
      <span class={`connection ${connected.value ? 'on' : 'off'}`} role="status" title={t(`${key}.hint`)}>
        <svg class="shape" viewBox="0 0 16 16" aria-hidden="true">
          {connected.value ? <circle cx="8" cy="8" r="5" /> : <path d="M3 4.4L4.4 3 13 11.6 11.6 13zM11.6 3L13 4.4 4.4 13 3 11.6z" />}
        </svg>
        {t(key)}
      </span>
    </>
  );
}

function Person(): JSX.Element | null {
  const person = session.value?.person;
  if (!person) return null;
  const roles = person.roles.map((role) => t(`role.${role}`)).join(lang.value === 'zh' ? '、' : ', ');
  return (
    <>
      <span class="person" title={t('app.person', { name: person.name, roles })}>
        {person.name}
      </span>
      {session.value?.required && (
        <Button kind="quiet" onClick={() => void signOut()}>
          {t('app.signout')}
        </Button>
      )}
    </>
  );
}
