// What the server says, as types. Times are milliseconds since the epoch.

export type Titles = { zh: string; en: string };
export type Role = 'viewer' | 'officer' | 'commander' | 'operator';

export interface Person {
  name: string;
  roles: Role[];
  /** Null: all. */
  departments: string[] | null;
}

export interface Session {
  person: Person | null;
  required: boolean;
  ways: ('password' | 'oidc')[];
  csrf: string | null;
  world: { namespace: string; mode: 'actual' | 'exercise' | 'test' };
  departments: Record<string, Titles>;
  version: string;
}

/** One line of the list of incidents. */
export interface Row {
  instance: string;
  workflow: string;
  kind: 'incident' | 'case' | null;
  titles: Titles;
  key: string;
  region: string | null;
  region_titles?: Titles | null;
  /** Response level in force, I to IV; neither the event's grade nor a warning's colour. */
  level: string | null;
  highest_level: string | null;
  grade: string | null;
  colour: string | null;
  status: 'open' | 'closed';
  opened_at: number;
  closed_at: number | null;
  changed_at: number;
  command_department: string | null;
  command_unit: string | null;
  lead: string | null;
  parts: string[];
  departments: string[];
  open: number;
  /** Running clocks of open tasks: overdue when the time is before now. */
  dues: [string, number][];
  paused: number;
}

export interface IncidentList {
  stream: string;
  now: number;
  incidents: Row[];
}

/** A line of the timeline. */
export interface Line {
  kind: string;
  at: number;
  rule: string | null;
  task: string | null;
  department: string | null;
  actor: string | null;
  basis: string | null;
  cause: string;
  detail: Record<string, string>;
  event: string;
  /** `topic[partition]@offset`. */
  record: string;
  why?: Titles | null;
  /** `detail.reason` as people read it. */
  because?: Titles | null;
}

export interface Answer {
  at: number;
  disposition: string;
  department: string;
  actor: string | null;
  event: string;
  type: string | null;
}

export interface Escalation {
  at: number;
  event: string | null;
  missed: string;
  due: number | null;
  to: string;
  basis: string | null;
  withdrawn_at: number | null;
}

/** A task from its first request to its end. */
export interface TaskRecord {
  task: string;
  step: string;
  titles: Titles;
  department: string;
  basis: string | null;
  cause: string;
  requested_at: number;
  acknowledge_by: number;
  complete_by: number;
  unit: string | null;
  role: string | null;
  region: string | null;
  subject: string;
  level: string | null;
  context: Named[];
  completes_with: string[];
  attempt: number;
  request: string | null;
  state: string;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  acknowledged_late: boolean;
  ended_at: number | null;
  ended_by: string | null;
  ended_with: string | null;
  outcome: 'completed' | 'declined' | 'cancelled' | null;
  completed_late: boolean;
  overdue: boolean;
  paused_at: number | null;
  answers: Answer[];
  escalations: Escalation[];
  reassigned: Record<string, unknown>[];
  extended: Record<string, unknown>[];
  retargeted: Record<string, unknown>[];
}

/** An open task as a department sees it. */
export interface OpenTask {
  task: string;
  short: string;
  instance: string;
  instance_titles: Titles;
  step: string;
  titles: Titles;
  department?: string;
  subject: string;
  region: string | null;
  unit: string;
  basis: string;
  state: string;
  attempt: number;
  requested_at: number;
  acknowledge_by: number;
  complete_by: number;
  acknowledged_at: number | null;
  paused_at: number | null;
  due: number;
  context: Named[];
  completes_with: string[];
  level: string | null;
}

export interface LevelChange {
  at: number;
  from_level: string | null;
  to_level: string | null;
  reason: Titles | null;
  rule: string | null;
  basis: string | null;
  actor: string | null;
  cause: string;
}

export interface Resource {
  /** Empty: everything together. */
  resource: string;
  requested: number | null;
  committed: number | null;
  deployed: number | null;
  short: number | null;
  released: number | boolean | null;
  declined: number | null;
  cancelled: number | null;
  open: number | null;
  sources: Record<string, string>;
}

export interface Incident {
  now: number;
  as_of: number;
  row: Row;
  /** What is to be known of `as_of`. */
  note: Titles | null;
  definition: { titles: Titles | null; basis: string | null; version: number | null; pack: string | null } | null;
  opened_at: number | null;
  closed_at: number | null;
  closed_because: Titles | null;
  /** The level in force at `as_of`. */
  level: string | null;
  levels: LevelChange[];
  commands: Record<string, unknown>[];
  merges: Record<string, unknown>[];
  tasks: TaskRecord[];
  timeline: Line[];
  resources: Resource[];
  /** Null where the past does not tell. */
  facts: Record<string, boolean | number | string | null> | null;
  remembered: Remembered[];
  targets: Record<string, string[]> | null;
  /** When something changed, ascending. */
  moments: number[];
  unplaced: Line[];
}

/** Something by its name. */
export interface Named {
  name: string;
  titles: Titles;
  value: string;
}

/** A fact that says something. */
export interface Remembered {
  name: string;
  titles: Titles;
  value: boolean | number | string;
  /** Whether the value is a time. */
  time: boolean;
}

/** An event in the chain of causes and effects. */
export interface LineageNode {
  id: string;
  type: string;
  department: string | null;
  actor: string | null;
  basis: string | null;
  topic: string;
  partition: number;
  offset: number;
  at: number;
  latency_ms: number | null;
  /** Consumer groups and how far they are: `handled`, `waiting` or `failed`; when is not on record. */
  handled: { by: string; state: string; reason?: string; message?: string }[];
  causes: string[];
  effects: LineageNode[];
  is?: boolean;
  /** Its cause is beyond the retention of its topic. */
  cause_gone?: boolean;
  /** Effects that are not in the tree. */
  more?: number;
  /** What it says, personal data masked for all but operators. */
  data?: unknown;
  /** Whether the person may not see what it says. */
  hidden?: boolean;
}

export interface Lineage {
  tree: LineageNode;
  /** Trees of other beginnings that belong to it. */
  others?: LineageNode[];
  /** Whether all of the chain is in the trees. */
  whole?: boolean;
}

/** What the server answers once an act is published; its effect comes by the stream. */
export interface Published {
  state: 'published';
  type: string;
  event_id: string;
  topic: string;
  partition: number;
  offset: number;
  remarks?: (Titles | string)[];
}
