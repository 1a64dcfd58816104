import { STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { Telemetry } from '../telemetry/index.js';
import { type KeyPair, serverTls } from '../tls/index.js';
import { type HealthOptions, healthRoutes } from './health.js';
import { type PublishedOptions, publishedRoutes } from './published.js';

export interface WebServerOptions extends HealthOptions, PublishedOptions {
  readonly tls: KeyPair;
  readonly telemetry: Telemetry;
}

export interface WebServer {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the connections to come. */
  reload(tls: KeyPair): void;
  close(): Promise<void>;
}

/** Octets of a request body: nothing here takes one. */
const BODY_LIMIT = 64 * 1024;
const TIMEOUT_MS = 30_000;

/** On every answer. */
const SECURITY = {
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
} as const;

/** The HTTPS port. Nothing is bound before `listen`. */
export async function createWebServer(options: WebServerOptions): Promise<WebServer> {
  const app = fastify({
    https: serverTls(options.tls),
    bodyLimit: BODY_LIMIT,
    requestTimeout: TIMEOUT_MS,
    connectionTimeout: TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // A path that is no path comes before every hook and handler.
    frameworkErrors: (error, _request, reply) => {
      const code = statusOf(error);
      reply.raw.writeHead(code, { ...SECURITY, 'content-type': 'application/json; charset=utf-8' });
      reply.raw.end(JSON.stringify({ error: STATUS_CODES[code] }));
    },
  });
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
    close: () => app.close(),
  };
}

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
