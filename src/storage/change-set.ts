import type { Rope } from '../rope/index.js';
import type { NewQuarantined } from './quarantined.js';
import type {
  Changes,
  ContentRef,
  Deposit,
  KeptReceipt,
  NewQueueRow,
  PackedRope,
  RegisterEvent,
} from './records.js';

/** Gathers what one commit will write. It only collects: nothing is durable before the Store's operation. */
export class ChangeSet {
  private readonly contents: PackedRope[] = [];
  private readonly events: RegisterEvent[] = [];
  private readonly deposits: Deposit[] = [];
  private readonly receipts: KeptReceipt[] = [];
  private readonly queue: NewQueueRow[] = [];
  private readonly infected: NewQuarantined[] = [];

  constructor(private readonly pack: (rope: Rope) => Promise<PackedRope>) {}

  /** Adds a content once; several records may point at the returned reference. */
  async content(rope: Rope): Promise<ContentRef> {
    const packed = await this.pack(rope);
    this.contents.push(packed);
    return { new: this.contents.length - 1 };
  }

  event(event: RegisterEvent): void {
    this.events.push(event);
  }

  deposit(deposit: Deposit): void {
    this.deposits.push(deposit);
  }

  /** @returns the receipt's index, as `NewReception` wants it. */
  receipt(receipt: KeptReceipt): number {
    this.receipts.push(receipt);
    return this.receipts.length - 1;
  }

  enqueue(row: NewQueueRow): void {
    this.queue.push(row);
  }

  quarantine(entry: NewQuarantined): void {
    this.infected.push(entry);
  }

  get isEmpty(): boolean {
    return [this.events, this.deposits, this.receipts, this.queue, this.infected].every(
      (list) => list.length === 0,
    );
  }

  changes(): Changes {
    return {
      contents: this.contents,
      events: this.events,
      deposits: this.deposits,
      receipts: this.receipts,
      queue: this.queue,
      quarantine: this.infected,
    };
  }
}
