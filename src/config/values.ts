/** What values of the configuration are made of: a key with its notes, and the kinds of scalar. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDuration, parsePeriod, parseSize, UnitError } from './units.js';

/** What a key says about itself beside its shape. */
interface KeyNotes {
  readonly description: string;
  /** As written in the file; a key without one must be given. */
  readonly default?: unknown;
  /** Shown for a key that must be given, or as a comment beside an empty list or map. */
  readonly example?: unknown;
  /** Taken up on SIGHUP; the others at the next start. */
  readonly reload?: boolean;
}

export function key<S extends z.ZodType>(schema: S, notes: KeyNotes & { default: unknown }): z.ZodPrefault<S>;
export function key<S extends z.ZodType>(schema: S, notes: KeyNotes): S;
export function key(schema: z.ZodType, notes: KeyNotes): z.ZodType {
  const { default: fallback, ...meta } = notes;
  const withDefault = fallback === undefined ? schema : schema.prefault(fallback);
  return withDefault.meta(meta);
}

/** A value that is written as text and means something else. */
export function written<T>(example: string, parse: (text: string) => T) {
  return z
    .union([z.string(), z.number()], { error: `must be written like ${example}` })
    .transform((value, context): T => {
      try {
        return parse(String(value));
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
}

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
export const domainPattern = new RegExp(`^${label}(?:\\.${label})+$`);
const hostPattern = new RegExp(`^${label}(?:\\.${label})*$`);

export const text = z.string().trim().min(1, 'must not be empty');
export const yesOrNo = z.boolean('must be true or false');
export const size = written('30MB', parseSize);
export const duration = written('12h', parseDuration);
export const period = written('30mo', parsePeriod);
export const count = z.int('must be a whole number').min(1, 'must be at least 1');
export const port = z.union([z.literal(false), z.int().min(0).max(65535)], {
  error: 'must be a port number or false',
});
export const domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(domainPattern, 'must be a domain name such as pec.alfa.example');
export const host = z
  .string()
  .trim()
  .toLowerCase()
  .regex(hostPattern, 'must be a host name such as mail.alfa.example');
export const webAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https address' });
export const mailAddress = text.regex(/^[^\s@<>]+@[^\s@<>]+$/, 'must be a mail address');
export const listenAddress = z
  .string()
  .refine((value) => value === 'localhost' || isIP(value) !== 0, 'must be an IP address or localhost');
