/** Everybody who uses the two gestori, at once. */
import { collect } from './collectors.js';
import { organise } from './organisers.js';
import { send } from './senders.js';
import { organisers, people, readers, type World } from './world.js';

export interface Traffic {
  /** Lets each finish what he is at. */
  stop(): Promise<void>;
}

/** Whoever gives up is a fault of the world when the traffic ends, not before. @param others more actors, each until `stopped` */
export function startTraffic(
  world: World,
  others: readonly ((stopped: () => boolean) => Promise<void>)[] = [],
): Traffic {
  let over = false;
  const stopped = (): boolean => over;
  const actors = Promise.allSettled([
    ...people.map((person) => send(world, person, stopped)),
    ...readers.map((person) => collect(world, person, stopped)),
    ...organisers.map((person) => organise(world, person, stopped)),
    ...others.map((act) => act(stopped)),
  ]);
  return {
    stop: async () => {
      over = true;
      for (const outcome of await actors) {
        if (outcome.status === 'rejected') world.faults.push(`a client gave up: ${textOf(outcome.reason)}`);
      }
    },
  };
}

export const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
