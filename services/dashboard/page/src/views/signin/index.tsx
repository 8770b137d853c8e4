// Signing in: with name and password, or at the identity service. Shown in place of any page until somebody is in.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, post } from '../../api';
import { Button, Empty, errorText, Field, PageTitle } from '../../components';
import { t } from '../../i18n';
import { go, route } from '../../router';
import { admitted, loadSession, session } from '../../session';
import { back } from './back';
import './signin.css';

export default function SignIn(): JSX.Element {
  const { path } = route.value;
  const then = back(path, location.search);
  const ways = session.value?.ways ?? [];
  if (admitted.value) return <Admitted then={then} />;
  return (
    <div class="signin">
      <PageTitle text={t('signin.title')} />
      {ways.length === 0 && <Empty>{t('signin.none')}</Empty>}
      {ways.includes('password') && <Password then={then} />}
      {ways.length > 1 && <p class="signin-or">{t('signin.or')}</p>}
      {ways.includes('oidc') && (
        <a class={`button signin-oidc${ways.includes('password') ? '' : ' primary'}`} href={`/api/session/oidc?next=${encodeURIComponent(then)}`}>
          {t('signin.oidc')}
        </a>
      )}
      {then !== '/incidents' && then !== '/' && (
        <p class="faint">
          {t('signin.to')} <code>{then}</code>
        </p>
      )}
      <p class="faint">{t('signin.note')}</p>
    </div>
  );
}

function Password({ then }: { then: string }): JSX.Element {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [visible, setVisible] = useState(false);
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const form = useRef<HTMLFormElement>(null);
  const note = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (error) note.current?.focus();
  }, [error]);

  const submit = async (): Promise<void> => {
    setAsked(true);
    setError(null);
    if (!name.trim() || !password) {
      window.setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    setBusy(true);
    try {
      await enter(name.trim(), password);
      await loadSession();
      go(...parted(then), { replace: true });
    } catch (failed) {
      setPassword('');
      setAsked(false);
      setError(failed);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void submit();
      }}
    >
      {error !== null && (
        <p class="error-note" role="alert" tabIndex={-1} ref={note}>
          {errorText(error)}
        </p>
      )}
      <Field label={t('signin.name')} error={asked && !name.trim() ? t('signin.name.missing') : undefined}>
        <input type="text" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} autofocus value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <Field label={t('signin.password')} error={asked && !password ? t('signin.password.missing') : undefined}>
        <input type={visible ? 'text' : 'password'} name="password" autocomplete="current-password" value={password} onInput={(event) => setPassword(event.currentTarget.value)} />
      </Field>
      <label class="signin-show">
        <input type="checkbox" checked={visible} onChange={(event) => setVisible(event.currentTarget.checked)} />
        {t('signin.show')}
      </label>
      <Button kind="primary" type="submit" busy={busy}>
        {t(busy ? 'signin.entering' : 'signin.enter')}
      </Button>
    </form>
  );
}

/** Sign in; a page that stood open for long has an old token, so that is fetched and it is tried once more. */
async function enter(name: string, password: string): Promise<void> {
  try {
    await post('/api/session', { name, password });
  } catch (failed) {
    if (!(failed instanceof ApiError) || failed.status !== 403) throw failed;
    await loadSession();
    await post('/api/session', { name, password });
  }
}

function Admitted({ then }: { then: string }): JSX.Element {
  const { path } = route.value;
  useEffect(() => {
    if (path === '/signin' && session.value?.required) go(...parted(then), { replace: true });
  }, [path, then]);
  return (
    <div class="signin">
      <PageTitle text={t('signin.title')} />
      <p>{t('signin.in', { name: session.value?.person?.name ?? '' })}</p>
      <Button kind="primary" onClick={() => go(...parted(then))}>
        {t('signin.continue')}
      </Button>
    </div>
  );
}

function parted(address: string): [string, URLSearchParams] {
  const [path = '/incidents', search = ''] = address.split('?', 2);
  return [path, new URLSearchParams(search)];
}
