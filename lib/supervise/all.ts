/** Ends that are waited for together. */

/** @throws what one of them has rejected with, or an AggregateError of more, when all are over. */
export async function allOf(ends: readonly Promise<unknown>[]): Promise<void> {
  const failures = (await Promise.allSettled(ends)).flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  if (failures.length > 1) throw new AggregateError(failures, 'Some children could not be ended')
  if (failures.length > 0) throw failures[0]
}
