import type { Config } from '../config/index.js';

/** What to say when nobody measures the clock (decisions 30): no error, for a first start without a network must work. */
export function unwatchedClock({ clock, testing }: Config): string | undefined {
  if (testing || clock.ntp.length > 0 || clock.chrony) return undefined;
  return (
    'the system clock is measured against nothing, and the law allows one second (DM 2/11/2005 art. 9): ' +
    'set clock.ntp or clock.chrony'
  );
}
