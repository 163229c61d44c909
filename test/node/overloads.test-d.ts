/** What tsc knows of a child: the same as with child_process, and more. Compiled only, never run. */
import {
  type ChildProcess,
  type ChildProcessByStdio,
  type ChildProcessWithoutNullStreams,
  execFileSync,
  fork,
  type SpawnOptions,
  type SpawnOptionsWithoutStdio,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
  spawn,
  spawnSync,
} from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import {
  ExitEvent,
  execFileSyncProtected,
  type ForkProtectedOptions,
  forkProtected,
  type ProtectedProcess,
  type ProtectedProcessByStdio,
  type ProtectedProcessWithoutNullStreams,
  type ResourceUsage,
  type SpawnProtectedOptions,
  type StopOptions,
  type StopOutcome,
  type Supervisor,
  spawnProtected,
  spawnSyncProtected,
} from 'sigshield'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2
    ? (<T>() => T extends B ? 1 : 2) extends <T>() => T extends A ? 1 : 2
      ? true
      : false
    : false

type Streams<C extends ChildProcess> = [
  stdin: C['stdin'],
  stdout: C['stdout'],
  stderr: C['stderr'],
  first: C['stdio'][0],
  second: C['stdio'][1],
  third: C['stdio'][2],
  fourth: C['stdio'][3],
]

/** True when ours can stand for Node's child, has what we add, and their streams are of one type. */
declare function same<N extends ChildProcess, P extends N & ProtectedProcess>(
  node: N,
  ours: P,
): Equal<Streams<N>, Streams<P>>

declare const plain: SpawnOptions
declare const withoutStdio: SpawnOptionsWithoutStdio
declare const stream: Writable
declare const eitherKind: 'pipe' | 'ignore'
const args = ['a'] as const

// The first overload: all three streams.
same(spawn('f'), spawnProtected('f')) satisfies true
same(spawn('f', {}), spawnProtected('f', {})) satisfies true
same(spawn('f', undefined), spawnProtected('f', undefined)) satisfies true
same(spawn('f', { cwd: '/', env: {} }), spawnProtected('f', { cwd: '/', env: {} })) satisfies true
same(spawn('f', withoutStdio), spawnProtected('f', withoutStdio)) satisfies true
same(spawn('f', { stdio: undefined }), spawnProtected('f', { stdio: undefined })) satisfies true
same(spawn('f', { stdio: 'pipe' }), spawnProtected('f', { stdio: 'pipe' })) satisfies true
same(spawn('f', { stdio: 'overlapped' }), spawnProtected('f', { stdio: 'overlapped' })) satisfies true
same(spawn('f', { stdio: ['pipe'] }), spawnProtected('f', { stdio: ['pipe'] })) satisfies true
same(spawn('f', args), spawnProtected('f', args)) satisfies true
same(spawn('f', args, {}), spawnProtected('f', args, {})) satisfies true
same(spawn('f', args, undefined), spawnProtected('f', args, undefined)) satisfies true
same(spawn('f', undefined, {}), spawnProtected('f', undefined, {})) satisfies true
same(spawn('f', args, withoutStdio), spawnProtected('f', args, withoutStdio)) satisfies true
same(spawn('f', args, { stdio: 'pipe' }), spawnProtected('f', args, { stdio: 'pipe' })) satisfies true

