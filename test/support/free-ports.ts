import { createServer, type Server } from 'node:net';

/**
 * Below the range the system takes outgoing ports from, so that none of ours is taken between two lives; odd hundreds, so
 * that none is one of the demo's.
 */
const LOWEST = 10_500;
const HIGHEST = 31_000;
const STEP = 1000;
/** Of the standard ports, which `init --ports BASE` adds to its base. */
const OFFSETS = [465, 587, 25, 995, 993, 443];

/** A base for `init --ports`. */
export interface ReservedPorts {
  readonly base: number;
  release(): Promise<void>;
}

/** A base whose ports are free. The base itself stays taken until its release: that keeps other tests away. */
export async function reservePorts(): Promise<ReservedPorts> {
  for (;;) {
    const base = LOWEST + STEP * Math.floor((Math.random() * (HIGHEST - LOWEST)) / STEP);
    const guard = await listenOn(base);
    if (guard === undefined) continue;
    const probes = await Promise.all(OFFSETS.map((offset) => listenOn(base + offset)));
    await Promise.all(probes.map((probe) => probe && closed(probe)));
    if (probes.every((probe) => probe !== undefined)) return { base, release: () => closed(guard) };
    await closed(guard);
  }
}

function listenOn(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server));
  });
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });

/** A port the system had free a moment ago, for a program that must be told one. */
export async function freePort(): Promise<number> {
  const probe = await listenOn(0);
  const address = probe?.address();
  if (probe === undefined || typeof address !== 'object' || address === null)
    throw new Error('no port is free');
  await closed(probe);
  return address.port;
}
