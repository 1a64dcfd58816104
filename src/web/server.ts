import { STATUS_CODES } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { Connections } from '../limits/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { type KeyPair, serverTls } from '../tls/index.js';
import { type HealthOptions, healthRoutes } from './health.js';
import { type PublishedOptions, publishedRoutes } from './published.js';

export interface WebServerOptions extends HealthOptions, PublishedOptions {
  readonly tls: KeyPair;
  readonly telemetry: Telemetry;
  /** Shared by all listeners; if not given there is no limit. */
  readonly connections?: Pick<Connections, 'enter'> | undefined;
  readonly timeouts?: Partial<WebTimeouts> | undefined;
}

/** Milliseconds. */
export interface WebTimeouts {
  /** Of a TLS handshake. */
  readonly handshake: number;
  /** From the first octet of a request to its last, and of silence. */
  readonly request: number;
}

export interface WebServer {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the connections to come. */
  reload(tls: KeyPair): void;
  close(): Promise<void>;
}

/** Octets of a request body: nothing here takes one. */
const BODY_LIMIT = 64 * 1024;
const defaultTimeouts: WebTimeouts = { handshake: 30_000, request: 30_000 };

/** On every answer. */
const SECURITY = {
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

/** The HTTPS port. Nothing is bound before `listen`. */
export async function createWebServer(options: WebServerOptions): Promise<WebServer> {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const app = fastify({
    https: {
      ...serverTls(options.tls),
      headersTimeout: timeouts.request,
      // How often Node looks whether a request takes too long.
      connectionsCheckingInterval: Math.ceil(timeouts.request / 6),
    },
    bodyLimit: BODY_LIMIT,
    requestTimeout: timeouts.request,
    connectionTimeout: timeouts.request,
    forceCloseConnections: 'idle',
    // A path that is no path comes before every hook and handler.
    frameworkErrors: (error, _request, reply) => {
      const code = statusOf(error);
      reply.raw.writeHead(code, { ...SECURITY, 'content-type': 'application/json; charset=utf-8' });
      reply.raw.end(JSON.stringify({ error: STATUS_CODES[code] }));
    },
  });
  const handshakes = guard(app.server, options.connections ?? new Connections(), timeouts.handshake);
  observe(app, options.telemetry);
  refuse(app, options.telemetry);
  await app.register(async (routes) => healthRoutes(routes, options));
  await app.register(async (routes) => publishedRoutes(routes, options));
  return {
    async listen(port, host) {
      await app.listen({ port, host });
      const address = app.server.address();
      if (address === null || typeof address === 'string') throw new Error('the HTTPS listener has no port');
      return address;
    },
    reload: (tls) => app.server.setSecureContext(serverTls(tls)),
    async close() {
      const closed = app.close();
      handshakes.end();
      await closed;
    },
  };
}

/**
 * Counts connections before their handshake, and ends a handshake that does not end, however octets drip in.
 * @returns what ends all handshakes at once: nobody has asked for anything there, and the listener waits for them
 */
function guard(server: Server, connections: Pick<Connections, 'enter'>, handshake: number): { end(): void } {
  const handshakes = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>();
  // Node's own listener takes the socket over: ours must come first.
  server.prependListener('connection', (socket: Socket) => {
    const peer = (socket.remoteAddress ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');
    const entry = connections.enter({ protocol: 'https', peer });
    if (entry.kind !== 'admitted') {
      // There is no way to say so before the handshake, and a handshake is what costs.
      if (entry.kind === 'turned-away') entry.leave();
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    const timer = setTimeout(() => socket.destroy(), handshake);
    handshakes.set(key, { socket, timer });
    socket.once('close', () => {
      clearTimeout(timer);
      if (handshakes.get(key)?.socket === socket) handshakes.delete(key);
      entry.leave();
    });
  });
  server.on('secureConnection', (socket: Socket) => {
    const key = keyOf(socket);
    clearTimeout(handshakes.get(key)?.timer);
    handshakes.delete(key);
  });
  return {
    end: () => {
      for (const { socket } of handshakes.values()) socket.destroy();
    },
  };
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;

/** Nothing of the inside reaches a peer: he is told the code, the log is told the rest. */
function refuse(app: FastifyInstance, telemetry: Telemetry): void {
  app.setErrorHandler(async (error, request, reply) => {
    const code = statusOf(error);
    if (code >= 500) {
      const reason = error instanceof Error ? error.message : String(error);
      telemetry.event('session.failed', { protocol: 'https', peer: request.ip, error: reason });
    }
    return reply.code(code).send({ error: STATUS_CODES[code] ?? 'error' });
  });
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ error: STATUS_CODES[404] }));
}

/** The library's own refusals carry a 4xx; everything else is our fault. */
function statusOf(error: unknown): number {
  const code = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  return code >= 400 && code < 500 ? code : 500;
}

function observe(app: FastifyInstance, telemetry: Telemetry): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers(SECURITY);
  });
  app.addHook('onResponse', async (request, reply) => {
    telemetry.event('http.request', {
      method: request.method,
      route: request.routeOptions.url ?? '*',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      peer: request.ip,
    });
  });
}