// The eight tuples, without and with arguments.
same(
  spawn('f', { stdio: ['pipe', null, undefined] }),
  spawnProtected('f', { stdio: ['pipe', null, undefined] }),
) satisfies true
same(
  spawn('f', { stdio: ['pipe', 'pipe', 'ignore'] }),
  spawnProtected('f', { stdio: ['pipe', 'pipe', 'ignore'] }),
) satisfies true
same(
  spawn('f', { stdio: ['pipe', 'inherit', 'pipe'] }),
  spawnProtected('f', { stdio: ['pipe', 'inherit', 'pipe'] }),
) satisfies true
same(
  spawn('f', { stdio: ['ignore', 'pipe', 'pipe'] }),
  spawnProtected('f', { stdio: ['ignore', 'pipe', 'pipe'] }),
) satisfies true
same(
  spawn('f', { stdio: ['pipe', stream, 'ignore'] }),
  spawnProtected('f', { stdio: ['pipe', stream, 'ignore'] }),
) satisfies true
same(
  spawn('f', { stdio: ['inherit', 'pipe', stream] }),
  spawnProtected('f', { stdio: ['inherit', 'pipe', stream] }),
) satisfies true
same(
  spawn('f', { stdio: [stream, 'ignore', 'pipe'] }),
  spawnProtected('f', { stdio: [stream, 'ignore', 'pipe'] }),
) satisfies true
same(
  spawn('f', { stdio: ['ignore', 'inherit', stream] }),
  spawnProtected('f', { stdio: ['ignore', 'inherit', stream] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['pipe', null, undefined] }),
  spawnProtected('f', args, { stdio: ['pipe', null, undefined] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['pipe', 'pipe', 'ignore'] }),
  spawnProtected('f', args, { stdio: ['pipe', 'pipe', 'ignore'] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['pipe', 'inherit', 'pipe'] }),
  spawnProtected('f', args, { stdio: ['pipe', 'inherit', 'pipe'] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['ignore', 'pipe', 'pipe'] }),
  spawnProtected('f', args, { stdio: ['ignore', 'pipe', 'pipe'] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['pipe', stream, 'ignore'] }),
  spawnProtected('f', args, { stdio: ['pipe', stream, 'ignore'] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['inherit', 'pipe', stream] }),
  spawnProtected('f', args, { stdio: ['inherit', 'pipe', stream] }),
) satisfies true
same(
  spawn('f', args, { stdio: [stream, 'ignore', 'pipe'] }),
  spawnProtected('f', args, { stdio: [stream, 'ignore', 'pipe'] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['ignore', 'inherit', stream] }),
  spawnProtected('f', args, { stdio: ['ignore', 'inherit', stream] }),
) satisfies true

// Everything else: streams that may be there.
same(spawn('f', plain), spawnProtected('f', plain)) satisfies true
same(spawn('f', args, plain), spawnProtected('f', args, plain)) satisfies true
same(spawn('f', { stdio: 'inherit' }), spawnProtected('f', { stdio: 'inherit' })) satisfies true
same(spawn('f', args, { stdio: 'ignore' }), spawnProtected('f', args, { stdio: 'ignore' })) satisfies true
same(spawn('f', { stdio: [0, 1, 'pipe'] }), spawnProtected('f', { stdio: [0, 1, 'pipe'] })) satisfies true
same(spawn('f', { stdio: ['ignore', 'pipe'] }), spawnProtected('f', { stdio: ['ignore', 'pipe'] })) satisfies true
same(
  spawn('f', args, { stdio: ['pipe', 'ignore', 'pipe', 'ipc'] }),
  spawnProtected('f', args, { stdio: ['pipe', 'ignore', 'pipe', 'ipc'] }),
) satisfies true
// A stream of either kind: child_process then knows nothing of the other two, we do.
declare const spawnEither: ChildProcessByStdio<Writable | null, Readable, null>
spawn('f', { stdio: [eitherKind, 'pipe', 'ignore'] }) satisfies ChildProcess
same(spawnEither, spawnProtected('f', { stdio: [eitherKind, 'pipe', 'ignore'] })) satisfies true
same(spawnEither, spawnProtected('f', args, { stdio: [eitherKind, 'pipe', 'ignore'] })) satisfies true

// Tuples whose type has a name.
declare const tuple: SpawnOptionsWithStdioTuple<StdioPipe, StdioNull, StdioPipe>
same(spawn('f', tuple), spawnProtected('f', tuple)) satisfies true
same(spawn('f', args, tuple), spawnProtected('f', args, tuple)) satisfies true

// A worker.
same(fork('m'), forkProtected('m')) satisfies true
same(fork(new URL('file:///m')), forkProtected(new URL('file:///m'))) satisfies true
same(fork('m', { silent: true }), forkProtected('m', { silent: true })) satisfies true
same(fork('m', args), forkProtected('m', args)) satisfies true
same(fork('m', args, { stdio: 'pipe' }), forkProtected('m', args, { stdio: 'pipe' })) satisfies true

// The return type has a name, of child_process and of ours.
export const all: ChildProcessWithoutNullStreams = spawnProtected('f')
export const allOfOurs: ProtectedProcessWithoutNullStreams = spawnProtected('f', args, { stdio: 'pipe' })
export const some: ChildProcessByStdio<null, Readable, null> = spawnProtected('f', {
  stdio: ['ignore', 'pipe', 'inherit'],
})
export const someOfOurs: ProtectedProcessByStdio<Writable, null, Readable> = spawnProtected('f', args, {
  stdio: ['pipe', 'ignore', 'overlapped'],
})
export const any: ChildProcess[] = [spawnProtected('f', plain), forkProtected('m')]

/** Functions over a tuple that is not known yet are of the same use with both. */
export function overTuple<I extends StdioNull, O extends StdioPipe>(stdin: I, stdout: O): ChildProcess {
  return spawnProtected('f', args, { stdio: [stdin, stdout, 'ignore'] })
}

