import type { Dialect } from '../statement.js';

/** One step forward of the schema; there is no step back. */
export interface Migration {
  /** Grows by one; the store keeps the last one applied. */
  readonly version: number;
  readonly name: string;
  /** Run in order, in one transaction. */
  statements(dialect: Dialect): readonly string[];
}
