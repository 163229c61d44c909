/**
 * The exit event that its parent gave to a process that is not Node: its pipe is looked at through node:fs alone. A thread that
 * watches it would take an addon.
 */
import { constants, existsSync, fstatSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import type { ExitState } from '../native/addon.js'
import { time } from '../node/clock.js'
import { invalidState, unavailable } from '../node/errors.js'
import { type EventSource, namedEnd } from './source.js'

/** How long waitSync() sleeps between two looks. */
const NAP_MS = 20

/** The parent makes the pipe executable as it sets the event: native/platform/linux/exit_pipe.cc. */
const MARK = constants.S_IXUSR | constants.S_IXGRP | constants.S_IXOTH

const ACCESS_MODE = constants.O_RDONLY | constants.O_WRONLY | constants.O_RDWR

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

export class Polled implements EventSource {
  readonly settable = false
  /** Of a description of our own, that does not block: the one that was inherited may be read by others too. */
  readonly #fd: number
  readonly #byte = new Uint8Array(1)
  readonly #nap = new Int32Array(new SharedArrayBuffer(4))

  private constructor(fd: number) {
    this.#fd = fd
  }

  /**
   * Undefined in a process that was given none.
   * @throws Error `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` without /proc, a system error, and what Deno throws for what it does not
   * permit.
   */
  static find(): Polled | undefined {
    const named = namedEnd()
    if (named === undefined) return undefined
    const { fd, inode } = named
    const path = `/proc/self/fd/${fd}`
    try {
      // No more is needed: other files have other names, and named pipes their paths.
      if (readlinkSync(path) !== `pipe:[${inode}]` || !isReadEnd(fd)) return undefined
      return new Polled(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      if (existsSync('/proc/self/fd')) return undefined
      throw unavailable(
        'There is no /proc here, which exitEvent() reads outside Node.js. ' +
          `Read descriptor ${fd} of SIGSHIELD_EXIT_FD yourself, and leave when it ends`,
      )
    }
  }

  watch(): undefined {
    return undefined
  }

  look(): ExitState {
    if (this.#isMarked()) return 1
    try {
      // One byte: what others may read of the line is still some.
      if (readSync(this.#fd, this.#byte) > 0) return 1
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return 0
      throw error
    }
    // It was set meanwhile, or is closed.
    return this.#isMarked() ? 1 : 2
  }

  waitSync(timeoutMs: number): ExitState {
    const end = time() + timeoutMs
    for (;;) {
      const state = this.look()
      const remaining = end - time()
      if (state !== 0 || remaining <= 0) return state
      Atomics.wait(this.#nap, 0, 0, Math.min(remaining, NAP_MS))
    }
  }

  set(): never {
    throw invalidState('Only the process that created an exit event can set it: set() was called in a child')
  }

  /** No child is started here. */
  childEnd(): undefined {
    return undefined
  }

  #isMarked(): boolean {
    return (fstatSync(this.#fd).mode & MARK) === MARK
  }
}

/** The flags that it was opened with, in octal: proc_pid_fdinfo(5). */
function isReadEnd(fd: number): boolean {
  const [, flags] = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^flags:\s*([0-7]+)$/m) ?? []
  return flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) === constants.O_RDONLY
}
