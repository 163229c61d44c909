/** The exit event below the children: a descendant has it, or knows that it has not. */
import childProcess from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ExitEvent, type SpawnProtectedOptions, spawnProtected } from 'sigshield'
import { describe, expect, it, onTestFinished } from 'vitest'
import { closed, ended, line, temporaryFolder } from '../support/processes.js'

const leaf = join(import.meta.dirname, '../support/exit-event/leaf.mjs')
const middle = join(import.meta.dirname, '../support/exit-event/middle.mjs')
const node = process.execPath

function start(command: string, args: string[], options: SpawnProtectedOptions = {}) {
  const event = new ExitEvent()
  onTestFinished(() => event.set())
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
  return { event, child: ended(spawnProtected(command, args, { ...options, stdio, exitEvent: event })) }
}

const python = (keep: string) =>
  `import os, subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], ${keep}).returncode)`

describe('a grandchild has the event', () => {
  it.each<[string, string, string[]]>([
    ['of a worker that hands it on', node, [middle, 'handing it on']],
    ['of workers that hand it on, five deep', node, [middle, 'handing it on', '5']],
    [
      'of a worker that uses child_process with the descriptor',
      node,
      [middle, 'by child_process, with the descriptor'],
    ],
    ['of a shell', 'sh', ['-c', '"$@"; exit $?', 'sh', node, leaf]],
    ['of a shell in a shell in a pipe', 'bash', ['-c', 'bash -c \'"$@"\' bash "$@" | cat', 'bash', node, leaf]],
    ['of env', 'env', ['A=1', node, leaf]],
    ['of a wrapper script that logs', 'sh', ['-c', 'exec 3>>/dev/null; exec "$@"', 'sh', node, leaf]],
    ['of Python, told to keep it', 'python3', ['-c', python('close_fds=False'), node, leaf]],
    [
      'of Python, given it to pass',
      'python3',
      ['-c', python('pass_fds=[int(os.environ["SIGSHIELD_EXIT_FD"])]'), node, leaf],
    ],
  ])('%s', async (_whose, command, args) => {
    const { event, child } = start(command, args)
    expect(JSON.parse(await line(child.stdout))).toEqual({ connected: true, isSet: false })
    event.set()
    expect(await line(child.stdout)).toBe('requested')
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })
})

describe('a process knows that it has no event', () => {
  const fifo = () => {
    const path = join(temporaryFolder(), 'fifo')
    childProcess.execFileSync('mkfifo', [path])
    return path
  }

  it.each<[string, string, string[]]>([
    ['started by a worker that gives it none', node, [middle, 'giving it none']],
    ['started by child_process', node, [middle, 'by child_process']],
    [
      'started by child_process of a worker that knows its own',
      node,
      [middle, 'by child_process, having asked for its own'],
    ],
    ['started by Python, which closes descriptors', 'python3', ['-c', python(''), node, leaf]],
    ['whose descriptor was closed', 'sh', ['-c', 'exec 8<&-; exec "$@"', 'sh', node, leaf]],
    ['whose descriptor is another pipe', 'sh', ['-c', 'sleep 0 | { exec 8<&0; exec "$@"; }', 'sh', node, leaf]],
    ['whose descriptor is a file', 'sh', ['-c', 'exec 8</etc/passwd; exec "$@"', 'sh', node, leaf]],
    ['whose descriptor is a terminal', 'sh', ['-c', 'exec 8</dev/ptmx; exec "$@"', 'sh', node, leaf]],
    ['whose descriptor is the write end of a pipe', 'bash', ['-c', 'exec 8> >(cat); exec "$@"', 'bash', node, leaf]],
    ['whose variables are no numbers', 'env', ['SIGSHIELD_EXIT_FD=x', node, leaf]],
    ['whose variables are empty', 'env', ['SIGSHIELD_EXIT_FD=', 'SIGSHIELD_EXIT_INODE=', node, leaf]],
    ['whose inode has no name', 'env', ['-u', 'SIGSHIELD_EXIT_INODE', node, leaf]],
    ['whose descriptor is beyond all limits', 'env', ['SIGSHIELD_EXIT_FD=4294967299', node, leaf]],
  ])('%s', async (_which, command, args) => {
    const { child } = start(command, args)
    expect(JSON.parse(await line(child.stdout))).toEqual({ connected: false, isSet: false })
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })

  it('whose descriptor is a named pipe of the same number', async () => {
    const path = fifo()
    const args = [
      `SIGSHIELD_EXIT_INODE=${statSync(path).ino}`,
      'bash',
      '-c',
      'exec 8<>"$1"; exec 8<"$1"; shift; exec "$@"',
    ]
    const { child } = start('env', [...args, 'bash', path, node, leaf])
    expect(JSON.parse(await line(child.stdout))).toEqual({ connected: false, isSet: false })
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })

  it('run by hand', async () => {
    const child = ended(childProcess.spawn(node, [leaf], { stdio: ['ignore', 'pipe', 'inherit'] }))
    expect(JSON.parse(await line(child.stdout))).toEqual({ connected: false, isSet: false })
    expect(await closed(child)).toEqual({ code: 0, signal: null })
  })
})
