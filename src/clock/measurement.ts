import { type Agreement, agreementOf } from './agreement.js';
import type { TimeSource } from './sample.js';

/** What came of asking all sources once. */
export type Measurement =
  | {
      readonly kind: 'measured';
      readonly agreement: Agreement;
      /** Sources that gave no answer, and why. */
      readonly failures: readonly string[];
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** Asks everybody at once. Never rejects. */
export async function measure(sources: readonly TimeSource[]): Promise<Measurement> {
  const results = await Promise.allSettled(sources.map((source) => source.measure()));
  const failures: string[] = [];
  const samples = results.flatMap((result, index) => {
    const source = sources[index]?.name ?? '';
    if (result.status === 'fulfilled') return [{ source, sample: result.value }];
    const { reason } = result as { readonly reason: unknown };
    failures.push(`${source}: ${reason instanceof Error ? reason.message : String(reason)}`);
    return [];
  });
  const agreement = agreementOf(samples);
  if (agreement !== undefined) return { kind: 'measured', agreement, failures };
  if (samples.length > 0) {
    failures.push(`no majority of ${samples.map(({ source }) => source).join(', ')} agrees`);
  }
  return { kind: 'failed', reason: failures.join('; ') };
}
