import { UsageError } from '../command.js';

/** The number of a holder. Throws UsageError. */
export function holderId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`"${text}" is not the id of a holder`);
  return Number(text);
}
