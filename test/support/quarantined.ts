import type { QuarantinedRow } from '../../src/storage/index.js';
import type { Point } from './points.js';

/** What lies in a gestore's quarantine, the oldest first; about one message only, if asked. */
export async function quarantined({ store }: Point, identificativo?: string): Promise<QuarantinedRow[]> {
  const rows = await store.read('listQuarantine', { limit: 1000 });
  return rows.filter((row) => identificativo === undefined || row.identificativo === identificativo);
}

/** An infected message as it came. */
export async function inTheClear({ quarantine }: Point, row: QuarantinedRow): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of quarantine.message(row)) pieces.push(piece);
  return Buffer.concat(pieces);
}
