/** Ctrl-C typed at a real terminal while a call blocks. */
import { describe, expect, it } from 'vitest'
import { childrenOf } from '../support/process-table.mjs'
import { isAlive, until } from '../support/processes.js'
import { CTRL_C, CTRL_Z, Terminal } from '../support/terminal.js'

/** As an interactive shell, whose list of commands an interrupted job would end: its job is in a foreground group of its own. */
const shell = `
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpgrp())
    if not os.WIFSTOPPED(status): break
    print("stopped", flush=True)
    os.tcsetpgrp(0, job)
    os.kill(-job, signal.SIGCONT)
print("left", os.waitstatus_to_exitcode(status), flush=True)
input()`

/** Runs a Node module with `run`. Its session leader lives on: without that SIGHUP would end what Ctrl-C has left behind. */
function program(run: 'spawnSync' | 'spawnSyncProtected', code: string): Terminal {
  const from = run === 'spawnSync' ? 'node:child_process' : 'sigshield'
  const module = `import { ${run} as run } from '${from}'\n${code}`
  return new Terminal('python3', ['-c', shell, process.execPath, '--input-type=module', '-e', module])
}

/** A job that says the number of each of its processes. */
const job = (script: string) => `['-c', 'echo "pid $$ ."; ${script}']`
const listening = (options = '{}') => `
  process.on('SIGINT', () => console.log('listener'))
  const { status, signal } = run('sh', ${job('read line; echo "finished $line"')}, { stdio: 'inherit', ...${options} })
  console.log('result ' + status + ' ' + signal)
  // Listeners are called by the loop.
  setTimeout(() => {}, 50)`

async function pidIn(terminal: Terminal): Promise<number> {
  await terminal.shows(' .')
  return Number(/pid (\d+) \./.exec(terminal.screen)?.[1])
}

describe('Ctrl-C, with a listener', () => {
  it('the program finishes, and then the listener is called', async () => {
    const terminal = program('spawnSyncProtected', listening())
    await pidIn(terminal)
    terminal.type(CTRL_C)
    await terminal.shows('^C')
    terminal.type('the job\r')
    let end = await terminal.shows('finished the job')
    end = await terminal.shows('result 0 null', end)
    end = await terminal.shows('listener', end)
    await terminal.shows('left 0', end)
  })

  it.each([
    ['spawnSync', '{}'],
    ['spawnSyncProtected', '{ ignore: [] }'],
  ] as const)('%s %s: it dies at once (the control)', async (run, options) => {
    const terminal = program(run, listening(options))
    await pidIn(terminal)
    terminal.type(CTRL_C)
    await terminal.shows('result null SIGINT')
    await terminal.shows('left 0')
    expect(terminal.screen).not.toContain('finished')
  })

  it('Ctrl-\\ ends both', async () => {
    const terminal = program('spawnSyncProtected', listening())
    const pid = await pidIn(terminal)
    terminal.type('\x1c')
    await terminal.shows('left -3')
    await until(() => !isAlive(pid), 'the program has ended')
  })

  it('Ctrl-Z stops both, and both go on', async () => {
    const terminal = program('spawnSyncProtected', listening())
    await pidIn(terminal)
    terminal.type(CTRL_Z)
    const end = await terminal.shows('stopped')
    terminal.type('the job\r')
    await terminal.shows('finished the job', end)
    await terminal.shows('left 0', end)
  })
})

describe('Ctrl-C, and nobody listens', () => {
  const nobody = (options: string) => `
    run('sh', ${job(`sleep 1000; echo`)}, { stdio: 'inherit', ...${options} })
    console.log('never')`

  it.each([
    ['spawnSync', '{}'],
    ['spawnSyncProtected', '{}'],
  ] as const)('%s %s: it ends this process, the program and what that has started', async (run, options) => {
    const terminal = program(run, nobody(options))
    const pid = await pidIn(terminal)
    await until(() => childrenOf(pid).length > 0, 'it has started another')
    const family = [pid, ...childrenOf(pid).map((child) => child.pid)]
    terminal.type(CTRL_C)
    await terminal.shows('left -2')
    await until(() => !family.some(isAlive), 'both have ended')
    expect(terminal.screen).not.toContain('never')
  })

  const deaf = (options: string) => `run('sh', ${job('exec sleep 1000')}, { stdio: 'inherit', ...${options} })`

  it('a program that ignores SIGINT all the same is ended by the death of this process', async () => {
    const terminal = program('spawnSyncProtected', deaf(`{ ignore: ['SIGINT'] }`))
    const pid = await pidIn(terminal)
    terminal.type(CTRL_C)
    await terminal.shows('left -2')
    await until(() => !isAlive(pid), 'the program has ended')
  })

  it('and stays behind without parentDeathSignal (the control)', async () => {
    const terminal = program('spawnSyncProtected', deaf(`{ ignore: ['SIGINT'], parentDeathSignal: false }`))
    const pid = await pidIn(terminal)
    terminal.type(CTRL_C)
    await terminal.shows('left -2')
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
    await until(() => !isAlive(pid), 'the program has ended')
  })
})
