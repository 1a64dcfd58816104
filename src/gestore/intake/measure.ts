import { stat, statfs } from 'node:fs/promises';
import type { Store } from '../../storage/index.js';

/** Room on a disk. */
export interface Room {
  readonly folder: string;
  readonly octets: number;
  /** Files that can still be made; infinite where the file system has no such bound. */
  readonly files: number;
}

/** What the intake is governed by. */
export interface Measures {
  /** Of the disks that mail is kept on, the one with the least room. @throws the system's error */
  room(): Promise<Room>;
  /** Rows of the outbound queue that wait, up to `limit`. @throws StoreUnavailable */
  queued(limit: number): Promise<number>;
  /** A commit that changes nothing reaches the disk. @throws StoreUnavailable */
  prove(): Promise<void>;
  /** Writes the store was asked for and has not answered. */
  readonly writes: { readonly waiting: number; readonly limit: number };
}

/** @param folders that exist; those on one disk count once */
export function measuresOf(store: Store, folders: readonly string[]): Measures {
  return {
    room: () => leastRoom(folders),
    queued: (limit) => store.read('countWaiting', { limit }),
    prove: () => store.write('proveWriting', {}),
    get writes() {
      return store.load;
    },
  };
}

async function leastRoom(folders: readonly string[]): Promise<Room> {
  const disks = new Map<number, string>();
  for (const folder of folders) disks.set((await stat(folder)).dev, folder);
  const rooms = await Promise.all([...disks.values()].map(roomIn));
  return rooms.reduce((least, room) => (room.octets < least.octets || room.files < FEW_FILES ? room : least));
}

/** Fewer are as bad as no room. */
export const FEW_FILES = 1000;

async function roomIn(folder: string): Promise<Room> {
  const { bavail, bsize, files, ffree } = await statfs(folder);
  // Some file systems make inodes as they need them, and say 0.
  return { folder, octets: bavail * bsize, files: files > 0 ? ffree : Number.POSITIVE_INFINITY };
}
