// The places of an incident as the server tells them, and what they are called.
import { lang, t, title } from '../../../i18n';
import type { Titles } from '../../../types';
import type { Geometry } from './projection';

export interface Place {
  type: 'Feature';
  geometry: Geometry;
  properties: {
    kind: string;
    label: Titles;
    /** GB/T 2260 code. */
    code?: string;
    /** Of a region: whether the place is its own, or that of one that contains it. */
    exact?: boolean;
    /** Of a region: `incident`, `target`, `task`. */
    of?: string[];
    steps?: Titles[];
    at?: number;
    /** `topic[partition]@offset`. */
    record?: string;
    /** Of an alert: red to blue. */
    colour?: string | null;
    severity?: string | null;
    /** Of an alert: `in_force`, `superseded`, `cancelled`. */
    state?: string;
    type?: string;
    department?: string | null;
  };
}

export interface Places {
  type: 'FeatureCollection';
  features: Place[];
}

/** Whether it is what other places lie among. */
export function isGround({ properties: { kind } }: Place): boolean {
  return kind === 'ground';
}

/** What a place is, in words. */
export function kindOf({ properties: { kind, of } }: Place): string {
  const named = kind === 'region' && of?.length ? of.map((one) => t(`map.of.${one}`)).join(lang.value === 'zh' ? '、' : ', ') : '';
  const text = t(`map.kind.${kind}`);
  return named ? `${text} (${named})` : text.startsWith('map.kind.') ? kind : text;
}

/** Its name. */
export function nameOf({ properties: { label, code, kind } }: Place): string {
  return title(label) || code || kind;
}

/** Whether what is drawn is no longer in force. */
export function isOver({ properties: { state } }: Place): boolean {
  return state === 'superseded' || state === 'cancelled';
}
