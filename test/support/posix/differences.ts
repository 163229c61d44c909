/**
 * Where the path of a Mac, run on Linux, differs from what the tests say of Linux: each with its reason. `npm run test:posix`
 * skips these, and all others must pass.
 */
import { afterAll, beforeEach } from 'vitest'
import { native } from '../../../lib/native/load.js'

const PARENT_DEATH = 'parentDeathSignal is refused: no kernel but that of Linux has it'

const UNTOLD = "a Mac's kernel tells neither the mask of another process nor what is pending, and hides no process"
const OF_LIBC = "an action is put back by libc's call, which adds to what Linux's kernel keeps of it"

const TICKS = 'a start is told in ticks of 10 ms, in which a stranger can get the number; a Mac tells microseconds'
const NO_ORPHANS = '--drain is refused: a Mac gives the orphans of a child to launchd alone'
const NO_LOCK = "a Mac tells no object's size, so Node's lock is not taken, and the environment is read by Node"
const NO_POLICY = 'no policy of a Mac takes wait4 from a process, and only that tells of the resources'

/** By the end of the file's path: parts of the full names of tests; '' is in all. */
const differences: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'chaos.alone.test.ts': { 'killed at a random moment': PARENT_DEATH },
  'command/exec.test.ts': { '--parent-death-signal': PARENT_DEATH },
  'command/ps.test.ts': {
    'a blocked one': UNTOLD,
    'whose exit event tells so': "a Mac's kernel opens no descriptor of another process",
    'that may not be read': UNTOLD,
  },
  'command/run.test.ts': {
    'the program does not outlive it': PARENT_DEATH,
    '--drain': NO_ORPHANS,
  },
  'command/shortage.test.ts': {
    'what is adopted': NO_ORPHANS,
    'starts nothing that it can’t do: --drain': NO_ORPHANS,
    'an end that it can’t see':
      "a Mac's kernel tells of processes without a descriptor, but what stands in for it reads /proc",
    'one beyond the': 'nothing notes down which descriptors were inherited where there is no /proc',
  },
  'closing.test.ts': { 'the death of its parent': PARENT_DEATH },
  'exits-refused.test.ts': { 'refused: wait4=EPERM': NO_POLICY },
  'own-interplay.test.ts': { 'all actions are back after it, to the byte': OF_LIBC },
  'process-state.test.ts': {
    'tells what a child ignores and blocks': UNTOLD,
    'tells what is pending': UNTOLD,
    'tells of this process': UNTOLD,
    hidepid: UNTOLD,
    'no descriptor to name it by': 'a process is named by its number and its start alone',
  },
  'protect/foreign.test.ts': { 'a worker thread needs a guard': `its children outlive their thread: ${PARENT_DEATH}` },
  'refusals.test.ts': { 'an id that can not be taken': 'the step is setuid: there is no setresuid' },
  'resource-usage.alone.test.ts': {
    "more than its parent's peak":
      "a Mac's kernel tells a child's own memory, Linux's does not, and nothing is told here",
  },
  'protect/terminal.test.ts': { 'a program that is killed takes': PARENT_DEATH },
  'reused-terminal.test.ts': { 'taken in the meantime': TICKS },
  'reused-number.test.ts': {
    refused: TICKS,
  },
  'shared-environment.test.ts': { 'read natively': NO_LOCK, 'Node has the lock: true': NO_LOCK },
  'signal-actions.test.ts': { 'puts back exactly what was there': OF_LIBC },
  'sync-terminal.test.ts': { 'is ended by the death of this process': PARENT_DEATH },
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
