/**
 * Where the path of a Mac differs from what the tests say of Linux: each with its reason. It is skipped by `npm run test:posix` and
 * on a Mac, and all else must pass. What a Mac has not, by whatever path, stands in of-linux.ts.
 */
import { readdirSync } from 'node:fs'
import { hasProc } from '../process-table.mjs'
import { ofLinux } from './of-linux.js'

const PARENT_DEATH = 'parentDeathSignal is refused: no kernel but that of Linux has it'

const UNTOLD = "a Mac's kernel tells neither the mask of another process nor what is pending, and hides no process"
const OF_LIBC = "an action is put back by libc's call, which adds to what Linux's kernel keeps of it"

const TICKS = 'a start is told in ticks of 10 ms, in which a stranger can get the number; a Mac tells microseconds'
const NO_ORPHANS = '--drain is refused: a Mac gives the orphans of a child to launchd alone'
const NO_LOCK = "a Mac tells no object's size, so Node's lock is not taken, and the environment is read by Node"
const NO_DESCRIPTOR = "a Mac's kernel tells of processes without a descriptor, but what stands in for it reads /proc"
const WAITS = 'every start waits for its program'
const NO_POLICY = 'no policy of a Mac takes wait4 from a process, and only that tells of the resources'

/** By the end of a file's path: parts of the full names of its tests, each with the reason. '' is in all: then the file is not loaded. */
export type Differences = Readonly<Record<string, Readonly<Record<string, string>>>>

const ofThePath: Differences = {
  'chaos.alone.test.ts': { 'killed at a random moment': PARENT_DEATH },
  'command/call.test.ts': { '["--parent-death-signal"': PARENT_DEATH },
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
    'an end that it can’t see': NO_DESCRIPTOR,
    'one beyond the': 'nothing notes down which descriptors were inherited where there is no /proc',
  },
  'supervisor/closing.test.ts': { 'the death of its parent': PARENT_DEATH },
  'examples/command-page.test.ts': { 'sleep 1; sigshield ps': UNTOLD },
  'examples/signals-page.test.ts': { 'Other processes': UNTOLD },
  'exits-refused.test.ts': { 'refused: wait4=EPERM': NO_POLICY },
  'own-interplay.test.ts': { 'all actions are back after it, to the byte': OF_LIBC },
  'process-state.test.ts': {
    'tells what a child ignores and blocks': UNTOLD,
    'tells what is pending': UNTOLD,
    'tells of this process': UNTOLD,
    hidepid: UNTOLD,
    'no descriptor to name it by': 'a process is named by its number and its start alone',
  },
  'node/other-runtimes.test.ts': {
    'whoever has read the line':
      'the mark of a request is O_APPEND, which no JavaScript asks for: who has no addon knows the line',
  },
  'protect/foreign.test.ts': {
    'a worker thread needs a guard': `its children outlive their thread: ${PARENT_DEATH}`,
    'a moment without a descriptor': NO_DESCRIPTOR,
  },
  'end/tree.test.ts': { 'no descriptor to look with': NO_DESCRIPTOR, 'there is no descriptor until': NO_DESCRIPTOR },
  'native/tracer.test.ts': { 'a parent that is traced': 'how posix_spawn shares memory is for libc to say' },
  'own-scopes.test.ts': { 'could not be taken': 'it takes signals without sigtimedwait' },
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
  'native/kernel/**': { '': 'what the child half of Linux asks of its kernel' },
  'native/storm.test.ts': { 'parents that are killed': PARENT_DEATH, 'a parent that exits amid starts': PARENT_DEATH },
  'start/many-descriptors.test.ts': { '': 'what is copied of many descriptors is posix_spawn’s to say' },
  'start/under-way.test.ts': { 'what the kernel alone can say': WAITS, 'a child that is not through': WAITS },
  'start/sync.test.ts': { 'run programs too, with parentDeathSignal': PARENT_DEATH },
  'supervisor/supervisor.test.ts': { 'without it the parent dies at once': PARENT_DEATH },
}

/** `npm run test:posix`, and a Mac. */
export const isPosix = process.platform === 'darwin' || process.env.TEST_SYSTEM === 'posix'

const applied: readonly Differences[] = [...(isPosix ? [ofThePath] : []), ...(hasProc ? [] : [ofLinux])]

export const isAnyLeftOut = applied.length > 0

const stands = (name: string, file: string) =>
  name.endsWith('/**') ? file.includes(`/${name.slice(0, -2)}`) : file.endsWith(`/${name}`)

/** The parts for this file of the suite. */
export function reasonsFor(file: string): Readonly<Record<string, string>> {
  const found = applied.flatMap(Object.entries).filter(([name]) => stands(name, file))
  return Object.assign({}, ...found.map(([, reasons]) => reasons))
}

/**
 * Those of which no test is left.
 * @throws Error for what is listed and is no file any more.
 */
export function filesLeftOut(): string[] {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file}`)
  for (const name of applied.flatMap(Object.keys)) {
    if (!files.some((file) => stands(name, file))) throw new Error(`No file of the suite is ${name}`)
  }
  return files.filter((file) => '' in reasonsFor(file))
}
