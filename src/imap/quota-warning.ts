import type { Usage } from '../mailstore/index.js';

/** Percentages of the quota; a session is warned of each once. */
const LEVELS = [80, 90, 95] as const;

/** What one session was told of its mailbox filling up. */
export class QuotaWarning {
  #told = 0;

  /** An untagged response (without `* `) that every mail program shows (RFC 9051 7.1, ALERT); undefined: nothing new. */
  next({ percent }: Pick<Usage, 'percent'>): string | undefined {
    const level = LEVELS.filter((each) => percent >= each).at(-1) ?? 0;
    if (level <= this.#told) return undefined;
    this.#told = level;
    return `OK [ALERT] La casella ha occupato il ${percent} per cento dello spazio / The mailbox uses ${percent} percent of its space`;
  }
}
