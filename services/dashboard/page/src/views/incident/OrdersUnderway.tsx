// Orders given here and what has come of them.
import type { JSX } from 'preact';
import { acts, forget, type ActState } from '../../acts';
import { Badge, Button, type Tone } from '../../components';
import { lang, t, title } from '../../i18n';
import { isOrder, type OrderAct } from './orders';
import './orders.css';

const TONES: Record<ActState, Tone> = { waiting: 'warn', seen: 'good', void: 'bad' };

/** Those of an instance, or of an act. */
export function OrdersUnderway({ instance, act }: { instance?: string; act?: OrderAct }): JSX.Element {
  const shown = acts.value.filter(
    (one) => isOrder(one.act) && (instance === undefined || one.instance === instance) && (act === undefined || one.act === act),
  );
  return (
    <div role="status" class="orders-underway">
      {shown.map((one) => (
        <div key={one.event} class="order">
          <Badge tone={TONES[one.state]}>{t(`order.state.${one.state}`)}</Badge>
          <span>
            {t(`order.${one.act}`)} <span class="faint">{instance ? '' : one.instance}</span>
          </span>
          {one.lines.length > 0 && <span>{one.lines.map((kind) => t(`kind.${kind}`)).join(lang.value === 'zh' ? '、' : ', ')}</span>}
          <code>{one.where}</code>
          {one.remarks.map((remark, index) => (
            <span key={index} class="faint">
              {typeof remark === 'string' ? remark : title(remark)}
            </span>
          ))}
          <Button kind="quiet" aria-label={t('order.dismiss.of', { act: t(`order.${one.act}`) })} onClick={() => forget(one.event)}>
            {t('order.dismiss')}
          </Button>
        </div>
      ))}
    </div>
  );
}
