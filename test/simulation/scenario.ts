/** What can happen in a simulation, as data that fast-check makes up and takes apart again. */
import fc from 'fast-check';
import type { Strike } from './engine.js';

/** What becomes of one SMTP transaction on its way. */
export type Fate =
  | 'passes'
  /** Nothing is said. */
  | 'no connection'
  /** The connection breaks before the peer has the message. */
  | 'lost before'
  /** The peer took it, and its reply gets lost. */
  | 'lost after'
  /** The peer gets it twice at once. */
  | 'doubled'
  /** It is long under way, so that others overtake it. */
  | 'slow'
  /** The peer takes it at once and its reply is long under way. */
  | 'slow reply'
  /** 4xx, 5xx to the message; to its first recipient. */
  | 'deferred'
  | 'refused'
  | 'first deferred'
  | 'first refused';

export interface Recipient {
  /** House, modulo how many there are. */
  readonly house: number;
  /** Which of its people; past them, of the outside. */
  readonly who: number;
}

export type Step =
  | {
      readonly do: 'submit';
      readonly house: number;
      readonly user: number;
      readonly to: readonly Recipient[];
      /** How many of them stand in Cc, of the last. */
      readonly copies: number;
      readonly fault: 'none' | 'bcc';
      readonly receipt: 'completa' | 'breve' | 'sintetica';
    }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'trouble'; readonly from: number; readonly to: number; readonly fates: readonly Fate[] }
  | { readonly do: 'cut'; readonly from: number; readonly to: number; readonly minutes: number }
  /** At a commit to come, `after` commits from now; at once where there is no strike. */
  | {
      readonly do: 'crash';
      readonly house: number;
      readonly strike: 'now' | 'dies before' | 'dies after';
      readonly after: number;
      readonly minutes: number;
    }
  | {
      readonly do: 'disk';
      readonly house: number;
      readonly strike: 'full' | 'unknown';
      readonly after: number;
      readonly writes: number;
    }
  /** The network brings again what it brought once. */
  | { readonly do: 'again'; readonly pick: number }
  | {
      readonly do: 'operator';
      readonly house: number;
      readonly user: number;
      readonly change: 'suspend' | 'resume' | 'fill' | 'empty';
    }
  | { readonly do: 'sweep'; readonly house: number };

export interface Scenario {
  /** Of identificativi and of the relay's spread. */
  readonly seed: number;
  readonly houses: number;
  readonly steps: readonly Step[];
}

/** Strikes of the disk that are waiting. */
export interface Planned {
  readonly strike: Exclude<Strike, 'none'>;
  /** Of being down, after a crash. */
  readonly minutes: number;
  after: number;
  writes: number;
}

const house = fc.nat({ max: 3 });
/** 4 is the outside. */
const end = fc.nat({ max: 4 });
const fates = fc.constantFrom<Fate>(
  'passes',
  'no connection',
  'lost before',
  'lost after',
  'lost after',
  'doubled',
  'slow',
  'slow reply',
  'deferred',
  'refused',
  'first deferred',
  'first refused',
);
const recipient = fc.record({ house, who: fc.nat({ max: 7 }) });
const minutes = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 5, 40) },
  { weight: 2, arbitrary: fc.constantFrom(11 * 60, 12 * 60, 13 * 60, 23 * 60, 25 * 60) },
  { weight: 1, arbitrary: fc.nat({ max: 3000 }) },
);

const submit = fc.record({
  do: fc.constant('submit' as const),
  house,
  user: fc.nat({ max: 1 }),
  to: fc.uniqueArray(recipient, {
    minLength: 1,
    maxLength: 4,
    selector: (each) => `${each.house} ${each.who}`,
  }),
  copies: fc.nat({ max: 2 }),
  fault: fc.constantFrom('none' as const, 'none' as const, 'none' as const, 'none' as const, 'bcc' as const),
  receipt: fc.constantFrom('completa' as const, 'breve' as const, 'sintetica' as const),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: submit },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('trouble' as const),
      from: house,
      to: end,
      fates: fc.array(fates, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), from: house, to: end, minutes }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      house,
      strike: fc.constantFrom('now' as const, 'dies before' as const, 'dies after' as const),
      after: fc.nat({ max: 12 }),
      minutes,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('disk' as const),
      house,
      strike: fc.constantFrom('full' as const, 'unknown' as const),
      after: fc.nat({ max: 8 }),
      writes: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const), pick: fc.nat({ max: 50 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('operator' as const),
      house,
      user: fc.nat({ max: 1 }),
      change: fc.constantFrom('suspend' as const, 'resume' as const, 'fill' as const, 'empty' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const), house }) },
);

/** @param steps at most, and @param houses at most: from 2 to 4 */
export const scenarios = (steps: number, houses: number): fc.Arbitrary<Scenario> =>
  fc.record({
    seed: fc.nat(),
    houses: fc.integer({ min: 2, max: houses }),
    steps: fc.array(step, { minLength: 1, maxLength: steps }),
  });