// Our options, with every overload.
const exitEvent = new ExitEvent()
const ours = { ignore: ['SIGINT', 34], block: ['SIGTERM'], enforce: 'auto', exitEvent } satisfies SpawnProtectedOptions
same(spawn('f'), spawnProtected('f', ours)) satisfies true
same(spawn('f', args), spawnProtected('f', args, ours)) satisfies true
same(
  spawn('f', { stdio: ['ignore', 'pipe', 'ignore'] }),
  spawnProtected('f', { ...ours, stdio: ['ignore', 'pipe', 'ignore'] }),
) satisfies true
same(
  spawn('f', args, { stdio: ['ignore', 'pipe', 'ignore'] }),
  spawnProtected('f', args, { ...ours, stdio: ['ignore', 'pipe', 'ignore'] }),
) satisfies true
same(spawn('f', plain), spawnProtected('f', { ...ours, ...plain })) satisfies true
export const workerOptions: ForkProtectedOptions = { ...ours, enforce: true, execArgv: [], serialization: 'advanced' }

// @ts-expect-error One signal is no list.
spawnProtected('f', { ignore: 'SIGINT' })
// @ts-expect-error A signal has its full name.
spawnProtected('f', args, { block: ['INT'] })
// @ts-expect-error Only these four.
forkProtected('m', { enforce: 'always' })
// @ts-expect-error Set by us only.
spawnProtected('f').enforced = 'filter'

// What we add.
type Extras = Pick<ProtectedProcess, 'enforced' | 'exitEvent' | 'resourceUsage' | 'stop'>
true satisfies Equal<
  Extras,
  {
    stop(options?: StopOptions): Promise<StopOutcome>
    readonly enforced: false | 'filter' | 'guard'
    readonly exitEvent: ExitEvent | undefined
    readonly resourceUsage: ResourceUsage | undefined
  }
>

// A supervisor starts with the same overloads, and takes `restart`.
declare const supervisor: Supervisor
const supervisedPipes: ProtectedProcessWithoutNullStreams = supervisor.spawn('x', ['y'], { restart: 'always' })
const supervisedTuple: ProtectedProcessByStdio<null, Readable, Readable> = supervisor.spawn('x', {
  stdio: ['ignore', 'pipe', 'pipe'],
  restart: { when: 'on-failure', delay: 5 },
})
const supervisedWorker: ProtectedProcess = supervisor.fork('x', ['y'], { restart: undefined, silent: true })
void [supervisedPipes, supervisedTuple, supervisedWorker]
// @ts-expect-error - of what there is.
supervisor.spawn('x', { restart: 'sometimes' })
// @ts-expect-error - it is the supervisor's children that are restarted.
spawnProtected('x', { restart: 'always' })

/** True when both have one type. */
declare function alike<A, B>(node: A, ours: B): Equal<A, B>
const sync = { ignore: ['SIGINT'], grace: 1, parentDeathSignal: true, input: 'x' } as const
alike(spawnSync('f'), spawnSyncProtected('f')) satisfies true
alike(spawnSync('f', {}), spawnSyncProtected('f', {})) satisfies true
alike(spawnSync('f', { encoding: 'utf8' }), spawnSyncProtected('f', { ...sync, encoding: 'utf8' })) satisfies true
alike(spawnSync('f', { encoding: 'buffer' }), spawnSyncProtected('f', { ...sync, encoding: 'buffer' })) satisfies true
alike(spawnSync('f', args), spawnSyncProtected('f', args)) satisfies true
alike(spawnSync('f', args, plain), spawnSyncProtected('f', args, { ...sync, ...plain })) satisfies true
alike(spawnSync('f', args, { encoding: 'hex' }), spawnSyncProtected('f', args, { encoding: 'hex' })) satisfies true
alike(execFileSync('f'), execFileSyncProtected('f')) satisfies true
alike(execFileSync('f', {}), execFileSyncProtected('f', {})) satisfies true
alike(execFileSync('f', { encoding: 'utf8' }), execFileSyncProtected('f', { ...sync, encoding: 'utf8' })) satisfies true
alike(execFileSync('f', args), execFileSyncProtected('f', args)) satisfies true
alike(execFileSync('f', args, { encoding: null }), execFileSyncProtected('f', args, { encoding: null })) satisfies true
alike(
  execFileSync('f', args, { shell: true }),
  execFileSyncProtected('f', args, { shell: true, ...sync }),
) satisfies true
// @ts-expect-error It would block for ever.
spawnSyncProtected('f', { foreground: true })
