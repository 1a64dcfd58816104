import { request } from 'node:https';
import type { TestGestore } from './gestore.js';

/** Code and body of an answer of the HTTPS port. */
export function webAnswer(gestore: TestGestore, path: string): Promise<{ code: number; body: string }> {
  const { ca, port } = gestore.server(443);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ca, agent: false }, (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => {
        body += piece.toString();
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** All figures of /metrics, each by its name with its labels: `ceralacca_alarms_total{name="crl-unavailable"}`. */
export async function metricsOf(gestore: TestGestore): Promise<ReadonlyMap<string, number>> {
  const { body } = await webAnswer(gestore, '/metrics');
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(/ (\S+)$/.exec(line)?.[1])]));
}

/** The sum of a metric over its labels; 0 when it is not there. */
export function sumOf(metrics: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of metrics) if (key === name || key.startsWith(`${name}{`)) sum += value;
  return sum;
}
