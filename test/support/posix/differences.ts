/**
 * Where the path of a Mac, run on Linux, differs from what the tests say of Linux: each with its reason. `npm run test:posix`
 * skips these, and all others must pass.
 */
import { afterAll, beforeEach } from 'vitest'
import { native } from '../../../lib/native/load.js'

const PARENT_DEATH = 'parentDeathSignal is refused: no kernel but that of Linux has it'

const SIGNALS = 'ignore(), hold(), wait() and waitSync() of sigshield/signals are refused'
const NO_EXEC = 'sigshield exec is refused: the exec helper stands between a start and its program'

const NO_POLICY = 'no policy of a Mac takes wait4 from a process, and only that tells of the resources'

/** By the end of the file's path: parts of the full names of tests; '' is in all. */
const differences: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'callers.test.ts': { 'so does sigshield exec': NO_EXEC },
  'chaos.alone.test.ts': { 'killed at a random moment': PARENT_DEATH },
  'closing.test.ts': { 'the death of its parent': PARENT_DEATH },
  'exits-refused.test.ts': { 'refused: wait4=EPERM': NO_POLICY },
  'own-mask.test.ts': { 'waitSync and wait': SIGNALS, 'while it waits': SIGNALS, 'a process that waits': SIGNALS },
  'own-scopes.test.ts': { '': SIGNALS },
  'own-storm.test.ts': { '': SIGNALS },
  'own-wait.test.ts': { '': SIGNALS },
  'process-state.test.ts': { 'tells of this process': SIGNALS },
  'refusals.test.ts': { 'an id that can not be taken': 'the step is setuid: there is no setresuid' },
  'resource-usage.alone.test.ts': {
    "more than its parent's peak":
      "a Mac's kernel tells a child's own memory, Linux's does not, and nothing is told here",
  },
  'reused-number.test.ts': {
    refused: 'a start is told in ticks of 10 ms, in which a stranger can get the number; a Mac tells microseconds',
  },
  'signal-actions.test.ts': { '': SIGNALS },
  'signals-page.test.ts': { '': SIGNALS },
  'native/storm.test.ts': { 'parents that are killed': PARENT_DEATH, 'a parent that exits amid starts': PARENT_DEATH },
  'start/sync.test.ts': { 'run programs too, with parentDeathSignal': PARENT_DEATH },
  'supervisor/supervisor.test.ts': { 'without it the parent dies at once': PARENT_DEATH },
}

if (native().processTable === undefined) throw new Error('SIGSHIELD_PREBUILD names an addon of the clone path')

const unused = new Map<string, Set<string>>()

beforeEach(({ task, skip }) => {
  const file = task.file.filepath
  const [, given] = Object.entries(differences).find(([name]) => file.endsWith(`/${name}`)) ?? []
  const reasons = Object.entries(given ?? {})
  if (!unused.has(file)) unused.set(file, new Set(reasons.map(([part]) => part)))
  for (const [part, reason] of reasons) {
    if (!task.fullTestName.includes(part)) continue
    unused.get(file)?.delete(part)
    skip(reason)
  }
})

// One that was renamed would be run, or skipped for nothing.
afterAll(() => {
  for (const [file, parts] of unused) {
    if (parts.size > 0) throw new Error(`No test of ${file} has in its name: ${[...parts].join(', ')}`)
  }
})
