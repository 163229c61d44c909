/** How many calls the property tests make up, and which. */
import { limit, times } from '../limits.js'

const numRuns = Number(process.env.FUZZ_RUNS ?? times(150))
export const timeout = limit(Math.max(30_000, numRuns * 1000))
/** The same calls each time, so that a change is judged by what it changed; FUZZ_SEED explores others. */
const seed = Number(process.env.FUZZ_SEED ?? 20261123)
/** Shrinking ends before the time of the test does, so that the failure is told. */
export const runs = { seed, numRuns, interruptAfterTimeLimit: timeout * 0.8, markInterruptAsFailure: true }
