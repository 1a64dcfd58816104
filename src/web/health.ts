import { BlockList, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** One thing this gestore needs to certify mail, and whether it answers. */
export interface Check {
  readonly name: string;
  readonly ok: () => Promise<boolean>;
}

export interface HealthOptions {
  readonly checks: readonly Check[];
  /** The metrics in the text form of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Names of the alarms that stand now. */
  readonly alarms: () => readonly string[];
  /** Addresses and networks (`10.0.0.0/8`) that may read /metrics, and the alarms in /readyz. */
  readonly metricsAllow: readonly string[];
}

/** /healthz: the process answers; /readyz: it can take mail; /metrics, and which alarms stand, for those who may. */
export function healthRoutes(routes: FastifyInstance, options: HealthOptions): void {
  const allowed = allowList(options.metricsAllow);
  routes.get('/healthz', async () => ({ status: 'ok' }));
  const mayKnow = (address: string): boolean => allowed.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  routes.get('/readyz', async (request, reply) => {
    const results = await Promise.all(
      options.checks.map(async ({ name, ok }) => [name, await answers(ok)] as const),
    );
    const ready = results.every(([, ok]) => ok);
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ready' : 'not ready',
      checks: Object.fromEntries(results),
      ...(mayKnow(request.ip) ? { alarms: options.alarms() } : {}),
    });
  });
  routes.get('/metrics', async (request, reply) => {
    if (!mayKnow(request.ip)) {
      return reply.code(403).send({ error: 'not allowed from this address' });
    }
    return reply.type('text/plain; version=0.0.4').send(await options.metrics());
  });
}

/** What cannot even be asked does not work. */
async function answers(ok: Check['ok']): Promise<boolean> {
  try {
    return await ok();
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

function allowList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
