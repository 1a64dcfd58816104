import { initial } from './0001-initial.js';
import { queueScopes } from './0002-queue-scopes.js';
import { clock } from './0003-clock.js';
import { mailboxAccess } from './0004-mailbox-access.js';
import { scram } from './0005-scram.js';
import { hiddenCapabilities } from './0006-hidden-capabilities.js';
import { quarantine } from './0007-quarantine.js';
import { mailboxRules } from './0008-mailbox-rules.js';
import { seal } from './0009-seal.js';
import { presence } from './0010-presence.js';
import type { Migration } from './migration.js';

export type { Migration } from './migration.js';

/** In order of version. Released ones never change. */
export const migrations: readonly Migration[] = [
  initial,
  queueScopes,
  clock,
  mailboxAccess,
  scram,
  hiddenCapabilities,
  quarantine,
  mailboxRules,
  seal,
  presence,
];
