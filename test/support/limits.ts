/**
 * How long anything may take, and how often it is done. Only what fails takes as long as its limit, so a limit is generous:
 * it grows where the machine is slow or busy. `npm run soak` does more of what is worth more.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'

/** How many times longer this machine may take than a quiet one: judged by the starting of programs, and by its load. */
export function slowness(): number {
  const STARTS = 20
  const QUIET_MS = 2
  const start = performance.now()
  for (let i = 0; i < STARTS; i += 1) spawnSync('true')
  const measured = (performance.now() - start) / STARTS / QUIET_MS
  const load = (loadavg()[0] ?? 0) / availableParallelism()
  return Math.max(2, 2 * measured, 2 * load)
}

const soak = Number(process.env.TEST_SOAK ?? 1)

/** vitest.config.ts sets the factor once, for all files. */
export const limit = (ms: number): number => Math.round(ms * Number(process.env.TEST_TIMEOUT_FACTOR ?? 1) * soak)

export const times = (count: number): number => count * soak
