import type { DaySeal, Store } from '../../storage/index.js';

/** The seal of a day as a whole, else the last one of a part of it; undefined when there is none. */
export async function sealOf(store: Pick<Store, 'read'>, day: string): Promise<DaySeal | undefined> {
  const whole = await store.read('findSeal', { day, part: 0 });
  if (whole !== undefined) return whole;
  const parts = await store.read('pageSeals', { after: { day, part: 0 }, limit: 100_000 });
  return parts.filter((seal) => seal.day === day).at(-1);
}
