/**
 * One call described as data, made through either `spawn`, and all that can be seen of it. It is long, as what is described, made
 * and seen of one thing stands together.
 */
import { type ChildProcess, type SpawnOptions, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  createWriteStream,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { probe } from '../processes.js'

/** How a file is opened for a child. */
const accesses = {
  read: constants.O_RDONLY,
  write: constants.O_WRONLY,
  both: constants.O_RDWR,
  append: constants.O_WRONLY | constants.O_APPEND,
  'nonblocking read': constants.O_RDONLY | constants.O_NONBLOCK,
  'nonblocking write': constants.O_WRONLY | constants.O_NONBLOCK,
  'nonblocking fifo': constants.O_RDWR | constants.O_NONBLOCK,
  fifo: constants.O_RDWR,
  directory: constants.O_RDONLY | constants.O_DIRECTORY,
  // O_PATH, which Node has no name for.
  path: 0o10000000,
} as const
export type Access = keyof typeof accesses
export const everyAccess = Object.keys(accesses) as Access[]

export const everyStream = ['write stream', 'append stream', 'process.stdout', 'process.stderr', 'socket'] as const
export type Stream = (typeof everyStream)[number]

/** An entry of stdio. What is opened for it is opened anew for each side, and once for all entries that name it. */
export type Source =
  | string
  | number
  | null
  | undefined
  | { readonly file: Access }
  | { readonly stream: Stream }
  | { readonly fd: number }

export interface Call {
  readonly file: string
  readonly args: readonly unknown[]
  readonly options: Readonly<Record<string, unknown>>
  readonly stdio: string | readonly Source[] | undefined
}

/** The files that calls open, in a folder of the test's. */
export interface Places {
  readonly file: string
  readonly fifo: string
  readonly folder: string
  readonly report: string
  readonly server: Server
}

export interface Descriptor {
  readonly fd: number
  readonly type: number
  readonly device: number
  readonly inode: number | string
}

/** The probe's report; what is not named here is compared as it is. */
export interface Report {
  readonly fds: readonly Descriptor[]
  readonly parent: number | string
  readonly [other: string]: unknown
}

export interface Observation {
  /** What spawn threw; then there is nothing else. */
  readonly thrown?: Readonly<Record<string, unknown>>
  /** The ChildProcess when spawn has returned. */
  readonly started?: Readonly<Record<string, unknown>>
  /** The ChildProcess at 'close'. */
  readonly ended?: Readonly<Record<string, unknown>>
  readonly events?: readonly (readonly unknown[])[]
  /** Absent when the probe did not run. */
  readonly report?: Report
}

type Spawn = (file: string, args: string[], options: SpawnOptions) => ChildProcess

export function errorShape(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { thrown: error }
  return { ...error, name: error.name, message: error.message, ...('cause' in error && { cause: error.cause }) }
}

/** What is open for one side of a comparison. */
export class Opened {
  readonly #places: Places
  readonly #made = new Map<string, unknown>()
  readonly #closing: (() => unknown)[] = []

  constructor(places: Places) {
    this.#places = places
  }

  async source(source: Source): Promise<unknown> {
    if (typeof source !== 'object' || source === null || 'fd' in source) return source
    const key = JSON.stringify(source)
    if (!this.#made.has(key)) {
      this.#made.set(key, 'file' in source ? this.#file(source.file) : await this.#stream(source.stream))
    }
    return this.#made.get(key)
  }

  #file(access: Access): number {
    const { file, fifo, folder } = this.#places
    const path = access === 'directory' ? folder : access.endsWith('fifo') ? fifo : file
    const fd = openSync(path, accesses[access])
    this.#closing.push(() => closeSync(fd))
    return fd
  }

  async #stream(name: Stream): Promise<unknown> {
    if (name === 'process.stdout') return process.stdout
    if (name === 'process.stderr') return process.stderr
    if (name === 'socket') return this.#socket()
    const stream = createWriteStream(this.#places.file, { flags: name === 'append stream' ? 'a' : 'r+' })
    await once(stream, 'open')
    this.#closing.push(() => once(stream.destroy(), 'close'))
    return stream
  }

  async #socket(): Promise<Socket> {
    const { server } = this.#places
    const accepted = once(server, 'connection')
    const socket = connect(server.address() as string)
    await once(socket, 'connect')
    const [peer] = (await accepted) as [Socket]
    // Either may be closed by what the other does, so both are watched from the start.
    const ends = [socket, peer].map((end) => new Promise((resolve) => end.on('error', () => {}).once('close', resolve)))
    this.#closing.push(() => {
      socket.destroy()
      peer.destroy()
      return Promise.all(ends)
    })
    return socket
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close()
  }
}

