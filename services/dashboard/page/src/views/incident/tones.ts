// How grave the kinds of the timeline's lines are.
import type { Tone } from '../../components';

const BAD = new Set(['escalated', 'declined', 'order_void', 'guard_failed', 'fact_failed', 'malformed', 'regions_failed',
  'deadline_failed', 'level_failed', 'nobody_responsible', 'triggers_stopped', 'unmatched']);
const GOOD = new Set(['completed', 'closed']);
const INFO = new Set(['opened', 'level', 'task_requested', 'task_requested_again', 'command_taken', 'merged', 'split', 'ordered']);

/** The tone of a kind of line. */
export function toneOf(kind: string): Tone {
  if (kind.endsWith('_late')) return 'warn';
  return BAD.has(kind) ? 'bad' : GOOD.has(kind) ? 'good' : INFO.has(kind) ? 'info' : 'plain';
}
