import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import { crossCheck, type Parts } from './checks.js';
import { ConfigError, type Problem } from './error.js';
import { type Parsed, sections } from './schema.js';
import { overlay, parseText, type Written } from './source.js';
import { nearestKey } from './tree.js';
import type { Duration } from './units.js';

type Frozen<T> = T extends readonly (infer U)[]
  ? readonly Frozen<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** Folders that follow from where the file lies. All absolute. */
export interface ConfigPaths {
  /** The configuration file. */
  readonly file: string;
  /** What relative paths count from: the `--dir` of `init`. */
  readonly root: string;
  readonly data: string;
  /** Where messages arrive; on the same disk as the blobs they become. */
  readonly spool: string;
  readonly registro: string;
  readonly directory: string;
}

/** The configuration of one gestore, checked and frozen. Names are those of the file; sizes are octets. */
export interface Config extends Frozen<Omit<Parsed, 'provider' | 'limits' | 'web'>> {
  readonly provider: Frozen<Parsed['provider']> & { readonly service_mailbox: string };
  readonly limits: Frozen<Parsed['limits']> & { readonly hard_size: number };
  readonly web: Frozen<Parsed['web']>;
  readonly paths: ConfigPaths;
}

/** What relative paths of a configuration file count from. */
export function rootOf(file: string): string {
  const folder = dirname(resolve(file));
  return basename(folder) === 'config' ? dirname(folder) : folder;
}

/**
 * Reads, checks and freezes a configuration; CERALACCA__A__B variables of `env` win over the file.
 * Throws ConfigError listing every problem, also when the file can not be read.
 */
export function loadConfig(file: string, env: NodeJS.ProcessEnv): Config {
  return checkConfig(readConfigFile(file), file, env);
}

/** The text of the file. Throws ConfigError. */
export function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason =
      code === 'ENOENT' ? 'there is no such file; "ceralacca init" makes one' : `can not be read (${code})`;
    throw new ConfigError(file, [{ path: '', text: reason }]);
  }
}

/** As loadConfig, for a text that would be written to `file`. */
export function checkConfig(text: string, file: string, env: NodeJS.ProcessEnv): Config {
  const root = rootOf(file);
  const { written, problems } = overlay(parseText(text, file), env);
  const { parts, faults } = parseSections(written, (path) => resolve(root, path));
  const all = [...problems, ...faults, ...crossCheck(parts)];
  if (all.length > 0 || !isWhole(parts)) throw new ConfigError(file, all);
  return freeze(complete(parts, resolve(file), root));
}

/** Each section on its own, so that a fault in one does not hide those of the others. */
function parseSections(written: Written, resolvePath: (path: string) => string) {
  const schemas = sections(resolvePath);
  const faults: Problem[] = Object.keys(written)
    .filter((name) => !Object.hasOwn(schemas, name))
    .map((name) => unknownKey([name]));
  const parts: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    // An empty section (`relay:` with everything commented out) is one that says nothing.
    const value = written[name] ?? (name === 'timestamp' ? null : undefined);
    const result = schema.safeParse(value, { error: plainWords });
    if (result.success) parts[name] = result.data;
    else faults.push(...result.error.issues.flatMap((issue) => problemsOf(issue, name, value)));
  }
  return { parts: parts as Parts, faults };
}

const isWhole = (parts: Parts): parts is Parsed =>
  Object.keys(sections((path) => path)).every((name) => name in parts);

function unknownKey(path: readonly string[]): Problem {
  const nearest = nearestKey(path.filter((segment) => !/^\d+$/.test(segment)));
  return { path: path.join('.'), text: `unknown key; the nearest known one is ${nearest}` };
}

function problemsOf(issue: z.core.$ZodIssue, section: string, value: unknown): Problem[] {
  const path = [section, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey([...path, name]));
  const written = issue.path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    value,
  );
  // Whatever a missing key should have looked like, that it is missing is what there is to say.
  const text = written === undefined && issue.code !== 'custom' ? 'is missing' : issue.message;
  return [{ path: path.join('.'), text }];
}

const nouns: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'keys and values',
  record: 'keys and values',
  array: 'a list',
};

function plainWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `must be ${nouns[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  // The message of the key's own check reads better than "invalid key in record".
  if (issue.code === 'invalid_key') return issue.issues?.[0]?.message;
  return undefined;
}

/** Retries of a gestore under test come at least this often. */
const testingMaxRetry: Duration = { ms: 3000, text: '3s' };

const atMost = (wanted: Duration, longest: Duration): Duration =>
  wanted.ms <= longest.ms ? wanted : longest;

function complete(parsed: Parsed, file: string, root: string): Config {
  const { provider, limits, relay, storage, listen, hostname, web } = parsed;
  const data = join(root, 'data');
  const blobs = storage.blobs;
  return {
    ...parsed,
    provider: {
      ...provider,
      service_mailbox: provider.service_mailbox ?? `ricevute@${provider.mail_domain}`,
    },
    limits: { ...limits, hard_size: limits.hard_size ?? Math.ceil((limits.message_size * 4) / 3) },
    relay: parsed.testing
      ? {
          ...relay,
          first_retry: atMost(relay.first_retry, testingMaxRetry),
          max_retry: atMost(relay.max_retry, testingMaxRetry),
        }
      : relay,
    web: {
      ...web,
      public_url: web.public_url?.replace(/(?<!\/)\/+$/, '') ?? publicUrl(hostname, listen.https),
    },
    paths: {
      file,
      root,
      data,
      spool: blobs.kind === 'file' ? join(dirname(blobs.folder), 'spool') : join(data, 'spool'),
      registro: join(data, 'registro'),
      directory: join(data, 'directory'),
    },
  };
}

function publicUrl(hostname: string, port: number | false): string | null {
  if (port === false) return null;
  return port === 443 ? `https://${hostname}` : `https://${hostname}:${port}`;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
