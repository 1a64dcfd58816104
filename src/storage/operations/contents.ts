/**
 * Contents and the blobs they point at. References are rows: a content lives while a message, a queue row, an
 * outgoing message, a receipt or the quarantine names it, a blob while a content or an unexpired link does.
 *
 * Crash points: a blob's file is put after its link row is committed and before the content that needs it is; a crash
 * between leaves a link that expires. A file goes only after the commit that removed its row; a crash between leaves a
 * file that no row names, which costs room and nothing else.
 */
import { sql } from 'kysely';
import { StoreConflict } from '../errors.js';
import type { BlobHash, PackedRope, StoredBlob, StoredContent } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { forgetSummary } from './summaries.js';

// --- writing ---------------------------------------------------------------------------------------------------

const insertContent = statement<{ size: number; layout: string; text: Uint8Array }, { id: number }>((db, p) =>
  db
    .insertInto('content')
    .values({ size: p('size'), layout: p('layout'), text: p('text') })
    .returning('id'),
);

const insertSmallBlob = statement<{ hash: string; size: number; bytes: Uint8Array }>((db, p) =>
  db
    .insertInto('blob')
    .values({ hash: p('hash'), size: p('size'), bytes: p('bytes') })
    .onConflict((conflict) => conflict.doNothing()),
);

/** Nothing is inserted when the blob is absent, or shorter than the content believes. */
const linkContentBlob = statement<{ contentId: number; hash: string; reach: number }>((db, p) =>
  db
    .insertInto('content_blob')
    .columns(['content_id', 'hash'])
    .expression(
      db
        .selectFrom('blob')
        .select([sql<number>`${p('contentId')}`.as('content_id'), 'hash'])
        .where('hash', '=', p('hash'))
        .where('size', '>=', p('reach')),
    ),
);

/**
 * Stores a packed rope.
 * @returns the new content's id.
 * @throws StoreConflict 'blob' when a blob it points at is not stored: its link ran out before the commit.
 */
export async function storeContent(tx: Transaction, packed: PackedRope): Promise<number> {
  for (const { hash, bytes } of packed.smallBlobs) {
    await tx.run(insertSmallBlob, { hash, size: bytes.length, bytes });
  }
  const row = await tx.first(insertContent, {
    size: packed.size,
    layout: JSON.stringify(packed.layout),
    text: packed.text,
  });
  if (row === undefined) throw new StoreConflict('content', 'the content was not stored');
  for (const [hash, reach] of reaches(packed)) {
    const { changes } = await tx.run(linkContentBlob, { contentId: row.id, hash, reach });
    if (changes === 0) throw new StoreConflict('blob', `blob ${hash} is not stored`, { hash });
  }
  return row.id;
}

/** How far into each blob a content reads. */
function reaches({ layout }: PackedRope): Map<BlobHash, number> {
  const found = new Map<BlobHash, number>();
  for (const piece of layout) {
    if ('text' in piece) continue;
    found.set(piece.blob, Math.max(found.get(piece.blob) ?? 0, piece.offset + piece.length));
  }
  return found;
}

const insertRelease = statement<{ contentId: number }>((db, p) =>
  db
    .insertInto('content_release')
    .values({ content_id: p('contentId') })
    .onConflict((conflict) => conflict.doNothing()),
);

/** Says that a reference to this content is gone: the sweeper will see whether it was the last one. */
export async function releaseContent(tx: Transaction, contentId: number): Promise<void> {
  await tx.run(insertRelease, { contentId });
}

const upsertLink = statement<{ hash: string; expiresAt: number }>((db, p) =>
  db
    .insertInto('blob_link')
    .values({ hash: p('hash'), expires_at: p('expiresAt') })
    .onConflict((conflict) =>
      conflict
        .column('hash')
        .doUpdateSet({ expires_at: p('expiresAt') })
        .where('blob_link.expires_at', '<', p('expiresAt')),
    ),
);

const insertLargeBlob = statement<{ hash: string; size: number }>((db, p) =>
  db
    .insertInto('blob')
    .values({ hash: p('hash'), size: p('size'), bytes: null })
    .onConflict((conflict) => conflict.doNothing()),
);

/**
 * Announces a large blob before its file is put, and keeps it until `expiresAt` though no content names it. Several
 * callers may put the same blob: the latest expiry counts.
 */
export const linkBlob: Operation<{ hash: BlobHash; size: number; expiresAt: number }, void> = async (
  tx,
  { hash, size, expiresAt },
) => {
  await tx.run(insertLargeBlob, { hash, size });
  await tx.run(upsertLink, { hash, expiresAt });
};

// --- sweeping --------------------------------------------------------------------------------------------------

