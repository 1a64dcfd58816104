import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Call, UsageError } from '../command.js';

export type KeyBits = 2048 | 3072 | 4096;

export interface InitOptions {
  /** Absolute. */
  readonly dir: string;
  readonly name: string;
  readonly domain: string;
  readonly mailDomain: string;
  readonly host: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly address: string;
  readonly clamd: string | undefined;
  readonly keyBits: KeyBits;
}

const standardPorts = {
  submission: 465,
  submission_starttls: 587,
  mx: 25,
  pop3s: 995,
  imaps: 993,
  https: 443,
};

/** Reads what the command line says. Throws UsageError. */
export function initOptions(call: Call): InitOptions {
  const domain = domainName(call, 'domain') ?? '';
  return {
    dir: resolve(call.option('dir') ?? '.'),
    name: text(call.option('name') ?? '', '--name'),
    domain,
    mailDomain: domainName(call, 'mail-domain') ?? domain,
    host: domainName(call, 'host') ?? `mail.${domain}`,
    ports: ports(call.option('ports') ?? 'standard'),
    address: address(call.option('address') ?? '127.0.0.1'),
    clamd: call.option('clamd'),
    keyBits: keyBits(call.option('key-bits') ?? '2048'),
  };
}

function text(value: string, option: string): string {
  if (value.trim() === '') throw new UsageError(`${option} must not be empty`);
  return value.trim();
}

function domainName(call: Call, option: string): string | undefined {
  const value = call.option(option)?.trim().toLowerCase();
  if (value === undefined) return undefined;
  if (/^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value))
    return value;
  throw new UsageError(`--${option} ${value}: not a domain name such as pec.alfa.example`);
}

function ports(value: string): Readonly<Record<string, number>> {
  if (value === 'standard') return standardPorts;
  const base = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  const highest = Math.max(...Object.values(standardPorts));
  if (!(base > 0 && base + highest <= 65535)) {
    throw new UsageError(
      `--ports ${value}: "standard", or a base from 1 to ${65535 - highest} such as 10000`,
    );
  }
  return Object.fromEntries(Object.entries(standardPorts).map(([name, port]) => [name, base + port]));
}

function address(value: string): string {
  if (value === 'localhost' || isIP(value) !== 0) return value;
  throw new UsageError(`--address ${value}: not an IP address`);
}

function keyBits(value: string): KeyBits {
  const known = ([2048, 3072, 4096] as const).find((bits) => String(bits) === value);
  if (known === undefined) throw new UsageError(`--key-bits ${value}: 2048, 3072 or 4096`);
  return known;
}
