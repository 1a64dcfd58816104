import { existsSync } from 'node:fs';
import type { QuarantineKeys } from '../../antivirus/index.js';
import type { Config } from '../../config/index.js';
import type { Store } from '../../storage/index.js';
import { namedFew } from './diagnoses.js';
import { type Finding, failed, ok } from './finding.js';

const PAGE = 200;
const NAMED = 5;

/** The file of keys, or undefined where there is neither file nor anything under a key. @throws QuarantineKeyError */
async function keysOf({ quarantine }: Config, store: Store): Promise<QuarantineKeys | undefined> {
  if (!existsSync(quarantine.key) && (await store.read('quarantineKeys', {})).length === 0) return undefined;
  const { QuarantineKeys } = await import('../../antivirus/index.js');
  return QuarantineKeys.read(quarantine.key);
}

/** Whether there is a key for everything that lies in quarantine. */
export async function checkQuarantineKeys(config: Config, store: Store): Promise<Finding[]> {
  const keys = await keysOf(config, store);
  if (keys === undefined) return [ok('quarantine', 'empty; its key is made at the first start')];
  const used = await store.read('quarantineKeys', {});
  const lost = used.filter(({ keyId }) => keys.find(keyId) === undefined);
  if (lost.length === 0) {
    const messages = used.reduce((sum, one) => sum + one.messages, 0);
    return [ok('quarantine', `${messages} messages, a key for each`)];
  }
  const names = lost.map(({ keyId, messages }) => `${keyId} (${messages} messages)`);
  return [
    failed(
      'quarantine',
      `keys are missing: ${names.join(', ')}. To mend: add their lines from a copy of ${config.quarantine.key}`,
    ),
  ];
}

/** Opens everything in quarantine and compares it with its entry. */
export async function checkQuarantine(config: Config, store: Store): Promise<Finding[]> {
  const keys = await keysOf(config, store);
  if (keys === undefined) return [];
  const { Quarantine } = await import('../../antivirus/index.js');
  const quarantine = new Quarantine({ store, keys, spool: config.paths.spool });
  const broken: string[] = [];
  let count = 0;
  for (let after: { at: number; id: string } | undefined; ; ) {
    const page = await store.read('listQuarantine', { after, limit: PAGE });
    for (const row of page) {
      count += 1;
      try {
        for await (const _ of quarantine.message(row));
      } catch (error) {
        // What was purged meanwhile has no fault.
        if ((await store.read('findQuarantined', { id: row.id })) === undefined) continue;
        broken.push(error instanceof Error ? error.message : String(error));
      }
    }
    after = page.at(-1);
    if (after === undefined) break;
  }
  if (broken.length === 0) return [ok('quarantine', `${count} messages open, each the one of its entry`)];
  const names = namedFew(broken.length, broken.slice(0, NAMED));
  return [failed('quarantine', `they do not open: ${names}. To mend: the key or the blob from a backup`)];
}
