import type { Config } from '../../config/index.js';
import type { Store } from '../../storage/index.js';
import type { Run } from '../command.js';
import { checkSecrets, checkSigning, checkTls } from './certificates.js';
import { checkClock } from './clock.js';
import { type Finding, finding, ok } from './finding.js';
import { checkAntivirus, checkDisk, checkSchema, checkStored } from './parts.js';
import { checkQuarantineKeys } from './quarantine.js';

const deep = async (config: Config, store: Store): Promise<Finding[]> =>
  (await import('./deep.js')).checkDeep(config, store);

export const run: Run = async (call) => {
  const config = await call.config();
  const found: Finding[] = [ok('configuration', config.paths.file)];
  found.push(...(await finding('secrets', () => checkSecrets(config))));
  found.push(...(await finding('tls', () => checkTls(config))));
  found.push(...(await finding('signing', () => checkSigning(config))));
  found.push(...(await finding('disk', () => checkDisk(config))));
  found.push(...(await finding('antivirus', () => checkAntivirus(config))));
  const schema = await finding('store', () => checkSchema(config));
  found.push(...schema);
  // The store is opened only where that changes nothing in it.
  if (schema.every(({ result }) => result === 'ok')) {
    const { openStore } = await import('../../storage/index.js');
    const stored = async (): Promise<Finding[]> => {
      const store = await openStore(config.storage);
      try {
        return [
          ...(await checkStored(config, store)),
          ...(await finding('quarantine', () => checkQuarantineKeys(config, store))),
          ...(await checkClock(config, store)),
          ...(call.flag('deep') ? await deep(config, store) : []),
        ];
      } finally {
        await store.close();
      }
    };
    found.push(...(await finding('store', stored)));
  }
  call.list(found, [
    ['CHECK', ({ check }) => check],
    ['RESULT', ({ result }) => result],
    ['NOTE', ({ note }) => note],
  ]);
  return found.some(({ result }) => result === 'failed') ? 1 : 0;
};
