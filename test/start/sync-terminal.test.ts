/** Ctrl-C typed at a real terminal while a call blocks. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { childrenOf, processOf } from '../support/process-table.mjs'
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

/** A job that says its number. */
const job = (script: string) => `['-c', 'echo "pid $$ ." >&2; ${script}']`
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

/** A shell and the `sleep` that it waits for. Before its execve that has dash's handlers, which swallow what comes. */
async function familyOf(shell: number): Promise<number[]> {
  await until(() => childrenOf(shell).some(({ name }) => name === 'sleep'), 'it sleeps')
  return [shell, ...childrenOf(shell).map(({ pid }) => pid)]
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

describe('a second Ctrl-C, with a listener', () => {
  /** Two presses within a second are one request. */
  const later = () => new Promise((resolve) => setTimeout(resolve, 1100))
  /** Two processes, each of which would hold the pipes. */
  const family = job('sleep 1000; echo never')

  async function press(terminal: Terminal): Promise<void> {
    const end = terminal.screen.length
    terminal.type(CTRL_C)
    await terminal.shows('^C', end)
  }

  it('kills the program and what it has started, and the listener is called for both', async () => {
    const code = `
      process.on('SIGINT', () => console.log('listener'))
      const { signal, stdout } = run('sh', ${family}, { stdio: ['inherit', 'pipe', 2] })
      console.log('result ' + signal)`
    const terminal = program('spawnSyncProtected', code)
    const pid = await pidIn(terminal)
    const pids = await familyOf(pid)
    await press(terminal)
    await later()
    await press(terminal)
    let end = await terminal.shows('result SIGKILL')
    end = await terminal.shows('listener', end)
    end = await terminal.shows('listener', end)
    end = await terminal.shows('left 0', end)
    await until(() => !pids.some(isAlive), 'both have ended')
    expect(terminal.screen.slice(0, end).match(/listener/g)).toHaveLength(2)
  })

  it('within a second is the same request: the program finishes (the control)', async () => {
    const terminal = program('spawnSyncProtected', listening())
    await pidIn(terminal)
    terminal.type(CTRL_C + CTRL_C)
    // The second flushes what is not yet read of the first.
    await terminal.shows('^C')
    terminal.type('the job\r')
    await terminal.shows('finished the job')
    const end = await terminal.shows('result 0 null')
    await terminal.shows('left 0', await terminal.shows('listener', end))
  })

  it('counts on in the next call, as long as no listener was called', async () => {
    const code = `
      process.on('SIGINT', () => console.log('listener'))
      const two = () => run('sh', ${job('read line; echo "finished $line"')}, { stdio: 'inherit' })
      console.log('first ' + two().status)
      console.log('second ' + two().signal)`
    const terminal = program('spawnSyncProtected', code)
    await pidIn(terminal)
    await press(terminal)
    terminal.type('it\r')
    await terminal.shows('.', await terminal.shows('first 0'))
    await later()
    await press(terminal)
    await terminal.shows('listener', await terminal.shows('second SIGKILL'))
    await terminal.shows('left 0')
  })

  it('is not held up by who holds the pipes of a program that has gone', async () => {
    const code = `
      process.on('SIGINT', () => console.log('listener'))
      const { status } = run('sh', ${job('sleep 1000 & echo "holder $! ." >&2; read line')}, { stdio: ['inherit', 'pipe', 2] })
      console.log('result ' + status)`
    const terminal = program('spawnSyncProtected', code)
    await pidIn(terminal)
    await terminal.shows(' .', await terminal.shows('holder '))
    const holder = Number(/holder (\d+) \./.exec(terminal.screen)?.[1])
    onTestFinished(() => void (isAlive(holder) && process.kill(holder, 'SIGKILL')))
    await press(terminal)
    terminal.type('go\r')
    await later()
    await press(terminal)
    await terminal.shows('left 0', await terminal.shows('result 0'))
  })

  it('is the program’s own where it hears SIGINT', async () => {
    const script = `trap 'echo heard' INT; echo 'pid '$$' .'; read line; read line; echo finished $line`
    const code = `
      process.on('SIGINT', () => console.log('listener'))
      const { status } = run('bash', ['-c', ${JSON.stringify(script)}], { stdio: 'inherit', ignore: [] })
      console.log('result ' + status)`
    const terminal = program('spawnSyncProtected', code)
    await pidIn(terminal)
    await press(terminal)
    await later()
    await press(terminal)
    terminal.type('no\rthe job\r')
    await terminal.shows('result 0', await terminal.shows('finished the job'))
    await terminal.shows('left 0')
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
    const family = await familyOf(pid)
    terminal.type(CTRL_C)
    await terminal.shows('left -2')
    await until(() => !family.some(isAlive), 'both have ended')
    expect(terminal.screen).not.toContain('never')
  })

  it('the same beside a child of protect(), which listens for that alone', async () => {
    const beside = `
      const { protect } = await import('sigshield')
      protect()
      ;(await import('node:child_process')).spawn('sleep', ['1000'])
      run('sh', ${job('exec sleep 1000')}, { stdio: 'inherit' })
      // The loop has its turn.
      setInterval(() => {}, 1000)`
    const terminal = program('spawnSyncProtected', beside)
    const pid = await pidIn(terminal)
    await until(() => processOf(pid)?.name === 'sleep', 'it sleeps')
    terminal.type(CTRL_C)
    await terminal.shows('left -2')
    expect(isAlive(pid)).toBe(false)
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
