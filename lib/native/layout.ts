/** That both sides mean the same by the numbers of a start. */
import { outdated } from './refused.js'

/** @throws Error `ERR_DLOPEN_FAILED` when they differ: a start would give the child another option's number. */
export function checkLayout(ours: string, theirs: string): void {
  if (ours === theirs) return
  const name = ours.split(' ').find((field, i) => theirs.split(' ')[i] !== field)
  throw outdated(name ?? theirs)
}
