/** Plays many scenarios, and makes one that fails as short as it gets. */
import fc from 'fast-check';
import type { Spoil } from './house.js';
import { type Outcome, play } from './play.js';
import { type Scenario, scenarios } from './scenario.js';
import type { Town } from './town.js';

export interface Exploration {
  /** Where fast-check's choices begin. */
  readonly seed: number;
  /** Scenarios at most. */
  readonly runs: number;
  /** Of a scenario at most, before it is shortened; 30 if not given. */
  readonly steps?: number | undefined;
  /** At most, from 2 to 4; 4 if not given. */
  readonly houses?: number | undefined;
  /** A planted fault; none if not given. */
  readonly spoil?: Spoil | undefined;
  /** Plays at most to make a story shorter; 1500 if not given. */
  readonly shrinks?: number | undefined;
  /** Called after each scenario, until one fails. */
  readonly played?: ((outcome: Outcome) => void) | undefined;
}

export interface Finding {
  /** Which scenario failed, from 1. */
  readonly run: number;
  /** The shortest that fails. */
  readonly scenario: Scenario;
  readonly outcome: Outcome;
}

const STEPS = 30;
const HOUSES = 4;
const SHRINKS = 1500;

/** @returns undefined when no scenario failed */
export async function explore(
  town: Town,
  { seed, runs, steps = STEPS, houses = HOUSES, spoil, shrinks: most = SHRINKS, played }: Exploration,
): Promise<Finding | undefined> {
  let run = 0;
  let shrinks = 0;
  let found: Omit<Finding, 'run'> | undefined;
  await fc.check(
    fc.asyncProperty(scenarios(steps, houses), async (tried) => {
      if (found !== undefined && ++shrinks > most) return true;
      if (found === undefined) run += 1;
      const outcome = await play(town, tried, spoil);
      if (found === undefined) played?.(outcome);
      if (outcome.violations.length === 0) return true;
      found = { scenario: tried, outcome };
      return false;
    }),
    { seed, numRuns: runs },
  );
  return found && { run, ...found };
}

/** For a person. */
export function told({ run, scenario: { seed, houses, steps }, outcome }: Finding): string {
  const { violations, story } = outcome;
  return [
    `scenario ${run}, shortened: ${houses} gestori, ${steps.length} steps (seed ${seed})`,
    ...story.map((line) => `  ${line}`),
    ...violations.map((violation) => `VIOLATED ${violation}`),
  ].join('\n');
}
