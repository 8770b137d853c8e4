// Which keys there are.
import type { JSX } from 'preact';
import { t } from '../i18n';
import { Dialog } from './Dialog';

const KEYS: [string[], string][] = [
  [['j', '↓'], 'keys.next'],
  [['k', '↑'], 'keys.previous'],
  [['Enter'], 'keys.open'],
  [['/'], 'keys.search'],
  [['i'], 'keys.list'],
  [['←', '→'], 'keys.tabs'],
  [['←', '→', '↑', '↓', '+', '−'], 'keys.map'],
  [['Esc'], 'keys.close'],
  [['?'], 'keys.help'],
];

export function KeyboardHelp({ open, onClose }: { open: boolean; onClose: () => void }): JSX.Element {
  return (
    <Dialog open={open} title={t('keys.title')} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
