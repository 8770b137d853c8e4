// Axes of a chart of time: what the ticks are and where a value stands. Pure.

export interface Scale {
  readonly least: number;
  readonly most: number;
  readonly ticks: readonly number[];
}

/** From zero to a round number at or above `most`, in at most five even steps. */
export function values(most: number): Scale {
  if (!(most > 0)) {
    return { least: 0, most: 1, ticks: [0, 1] };
  }
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return { least: 0, most: count * step, ticks: Array.from({ length: count + 1 }, (_, index) => index * step) };
}

const MINUTE = 60_000;
const ZONE = 8 * 60 * MINUTE;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE);

/** From `least` to `most`, with ticks at round times of Beijing's clock. */
export function times(least: number, most: number, ticksMax: number): Scale {
  const length = Math.max(most - least, 1);
  const step = STEPS.find((one) => length / one <= ticksMax) ?? Math.ceil(length / ticksMax / 86_400_000) * 86_400_000;
  const ticks: number[] = [];
  for (let tick = Math.ceil((least + ZONE) / step) * step - ZONE; tick <= most; tick += step) {
    ticks.push(tick);
  }
  return { least, most: Math.max(most, least + 1), ticks };
}

/** Where on a line from `from` to `to` a value stands. */
export function place(scale: Scale, value: number, from: number, to: number): number {
  return from + ((value - scale.least) / (scale.most - scale.least)) * (to - from);
}

/** The index of the time that is nearest, in ascending times; -1 where there is none. */
export function nearest(ascending: readonly number[], time: number): number {
  let found = -1;
  let distance = Infinity;
  ascending.forEach((one, index) => {
    if (Math.abs(one - time) < distance) {
      distance = Math.abs(one - time);
      found = index;
    }
  });
  return found;
}

/** A number for people: at most three significant digits below a thousand, whole above. */
export function brief(value: number, locale: string): string {
  const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(locale, digits).format(value);
}

/** Beijing's clock, to the minute. */
export function clock(ms: number): string {
  return new Date(ms + ZONE).toISOString().slice(11, 16);
}