const selectReleased = statement<{ limit: number }, { contentId: number; inUse: number }>((db, p) =>
  db
    .selectFrom('content_release as released')
    .select((e) => [
      'released.content_id as contentId',
      e
        .case()
        .when(
          e.or([
            e.exists(e.selectFrom('message').select('id').whereRef('content_id', '=', 'released.content_id')),
            e.exists(e.selectFrom('queue').select('id').whereRef('content_id', '=', 'released.content_id')),
            e.exists(
              e
                .selectFrom('outgoing')
                .select('identificativo')
                .whereRef('content_id', '=', 'released.content_id'),
            ),
            e.exists(e.selectFrom('receipt').select('id').whereRef('content_id', '=', 'released.content_id')),
            e.exists(
              e.selectFrom('quarantine').select('id').whereRef('content_id', '=', 'released.content_id'),
            ),
          ]),
        )
        .then(1)
        .else(0)
        .end()
        .as('inUse'),
    ])
    .limit(p('limit')),
);

const blobsOfContent = statement<{ contentId: number }, { hash: string }>((db, p) =>
  db.selectFrom('content_blob').select('hash').where('content_id', '=', p('contentId')),
);
const deleteRelease = statement<{ contentId: number }>((db, p) =>
  db.deleteFrom('content_release').where('content_id', '=', p('contentId')),
);
const deleteContentBlobs = statement<{ contentId: number }>((db, p) =>
  db.deleteFrom('content_blob').where('content_id', '=', p('contentId')),
);
const deleteContent = statement<{ contentId: number }>((db, p) =>
  db.deleteFrom('content').where('id', '=', p('contentId')),
);

const expiredLinks = statement<{ now: number; limit: number }, { hash: string }>((db, p) =>
  db.selectFrom('blob_link').select('hash').where('expires_at', '<=', p('now')).limit(p('limit')),
);
const deleteLink = statement<{ hash: string }>((db, p) =>
  db.deleteFrom('blob_link').where('hash', '=', p('hash')),
);
const deleteUnusedBlob = statement<{ hash: string }, { hash: string; large: number }>((db, p) =>
  db
    .deleteFrom('blob')
    .where('hash', '=', p('hash'))
    .where((e) => e.not(e.exists(e.selectFrom('content_blob').select('hash').where('hash', '=', p('hash')))))
    .where((e) => e.not(e.exists(e.selectFrom('blob_link').select('hash').where('hash', '=', p('hash')))))
    .returning((e) => ['hash', e.case().when('bytes', 'is', null).then(1).else(0).end().as('large')]),
);

/**
 * Drops contents that nothing names any more, links that ran out, and then the blobs that nothing names: at most
 * `limit` contents and `limit` links a call.
 * @returns the large blobs whose rows are gone, whose files may follow; `more` when another call has work.
 */
export const sweep: Operation<
  { now: number; limit: number },
  { contents: number; removed: BlobHash[]; more: boolean }
> = async (tx, { now, limit }) => {
  const candidates = new Set<BlobHash>();
  const released = await tx.all(selectReleased, { limit });
  let contents = 0;
  for (const { contentId, inUse } of released) {
    await tx.run(deleteRelease, { contentId });
    if (inUse === 1) continue;
    for (const { hash } of await tx.all(blobsOfContent, { contentId })) candidates.add(hash);
    await tx.run(deleteContentBlobs, { contentId });
    await forgetSummary(tx, contentId);
    await tx.run(deleteContent, { contentId });
    contents += 1;
  }
  const expired = await tx.all(expiredLinks, { now, limit });
  for (const { hash } of expired) {
    await tx.run(deleteLink, { hash });
    candidates.add(hash);
  }
  const removed: BlobHash[] = [];
  for (const hash of candidates) {
    const gone = await tx.first(deleteUnusedBlob, { hash });
    if (gone?.large === 1) removed.push(hash);
  }
  return { contents, removed, more: released.length === limit || expired.length === limit };
};

// --- reading ---------------------------------------------------------------------------------------------------

const selectContent = statement<
  { id: number },
  { id: number; size: number; text: Uint8Array; layout: string }
>((db, p) => db.selectFrom('content').select(['id', 'size', 'text', 'layout']).where('id', '=', p('id')));

const selectContentSize = statement<{ id: number }, { size: number }>((db, p) =>
  db.selectFrom('content').select('size').where('id', '=', p('id')),
);

const selectBlob = statement<{ hash: string }, StoredBlob>((db, p) =>
  db.selectFrom('blob').select(['hash', 'size', 'bytes']).where('hash', '=', p('hash')),
);

export const content: ReadOperation<{ id: number }, StoredContent | undefined> = async (tx, { id }) => {
  const row = await tx.first(selectContent, { id });
  return row === undefined ? undefined : { ...row, layout: JSON.parse(row.layout) };
};

export const blob: ReadOperation<{ hash: BlobHash }, StoredBlob | undefined> = (tx, { hash }) =>
  tx.first(selectBlob, { hash });

/** Octets of a stored content. @throws StoreConflict 'content' when there is none. */
export async function contentSize(tx: ReadTransaction, id: number): Promise<number> {
  const row = await tx.first(selectContentSize, { id });
  if (row === undefined) throw new StoreConflict('content', `no content ${id}`, { id });
  return row.size;
}
