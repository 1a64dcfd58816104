import assert from 'node:assert/strict';
import { type Dns, RouteError, route } from '../../../src/relay/routing.js';
import { toleratedLater } from '../expect.js';
import type { Target } from '../target.js';

const HOSTNAME = 'mail.alfa.example';
const ROUTES = { 'pec.beta.example': { host: 'mx.beta.example', port: 25 } };

/** The first line is the domain, the others what the DNS says: `10 mx.example`, `@ 192.0.2.1`, `! ESERVFAIL`. */
function dnsOf(lines: readonly string[]): Dns {
  const error = (kind: string): void => {
    const said = lines.find((line) => line.startsWith(kind));
    if (said !== undefined) throw Object.assign(new Error('DNS'), { code: said.slice(2) });
  };
  return {
    async mx() {
      error('! ');
      const records = lines.flatMap((line) => [...(/^(\d{1,5}) (.*)$/.exec(line)?.slice(1) ?? [])]);
      const pairs = records.flatMap((text, at) => (at % 2 === 0 ? [[text, records[at + 1] ?? '']] : []));
      return pairs.map(([priority = '', exchange = '']) => ({ priority: Number(priority), exchange }));
    },
    async addresses(name) {
      error('? ');
      const found = lines.filter((line) => line.startsWith('@ ')).map((line) => line.slice(2));
      if (found.length === 0) throw Object.assign(new Error(name), { code: 'ENODATA' });
      return found;
    },
  };
}

export const target: Target = {
  corpus: ['routing'],
  covers: ['src/relay/routing'],
  words: [
    '\n10 ',
    '\n@ 192.0.2.1',
    '\n! ENODATA',
    '\n! ENOTFOUND',
    '\n? ENOTFOUND',
    '\n0 .',
    HOSTNAME,
    '[IPv6:::1]',
  ],
  longest: 2048,
  async run(input) {
    const [domain = '', ...lines] = input.toString('latin1').split('\n');
    const options = {
      routes: ROUTES,
      smartHost: null,
      hostname: HOSTNAME,
      dns: dnsOf(lines),
      random: () => 0.5,
    };
    const hops = await toleratedLater(() => route(options, domain, input.length % 2 === 0), RouteError);
    if (hops === undefined) return;
    assert.ok(hops.length > 0, 'neither a hop nor an error');
    const names = hops.map(({ name }) => name.toLowerCase());
    // RFC 5321 5.1: what stands behind ourselves would come back.
    if (domain.toLowerCase() !== HOSTNAME) assert.ok(!names.includes(HOSTNAME), 'mail for ourselves');
  },
};
