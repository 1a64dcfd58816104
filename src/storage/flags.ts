/** The system flags of RFC 3501 2.3.2 in the order of their bits: they are kept as one number, keywords as a list. */
const SYSTEM_FLAGS = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'] as const;

/** A system flag's bit; for SQL that asks for one. */
export const SEEN = 1;
export const DELETED = 8;

/** What a message's flags are made of. */
export interface FlagSet {
  /** One bit a system flag. */
  readonly system: number;
  /** As they were first written, each once; they compare without case (RFC 9051 2.3.2). */
  readonly keywords: readonly string[];
}

const bitOf: ReadonlyMap<string, number> = new Map(
  SYSTEM_FLAGS.map((flag, place) => [flag.toLowerCase(), 1 << place]),
);

/** Reads a list of flags; one with a backslash that is no system flag counts for nothing. */
export function flagSetOf(flags: readonly string[]): FlagSet {
  let system = 0;
  const keywords = new Map<string, string>();
  for (const flag of flags) {
    const key = flag.toLowerCase();
    const bit = bitOf.get(key);
    if (bit !== undefined) system |= bit;
    else if (!key.startsWith('\\') && !keywords.has(key)) keywords.set(key, flag);
  }
  return { system, keywords: [...keywords.values()] };
}

/** The flags as IMAP lists them: system flags first. */
export function flagNames({ system, keywords }: FlagSet): string[] {
  return [...SYSTEM_FLAGS.filter((_, place) => (system & (1 << place)) !== 0), ...keywords];
}

/** How a STORE changes flags (RFC 3501 6.4.6). */
export type FlagChange = 'replace' | 'add' | 'remove';

export function changedFlags(before: FlagSet, how: FlagChange, given: FlagSet): FlagSet {
  if (how === 'replace') return given;
  const named = new Set(given.keywords.map((keyword) => keyword.toLowerCase()));
  const others = before.keywords.filter((keyword) => !named.has(keyword.toLowerCase()));
  if (how === 'remove') return { system: before.system & ~given.system, keywords: others };
  const known = new Set(before.keywords.map((keyword) => keyword.toLowerCase()));
  const fresh = given.keywords.filter((keyword) => !known.has(keyword.toLowerCase()));
  return { system: before.system | given.system, keywords: [...before.keywords, ...fresh] };
}

export const sameFlags = (one: FlagSet, other: FlagSet): boolean =>
  one.system === other.system &&
  one.keywords.length === other.keywords.length &&
  one.keywords.every((keyword, place) => keyword === other.keywords[place]);
