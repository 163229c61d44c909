/**
 * All that sigshield does otherwise than child_process on purpose, and all of child_process that nothing can be compared
 * with. Whatever else differs is a fault.
 */
import type { Call, Observation } from './differential.js'

const major = Number(process.versions.node.split('.')[0])

export interface Pair {
  readonly call: Call
  readonly node: Observation
  readonly ours: Observation
  /** Descriptors that this process has open without close-on-exec. */
  readonly leaking: ReadonlySet<number>
}

/** What ours does otherwise, which calls can turn off: it protects from SIGINT, and enforces it for a Node worker. */
export const unprotected = { ignore: [], enforce: false } as const

/** What ours does otherwise, as it shows in an observation. */
export const intendedDifferences: readonly { what: string; why: string; remove(pair: Pair): Pair }[] = [
  {
    what: 'the property `step` of an error that the system caused',
    why: 'It names the system call that failed, which Node does not tell.',
    remove: (pair) => ({ ...pair, ours: mapErrors(pair.ours, withoutStep) }),
  },
  {
    what: 'descriptors that the parent has open without close-on-exec and does not give to the child',
    why: 'Node hands them on by accident; a protected child has exactly the descriptors that it was given.',
    remove: (pair) => {
      const { call, node, leaking } = pair
      if (node.report === undefined) return pair
      const fds = node.report.fds.filter(({ fd }) => isGiven(call, fd) || !leaking.has(fd))
      return { ...pair, node: { ...node, report: { ...node.report, fds } } }
    },
  },
]

export function withoutStep(error: object): object {
  const { step: _, ...rest } = error as { step?: unknown }
  return rest
}

function mapErrors(side: Observation, change: (error: object) => object): Observation {
  const events = side.events?.map(([name, ...args]) =>
    name === 'error' ? [name, ...args.map((error) => change(error as object))] : [name, ...args],
  )
  return {
    ...side,
    ...(side.thrown && { thrown: { ...change(side.thrown) } }),
    ...(events && { events }),
  }
}

function isGiven({ stdio }: Call, fd: number): boolean {
  if (fd <= 2) return true
  const source = Array.isArray(stdio) ? stdio[fd] : undefined
  return source !== undefined && source !== null && source !== 'ignore'
}

/** Calls that Node fails at, or that end otherwise each time. They are not made. */
export const incomparable = {
  /**
   * Node 24 and 26 write to a freed handle some calls after they have refused ['pipe', 'pipe', 'pipe', { fd: -1 }]; valgrind
   * shows it of ten such calls of child_process.spawn.
   */
  entry: ({ fd }: { readonly fd: unknown }) => fd === -1 && major >= 24,

  /** Node 22 and newer abort at a descriptor that is no 32-bit integer (CHECK value->IsInt32()). */
  descriptor: (fd: number) => (!Number.isInteger(fd) || fd !== (fd | 0) ? major >= 22 : false),

  /** Its process handle aborts the process. */
  id: (value: unknown) => Object.is(value, -0),

  /** Node starts the program with an empty argument, then throws, and leaves its pipes open. */
  argumentOfFork: (value: unknown) => isNoText(value),

  /** Node 22 and newer drop an argument that can't become text in silence; ours throws, as Node 20 does. */
  argumentOfSpawn: (value: unknown) => isNoText(value) && major >= 22,

  /** When Node throws, it leaves its ends of such pipes open. */
  entryOfWhatThrows: (source: unknown) => source === 'overlapped',
}

function isNoText(value: unknown): boolean {
  return (
    typeof value === 'symbol' || (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null)
  )
}
