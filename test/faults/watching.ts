/** What a running gestore tells about the state of what stands around it: log, readiness, metrics, alarms. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestGestore } from '../support/gestore.js';
import { metricsOf, webAnswer } from '../support/web-client.js';

/** Milliseconds: generous, since the machine may be busy; reached only when something is broken. */
export const PATIENCE = 120_000;

/** Waits until something holds; what it was is told when it never does. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; !(await holds()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
  }
}

interface LogLine {
  readonly event: string;
  readonly name?: string;
  readonly about?: string;
  readonly reason?: string;
}

/** Every alarm of a name, and every end of one, in order. */
export function alarmsOf({ log }: TestGestore, name: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => ['alarm', 'alarm.cleared'].includes(line.event) && line.name === name);
}

/** `raised` and `cleared`, in order. */
export const courseOf = (gestore: TestGestore, name: string): string[] =>
  alarmsOf(gestore, name).map(({ event }) => (event === 'alarm' ? 'raised' : 'cleared'));

export function untilRaised(gestore: TestGestore, name: string, times = 1): Promise<void> {
  return eventually(`${gestore.name} raises ${name}`, () => {
    return courseOf(gestore, name).filter((what) => what === 'raised').length >= times;
  });
}

export function untilCleared(gestore: TestGestore, name: string, times = 1): Promise<void> {
  return eventually(`${gestore.name} clears ${name}`, () => {
    return courseOf(gestore, name).filter((what) => what === 'cleared').length >= times;
  });
}

interface Readiness {
  readonly code: number;
  readonly checks: Readonly<Record<string, boolean>>;
  readonly alarms: readonly string[];
}

export async function readiness(gestore: TestGestore): Promise<Readiness> {
  const { code, body } = await webAnswer(gestore, '/readyz');
  return { code, ...(JSON.parse(body) as Omit<Readiness, 'code'>) };
}

/** Waits until /readyz answers so; gives what it says of each part. */
export async function untilReady(
  gestore: TestGestore,
  wanted: 200 | 503,
): Promise<Readonly<Record<string, boolean>>> {
  for (const deadline = Date.now() + PATIENCE; ; await sleep(100)) {
    const { code, checks } = await readiness(gestore);
    if (code === wanted) return checks;
    const told = `/readyz stays ${code} ${JSON.stringify(checks)}\n${gestore.log.slice(-3000)}`;
    assert.ok(Date.now() < deadline, told);
  }
}

/** Waits for a line of the log that fits. */
export async function logged(gestore: TestGestore, pattern: RegExp): Promise<string> {
  for (const deadline = Date.now() + PATIENCE; ; await sleep(50)) {
    const line = gestore.log.split('\n').find((one) => pattern.test(one));
    if (line !== undefined) return line;
    assert.ok(Date.now() < deadline, `no line ${pattern}\n${gestore.log.slice(-3000)}`);
  }
}

/** A figure of /metrics; 0 when it is not there. */
export async function metric(gestore: TestGestore, name: string, labels = ''): Promise<number> {
  return (await metricsOf(gestore)).get(`ceralacca_${name}${labels}`) ?? 0;
}

/** The gauge of a standing alarm. */
export const standing = (gestore: TestGestore, name: string): Promise<number> =>
  metric(gestore, 'alarms_standing', `{name="${name}"}`);

/** The alarm is in the log and in the metrics. @returns its line */
export async function alarmed(gestore: TestGestore, name: string): Promise<string> {
  const line = await logged(gestore, new RegExp(`"event":"alarm","name":"${name}"`));
  assert.ok((await metric(gestore, 'alarms_total', `{name="${name}"}`)) >= 1);
  return line;
}