function streamShape(stream: object | null | undefined): unknown {
  return stream ? stream.constructor.name : stream
}

function childShape(child: ChildProcess): Record<string, unknown> {
  const { stdin, stdout, stderr, stdio, channel, spawnfile, spawnargs, exitCode, signalCode, killed, connected } = child
  return {
    pid: typeof child.pid,
    stdin: streamShape(stdin),
    stdout: streamShape(stdout),
    stderr: streamShape(stderr),
    stdio: stdio?.map(streamShape),
    channel: streamShape(channel),
    keys: Object.keys(child).sort(),
    ...{ spawnfile, spawnargs, exitCode, signalCode, killed, connected },
  }
}

/** Makes a call and sees it through. */
export async function observe(spawn: Spawn, call: Call, places: Places): Promise<Observation> {
  rmSync(places.report, { force: true })
  const opened = new Opened(places)
  try {
    const { stdio } = call
    const options: Record<string, unknown> = { ...call.options }
    if (typeof stdio === 'string') options.stdio = stdio
    if (Array.isArray(stdio)) {
      const entries: unknown[] = []
      for (const source of stdio) entries.push(await opened.source(source))
      options.stdio = entries
    }
    let child: ChildProcess
    try {
      child = spawn(call.file, call.args as string[], options)
    } catch (error) {
      return { thrown: errorShape(error) }
    }
    return { ...(await life(child)), ...readReport(places.report) }
  } finally {
    await opened.close()
  }
}

async function life(child: ChildProcess): Promise<Omit<Observation, 'report'>> {
  const started = childShape(child)
  const events: unknown[][] = []
  child.on('spawn', (...args) => events.push(['spawn', ...args]))
  child.on('error', (error) => events.push(['error', errorShape(error)]))
  child.on('exit', (...args) => events.push(['exit', ...args]))
  child.on('close', (...args) => events.push(['close', ...args]))
  // The end of the channel comes at a time of its own, so it is awaited but has no place in the sequence.
  const ends = [new Promise((resolve) => child.once('close', resolve))]
  if (child.connected) ends.push(new Promise((resolve) => child.once('disconnect', resolve)))
  await Promise.all(ends)
  return { started, events, ended: childShape(child) }
}

export function readReport(path: string): { report?: Report } {
  try {
    return { report: JSON.parse(readFileSync(path, 'utf8')) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

const S_IFIFO = 0o010000
const S_IFSOCK = 0o140000

/** Pipes and sockets of this process that every child can be given: their inodes stay the same. */
const lasting = new Set(
  [0, 1, 2, 3, 4, 5, 6, 7].flatMap((fd) => {
    try {
      return fstatSync(fd).ino
    } catch {
      return []
    }
  }),
)

/** Replaces what differs from one child to the next: the inodes of its own pipes, of which only the aliasing counts, and the pid of a shell between. */
export function portable(report: Report): Report {
  const names = new Map<unknown, string>()
  const fds = report.fds.map((descriptor) => {
    const { type, inode } = descriptor
    if ((type !== S_IFIFO && type !== S_IFSOCK) || lasting.has(inode as number)) return descriptor
    if (!names.has(inode)) names.set(inode, `pipe ${names.size}`)
    return { ...descriptor, inode: names.get(inode) as string }
  })
  return { ...report, fds, parent: report.parent === process.pid ? 'the caller' : 'another' }
}

/** Descriptors of this process that it has open without close-on-exec: libraries and whoever started it left them so. */
export function openOnExec(): Set<number> {
  const report = join(mkdtempSync(join(tmpdir(), 'sigshield-')), 'report')
  spawnSync(probe, [report], { stdio: 'inherit' })
  const { fds } = JSON.parse(readFileSync(report, 'utf8')) as Report
  rmSync(dirname(report), { recursive: true })
  return new Set(fds.map(({ fd }) => fd))
}
