// What commanders order. Orders are followed as all acts are, see `acts.ts`.
import { post } from '../../api';
import type { Published } from '../../types';

export const ORDERS = ['level', 'extend', 'reassign', 'merge', 'split', 'close', 'open'] as const;
export type OrderAct = (typeof ORDERS)[number];

/** Names are those of `command.DirectiveIssued`. */
export interface OrderBody {
  act: OrderAct;
  basis: string;
  reason: string;
  instance?: string;
  workflow?: string;
  key?: string;
  region?: string;
  level?: string;
  task?: string;
  department?: string;
  acknowledge_by?: number;
  complete_by?: number;
  into?: string;
}

/** Publish an order. Throws `ApiError`. */
export function order(body: OrderBody): Promise<Published> {
  return post<Published>('/api/order', body);
}

export function isOrder(act: string): act is OrderAct {
  return (ORDERS as readonly string[]).includes(act);
}
