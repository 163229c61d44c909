/** Our own options, as a caller may write them. */
import type { ExitEvent } from '../exit-event.js'
import type { Signal } from '../signal/names.js'

/** What sigshield adds to the options of `child_process`. */
export interface ProtectionOptions {
  /**
   * Signals that the child ignores from its first instruction on: SIG_IGN; all others start with SIG_DFL.
   * @default ['SIGINT']; [] in the foreground
   */
  readonly ignore?: readonly Signal[] | undefined
  /**
   * The child's signal mask. A blocked signal waits until the program unblocks it, and many never do.
   * @default []
   */
  readonly block?: readonly Signal[] | undefined
  /**
   * Keep the child and its descendants from undoing `ignore`, by a filter of the kernel's (seccomp). `true`: fail to start where
   * the system has none; `'auto'`: start without it, see `enforced`; `false`: add none, and a Node child undoes what it ignores at
   * start-up. `'guard'`: by a library that is loaded into the child and the descendants that keep it in their environment, and
   * that an explicit start with other signals or `liftGuard()` of `sigshield/child` lifts; fail to start a program that it can't be
   * loaded into (docs/guard.md). Where the kernel has no filter, as on macOS, `true` and `'auto'` mean the guard.
   *
   * It guards against programs that reset signals as a matter of course, and is no security boundary: one that means to can get
   * round it, and a signal that a program blocks still reaches its sigwait(3) or signalfd(2). A program that asks for the old
   * action as it sets a new one finds its memory unwritten. What a process has inherited stays in force in all that it starts,
   * whatever is asked for here: an explicit start can set such a signal back to its default action, but not let a program
   * handle it.
   * @default 'auto' for spawnProtected, true for forkProtected
   */
  readonly enforce?: boolean | 'auto' | 'guard' | undefined
  /**
   * The supplementary groups of the child: exactly these ids, `[]` for none. It needs the privilege (CAP_SETGID).
   * @default undefined: the parent's, or none when `uid` or `gid` is given
   */
  readonly groups?: readonly number[] | undefined
  /** Handed to the child, which sees it as `exitEvent()` of `sigshield/child` or at the descriptor `SIGSHIELD_EXIT_FD`. */
  readonly exitEvent?: ExitEvent | undefined
  /**
   * `true`: the child leads a process group of its own; a number: it joins that group. A terminal's Ctrl-C no longer reaches it,
   * and as a background process it is stopped when it reads from the terminal (SIGTTIN; tcsetpgrp(3)).
   * @default false, the parent's group
   */
  readonly processGroup?: boolean | number | undefined
  /**
   * The child's process group, its own unless `processGroup` says otherwise, holds the terminal until it exits or is stopped.
   * A child that ignores or blocks SIGINT is refused: Ctrl-C would reach nobody. A system error (`step` 'open') where there is no
   * controlling terminal.
   * @default false
   */
  readonly foreground?: boolean | undefined
  /**
   * The signal that the kernel sends the child when its parent dies, however it dies; `true` is SIGKILL. From the main thread
   * only: the kernel takes the end of the starting thread for the parent's. A setuid program loses it (PR_SET_PDEATHSIG(2const)).
   * Linux alone: refused elsewhere with `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`.
   * @default false
   */
  readonly parentDeathSignal?: Signal | boolean | undefined
  /**
   * Milliseconds from 'exit' until the pipes that descendants still hold are closed, so that 'close' comes. Go's WaitDelay.
   * @default undefined: 'close' waits for them, as with `child_process`
   */
  readonly drain?: number | undefined
  /**
   * `false`: the call may return as soon as the child is there, and the event loop goes on while the child becomes the program.
   * 'spawn' comes when the program runs; until then the child has copies of this process's open files, and `enforced` tells only of
   * what is inherited. What the kernel alone can say (a missing interpreter, too long arguments, a refused filter) comes as an 'error'
   * event in place of 'spawn' and 'exit', with the same `code` and `step`, and `pid` is undefined from then on. The call waits all the
   * same for the first children of a process, in worker threads, detached, with other ids, in a given process group, in the
   * foreground, under the guard, beside many open files, on macOS, and where something is missing, which it tells as ever. Not for
   * children of a `Supervisor`.
   * @default true
   */
  readonly waitForExec?: boolean | undefined
}

/** All of them. */
export const protectionOptions: ReadonlySet<string> = new Set<keyof ProtectionOptions>([
  'ignore',
  'block',
  'enforce',
  'groups',
  'exitEvent',
  'processGroup',
  'foreground',
  'parentDeathSignal',
  'drain',
  'waitForExec',
])

/** Those that go for any start, and not only for one that the caller sees run. */
export const generalOptions: readonly string[] = [...protectionOptions].filter(
  (name) => name !== 'foreground' && name !== 'waitForExec',
)
