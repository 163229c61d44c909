/** fork's own part: the arguments for Node, and an IPC channel among the stdio. */
import type { ForkOptions } from 'node:child_process'
import {
  isAbsent,
  isObject,
  isText,
  letNodeCheck,
  nodes,
  type Options,
  overload,
  pathOf,
  poison,
} from './node-options.js'

/** A fork as the spawn that it is. */
export interface ForkedSpawn {
  readonly file: string
  readonly args: readonly unknown[]
  readonly options: object
}

export function spawnOfFork(modulePath: string | URL, argsOrOptions: unknown, lastOptions: unknown): ForkedSpawn {
  const { args, options: given } = overload(argsOrOptions, lastOptions)
  // Nothing can be poisoned here, and nothing needs to be: these can only be refused.
  const isRefused = !isAbsent(argsOrOptions) && typeof argsOrOptions !== 'object'
  if (isRefused || (!isAbsent(given) && !isObject(given))) {
    nodes.fork(modulePath, argsOrOptions as string[], lastOptions as object)
  }
  const options: ForkOptions & Options = Object.assign(Object.create(null), given)
  if (process.versions.electron) runAsNode(options)
  const execPath = options.execPath || process.execPath
  const execArgv = (options.execArgv || ownExecArgv()) as unknown
  const plain =
    isText(modulePath) &&
    isText(execPath) &&
    Array.isArray(execArgv) &&
    execArgv.every(isText) &&
    (isAbsent(options.stdio) || (Array.isArray(options.stdio) && options.stdio.includes('ipc')))
  if (!plain) letNodeCheck(() => nodes.fork(modulePath, args as string[], { ...options, ...poison }))
  return {
    file: execPath,
    args: [...(execArgv as unknown[]), pathOf(modulePath), ...args],
    options: { ...options, stdio: stdioWithIpc(options), shell: false },
  }
}

/** As Electron's own fork does it: its program is the application, unless it is told to be Node. */
function runAsNode(options: ForkOptions): void {
  options.env = Object.assign(Object.create(options.env ?? process.env), { ELECTRON_RUN_AS_NODE: '1' })
  options.execPath ||= (process as { helperExecPath?: string }).helperExecPath
}

/** Without the code of `node -e`, or the child would run it again instead of its module. */
function ownExecArgv(): string[] {
  const { execArgv } = process
  const code = (process as unknown as { _eval?: string })._eval
  const index = code === undefined ? -1 : execArgv.lastIndexOf(code)
  return index > 0 ? execArgv.toSpliced(index - 1, 2) : execArgv
}

function stdioWithIpc({ stdio, silent }: ForkOptions): unknown[] {
  if (Array.isArray(stdio)) return stdio
  const all = typeof stdio === 'string' ? stdio : silent ? 'pipe' : 'inherit'
  return all === 'inherit' ? [0, 1, 2, 'ipc'] : [all, all, all, 'ipc']
}
