import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { openStore } from '../../src/storage/index.js';
import { accountsContract } from './contract/operations-accounts.js';
import { copiesContract } from './contract/operations-copies.js';
import { flagsContract } from './contract/operations-flags.js';
import { foldersContract } from './contract/operations-folders.js';
import { mailContract } from './contract/operations-mail.js';
import { quarantineContract } from './contract/operations-quarantine.js';
import { queueContract } from './contract/operations-queue.js';
import { registerContract } from './contract/operations-register.js';
import { summariesContract } from './contract/operations-summaries.js';
import { transportContract } from './contract/operations-transport.js';
import type { OpenStore } from './contract/records.js';

const sqlite: OpenStore = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-operations-'));
  const store = await openStore({
    database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  return {
    store,
    folder,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

describe('operations on sqlite', () => {
  accountsContract(sqlite);
  mailContract(sqlite);
  foldersContract(sqlite);
  flagsContract(sqlite);
  copiesContract(sqlite);
  summariesContract(sqlite);
  transportContract(sqlite);
  quarantineContract(sqlite);
  queueContract(sqlite);
  registerContract(sqlite);
});
