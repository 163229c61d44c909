/** Leaves out what differences.ts lists, wherever the suite runs: no part of it may be for nothing. */
import { afterAll, beforeEach, type RunnerTestSuite } from 'vitest'
import { native } from '../../../lib/native/load.js'
import { isPosix, reasonsFor } from './differences.js'

if (isPosix && native().processTable === undefined) {
  throw new Error('SIGSHIELD_PREBUILD names an addon of the clone path')
}

/** By the file. */
const unused = new Map<string, string[]>()

function* namesIn({ tasks }: RunnerTestSuite): Generator<string> {
  for (const task of tasks) {
    if (task.type === 'suite') yield* namesIn(task)
    else yield task.fullTestName as string
  }
}

beforeEach(({ task, skip }) => {
  const { file } = task
  const reasons = Object.entries(reasonsFor(file.filepath))
  if (!unused.has(file.filepath)) {
    // Those too that are skipped by themselves.
    const names = [...namesIn(file)]
    const parts = reasons.map(([part]) => part)
    unused.set(
      file.filepath,
      parts.filter((part) => !names.some((name) => name.includes(part))),
    )
  }
  for (const [part, reason] of reasons) {
    if (task.fullTestName.includes(part)) skip(reason)
  }
})

// One that was renamed would be run, or skipped for nothing.
afterAll(() => {
  for (const [file, parts] of unused) {
    if (parts.length > 0) throw new Error(`No test of ${file} has in its name: ${parts.join(', ')}`)
  }
})
